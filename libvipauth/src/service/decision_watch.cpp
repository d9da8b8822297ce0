#include "service/decision_watch.hpp"

#include <vipauth/session.hpp>

namespace vipauth {

void DecisionWatch::on_authentication(const ZapAuthenticator::Event& event) const noexcept {
  for (const auto& watcher : watchers_) watcher->on_authentication(event);
}

void DecisionWatch::on_decision(const Asker& asker, const Question& question,
                                const Decision& decision) const noexcept {
  for (const auto& watcher : watchers_) watcher->on_decision(asker, question, decision);
}

void DecisionWatch::on_decision(const Session& session, const Question& question,
                                const Decision& decision) noexcept {
  std::as_const(*this).on_decision(Asker{session.user_id(), &session}, question, decision);
}

}  // namespace vipauth
