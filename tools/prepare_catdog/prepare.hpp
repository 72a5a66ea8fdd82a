#pragma once

#include <string>

namespace nnrun::catdog {

// Height and width of a prepared picture, and the quality of its JPEG.
inline constexpr int side = 128;
inline constexpr int quality = 90;

// Makes folder/train.tar and folder/test.tar of the photographs of `from`, a folder or an archive: each stretched to 128 x 128, as
// cat/NNNNN.jpg and dog/NNNNN.jpg, in order. The same bytes from the same photographs, whatever holds them. Those that cannot be read
// are left out and listed. Says on standard output what it did. Throws Error; then neither file has changed.
void prepare(const std::string& from, const std::string& folder);

// Reads all of folder/train.tar and folder/test.tar. Throws Error unless they hold what prepare() makes, as far as the pictures
// themselves show it.
void check(const std::string& folder);

}  // namespace nnrun::catdog
