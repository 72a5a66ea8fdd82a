#include "base/buffer.hpp"

#include "base/error.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace nnrun::core {

Buffer::Buffer(std::size_t bytes) : size_(bytes) {
  constexpr std::size_t huge_page = std::size_t{2} << 20;
  // From here on, what a huge page saves (a step touches thousands of small ones) is worth the rest of it.
  constexpr std::size_t large = std::size_t{128} << 10;
  const std::size_t alignment = bytes >= large ? huge_page : tensor_alignment;
  const std::size_t rounded = align_up(bytes == 0 ? 1 : bytes, alignment);
  data_.reset(static_cast<std::byte*>(std::aligned_alloc(alignment, rounded)));
  if (data_ == nullptr) throw RunError("out of memory: " + std::to_string(bytes) + " bytes of tensors; try a smaller train.batch");
  if (alignment == huge_page) madvise(data_.get(), rounded, MADV_HUGEPAGE);
  std::memset(data_.get(), 0, rounded);
}

void Buffer::Free::operator()(std::byte* memory) const { std::free(memory); }

}  // namespace nnrun::core
