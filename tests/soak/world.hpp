#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include <vipauth/curve_key.hpp>
#include <vipauth/json.hpp>
#include <vipauth/policy.hpp>

namespace vipauth::soak {

/// A source of numbers that a seed repeats.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  /// 0 to `bound` - 1.
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(engine_() % bound); }
  bool one_of(std::size_t count) { return below(count) == 0; }
  template <typename Container>
  const auto& pick(const Container& from) {
    return from[below(std::size(from))];
  }

 private:
  std::mt19937_64 engine_;
};

/// Peers are few, so that edits and questions meet often. Of the last four no record is ever made.
inline constexpr std::size_t kPeers = 20;
inline constexpr std::size_t kKnownPeers = 16;
/// The same in each process: these keys open nothing but a soak's homes.
const CurveKeyPair& keys_of(std::size_t peer);

/// What a peer asks the bus for over its connection.
struct Ask {
  std::string kind;  ///< "call", "publish", "receive", "speak"
  std::string of;    ///< of a call: the callee
  std::string what;  ///< the method, the topic, the name that is claimed
  std::string arguments = "{}";
};
Ask any_ask(Dice& dice);

/// What a home begins with.
Json first_policy();
std::string any_topic_rules(Dice& dice);

/// The name of the capability that the role kEditRole has after edit `number`.
std::string edit_mark(std::uint64_t number);
inline constexpr std::string_view kEditRole = "last_edit";

/// Makes some changes of any kind, and leaves the mark of this edit. \return what Policy's edits return
Result<void> edit(Policy& policy, std::uint64_t number, Dice& dice);

}  // namespace vipauth::soak
