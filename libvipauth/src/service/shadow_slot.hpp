#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include <vipauth/shadow_policy.hpp>

namespace vipauth {

/// Where a service has its shadow policy, if any: sessions keep the place, what is there may change.
class ShadowSlot final : public DecisionObserver {
 public:
  void set(std::shared_ptr<ShadowPolicy> shadow);
  std::shared_ptr<ShadowPolicy> get() const;

  void on_authentication(const ZapAuthenticator::Event& event) const noexcept;
  void on_decision(const Session& session, const Question& question,
                   const Decision& decision) noexcept override;

 private:
  std::atomic<bool> is_set_ = false;  // spares who has none the lock
  mutable std::mutex mutex_;          // held to copy or swap the pointer only
  std::shared_ptr<ShadowPolicy> shadow_;
};

}  // namespace vipauth
