#include "allocations.hpp"

#include <atomic>
#include <cerrno>
#include <cstddef>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define NNRUN_SANITIZED_HEAP 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define NNRUN_SANITIZED_HEAP 1
#endif
#endif

namespace {

std::atomic<std::size_t> allocations{0};

}  // namespace

namespace nnrun::test {

#ifdef NNRUN_SANITIZED_HEAP
namespace {
void on_allocation(const volatile void*, std::size_t) { allocations.fetch_add(1, std::memory_order_relaxed); }
void on_free(const volatile void*) {}
}  // namespace
#endif

}  // namespace nnrun::test

#ifdef NNRUN_SANITIZED_HEAP

// The sanitizers have taken malloc; they offer hooks instead.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*, std::size_t),
                                                         void (*free_hook)(const volatile void*));

std::size_t nnrun::test::allocation_count() {
  [[maybe_unused]] static const int installed = __sanitizer_install_malloc_and_free_hooks(on_allocation, on_free);
  return allocations.load(std::memory_order_relaxed);
}

#else

// This program's malloc goes before glibc's for every library in the process, operator new and OpenMP's included.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

__attribute__((visibility("default"))) void* malloc(std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(bytes);
}
__attribute__((visibility("default"))) void* calloc(std::size_t count, std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, bytes);
}
__attribute__((visibility("default"))) void* realloc(void* memory, std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(memory, bytes);
}
__attribute__((visibility("default"))) void* memalign(std::size_t alignment, std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, bytes);
}
__attribute__((visibility("default"))) void* aligned_alloc(std::size_t alignment, std::size_t bytes) { return memalign(alignment, bytes); }
__attribute__((visibility("default"))) int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) {
  *memory = memalign(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}
}

std::size_t nnrun::test::allocation_count() { return allocations.load(std::memory_order_relaxed); }

#endif
