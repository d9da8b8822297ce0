#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vipauth/auth_service.hpp>
#include <vipauth/curve_key.hpp>
#include <vipauth/zap_authenticator.hpp>

namespace vipauth::test {

/// Asks a ZapAuthenticator as libzmq would.
inline ZapReply ask(const ZapAuthenticator& zap, const std::vector<std::string>& frames) {
  return zap.handle(std::vector<std::string_view>(frames.begin(), frames.end()));
}

/// \param key  as base64url
inline ZapReply ask_curve(const ZapAuthenticator& zap, const std::string& key,
                          const std::string& address = "127.0.0.1", const std::string& domain = "vip") {
  const CurveKey::Bytes bytes = CurveKey::parse(key)->bytes();
  return ask(zap, {"1.0", "1", domain, address, "", "CURVE", std::string(bytes.begin(), bytes.end())});
}

inline ZapReply ask_plain(const ZapAuthenticator& zap, const std::string& username,
                          const std::string& password, const std::string& address = "127.0.0.1") {
  return ask(zap, {"1.0", "1", "vip", address, "", "PLAIN", username, password});
}

inline ZapReply ask_null(const ZapAuthenticator& zap, const std::string& address = "127.0.0.1") {
  return ask(zap, {"1.0", "1", "vip", address, "", "NULL"});
}

/// Keeps what a service logs.
class LogBook {
 public:
  using Line = std::pair<LogLevel, std::string>;

  LogSink sink() {
    return [this](LogLevel level, const std::string& text) {
      const std::lock_guard lock(mutex_);
      lines_.emplace_back(level, text);
    };
  }

  std::vector<Line> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

  /// How many lines of that level hold `text`.
  std::size_t count(LogLevel level, std::string_view text) const {
    std::size_t count = 0;
    for (const Line& line : lines())
      count += line.first == level && line.second.find(text) != std::string::npos ? 1U : 0U;
    return count;
  }

  /// True where any line holds `text`.
  bool mentions(std::string_view text) const {
    for (const Line& line : lines()) {
      if (line.second.find(text) != std::string::npos) return true;
    }
    return false;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Line> lines_;
};

}  // namespace vipauth::test
