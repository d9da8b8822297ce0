#include "base/password.hpp"

#include <sodium.h>

#include "base/equal_secrets.hpp"
#include "base/hash.hpp"
#include "base/sodium_ready.hpp"

namespace vipauth {
namespace {

// Made by hash_of_password()'s parameters of 32 random bytes that nobody kept.
constexpr char kNobodysPassword[] =
    "$argon2id$v=19$m=65536,t=2,p=1$wdVz49APQTZV65OWFHP0vw$XAB44UP8JCVbmSmsq9dbjlEpVR5O0geqx8NIwwW8Hr8";

bool verify_hash(const char* hash, std::string_view password) {
  make_sodium_ready();
  return crypto_pwhash_str_verify(hash, password.data(), password.size()) == 0;
}

}  // namespace

Result<std::string> hash_of_password(std::string_view password) {
  make_sodium_ready();
  char hash[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str(hash, password.data(), password.size(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                        crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0) {
    return Error{ErrorCode::kLimitExceeded, "not enough memory to hash a password", ""};
  }
  return std::string(hash);
}

bool verify_password(const std::string& stored, std::string_view password) {
  if (stored.starts_with("$argon2id$")) return verify_hash(stored.c_str(), password);
  waste_password_time(password);
  // Fingerprints have one length: comparing them does not tell the length of the password.
  const std::string left = secret_fingerprint(stored);
  const std::string right = secret_fingerprint(password);
  return are_equal_secrets(left, right);
}

void waste_password_time(std::string_view password) {
  static_cast<void>(verify_hash(kNobodysPassword, password));
}

}  // namespace vipauth
