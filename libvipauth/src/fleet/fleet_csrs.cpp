#include <vipauth/fleet_csrs.hpp>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <vipauth/auth_record.hpp>

#include "fleet/csr_listing.hpp"
#include "fleet/csr_values.hpp"
#include "fleet/etcd_client.hpp"
#include "fleet/fleet_layout.hpp"
#include "fleet/range_reader.hpp"
#include "fleet/range_watcher.hpp"

namespace vipauth {
namespace {

using fleet::asked_value;
using fleet::CsrAnswer;
using fleet::CsrAsked;
using fleet::CsrKey;
using fleet::CsrListing;
using fleet::CsrVerb;
using fleet::EtcdClient;
using fleet::FleetLayout;
using fleet::KeyValue;
using fleet::Mutation;
using fleet::parse_answer;
using fleet::parse_asked;
using fleet::parse_csr_value;
using fleet::prefix_end;
using fleet::RangeWatcher;
using fleet::read_range;
using fleet::WatchEvents;
using std::chrono::steady_clock;
using Time = steady_clock::time_point;

constexpr int kMostTries = 3;  // to read what is compacted meanwhile
constexpr std::chrono::milliseconds kBetweenTries{200};

std::string in_quotes(std::string_view text) { return "\"" + std::string(text) + "\""; }

/// Without colons, in capitals.
std::string digits_of(std::string_view fingerprint) {
  std::string out;
  for (const char c : fingerprint) {
    if (c != ':') out += c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

/// What happened to a decision that waited.
struct Outcome {
  std::int64_t revision = 0;         ///< when; 0: not known
  std::optional<CsrAsked> replaced;  ///< by another one; nothing: it was taken away
};

/// Waits for what happens to a decision, on a watch of its own.
class DecisionWatch {
 public:
  /// \param client   for questions; it must outlive this object
  /// \param watching  for the watch alone
  DecisionWatch(const EtcdClient& client, EtcdClient watching, std::string key, std::int64_t written_at)
      : client_(client),
        key_(std::move(key)),
        written_at_(written_at),
        watcher_(std::move(watching), key_, "", written_at + 1,
                 {[this](const WatchEvents& told) { take(told); }, [this](std::int64_t) { return look(); },
                  [this](const std::optional<Error>& problem) {
                    const std::lock_guard lock(mutex_);
                    problem_ = problem;
                  }}) {}

  std::optional<Outcome> wait_until(Time deadline) {
    std::unique_lock lock(mutex_);
    told_.wait_until(lock, deadline, [this] { return outcome_.has_value(); });
    return outcome_;
  }
  /// Why nothing was heard.
  std::optional<Error> problem() const {
    const std::lock_guard lock(mutex_);
    return problem_;
  }

 private:
  void take(const WatchEvents& told) {
    const Mutation& first = told.events.front();
    end({told.revisions.front(), std::nullopt}, first.value);
  }
  /// Where what happened is compacted.
  std::optional<std::int64_t> look() {
    const auto present = client_.range({.key = key_});
    if (!present) return std::nullopt;
    if (present->values.empty()) {
      end({0, std::nullopt}, std::nullopt);
    } else if (present->values.front().mod_revision != written_at_) {
      end({0, std::nullopt}, present->values.front().value);
    }
    return present->revision + 1;
  }
  void end(Outcome outcome, const std::optional<std::string>& value) {
    if (value) {
      auto asked = parse_asked(*value);
      outcome.replaced = asked ? *std::move(asked) : CsrAsked{.who = "somebody"};
    }
    const std::lock_guard lock(mutex_);
    if (!outcome_) outcome_ = std::move(outcome);
    told_.notify_all();
  }

  const EtcdClient& client_;
  const std::string key_;
  const std::int64_t written_at_;
  mutable std::mutex mutex_;
  std::condition_variable told_;
  std::optional<Outcome> outcome_;
  std::optional<Error> problem_;
  RangeWatcher watcher_;  // last: it uses all of the above
};

/// A decision that was written.
struct Written {
  std::int64_t revision = 0;
  std::optional<CsrAsked> replaced;  ///< one that waited
  bool is_answered = false;          ///< already
};

}  // namespace

struct FleetCsrs::Impl {
  StoreAddress address;
  EtcdOptions options;
  EtcdClient client;
  FleetLayout layout;

  Result<std::vector<FleetCsr>> list(std::vector<std::string>* warnings) const;
  Result<FleetCsr> find(const CommonName& name, const Options& how) const;
  Result<FleetCsrDecision> decide(CsrVerb verb, const CommonName& name, const Options& how) const;
  Result<Written> write(const std::string& key, const std::string& answer_key, const CsrAsked& asked,
                        Time deadline) const;
  Result<std::optional<std::string>> value_at(const std::string& key, std::int64_t revision,
                                              Time deadline) const;
  Result<FleetCsrDecision> outcome_of(const FleetCsr& before, const CsrAsked& asked, const Outcome& outcome,
                                      Time deadline) const;
};

FleetCsrs::FleetCsrs(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FleetCsrs::~FleetCsrs() = default;

Result<std::unique_ptr<FleetCsrs>> FleetCsrs::open(const StoreAddress& address, EtcdOptions options) {
  auto client = EtcdClient::create(address, options);
  if (!client) return client.error();
  auto impl = std::make_unique<Impl>(
      Impl{address, std::move(options), *std::move(client), FleetLayout(address.prefix, address.site)});
  return std::unique_ptr<FleetCsrs>(new FleetCsrs(std::move(impl)));
}

Result<std::vector<FleetCsr>> FleetCsrs::list(std::vector<std::string>* warnings) const {
  return impl_->list(warnings);
}
Result<FleetCsrDecision> FleetCsrs::approve(const CommonName& name, const Options& options) {
  return impl_->decide(CsrVerb::kApprove, name, options);
}
Result<FleetCsrDecision> FleetCsrs::deny(const CommonName& name, const Options& options) {
  return impl_->decide(CsrVerb::kDeny, name, options);
}
Result<FleetCsrDecision> FleetCsrs::remove(const CommonName& name, const Options& options) {
  return impl_->decide(CsrVerb::kDelete, name, options);
}

// ---- Reading ----

Result<std::vector<FleetCsr>> FleetCsrs::Impl::list(std::vector<std::string>* warnings) const {
  for (int tries = 1;; ++tries) {
    CsrListing listing(layout);
    const auto read = read_range(client, layout.csr_prefix(),
                                 {[&](KeyValue&& from) { return listing.take(from, false); },
                                  [&](KeyValue&& from) { return listing.take(from, true); }});
    if (!read && read.error().code == ErrorCode::kConflict && tries < kMostTries) continue;
    if (!read) return read.error();
    if (warnings != nullptr) {
      warnings->insert(warnings->end(), listing.warnings().begin(), listing.warnings().end());
    }
    return std::move(listing).entries();
  }
}

/// The request that is meant.
Result<FleetCsr> FleetCsrs::Impl::find(const CommonName& name, const Options& how) const {
  const auto all = list(nullptr);
  if (!all) return all.error();
  std::vector<const FleetCsr*> found;
  for (const FleetCsr& one : *all) {
    const bool is_meant = how.site.empty() || one.site == how.site;
    if (is_meant && one.request.common_name == name) found.push_back(&one);
  }
  if (found.empty()) {
    const std::string where = how.site.empty() ? std::string() : " at the site " + in_quotes(how.site);
    return Error{ErrorCode::kNotFound, "there is no request of " + in_quotes(name.text()) + where, ""};
  }
  if (found.size() > 1) {
    std::string sites;
    for (const FleetCsr* one : found) sites += (sites.empty() ? "" : ", ") + one->site;
    return Error{ErrorCode::kConflict,
                 "there are requests of " + in_quotes(name.text()) + " at several sites: " + sites +
                     "; name one of them in the address of the store: \"?site=" + found.front()->site + "\"",
                 ""};
  }
  const std::string& fingerprint = found.front()->request.key_fingerprint;
  if (!how.key_fingerprint.empty() && digits_of(how.key_fingerprint) != digits_of(fingerprint)) {
    return Error{ErrorCode::kConflict,
                 in_quotes(name.text()) + " asks for a certificate for another key, " + fingerprint +
                     ": compare that with what \"vctl auth csr request\" shows over there",
                 ""};
  }
  return *found.front();
}

/// What a key said at a revision, or says now where that is compacted.
Result<std::optional<std::string>> FleetCsrs::Impl::value_at(const std::string& key, std::int64_t revision,
                                                             Time deadline) const {
  for (;;) {
    const auto answer = client.range({.key = key, .revision = revision});
    if (answer) {
      return answer->values.empty() ? std::optional<std::string>() : answer->values.front().value;
    }
    const bool is_compacted = answer.error().code == ErrorCode::kConflict && revision > 0;
    if (!is_compacted && steady_clock::now() + kBetweenTries >= deadline) return answer.error();
    if (!is_compacted) std::this_thread::sleep_for(kBetweenTries);
    if (is_compacted) revision = 0;
  }
}

// ---- Deciding ----

/// Writes a decision in the place of another one that waits, if any.
Result<Written> FleetCsrs::Impl::write(const std::string& key, const std::string& answer_key,
                                       const CsrAsked& asked, Time deadline) const {
  const auto in_doubt = [&](const std::string& why) {
    return Error{ErrorCode::kIoError,
                 why +
                     "; the decision may have been asked for all the same, or be asked for yet: look before "
                     "you repeat it",
                 ""};
  };
  Written out;
  std::optional<std::int64_t> doubtful;  // what a transaction expected whose answer was lost
  for (;;) {
    std::optional<Error> problem;
    if (const auto present = client.range({.key = key}); !present) {
      problem = present.error();
    } else {
      const KeyValue* there = present->values.empty() ? nullptr : &present->values.front();
      const auto waiting = there == nullptr ? Result<CsrAsked>(Error{}) : parse_asked(there->value);
      out.revision = there == nullptr ? 0 : there->mod_revision;
      if (waiting && waiting->id == asked.id) return out;  // it was made, and the answer lost
      if (doubtful && there == nullptr) {
        const auto answer = value_at(answer_key, 0, deadline);
        if (!answer) return in_doubt(answer.error().message);
        const auto parsed = parse_answer(answer->value_or(""));
        out.is_answered = parsed && parsed->id == asked.id;
        if (out.is_answered) return out;
      } else if (doubtful && there->mod_revision != *doubtful) {
        return in_doubt("somebody else has decided meanwhile");
      }
      out.replaced = waiting ? std::optional(*waiting) : std::nullopt;
      const auto made =
          client.txn({{.key = key, .equals = out.revision}}, {{.key = key, .value = asked_value(asked)}});
      if (made && made->succeeded) {
        out.revision = made->revision;
        return out;
      }
      if (!made) {
        problem = made.error();
        if (!EtcdClient::is_certain(*problem)) doubtful = out.revision;
      }
    }
    const bool is_for_now = !problem || problem->code == ErrorCode::kBusy;
    if (problem && !doubtful && !is_for_now) return *problem;
    if (steady_clock::now() + kBetweenTries >= deadline) {
      if (doubtful) return in_doubt(problem ? problem->message : "the cluster did not answer in time");
      return problem ? *problem
                     : Error{ErrorCode::kConflict, "again and again somebody else was faster: try again", ""};
    }
    std::this_thread::sleep_for(kBetweenTries);
  }
}

Result<FleetCsrDecision> FleetCsrs::Impl::outcome_of(const FleetCsr& before, const CsrAsked& asked,
                                                     const Outcome& outcome, Time deadline) const {
  const CommonName& name = before.request.common_name;
  if (outcome.replaced) {
    return Error{ErrorCode::kConflict,
                 outcome.replaced->who + " has decided otherwise about " + in_quotes(name.text()) +
                     ", in the place of what was asked here: look how it stands",
                 before.site};
  }
  const auto answer_text =
      value_at(layout.csr_key(before.site, CsrKey::Kind::kAnswer, name), outcome.revision, deadline);
  if (!answer_text) return answer_text.error();
  auto answer = parse_answer(answer_text->value_or(""));
  if (!answer || answer->id != asked.id) {
    return Error{ErrorCode::kConflict,
                 "somebody has taken back what was asked about " + in_quotes(name.text()) +
                     ", or the site did not understand it: look how it stands",
                 before.site};
  }
  if (answer->problem) return answer->problem->at(before.site);

  CsrDecision decision{before.request, std::move(answer->broker_problem), std::move(answer->warnings)};
  if (asked.verb == CsrVerb::kDelete) return FleetCsrDecision{before.site, std::move(decision)};
  const auto request_text =
      value_at(layout.csr_key(before.site, CsrKey::Kind::kRequest, name), outcome.revision, deadline);
  if (!request_text) return request_text.error();
  const CsrStatus wanted = asked.verb == CsrVerb::kApprove ? CsrStatus::kApproved : CsrStatus::kDenied;
  auto request = parse_csr_value(name, request_text->value_or(""));
  if (request && request->status == wanted) {
    decision.entry = *std::move(request);
  } else {  // the site says that it is done, and has not been able to say more
    decision.entry.status = wanted;
    decision.entry.certificate.reset();
  }
  return FleetCsrDecision{before.site, std::move(decision)};
}

Result<FleetCsrDecision> FleetCsrs::Impl::decide(CsrVerb verb, const CommonName& name,
                                                 const Options& how) const {
  const Time deadline = steady_clock::now() + how.patience;
  const auto before = find(name, how);
  if (!before) return before.error();
  auto own = EtcdClient::create(address, options);  // for the watch; before anything is asked for
  if (!own) return own.error();
  const CsrAsked asked{make_user_id(),
                       verb,
                       before->request.key_fingerprint,
                       before->request.status,
                       editor_of(how.note),
                       how.note.command,
                       how.clock()};
  const std::string key = layout.csr_key(before->site, CsrKey::Kind::kDecision, name);
  const auto written = write(key, layout.csr_key(before->site, CsrKey::Kind::kAnswer, name), asked, deadline);
  if (!written) return written.error();
  std::optional<Outcome> outcome;
  std::optional<Error> problem;
  if (written->is_answered) {
    outcome = Outcome{};
  } else {
    DecisionWatch watch(client, *std::move(own), key, written->revision);
    outcome = watch.wait_until(deadline);
    problem = watch.problem();
  }
  if (!outcome) {
    return Error{ErrorCode::kBusy,
                 "the site has not answered yet, and carries it out when it does" +
                     (problem ? " (" + problem->to_string() + ")" : std::string()) +
                     "; what is decided otherwise until then takes its place",
                 before->site};
  }
  auto out = outcome_of(*before, asked, *outcome, deadline);
  if (out && written->replaced) {
    out->decision.warnings.push_back("this took the place of what " + written->replaced->who +
                                     " had asked for, and the site had not done: to " +
                                     std::string(to_string(written->replaced->verb)) + " it");
  }
  return out;
}

}  // namespace vipauth
