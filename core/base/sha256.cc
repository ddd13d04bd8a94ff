#include "core/base/sha256.h"

#include <new>

#include <openssl/sha.h>

#include "core/base/check.h"

// The low-level functions are deprecated in favour of EVP, which allocates, and fetches algorithms under locks.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace coffer {
namespace {

SHA256_CTX* context_in(std::array<std::byte, 112>& storage) {
  return std::launder(reinterpret_cast<SHA256_CTX*>(storage.data()));
}

}  // namespace

Sha256::Sha256() {
  static_assert(sizeof(SHA256_CTX) <= sizeof(context_) && alignof(SHA256_CTX) <= 8);
  ::new (context_.data()) SHA256_CTX;
  check(SHA256_Init(context_in(context_)) == 1, "SHA-256 can begin");
}

Sha256& Sha256::update(ByteView bytes) {
  check(!finished_, "a digest that was asked for takes no more bytes");
  check(SHA256_Update(context_in(context_), bytes.data(), bytes.size()) == 1, "SHA-256 takes bytes");
  return *this;
}

Hash256 Sha256::finish() {
  check(!finished_, "a digest is asked for once");
  finished_ = true;
  Hash256 hash;
  check(SHA256_Final(hash.bytes.data(), context_in(context_)) == 1, "SHA-256 ends");
  return hash;
}

Hash256 sha256(ByteView bytes) { return Sha256().update(bytes).finish(); }

std::string to_string(const Hash256& hash) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(64);
  for (const std::uint8_t byte : hash.bytes) {
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  return text;
}

}  // namespace coffer
