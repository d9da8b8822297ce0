#pragma once

#include <span>
#include <string>
#include <string_view>

#include <vipauth/decision.hpp>

namespace vipauth {

class CallArguments;
class Session;

/// What was asked of a session. Views: they live as long as the call that hands them over.
struct Question {
  enum class Kind { kSender, kCall, kPublish, kReceive };

  Kind kind = Kind::kCall;
  std::string_view subject;                  ///< the claimed VIP identity, the method, or the topic
  std::string_view callee = {};              ///< of a call
  const CallArguments* arguments = nullptr;  ///< of a call; null where they are not known by name
  /// Of an operation of the platform itself: one of these capabilities is enough, whatever records require.
  std::span<const std::string> one_of = {};
};

VIPAUTH_EXPORT std::string_view to_string(
    Question::Kind kind) noexcept;  ///< "sender", "call", "publish", "receive"

/// Sees each decision of the sessions that were made with it: for counters, an audit log, a shadow policy.
///
/// Called on the thread that asked, before it has its answer, from many threads at once: be quick, never
/// wait, never throw.
class DecisionObserver {
 public:
  DecisionObserver() = default;
  DecisionObserver(const DecisionObserver&) = delete;
  DecisionObserver& operator=(const DecisionObserver&) = delete;
  virtual ~DecisionObserver() = default;

  virtual void on_decision(const Session& session, const Question& question,
                           const Decision& decision) noexcept = 0;
};

}  // namespace vipauth
