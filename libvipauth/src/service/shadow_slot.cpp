#include "service/shadow_slot.hpp"

#include <utility>

namespace vipauth {

void ShadowSlot::set(std::shared_ptr<ShadowPolicy> shadow) {
  const std::lock_guard lock(mutex_);
  is_set_ = shadow != nullptr;
  shadow_.swap(shadow);
}

std::shared_ptr<ShadowPolicy> ShadowSlot::get() const {
  if (!is_set_.load(std::memory_order_acquire)) return nullptr;
  const std::lock_guard lock(mutex_);
  return shadow_;
}

void ShadowSlot::on_authentication(const ZapAuthenticator::Event& event) noexcept {
  if (const auto shadow = get()) shadow->on_authentication(event);
}

void ShadowSlot::on_decision(const Asker& asker, const Question& question,
                             const Decision& decision) noexcept {
  if (asker.session == nullptr) return;
  if (const auto shadow = get()) shadow->on_decision(*asker.session, question, decision);
}

}  // namespace vipauth
