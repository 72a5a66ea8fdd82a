#include "base/sha256.hpp"

#include <sys/types.h>

extern "C" {
#include <sha2.h>
}

namespace nnrun::core {

struct Sha256::State {
  SHA2_CTX context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) { SHA256Init(&state_->context); }
Sha256::~Sha256() = default;

void Sha256::add(const void* data, std::size_t bytes) { SHA256Update(&state_->context, static_cast<const std::uint8_t*>(data), bytes); }

std::string Sha256::hexadecimal() {
  char text[SHA256_DIGEST_STRING_LENGTH];
  SHA256End(&state_->context, text);
  return text;
}

}  // namespace nnrun::core
