#include "service/policy_keeper.hpp"

namespace vipauth {
namespace {

/// Nobody is known, and everything is refused.
PolicySnapshot nothing_loaded(Timestamp now) {
  const Policy empty;
  PolicySnapshot snapshot{*Authenticator::create(empty, now), *CapabilityResolver::create(empty, now),
                          MethodRegistry::create(empty),      IdentityRegistry::create(empty),
                          TopicProtector::refuse_all(),       false};
  return snapshot;
}

Error gone(const std::filesystem::path& path) {
  return Error{ErrorCode::kNotFound, "\"" + path.string() + "\" has disappeared", ""};
}

}  // namespace

PolicyKeeper::PolicyKeeper(AuthFile auth_file, TopicsFile topics_file, Settings settings)
    : auth_file_(std::move(auth_file)),
      topics_file_(std::move(topics_file)),
      settings_(std::move(settings)),
      live_(std::make_shared<LivePolicy>(nothing_loaded(settings_.clock()))) {}

PolicyKeeper::Outcome PolicyKeeper::reload(Files files) {
  std::vector<LogLine> lines;
  Outcome outcome;
  {
    const std::lock_guard lock(mutex_);
    outcome = read_and_publish(files);
    lines.swap(lines_);
  }
  if (settings_.log) {
    for (const LogLine& line : lines) settings_.log(line.level, line.text);
  }
  return outcome;
}

PolicyKeeper::Outcome PolicyKeeper::read_and_publish(Files files) {
  const Timestamp now = settings_.clock();
  const Contents before{policy_, topic_document_};
  if (files.topics && read_topics()) has_other_topics_ = true;
  const auto next = next_change();
  if (files.topics && !files.auth && !has_other_topics_ && (!next || now < *next)) {
    return {.problem = first_problem(), .change = std::nullopt};
  }
  std::shared_ptr<const Policy> candidate = policy_;
  if (files.auth) read_auth(candidate);
  if (!candidate) return {.problem = first_problem(), .change = std::nullopt};

  auto snapshot = PolicySnapshot::compile(*candidate, topics_, now, settings_.ipc_trust);
  if (!snapshot && candidate != policy_) {
    note_auth_problem(snapshot.error().at(auth_file_.path().filename().string()));
    candidate = policy_;
    if (!candidate) return {.problem = first_problem(), .change = std::nullopt};
    snapshot = PolicySnapshot::compile(*candidate, topics_, now, settings_.ipc_trust);
  }
  if (!snapshot) {
    note_auth_problem(snapshot.error().at(auth_file_.path().filename().string()));
    return {.problem = first_problem(), .change = std::nullopt};
  }
  if (candidate != policy_) report_ignored_records(*candidate);

  AcceptedPeers accepted = accepted_peers(*candidate, now);
  snapshot->methods = snapshot->methods.with_declarations_of(live_->current().snapshot->methods);
  PolicyChange change = publish(std::move(*snapshot), revoked_users(accepted_, accepted));
  has_other_topics_ = false;
  policy_ = std::move(candidate);
  accepted_ = std::move(accepted);
  return {first_problem(), std::move(change), before, {policy_, topic_document_}};
}

PolicyChange PolicyKeeper::publish(PolicySnapshot next, std::vector<std::string> revoked) {
  PolicyChange change;
  change.revoked = std::move(revoked);
  change.before = live_->current().snapshot;
  change.methods_changed = next.methods.changed_since(change.before->methods);
  change.generation = live_->publish(std::move(next));
  change.after = live_->current().snapshot;
  return change;
}

Result<std::optional<PolicyChange>> PolicyKeeper::declare(const Declare& declare) {
  const std::lock_guard lock(mutex_);
  PolicySnapshot next = *live_->current().snapshot;
  auto methods = declare(next);
  if (!methods) return methods.error();
  if (methods->has_same_declarations(next.methods)) return std::optional<PolicyChange>();
  next.methods = std::move(*methods);
  return std::optional<PolicyChange>(publish(std::move(next), {}));
}

void PolicyKeeper::read_auth(std::shared_ptr<const Policy>& candidate) {
  auto loaded = auth_file_.load();
  if (loaded) {
    auth_seen_ = true;
    note_auth_problem(std::nullopt);
    candidate = std::make_shared<const Policy>(std::move(*loaded));
  } else if (loaded.error().code != ErrorCode::kNotFound) {
    auth_seen_ = true;
    note_auth_problem(loaded.error());
  } else if (auth_seen_) {
    note_auth_problem(gone(auth_file_.path()));
  } else if (!candidate) {
    candidate = std::make_shared<const Policy>();
  }
}

bool PolicyKeeper::read_topics() {
  auto rules = topics_file_.load_document();
  if (rules) {
    const bool is_other = !topics_good_ || !topic_document_ || topic_document_->to_json() != rules->to_json();
    topics_seen_ = true;
    topics_good_ = true;
    topic_document_ = std::make_shared<const TopicDocument>(*std::move(rules));
    topics_ = TopicProtector(topic_document_->rules());
    note_topics_problem(std::nullopt);
    return is_other;
  }
  if (rules.error().code == ErrorCode::kNotFound) {
    if (topics_seen_) note_topics_problem(gone(topics_file_.path()));
    return false;
  }
  const bool is_first = !topics_seen_;
  if (is_first) {
    topics_good_ = false;
    topics_ = TopicProtector::refuse_all();
  }
  topics_seen_ = true;
  note_topics_problem(rules.error());
  return is_first;
}

void PolicyKeeper::note_auth_problem(std::optional<Error> problem) {
  if (problem && (!auth_problem_ || auth_problem_->to_string() != problem->to_string())) {
    log(LogLevel::kError, problem->to_string() +
                              (policy_ ? "; the last good policy stays in force" : "; everybody is refused"));
  }
  auth_problem_ = std::move(problem);
}

void PolicyKeeper::note_topics_problem(std::optional<Error> problem) {
  if (problem && (!topics_problem_ || topics_problem_->to_string() != problem->to_string())) {
    log(LogLevel::kError, problem->to_string() + (topics_good_ ? "; the last good rules stay in force"
                                                               : "; every publish is refused"));
  }
  topics_problem_ = std::move(problem);
}

void PolicyKeeper::report_ignored_records(const Policy& policy) {
  constexpr std::size_t kMostLines = 20;
  const std::vector<Error> problems = policy.problems();
  const std::string file = auth_file_.path().filename().string();
  for (std::size_t i = 0; i < problems.size() && i < kMostLines; ++i) {
    log(LogLevel::kWarning, problems[i].at(file).to_string() + "; it counts as absent");
  }
  if (problems.size() > kMostLines) {
    log(LogLevel::kWarning,
        file + ": " + std::to_string(problems.size() - kMostLines) + " more that are not understood");
  }
}

std::optional<Error> PolicyKeeper::first_problem() const {
  return auth_problem_ ? auth_problem_ : topics_problem_;
}

std::optional<Error> PolicyKeeper::problem() const {
  const std::lock_guard lock(mutex_);
  return first_problem();
}

std::optional<Error> PolicyKeeper::topics_problem() const {
  const std::lock_guard lock(mutex_);
  return topics_problem_;
}

std::optional<Timestamp> PolicyKeeper::next_change() const {
  return live_->current().snapshot->authenticator.next_change();
}

void PolicyKeeper::log(LogLevel level, std::string text) { lines_.push_back({level, std::move(text)}); }

}  // namespace vipauth
