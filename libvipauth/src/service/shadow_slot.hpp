#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include <vipauth/shadow_policy.hpp>

#include "service/decision_watch.hpp"

namespace vipauth {

/// Where a service has its shadow policy, if any: sessions keep the place, what is there may change.
/// Questions by user alone are not put to it.
class ShadowSlot final : public DecisionWatcher {
 public:
  void set(std::shared_ptr<ShadowPolicy> shadow);
  std::shared_ptr<ShadowPolicy> get() const;

  void on_authentication(const ZapAuthenticator::Event& event) noexcept override;
  void on_decision(const Asker& asker, const Question& question, const Decision& decision) noexcept override;

 private:
  std::atomic<bool> is_set_ = false;  // spares who has none the lock
  mutable std::mutex mutex_;          // held to copy or swap the pointer only
  std::shared_ptr<ShadowPolicy> shadow_;
};

}  // namespace vipauth
