#include <vipauth/key_store.hpp>

#include <sodium.h>

#include <vipauth/json.hpp>

#include "store/atomic_file.hpp"
#include "store/json_file.hpp"

namespace vipauth {
namespace {

constexpr std::chrono::seconds kPatience{60};

void wipe(std::string& text) { sodium_memzero(text.data(), text.size()); }

Error not_a_pair(std::string why, const std::filesystem::path& file) {
  return in_file(
      Error{ErrorCode::kParseError,
            "not a key store: " + std::move(why) + "; it is left as it is, restore it from a backup", ""},
      file);
}

Result<CurveKeyPair> parse_pair(Json& document, const std::filesystem::path& file) {
  Json* secret_text = document.find("secret");
  const Json* public_text = document.find("public");
  const bool has_secret = secret_text != nullptr && secret_text->is_string();
  auto pair = has_secret ? CurveKeyPair::from_secret(secret_text->as_string())
                         : Result<CurveKeyPair>(Error{ErrorCode::kParseError, "missing", ""});
  if (has_secret) wipe(secret_text->as_string());
  if (!has_secret || public_text == nullptr || !public_text->is_string()) {
    return not_a_pair("expected {\"public\": \"...\", \"secret\": \"...\"}", file);
  }
  if (!pair) return not_a_pair("\"secret\" is " + pair.error().message, file);
  const auto written = CurveKey::parse(public_text->as_string());
  if (!written) return not_a_pair("\"public\" is " + written.error().message, file);
  if (*written != pair->public_key) return not_a_pair("\"public\" is not the public key of \"secret\"", file);
  return pair;
}

Result<void> save(const CurveKeyPair& pair, const std::filesystem::path& file) {
  std::string secret = reveal_base64url(pair.secret_key);
  // Not by a Json, which leaves copies behind. Nothing in a key needs to be escaped.
  constexpr std::string_view kBeforePublic = "{\n  \"public\": \"";
  constexpr std::string_view kBeforeSecret = "\",\n  \"secret\": \"";
  constexpr std::string_view kEnd = "\"\n}";
  const std::string open = pair.public_key.to_base64url();
  std::string text;
  text.reserve(kBeforePublic.size() + open.size() + kBeforeSecret.size() + secret.size() + kEnd.size());
  text.append(kBeforePublic).append(open).append(kBeforeSecret).append(secret).append(kEnd);
  wipe(secret);
  auto saved = replace_file(file, text);
  wipe(text);
  return saved;
}

}  // namespace

Result<CurveKeyPair> KeyStore::load() const {
  auto file = read_json_file(path_, strict_modes_, Sensitivity::kSecret);
  if (!file) return file.error();
  auto pair = parse_pair(file->document, path_);
  wipe(file->text);
  return pair;
}

Result<CurveKeyPair> KeyStore::load_or_create() const {
  auto present = load();
  if (present || present.error().code != ErrorCode::kNotFound) return present;
  const auto lock = FileLock::acquire(path_, kPatience);
  if (!lock) return lock.error();
  present = load();  // somebody else may have made it meanwhile
  if (present || present.error().code != ErrorCode::kNotFound) return present;
  CurveKeyPair pair = CurveKeyPair::generate();
  if (auto saved = save(pair, path_); !saved) return saved.error();
  return pair;
}

Result<void> KeyStore::promote_next(const CurveKey& expected) const {
  const auto lock = FileLock::acquire(path_, kPatience);
  if (!lock) return lock.error();
  const auto present = load();
  if (!present) return present.error();
  if (present->public_key == expected) return {};
  const auto following = next().load();
  if (!following) return following.error();
  if (following->public_key != expected) {
    return Error{ErrorCode::kConflict,
                 "somebody else has changed \"" + next().path().string() + "\" meanwhile: try again", ""};
  }
  return promote_file(next().path(), path_, previous().path());
}

}  // namespace vipauth
