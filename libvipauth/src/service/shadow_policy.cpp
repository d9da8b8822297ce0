#include <vipauth/shadow_policy.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <list>
#include <mutex>
#include <utility>

#include <vipauth/auth_file.hpp>
#include <vipauth/python_repr.hpp>
#include <vipauth/session.hpp>
#include <vipauth/topics_file.hpp>

#include "engine/policy_index.hpp"
#include "text/utf8_prefix.hpp"

namespace vipauth {
namespace {

constexpr std::size_t kMostSources = 4;

/// The beginning of a text, not cut within a character.
std::string bounded(std::string_view text) {
  return std::string(utf8_prefix(text, ShadowPolicy::kMaxTextBytes));
}

/// The counts of one kind of question, by many threads.
struct Counts {
  std::atomic<std::uint64_t> agreed = 0;
  std::atomic<std::uint64_t> only_live_allows = 0;
  std::atomic<std::uint64_t> only_candidate_allows = 0;
  std::atomic<std::uint64_t> other_user = 0;
  std::atomic<std::uint64_t> skipped = 0;

  ShadowCounts get() const { return {agreed, only_live_allows, only_candidate_allows, other_user, skipped}; }

  /// \return true  both say the same
  bool compare(bool live_allows, bool candidate_allows) {
    if (live_allows == candidate_allows) {
      ++agreed;
      return true;
    }
    ++(live_allows ? only_live_allows : only_candidate_allows);
    return false;
  }
};

/// The newest distinct disagreements. Not thread-safe.
class Samples {
 public:
  void note(ShadowSample sample) {
    const auto found = std::find_if(samples_.begin(), samples_.end(), [&](const ShadowSample& known) {
      return known.kind == sample.kind && known.user_id == sample.user_id &&
             known.subject == sample.subject && known.callee == sample.callee &&
             known.live_reason == sample.live_reason && known.candidate_reason == sample.candidate_reason;
    });
    if (found != samples_.end()) {
      sample.count = found->count + 1;
      *found = std::move(sample);
      samples_.splice(samples_.end(), samples_, found);
      return;
    }
    sample.count = 1;
    samples_.push_back(std::move(sample));
    if (samples_.size() > ShadowPolicy::kMaxSamples) samples_.pop_front();
  }

  std::vector<ShadowSample> get() const { return {samples_.begin(), samples_.end()}; }

 private:
  std::list<ShadowSample> samples_;
};

std::string other_user(const Authentication& would) {
  return "the peer would be the user " + python_repr(Json(would.user_id));
}

constexpr std::size_t kKinds = 4;

}  // namespace

struct ShadowPolicy::Impl {
  Impl(std::shared_ptr<const LivePolicy> the_live, Settings the_settings, PolicySnapshot snapshot,
       bool has_topics)
      : live(std::move(the_live)),
        settings(std::move(the_settings)),
        has_own_topics(has_topics),
        candidate(std::move(snapshot)) {}

  const std::shared_ptr<const LivePolicy> live;
  const Settings settings;
  const bool has_own_topics;
  std::filesystem::path auth_file;
  std::filesystem::path topics_file;
  Timestamp since{};

  LivePolicy candidate;
  std::mutex compiling;

  Counts authentications;
  std::array<Counts, kKinds> questions;
  mutable std::mutex mutex;
  Samples samples;

  Counts& of(Question::Kind kind) { return questions[static_cast<std::size_t>(kind)]; }
  const Counts& of(Question::Kind kind) const { return questions[static_cast<std::size_t>(kind)]; }

  void note(ShadowSample sample, const Decision& live_decision, const Decision& candidate_decision) {
    sample.live_allows = live_decision.allowed();
    sample.live_reason = live_decision.reason();
    sample.candidate_allows = candidate_decision.allowed();
    sample.candidate_reason = candidate_decision.reason();
    if (sample.candidate_message.empty()) sample.candidate_message = bounded(candidate_decision.message());
    const auto& source = candidate_decision.source();
    for (std::size_t i = 0; i < source.size() && i < kMostSources; ++i) {
      sample.candidate_source.push_back(bounded(source[i]));
    }
    sample.last_seen = settings.clock();
    const std::unique_lock lock(mutex, std::try_to_lock);
    if (lock) samples.note(std::move(sample));
  }

  void compare(const ZapAuthenticator::Event& event) {
    const Authentication& said = event.authentication;
    const bool is_plain = event.request.mechanism == to_string(Mechanism::kPlain);
    const bool is_asked =
        said.decision.reason() != Reason::kNoPolicy && said.decision.reason() != Reason::kStale;
    if (!is_asked || (is_plain && !said.decision)) {
      ++authentications.skipped;
      return;
    }
    const auto snapshot = candidate.current().snapshot;
    const Acceptance accepted = is_plain ? said.acceptance() : Acceptance();
    const Authentication would = is_plain ? snapshot->authenticator.reauthenticate(accepted)
                                          : snapshot->authenticator.authenticate(request_of(event));
    ShadowSample sample;
    if (said.decision && would.decision && said.user_id != would.user_id) {
      ++authentications.other_user;
      sample.candidate_message = bounded(other_user(would));
    } else if (authentications.compare(said.decision.allowed(), would.decision.allowed())) {
      return;
    }
    sample.kind = "authentication";
    sample.user_id = std::string(said.decision ? said.user_id : would.user_id);
    sample.subject = bounded(event.credentials);
    sample.address = bounded(event.request.address);
    if (const auto record = would.record()) sample.candidate_source.push_back(*record);
    note(std::move(sample), said.decision, would.decision);
  }

  static AuthenticationRequest request_of(const ZapAuthenticator::Event& event) {
    AuthenticationRequest request{event.request.domain, event.request.address, {}};
    if (event.request.mechanism == to_string(Mechanism::kCurve)) {
      if (auto key = CurveKey::from_bytes(event.request.credentials[0])) request.credentials = *key;
    }
    return request;
  }

  Decision ask(const Session& session, const Question& question) const {
    const auto snapshot = candidate.current().snapshot;
    const Authentication now = snapshot->authenticator.reauthenticate(session.acceptance());
    if (!now.decision) {
      return Decision::refuse(Reason::kRevoked, "the peer would not be accepted: " + now.decision.message(),
                              now.source());
    }
    const std::string& user_id = session.user_id();
    if (now.user_id != user_id) {
      return Decision::refuse(Reason::kRevoked, other_user(now), now.source());
    }
    const auto topics = [&]() -> TopicProtector {
      return has_own_topics ? snapshot->topics : live->current().snapshot->topics;
    };
    switch (question.kind) {
      case Question::Kind::kSender:
        return snapshot->identities.verify(user_id, now.identity, question.subject);
      case Question::Kind::kPublish:
        return topics().authorize_publish(snapshot->capabilities, user_id, question.subject);
      case Question::Kind::kReceive:
        return topics().authorize_receive(snapshot->capabilities, user_id, question.subject);
      case Question::Kind::kCall: break;
    }
    static const CallArguments none;
    const CallArguments& arguments = question.arguments == nullptr ? none : *question.arguments;
    const CallRequest call{question.callee, question.subject, arguments};
    if (!question.one_of.empty()) return snapshot->authorize_operation(user_id, call, question.one_of);
    // What agents declare to the live policy, they would have declared to this one.
    PolicySnapshot declared = *snapshot;
    declared.methods = declared.methods.with_declarations_of(live->current().snapshot->methods);
    return declared.authorize_call(user_id, call);
  }

  void compare(const Session& session, const Question& question, const Decision& decision) {
    const Decision would = ask(session, question);
    if (of(question.kind).compare(decision.allowed(), would.allowed())) return;
    ShadowSample sample;
    sample.kind = to_string(question.kind);
    sample.user_id = session.user_id();
    sample.subject = bounded(question.subject);
    sample.callee = bounded(question.callee);
    sample.address = bounded(session.acceptance().address);
    note(std::move(sample), decision, would);
  }
};

ShadowPolicy::ShadowPolicy(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ShadowPolicy::~ShadowPolicy() = default;

Result<std::shared_ptr<ShadowPolicy>> ShadowPolicy::load(std::shared_ptr<const LivePolicy> live,
                                                         const std::filesystem::path& auth_file,
                                                         const std::filesystem::path& topics_file,
                                                         Settings settings) {
  std::optional<PolicyIndexBuilder> records;
  const auto loaded = AuthFile(auth_file, settings.strict_modes).load_parts([&]() -> PolicySink& {
    return records.emplace();
  });
  if (!loaded) return loaded.error();
  TopicProtector topics = live->current().snapshot->topics;
  if (!topics_file.empty()) {
    auto rules = TopicsFile(topics_file, settings.strict_modes).load();
    if (!rules) return rules.error();
    topics = TopicProtector(std::move(*rules));
  }
  const Timestamp now = settings.clock();
  auto snapshot =
      PolicySnapshot::compile(std::move(*records).finish(), std::move(topics), now, settings.ipc_trust);
  if (!snapshot) return snapshot.error().at(auth_file.filename().string());
  auto impl = std::make_unique<Impl>(std::move(live), std::move(settings), std::move(*snapshot),
                                     !topics_file.empty());
  impl->auth_file = auth_file;
  impl->topics_file = topics_file;
  impl->since = now;
  return std::shared_ptr<ShadowPolicy>(new ShadowPolicy(std::move(impl)));
}

void ShadowPolicy::on_authentication(const ZapAuthenticator::Event& event) noexcept {
  try {
    impl_->compare(event);
  } catch (const std::exception&) {  // no memory
    ++impl_->authentications.skipped;
  }
}

void ShadowPolicy::on_decision(const Session& session, const Question& question,
                               const Decision& decision) noexcept {
  try {
    impl_->compare(session, question, decision);
  } catch (const std::exception&) {  // no memory
    ++impl_->of(question.kind).skipped;
  }
}

std::optional<std::chrono::milliseconds> ShadowPolicy::keep_in_time() {
  const std::lock_guard lock(impl_->compiling);
  const Timestamp now = impl_->settings.clock();
  const auto present = impl_->candidate.current().snapshot;
  auto next = present->authenticator.next_change();
  if (next && now >= *next) {
    auto snapshot = present->compile_again(present->topics, now, impl_->settings.ipc_trust);
    if (snapshot) {
      next = snapshot->authenticator.next_change();
      impl_->candidate.publish(std::move(*snapshot));
    }
  }
  if (!next) return std::nullopt;
  return *next - now;
}

ShadowReport ShadowPolicy::report() const {
  ShadowReport out{.auth_file = impl_->auth_file, .topics_file = impl_->topics_file, .since = impl_->since};
  out.authentications = impl_->authentications.get();
  out.senders = impl_->of(Question::Kind::kSender).get();
  out.calls = impl_->of(Question::Kind::kCall).get();
  out.publishes = impl_->of(Question::Kind::kPublish).get();
  out.receives = impl_->of(Question::Kind::kReceive).get();
  const std::lock_guard lock(impl_->mutex);
  out.samples = impl_->samples.get();
  return out;
}

}  // namespace vipauth
