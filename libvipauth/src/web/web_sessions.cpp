#include "web/web_sessions.hpp"

#include <algorithm>
#include <array>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

namespace vipauth::web {
namespace {

std::string to_hex(const unsigned char* bytes, std::size_t size) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < size; ++i) {
    out += kDigits[bytes[i] >> 4U];
    out += kDigits[bytes[i] & 15U];
  }
  return out;
}

}  // namespace

Result<std::string> random_token() {
  std::array<unsigned char, 32> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return Error{ErrorCode::kUnavailable, "the system gives no random numbers", ""};
  }
  return to_hex(bytes.data(), bytes.size());
}

std::string digest_of(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) return {};
  return to_hex(digest.data(), size);
}

bool are_equal_secrets(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

std::string WebSessions::csrf_token_of(std::string_view token) {
  return digest_of("vipauth csrf token of " + std::string(token));
}

Timestamp WebSessions::end_of(const Session& session) const {
  return std::min(session.last_used + limits_.idle, session.began + limits_.longest);
}

void WebSessions::drop_ended(Timestamp now) {
  // A clock that was set back must not make a session longer than it may be.
  std::erase_if(sessions_,
                [&](const auto& entry) { return now >= entry.second.ends || now < entry.second.began; });
}

void WebSessions::drop_idlest(std::string_view user) {
  auto idlest = sessions_.end();
  for (auto it = sessions_.begin(); it != sessions_.end(); ++it) {
    if (!user.empty() && it->second.user != user) continue;
    if (idlest == sessions_.end() || it->second.last_used < idlest->second.last_used) idlest = it;
  }
  if (idlest != sessions_.end()) sessions_.erase(idlest);
}

Result<std::string> WebSessions::begin(std::string_view user, std::string_view stamp, Timestamp now) {
  auto token = random_token();
  if (!token) return token;
  Session session{std::string(user), std::string(stamp), now, now, {}};
  session.ends = end_of(session);
  const std::lock_guard lock(mutex_);
  drop_ended(now);
  const auto of_user = static_cast<std::size_t>(std::count_if(
      sessions_.begin(), sessions_.end(), [&](const auto& entry) { return entry.second.user == user; }));
  if (of_user >= limits_.per_user) drop_idlest(user);
  if (sessions_.size() >= limits_.sessions) drop_idlest({});
  sessions_.emplace(digest_of(*token), std::move(session));
  return token;
}

std::optional<WebSessions::Session> WebSessions::use(std::string_view token, Timestamp now) {
  const std::string digest = digest_of(token);
  const std::lock_guard lock(mutex_);
  drop_ended(now);
  const auto found = sessions_.find(digest);
  if (found == sessions_.end()) return std::nullopt;
  found->second.last_used = std::max(found->second.last_used, now);
  found->second.ends = end_of(found->second);
  return found->second;
}

std::optional<WebSessions::Session> WebSessions::end(std::string_view token) {
  const std::string digest = digest_of(token);
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(digest);
  if (found == sessions_.end()) return std::nullopt;
  Session session = std::move(found->second);
  sessions_.erase(found);
  return session;
}

void WebSessions::end_all_of(std::string_view user) {
  const std::lock_guard lock(mutex_);
  std::erase_if(sessions_, [&](const auto& entry) { return entry.second.user == user; });
}

std::size_t WebSessions::size() const {
  const std::lock_guard lock(mutex_);
  return sessions_.size();
}

}  // namespace vipauth::web
