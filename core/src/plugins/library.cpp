#include "plugins/library.hpp"

#include "base/cpu.hpp"
#include "plugins/elf.hpp"

#include <sys/stat.h>

#include <boost/dll/shared_library.hpp>
#include <cerrno>
#include <cstring>
#include <deque>
#include <string>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace nnrun::core {

namespace {

// Rounding mode, flush-to-zero and exception masks of this thread.
class FloatingPointState {
 public:
#if defined(__x86_64__)
  // The low six bits only record what has happened.
  static unsigned read() { return _mm_getcsr() & ~0x3Fu; }
  static void write(unsigned state) { _mm_setcsr(state); }
#else
  static unsigned read() { return 0; }
  static void write(unsigned) {}
#endif
};

void refuse_if_world_writable(const std::filesystem::path& path, const char* what) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) throw LibraryError(std::string("cannot be opened: ") + std::strerror(errno));
  const bool sticky_folder = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
  if ((status.st_mode & S_IWOTH) != 0 && !sticky_folder) {
    throw LibraryError(std::string(what) + " is writable for everyone: anyone could put code there; chmod o-w " + path.string());
  }
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

void check_abi(const nnrun_plugin& plugin) {
  const std::string ours = std::to_string(NNRUN_ABI_MAJOR) + "." + std::to_string(NNRUN_ABI_MINOR);
  const std::string theirs = std::to_string(plugin.abi_major) + "." + std::to_string(plugin.abi_minor);
  if (plugin.abi_major != NNRUN_ABI_MAJOR) {
    throw LibraryError("it needs ABI " + theirs + ", this nnrun provides " + ours + "; build it again with this nnrun's headers");
  }
  if (plugin.abi_minor > NNRUN_ABI_MINOR) {
    throw LibraryError("it needs ABI " + theirs + ", this nnrun provides only " + ours + "; use a newer nnrun");
  }
  if (NNRUN_ABI_MAJOR == 0 && plugin.abi_minor < NNRUN_ABI_MINOR) {
    throw LibraryError("it was built for ABI " + theirs + ", this nnrun provides " + ours + "; build it again with this nnrun's headers");
  }
  if (plugin.size < sizeof(nnrun_plugin)) {
    throw LibraryError("its " NNRUN_PLUGIN_SYMBOL " has " + std::to_string(plugin.size) + " bytes, expected at least " +
                       std::to_string(sizeof(nnrun_plugin)));
  }
}

}  // namespace

const nnrun_plugin& open_library(const std::filesystem::path& file) {
  refuse_if_world_writable(file, "the file");
  refuse_if_world_writable(file.parent_path(), "its folder");
  if (const std::string reason = why_not_loadable(file); !reason.empty()) throw LibraryError(reason);

  // Never unloaded, see the header.
  static std::deque<boost::dll::shared_library> libraries;
  const unsigned state_before = FloatingPointState::read();
  boost::dll::shared_library library;
  try {
    // The overload with an error_code loses the dynamic linker's words, and the default mode is lazy: it would let an undefined
    // symbol through, to be found in the middle of a run.
    library.load(file, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
  } catch (const std::exception& e) {
    FloatingPointState::write(state_before);
    throw LibraryError(std::string("the dynamic linker refuses it: ") + e.what());
  }
  const unsigned state_after = FloatingPointState::read();
  FloatingPointState::write(state_before);
  libraries.push_back(library);
  if (state_after != state_before) {
    throw LibraryError("loading it changed the floating-point mode of the whole program (MXCSR); build it without -ffast-math");
  }
  if (!library.has(NNRUN_PLUGIN_SYMBOL)) {
    throw LibraryError("not an nnrun plugin: it does not export " NNRUN_PLUGIN_SYMBOL "; see NNRUN_PLUGIN in nnrun/plugin.hpp");
  }
  const auto& plugin = library.get<const nnrun_plugin>(NNRUN_PLUGIN_SYMBOL);
  check_abi(plugin);
  if (plugin.cpu_features_required != nullptr) {
    if (const auto missing = missing_cpu_features(plugin.cpu_features_required); !missing.empty()) {
      throw LibraryError("this CPU lacks " + join(missing));
    }
  }
  return plugin;
}

}  // namespace nnrun::core
