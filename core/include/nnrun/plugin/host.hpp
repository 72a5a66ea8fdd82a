// What the host does for a plugin: logging, and loops on several threads.
#pragma once

#include <nnrun/nnrun.h>
#include <nnrun/plugin/error.hpp>

#include <cstdint>
#include <string>
#include <type_traits>

namespace nnrun {

class Host {
 public:
  Host() = default;
  explicit Host(const nnrun_host* c) : c_(c) {}

  void log(nnrun_log_level level, const std::string& message) const { c_->log(c_, level, message.c_str()); }

  // fn(0) .. fn(ranges - 1), on several threads, in any order. Cut the ranges by the shape of the problem alone: then the result
  // has the same bits for any number of threads.
  template <class Function>
  void parallel(std::int64_t ranges, Function&& fn) const {
    nnrun_error error{};
    using Body = std::remove_reference_t<Function>;
    const auto body = [](void* argument, std::int64_t range, nnrun_error* e) {
      return detail::guard(e, [&] { (*static_cast<Body*>(argument))(range); });
    };
    // The host only passes the pointer back; a const callable stays const in Body.
    detail::check(c_->parallel(c_, ranges, body, const_cast<void*>(static_cast<const void*>(&fn)), &error), error);
  }

  // fn(begin, end) over [0, count) in blocks of elements.
  template <class Function>
  void parallel_elements(std::int64_t count, Function&& fn, std::int64_t block = 16384) const {
    parallel((count + block - 1) / block, [&](std::int64_t range) {
      const std::int64_t begin = range * block;
      fn(begin, begin + block < count ? begin + block : count);
    });
  }

  const nnrun_host* c() const { return c_; }

 private:
  const nnrun_host* c_ = nullptr;
};

}  // namespace nnrun
