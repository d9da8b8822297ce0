#include <vipauth/decision_observer.hpp>

namespace vipauth {

std::string_view to_string(Question::Kind kind) noexcept {
  switch (kind) {
    case Question::Kind::kSender: return "sender";
    case Question::Kind::kCall: return "call";
    case Question::Kind::kPublish: return "publish";
    case Question::Kind::kReceive: return "receive";
  }
  return "call";
}

}  // namespace vipauth
