#include <vipauth/secret_file.hpp>

#include <algorithm>

#include <sodium.h>

#include "store/atomic_file.hpp"
#include "store/json_file.hpp"

namespace vipauth {

Result<std::string> read_secret_file(const std::filesystem::path& path, StrictModes strict_modes) {
  auto text = read_file(path, strict_modes, Sensitivity::kSecret);
  if (!text) return text.error();
  const auto refuse = [&](ErrorCode code, const char* why) {
    sodium_memzero(text->data(), text->size());
    return in_file(Error{code, why, ""}, path);
  };
  if (text->size() > kMaxSecretBytes) return refuse(ErrorCode::kLimitExceeded, "is too long for a secret");
  const std::size_t end = std::min(text->find_first_of("\r\n"), text->size());
  if (end == 0) return refuse(ErrorCode::kInvalidArgument, "is empty: its first line is the secret");
  if (text->find_first_not_of("\r\n", end) != std::string::npos) {
    return refuse(ErrorCode::kInvalidArgument, "has more than one line: it must hold the secret alone");
  }
  if (text->find('\0') != std::string::npos) {
    return refuse(ErrorCode::kInvalidArgument, "holds a NUL character: this is no text");
  }
  std::string out = text->substr(0, end);
  sodium_memzero(text->data(), text->size());
  return out;
}

}  // namespace vipauth
