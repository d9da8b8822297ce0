#include "service/policy_keeper.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "service/revocation.hpp"
#include "store/atomic_file.hpp"

namespace vipauth {
namespace {

/// Nobody is known, and everything is refused.
PolicySnapshot nothing_loaded(Timestamp now) {
  PolicySnapshot snapshot = *PolicySnapshot::compile(Policy(), TopicProtector::refuse_all(), now);
  snapshot.loaded = false;
  return snapshot;
}

/// Makes an index, and keeps in mind what was not understood.
class ReportingBuilder : public PolicySink {
 public:
  void on_allow(const AuthRecord& record) override { builder_.on_allow(record); }
  void on_deny(const AuthRecord& record) override { builder_.on_deny(record); }
  void on_unreadable_allow(const Json& source, const Error& problem) override {
    note(problem);
    builder_.on_unreadable_allow(source, problem);
  }
  void on_unreadable_deny(const Json& source, const Error& problem) override {
    note(problem);
    builder_.on_unreadable_deny(source, problem);
  }
  void on_role(const Policy::Role& role) override {
    if (!role.capabilities) note(role.capabilities.error());
    builder_.on_role(role);
  }
  void on_group(const Policy::Group& group) override {
    if (!group.roles) note(group.roles.error());
    builder_.on_group(group);
  }

  std::shared_ptr<const PolicyIndex> finish() { return std::move(builder_).finish(); }
  /// The first of them.
  const std::vector<Error>& problems() const { return problems_; }
  std::size_t problem_count() const { return count_; }

 private:
  static constexpr std::size_t kMostProblems = 20;

  void note(const Error& problem) {
    if (++count_ <= kMostProblems) problems_.push_back(problem);
  }

  PolicyIndexBuilder builder_;
  std::vector<Error> problems_;
  std::size_t count_ = 0;
};

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
  const Contents before{auth_revision_, topic_document_};
  auto reading = read(files);
  if (!reading) return {.problem = first_problem(), .change = std::nullopt};
  auto& content = reading->auth;
  const auto next_time = next_change();
  if (reading->files.topics && !reading->files.auth && !has_other_topics_ &&
      (!next_time || now < *next_time)) {
    return {.problem = first_problem(), .change = std::nullopt};
  }
  const auto present = live_->current().snapshot;
  std::optional<PolicySnapshot> next;
  if (content) {
    next = compiled(PolicySnapshot::compile(content->records, topics_, now, settings_.ipc_trust));
    if (!next) content.reset();
  }
  if (!next && present->loaded) next = compiled(present->compile_again(topics_, now, settings_.ipc_trust));
  if (!next) return {.problem = first_problem(), .change = std::nullopt};

  if (content) report_ignored_records(*content);
  next->methods = next->methods.with_declarations_of(present->methods);
  auto revoked = present->loaded ? revoked_users(*present, *next) : std::vector<std::string>();
  auto problem = first_problem();
  PolicyChange change = publish(*std::move(next), std::move(revoked));
  // It is in force: nothing that needs memory may come between this and telling of it.
  if (content) auth_revision_ = std::move(content->file);
  has_other_topics_ = false;
  return {std::move(problem), std::move(change), before, {auth_revision_, topic_document_}};
}

/// The rules are read before auth.json. When neither was written between, or one of them was not since, both
/// are what was there at once.
std::optional<PolicyKeeper::Reading> PolicyKeeper::read(Files files) {
  constexpr int kMostTries = 5;
  if (std::exchange(is_unfinished_, true)) files = {true, true};
  Reading out;
  for (int i = 0; i < kMostTries; ++i) {
    out.files.topics = out.files.topics || files.topics;
    const bool has_other_rules = files.topics && read_topics();
    const bool needs_auth = auth_read_ && (has_other_rules || i > 0);
    const bool reads_auth = files.auth || (needs_auth && !auth_read_->is_still_at(auth_file_.path()));
    if (reads_auth) {
      out.files.auth = true;
      out.auth = read_auth();
    }
    if (!reads_auth || topics_read_.is_still_at(topics_file_.path())) {
      is_unfinished_ = false;
      return out;
    }
    files = {false, true};
  }
  note_auth_problem(Error{ErrorCode::kBusy,
                          "\"" + auth_file_.path().string() + "\" and \"" + topics_file_.path().string() +
                              "\" are written again and again while they are read",
                          ""});
  return std::nullopt;
}

std::optional<PolicySnapshot> PolicyKeeper::compiled(Result<PolicySnapshot> snapshot) {
  if (snapshot) return *std::move(snapshot);
  note_auth_problem(snapshot.error().at(auth_file_.path().filename().string()));
  return std::nullopt;
}

PolicyChange PolicyKeeper::publish(PolicySnapshot next, std::vector<std::string> revoked) {
  PolicyChange change;
  change.revoked = std::move(revoked);
  change.before = live_->current().snapshot;
  change.methods_changed = next.methods.changed_since(change.before->methods);
  if (settings_.retires) retired_.reserve(retired_.size() + 1);  // not when it is in force
  change.generation = live_->publish(std::move(next));
  change.after = live_->current().snapshot;
  if (settings_.retires) retired_.push_back(change.before);
  return change;
}

bool PolicyKeeper::release_retired() {
  std::vector<std::shared_ptr<const PolicySnapshot>> unused;  // let go without the lock
  const std::lock_guard lock(mutex_);
  const auto used = std::stable_partition(retired_.begin(), retired_.end(),
                                          [](const auto& policy) { return policy.use_count() > 1; });
  unused.assign(std::make_move_iterator(used), std::make_move_iterator(retired_.end()));
  retired_.erase(used, retired_.end());
  return !retired_.empty();
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

std::optional<PolicyKeeper::AuthContent> PolicyKeeper::read_auth() {
  auth_read_ = HeldFile::at(auth_file_.path());
  auto content = load_auth();
  if (content) {
    auth_seen_ = true;
    note_auth_problem(std::nullopt);
    return *std::move(content);
  }
  if (content.error().code != ErrorCode::kNotFound) {
    auth_seen_ = auth_seen_ || may_be_there(auth_file_.path());
    note_auth_problem(content.error());
  } else if (auth_seen_) {
    note_auth_problem(gone(auth_file_.path()));
  } else {
    note_auth_problem(std::nullopt);
    if (!live_->current().snapshot->loaded) return AuthContent{index_of(Policy()), nullptr, {}, 0};
  }
  return std::nullopt;
}

Result<PolicyKeeper::AuthContent> PolicyKeeper::load_auth() const {
  constexpr int kMoreTries = 2;  // of a file that is written into; its end is told by another event
  auto content = load_auth_once();
  for (int i = 0; i < kMoreTries && !content && content.error().code == ErrorCode::kBusy; ++i) {
    content = load_auth_once();
  }
  return content;
}

Result<PolicyKeeper::AuthContent> PolicyKeeper::load_auth_once() const {
  auto file = AuthFileRevision::open(auth_file_.path(), auth_file_.strict_modes());
  if (!file) return file.error();
  std::optional<ReportingBuilder> builder;
  const auto loaded = file->load_parts([&]() -> PolicySink& { return builder.emplace(); });
  if (!loaded) return loaded.error();
  AuthContent content;
  content.problems = builder->problems();
  content.problem_count = builder->problem_count();
  content.records = builder->finish();
  content.file = std::make_shared<const AuthFileRevision>(*std::move(file));
  return content;
}

/// What needs memory comes first: rules that are noted as read, and are not in force, would never be.
bool PolicyKeeper::read_topics() {
  topics_read_ = HeldFile::at(topics_file_.path());
  auto rules = topics_file_.load_document();
  if (rules) {
    const bool is_other = !topics_good_ || !topic_document_ || topic_document_->to_json() != rules->to_json();
    auto document = std::make_shared<const TopicDocument>(*std::move(rules));
    if (is_other) set_topics(TopicProtector(document->rules()));
    topics_seen_ = true;
    topics_good_ = true;
    topic_document_ = std::move(document);
    note_topics_problem(std::nullopt);
    return is_other;
  }
  if (rules.error().code == ErrorCode::kNotFound) {
    note_topics_problem(topics_seen_ ? std::optional(gone(topics_file_.path())) : std::nullopt);
    return false;
  }
  const bool is_first = !topics_seen_ && may_be_there(topics_file_.path());
  if (is_first) {
    set_topics(TopicProtector::refuse_all());
    topics_good_ = false;
    topics_seen_ = true;
  }
  note_topics_problem(rules.error());
  return is_first;
}

void PolicyKeeper::set_topics(TopicProtector topics) noexcept {
  topics_ = std::move(topics);
  has_other_topics_ = true;
}

void PolicyKeeper::note_auth_problem(std::optional<Error> problem) {
  if (problem && (!auth_problem_ || auth_problem_->to_string() != problem->to_string())) {
    log(LogLevel::kError,
        problem->to_string() + (live_->current().snapshot->loaded ? "; the last good policy stays in force"
                                                                  : "; everybody is refused"));
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

void PolicyKeeper::report_ignored_records(const AuthContent& content) {
  const std::string file = auth_file_.path().filename().string();
  for (const Error& problem : content.problems) {
    log(LogLevel::kWarning, problem.at(file).to_string() + "; it counts as absent");
  }
  if (content.problem_count > content.problems.size()) {
    log(LogLevel::kWarning, file + ": " + std::to_string(content.problem_count - content.problems.size()) +
                                " more that are not understood");
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
