#include "arrays.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <nnrun/npy.hpp>

#include <archive.h>
#include <archive_entry.h>

#include <cstring>
#include <memory>

namespace nnrun::tool {

namespace {

constexpr std::size_t largest_array = std::size_t{1} << 32;  // bytes

Array array_from(std::span<const std::byte> bytes, const std::string& name) {
  try {
    const NpyHeader header = parse_npy_header(bytes, name);
    return {header.shape, npy_floats(header, bytes, name)};
  } catch (const Error& e) {
    throw core::RunError(e.what());
  }
}

struct CloseArchive {
  void operator()(archive* a) const { archive_free(a); }
};
using Archive = std::unique_ptr<archive, CloseArchive>;

[[noreturn]] void fail(const char* doing, const std::filesystem::path& file, archive* a) {
  const char* reason = archive_error_string(a);
  throw core::RunError(std::string("cannot ") + doing + " " + file.string() + ": " + (reason != nullptr ? reason : "unknown error"));
}

std::vector<std::byte> read_entry(archive* a, const std::filesystem::path& file, const std::string& name) {
  std::vector<std::byte> bytes;
  for (;;) {
    const std::size_t before = bytes.size();
    constexpr std::size_t step = 1 << 20;
    bytes.resize(before + step);
    const la_ssize_t got = archive_read_data(a, bytes.data() + before, step);
    if (got < 0) fail("read", file, a);
    bytes.resize(before + static_cast<std::size_t>(got));
    if (got == 0) return bytes;
    if (bytes.size() > largest_array) throw core::RunError(file.string() + ": " + name + " is larger than 4 GiB");
  }
}

}  // namespace

Array read_npy(const std::filesystem::path& file) {
  const std::string text = core::read_file(file);
  return array_from(std::as_bytes(std::span(text.data(), text.size())), file.string());
}

void write_npy(const std::filesystem::path& file, std::span<const std::int64_t> shape, std::span<const float> values) {
  const std::string header = npy_header(shape);
  const std::span<const std::byte> parts[] = {std::as_bytes(std::span(header.data(), header.size())), std::as_bytes(values)};
  core::write_atomically(file, parts);
}

std::map<std::string, Array> read_npz(const std::filesystem::path& file) {
  const std::string text = core::read_file(file);
  const Archive a(archive_read_new());
  archive_read_support_format_zip(a.get());
  if (archive_read_open_memory(a.get(), text.data(), text.size()) != ARCHIVE_OK) {
    throw core::RunError(file.string() + " is not a .npz file (a zip of .npy files): " + archive_error_string(a.get()));
  }
  std::map<std::string, Array> arrays;
  for (;;) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(a.get(), &entry);
    if (status == ARCHIVE_EOF) break;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) fail("read", file, a.get());
    const char* path = archive_entry_pathname(entry);
    std::string name = path != nullptr ? path : "";
    const std::vector<std::byte> bytes = read_entry(a.get(), file, name);
    const std::string place = file.string() + ": " + name;
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    arrays[name] = array_from(bytes, place);
  }
  if (arrays.empty()) throw core::RunError(file.string() + " has no arrays; expected a .npz file, as numpy.savez writes it");
  return arrays;
}

void write_npz(const std::filesystem::path& file, std::span<const NamedArray> arrays) {
  const Archive a(archive_write_new());
  archive_write_set_format_zip(a.get());
  archive_write_set_options(a.get(), "zip:compression=store");
  if (archive_write_open_filename(a.get(), file.c_str()) != ARCHIVE_OK) fail("write", file, a.get());
  for (const NamedArray& array : arrays) {
    const std::string header = npy_header(array.shape);
    const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(), archive_entry_free);
    archive_entry_set_pathname(entry.get(), (array.name + ".npy").c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(header.size() + array.values.size_bytes()));
    const auto put = [&](const void* data, std::size_t bytes) {
      if (archive_write_data(a.get(), data, bytes) != static_cast<la_ssize_t>(bytes)) fail("write", file, a.get());
    };
    if (archive_write_header(a.get(), entry.get()) != ARCHIVE_OK) fail("write", file, a.get());
    put(header.data(), header.size());
    put(array.values.data(), array.values.size_bytes());
  }
  if (archive_write_close(a.get()) != ARCHIVE_OK) fail("write", file, a.get());
}

}  // namespace nnrun::tool
