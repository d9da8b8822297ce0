#include "base/sha256.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>

#include <openssl/evp.h>
#include <sodium.h>

namespace vipauth {
namespace {

constexpr std::size_t kBytes = 32;

/// OpenSSL's, which uses the processor's own instructions for it; from a context of its own, so that no
/// openssl.cnf decides whether there is one. Kept until the process ends: threads may end later than statics.
const EVP_MD* algorithm() {
  static const EVP_MD* const found = [] {
    OSSL_LIB_CTX* const context = OSSL_LIB_CTX_new();
    const EVP_MD* const fetched = context == nullptr ? nullptr : EVP_MD_fetch(context, "SHA256", nullptr);
    if (fetched != nullptr) return fetched;
    OSSL_LIB_CTX_free(context);
    throw std::bad_alloc();  // and tried again the next time
  }();
  return found;
}

}  // namespace

struct Sha256::State {
  struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };
  const std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

// What can fail in OpenSSL's functions here is finding memory.

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (!state_->context || EVP_DigestInit_ex(state_->context.get(), algorithm(), nullptr) != 1) {
    throw std::bad_alloc();
  }
}
Sha256::~Sha256() = default;

void Sha256::add(std::string_view bytes) {
  if (EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) != 1) throw std::bad_alloc();
}

std::string Sha256::hex() {
  std::array<std::uint8_t, kBytes> digest{};
  if (EVP_DigestFinal_ex(state_->context.get(), digest.data(), nullptr) != 1) throw std::bad_alloc();
  std::string text(2 * digest.size() + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), digest.data(), digest.size());
  text.pop_back();
  return text;
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.hex();
}

}  // namespace vipauth
