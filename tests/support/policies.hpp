#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include <vipauth/policy.hpp>
#include <vipauth/topic_rules.hpp>

namespace vipauth::test {

inline constexpr Timestamp kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21);

/// A JSON text that must be good, with single quotes for double ones: they need no escaping in C++.
inline Json json(std::string_view text) {
  std::string doubled(text);
  for (char& c : doubled) {
    if (c == '\'') c = '"';
  }
  auto parsed = Json::parse(doubled);
  if (!parsed) throw std::runtime_error(parsed.error().to_string());
  return std::move(*parsed);
}

inline Policy policy(std::string_view text) {
  auto parsed = Policy::parse(json(text));
  if (!parsed) throw std::runtime_error(parsed.error().to_string());
  return std::move(*parsed);
}

inline TopicRules topic_rules(std::string_view text) {
  auto parsed = TopicRules::parse(json(text));
  if (!parsed) throw std::runtime_error(parsed.error().to_string());
  return std::move(*parsed);
}

/// Keys as text: A, B and C differ.
inline const std::string kKeyA = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
inline const std::string kKeyB = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA";
inline const std::string kKeyC = "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA";

inline CurveKey key(const std::string& text) { return *CurveKey::parse(text); }

}  // namespace vipauth::test
