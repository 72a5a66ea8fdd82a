#include "base/error.hpp"

#include <cerrno>
#include <cstring>

namespace nnrun::core {

RunError system_error(const std::string& what) { return RunError(what + ": " + std::strerror(errno)); }

}  // namespace nnrun::core
