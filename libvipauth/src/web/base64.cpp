#include "web/base64.hpp"

#include <algorithm>
#include <limits>

#include <openssl/evp.h>

namespace vipauth::web {
namespace {

constexpr std::size_t kCharacters = 4;  // that stand
constexpr std::size_t kBytes = 3;       // for so many
constexpr std::size_t kMost = std::numeric_limits<int>::max() / kCharacters / kBytes * kCharacters * kBytes;

bool is_digit(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + kBytes - 1) / kBytes * kCharacters + 1);
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, kMost);
    bytes.remove_prefix(part.size());
    const std::size_t begin = out.size();
    out.resize(begin + (part.size() + kBytes - 1) / kBytes * kCharacters + 1);  // OpenSSL adds a NUL
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + begin), bytes_of(part),
                                     static_cast<int>(part.size()));
    out.resize(begin + static_cast<std::size_t>(size));
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty()) return std::string();
  if (text.size() % kCharacters != 0 || text.size() > kMost) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  // OpenSSL would accept spaces, and padding in the middle.
  const auto digits = text.substr(0, text.size() - padding);
  if (!std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  std::string out(text.size() / kCharacters * kBytes, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(text),
                                   static_cast<int>(text.size()));
  if (size < 0 || static_cast<std::size_t>(size) != out.size()) return std::nullopt;
  const std::string_view last = std::string_view(out).substr(out.size() - kBytes, kBytes - padding);
  if (to_base64(last) != text.substr(text.size() - kCharacters))
    return std::nullopt;  // bits that are no byte's
  out.resize(out.size() - padding);
  return out;
}

}  // namespace vipauth::web
