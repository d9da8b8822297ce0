#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <vipauth/clock.hpp>
#include <vipauth/result.hpp>

namespace vipauth::web {

/// 256 random bits, as 64 hexadecimal digits. \return kUnavailable  the system gives no random numbers
Result<std::string> random_token();
/// SHA-256 of a text, as 64 hexadecimal digits.
std::string digest_of(std::string_view text);
/// Compares in a time that does not depend on where they differ.
bool are_equal_secrets(std::string_view left, std::string_view right) noexcept;

/// Who is logged in. Only a hash of each token is kept: who reads the memory cannot use it. Memory is
/// bounded; where there are too many, the one that was idle longest goes. May be used from any thread.
class WebSessions {
 public:
  struct Limits {
    std::chrono::milliseconds idle = std::chrono::minutes(30);
    std::chrono::milliseconds longest = std::chrono::hours(12);
    std::size_t sessions = 100;
    std::size_t per_user = 10;
  };
  struct Session {
    std::string user;
    std::string stamp;  ///< of the user when the session began: see WebUsers::User
    Timestamp began;
    Timestamp last_used;
    Timestamp ends;  ///< unless it is used before, at most `longest` after it began
  };

  explicit WebSessions(Limits limits) : limits_(limits) {}

  /// Begins a session. \return its token, which only the peer keeps
  Result<std::string> begin(std::string_view user, std::string_view stamp, Timestamp now);
  /// The session of a token, which this use keeps alive.
  std::optional<Session> use(std::string_view token, Timestamp now);
  /// \return the session that has ended, if there was one
  std::optional<Session> end(std::string_view token);
  void end_all_of(std::string_view user);
  std::size_t size() const;

  /// What a request must show beside the token, which other sites' pages cannot read.
  static std::string csrf_token_of(std::string_view token);

 private:
  using Sessions = std::map<std::string, Session, std::less<>>;  // by the hash of the token

  Timestamp end_of(const Session& session) const;
  void drop_ended(Timestamp now);
  void drop_idlest(std::string_view user);

  const Limits limits_;
  mutable std::mutex mutex_;
  Sessions sessions_;
};

}  // namespace vipauth::web
