#include "npz.hpp"

#include "net.hpp"

#include <nnrun/npy.hpp>

#include <archive.h>
#include <archive_entry.h>

#include <memory>

namespace nnrun::exporters {

namespace {

// npy_header() is of floats: the type is named in it by three characters.
std::string header_of(const nnrun_tensor& tensor) {
  std::string header = npy_header(Tensor(tensor).shape());
  const char* type = tensor.dtype == NNRUN_U8 ? "|u1" : tensor.dtype == NNRUN_S8 ? "|i1" : tensor.dtype == NNRUN_S32 ? "<i4" : "<f4";
  header.replace(header.find("<f4"), 3, type);
  return header;
}

[[noreturn]] void fail(archive* a) { throw Error(std::string("cannot write a .npz: ") + archive_error_string(a)); }

}  // namespace

std::string npz_of(const std::vector<std::pair<std::string, nnrun_tensor>>& arrays) {
  std::string bytes;
  {
    const std::unique_ptr<archive, int (*)(archive*)> a(archive_write_new(), archive_write_free);
    archive_write_set_format_zip(a.get());
    archive_write_set_options(a.get(), "zip:compression=store");
    const auto append = [](archive*, void* to, const void* data, std::size_t count) {
      static_cast<std::string*>(to)->append(static_cast<const char*>(data), count);
      return static_cast<la_ssize_t>(count);
    };
    archive_write_set_bytes_in_last_block(a.get(), 1);
    if (archive_write_open(a.get(), &bytes, nullptr, append, nullptr) != ARCHIVE_OK) fail(a.get());
    for (const auto& [name, tensor] : arrays) {
      const std::string header = header_of(tensor);
      const auto size = static_cast<std::size_t>(Tensor(tensor).count() * bytes_of(static_cast<nnrun_dtype>(tensor.dtype)));
      const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(), archive_entry_free);
      archive_entry_set_pathname(entry.get(), (name + ".npy").c_str());
      archive_entry_set_filetype(entry.get(), AE_IFREG);
      archive_entry_set_perm(entry.get(), 0644);
      archive_entry_set_size(entry.get(), static_cast<la_int64_t>(header.size() + size));
      if (archive_write_header(a.get(), entry.get()) != ARCHIVE_OK) fail(a.get());
      if (archive_write_data(a.get(), header.data(), header.size()) != static_cast<la_ssize_t>(header.size())) fail(a.get());
      if (archive_write_data(a.get(), tensor.data, size) != static_cast<la_ssize_t>(size)) fail(a.get());
    }
    if (archive_write_close(a.get()) != ARCHIVE_OK) fail(a.get());
  }
  return bytes;
}

}  // namespace nnrun::exporters
