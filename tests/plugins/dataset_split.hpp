// An open split of a data set.
#pragma once

#include <catch2/catch.hpp>
#include <utility>
#include <vector>

#include "fake_host.hpp"

namespace fake {

class Split {
 public:
  Split(const Component& dataset, const std::string& path, nnrun_split split = NNRUN_SPLIT_TRAIN, std::uint64_t seed = 42)
      : table_(dataset.vtable<nnrun_dataset_vtable>()) {
    nnrun_error error{};
    info.size = sizeof info;
    handle_ = table_.open(dataset.self(), &host(), path.c_str(), split, seed, &info, &error);
    if (handle_ == nullptr) throw Failure(error);
  }
  ~Split() { table_.close(handle_); }
  Split(const Split&) = delete;
  Split& operator=(const Split&) = delete;

  std::pair<std::vector<std::uint8_t>, std::int32_t> read(std::int64_t index) const {
    Buffer<std::uint8_t> sample(NNRUN_U8, nnrun::Tensor(info.sample).shape());
    const nnrun_tensor tensor = sample.c();
    std::int32_t label = -1;
    must([&](nnrun_error* e) { return table_.read(handle_, index, &tensor, &label, e); });
    return {sample.numbers, label};
  }

  void* handle() const { return handle_; }

  nnrun_dataset_info info{};

 private:
  const nnrun_dataset_vtable& table_;
  void* handle_;
};

}  // namespace fake

// The text holds each of the parts.
#define CHECK_SAYS(text, ...)                      \
  do {                                             \
    const std::string said = (text);               \
    for (const char* part : {__VA_ARGS__}) {       \
      INFO(said);                                  \
      CHECK(said.find(part) != std::string::npos); \
    }                                              \
  } while (false)
