#include "base/log.hpp"

#include "base/error.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <mutex>
#include <utility>
#include <vector>

namespace nnrun::core {

namespace {

spdlog::level::level_enum level_of(nnrun_log_level level) {
  switch (level) {
    case NNRUN_LOG_DEBUG: return spdlog::level::debug;
    case NNRUN_LOG_INFO: return spdlog::level::info;
    case NNRUN_LOG_WARNING: return spdlog::level::warn;
    default: return spdlog::level::err;
  }
}

}  // namespace

// A logger of our own: spdlog's registry would be shared with whatever else the process holds.
struct Log::Impl {
  spdlog::logger logger{"nnrun"};
  // Until there is a file: what it will begin with.
  std::mutex mutex;
  bool has_file = false;
  std::vector<std::pair<nnrun_log_level, std::string>> before_file;
};

Log::Log() : impl_(std::make_unique<Impl>()) {
  auto terminal = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  terminal->set_level(spdlog::level::warn);
  terminal->set_pattern("nnrun: %l: %v");
  impl_->logger.sinks().push_back(terminal);
  impl_->logger.set_level(spdlog::level::debug);
}

Log::~Log() = default;

void Log::open_file(const std::filesystem::path& file) {
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string());
    sink->set_pattern("%Y-%m-%d %H:%M:%S.%e %l: %v");
    const std::lock_guard lock(impl_->mutex);
    spdlog::logger file_alone("nnrun", sink);
    file_alone.set_level(spdlog::level::debug);
    for (const auto& [level, message] : impl_->before_file) file_alone.log(level_of(level), message);
    impl_->before_file.clear();
    impl_->has_file = true;
    impl_->logger.sinks().push_back(sink);
    impl_->logger.flush_on(spdlog::level::info);
  } catch (const spdlog::spdlog_ex& e) {
    throw RunError("cannot write " + file.string() + ": " + e.what());
  }
}

void Log::write(nnrun_log_level level, const std::string& message) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->has_file) impl_->before_file.emplace_back(level, message);
  }
  impl_->logger.log(level_of(level), message);
}

}  // namespace nnrun::core
