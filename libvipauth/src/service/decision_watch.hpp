#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <vipauth/decision_observer.hpp>
#include <vipauth/zap_authenticator.hpp>

namespace vipauth {

/// Who asked: a user, by a session where there is one.
struct Asker {
  std::string_view user_id;
  const Session* session = nullptr;
};

/// Sees what a service decides: counters, the audit log. Called from many threads at once, before the answer
/// goes out: be quick, never wait.
class DecisionWatcher {
 public:
  DecisionWatcher() = default;
  DecisionWatcher(const DecisionWatcher&) = delete;
  DecisionWatcher& operator=(const DecisionWatcher&) = delete;
  virtual ~DecisionWatcher() = default;

  virtual void on_authentication(const ZapAuthenticator::Event& event) noexcept = 0;
  virtual void on_decision(const Asker& asker, const Question& question,
                           const Decision& decision) noexcept = 0;
};

/// The one observer of all that a service decides, which tells every watcher. Its sessions keep it, and may
/// outlive the service.
class DecisionWatch final : public DecisionObserver {
 public:
  explicit DecisionWatch(std::vector<std::shared_ptr<DecisionWatcher>> watchers)
      : watchers_(std::move(watchers)) {}

  void on_authentication(const ZapAuthenticator::Event& event) const noexcept;
  void on_decision(const Asker& asker, const Question& question, const Decision& decision) const noexcept;
  void on_decision(const Session& session, const Question& question,
                   const Decision& decision) noexcept override;

 private:
  const std::vector<std::shared_ptr<DecisionWatcher>> watchers_;
};

}  // namespace vipauth
