// Errors of plugins, and how they pass the border.
#pragma once

#include <nnrun/nnrun.h>

#include <cstddef>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace nnrun {

// An error with a message for the user: what, got and expected, what to do.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}

  // Names the parameter at fault; the message then points at its line in the config.
  Error& at(std::string parameter) {
    parameter_ = std::move(parameter);
    return *this;
  }
  const std::string& parameter() const { return parameter_; }

 private:
  std::string parameter_;
};

namespace detail {

inline void write_text(char* to, std::size_t capacity, const char* from) { std::snprintf(to, capacity, "%s", from); }

inline void write_error(nnrun_error* error, const char* message, const char* parameter = "") {
  if (error == nullptr) return;
  write_text(error->message, sizeof error->message, message);
  write_text(error->parameter, sizeof error->parameter, parameter);
}

// Runs body; what it throws becomes *error. Nothing may pass the border.
template <class Body>
int guard(nnrun_error* error, Body&& body) noexcept {
  try {
    body();
    return 0;
  } catch (const Error& e) {
    write_error(error, e.what(), e.parameter().c_str());
  } catch (const std::exception& e) {
    write_error(error, e.what());
  } catch (...) {
    write_error(error, "an exception that is not a std::exception");
  }
  return 1;
}

inline void check(int status, const nnrun_error& error) {
  if (status == 0) return;
  Error e(error.message);
  e.at(error.parameter);
  throw e;
}

}  // namespace detail

}  // namespace nnrun
