#include "open_calls.hpp"

#include <iterator>

namespace vip_router {
namespace {

std::string key_of(std::uint64_t callee, const vipauth::Json& id) {
  std::string key = std::to_string(callee);
  // A callee may write 1 as 1.0.
  return id.is_string() ? key + "s" + id.as_string() : key + "n" + id.canonical().dump();
}

}  // namespace

bool OpenCalls::fits(const vipauth::Json& id) {
  if (id.is_string()) return id.as_string().size() <= kMaxIdBytes;
  return id.is_number() && id.as_number().digits.size() <= kMaxIdBytes;
}

void OpenCalls::add(std::uint64_t callee, const vipauth::Json& id) {
  if (calls_.size() >= kMaxCalls) {
    const auto [begin, end] = by_key_.equal_range(calls_.front());
    for (auto call = begin; call != end; ++call) {
      if (call->second != calls_.begin()) continue;
      by_key_.erase(call);
      break;
    }
    calls_.pop_front();
  }
  calls_.push_back(key_of(callee, id));
  by_key_.emplace(calls_.back(), std::prev(calls_.end()));
}

bool OpenCalls::has(std::uint64_t callee, const vipauth::Json& id) const {
  return fits(id) && by_key_.contains(key_of(callee, id));
}

void OpenCalls::remove(std::uint64_t callee, const vipauth::Json& id) {
  if (!fits(id)) return;
  const auto call = by_key_.find(key_of(callee, id));
  if (call == by_key_.end()) return;
  calls_.erase(call->second);
  by_key_.erase(call);
}

}  // namespace vip_router
