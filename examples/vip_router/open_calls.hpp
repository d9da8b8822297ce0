#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>

#include <vipauth/json.hpp>

namespace vip_router {

/// The calls of one peer that are not answered yet: an answer that nobody waits for is not carried. Beyond
/// kMaxCalls the oldest is forgotten.
class OpenCalls {
 public:
  static constexpr std::size_t kMaxCalls = 1000;
  static constexpr std::size_t kMaxIdBytes = 255;

  /// True where an id can be kept.
  static bool fits(const vipauth::Json& id);

  /// \param callee  the number of the peer that is called: who takes its name later is another one
  void add(std::uint64_t callee, const vipauth::Json& id);
  bool has(std::uint64_t callee, const vipauth::Json& id) const;
  void remove(std::uint64_t callee, const vipauth::Json& id);
  std::size_t size() const noexcept { return calls_.size(); }

 private:
  using Calls = std::list<std::string>;  // keys, the oldest first

  Calls calls_;
  std::unordered_multimap<std::string, Calls::iterator> by_key_;
};

}  // namespace vip_router
