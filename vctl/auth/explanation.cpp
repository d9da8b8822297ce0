#include "auth/explanation.hpp"

#include <algorithm>
#include <utility>

#include <vipauth/python_repr.hpp>

#include "auth/grant_commands.hpp"

namespace vipauth::vctl::auth {
namespace {

std::string quoted(std::string_view name) { return "\"" + python_str(Json(name)) + "\""; }

const AuthRecord& record_at(const Checker& checker, std::size_t index) {
  return *checker.policy().allow()[index].record;
}

/// A pattern for what any of `patterns` accepts, and `value`.
std::optional<std::string> widened(const std::vector<Pattern>& patterns, const std::string& value) {
  std::string text = "/(";
  for (const Pattern& pattern : patterns) {
    const std::string& body = pattern.text();
    text += (pattern.is_regex() ? body.substr(1, body.size() - 2) : Pattern::quote(body)) + "|";
  }
  text += Pattern::quote(value) + ")/";
  if (!Pattern::parse(text)) return std::nullopt;
  return text;
}

// ---- Records that do not count ----

/// Which deny record makes a record inert: one that matches its credentials wherever they come from.
std::optional<std::size_t> denier_of(const Checker& checker, const AuthRecord& record) {
  const auto& deny = checker.policy().deny();
  for (std::size_t i = 0; i < deny.size(); ++i) {
    const AuthRecord& other = *deny[i].record;  // a policy with a bad one is not put in force
    if (!other.is_active(checker.now()) || !other.domain.empty() || !other.address.empty()) continue;
    const auto* key = std::get_if<CurveKey>(&record.credentials);
    const auto* other_key = std::get_if<CurveKey>(&other.credentials);
    const auto* pattern = std::get_if<Pattern>(&other.credentials);
    if (key != nullptr && other_key != nullptr && *key == *other_key) return i;
    if (key != nullptr && pattern != nullptr && pattern->matches(key->to_base64url())) return i;
    const auto* password = std::get_if<StoredPassword>(&record.credentials);
    const auto* other_password = std::get_if<StoredPassword>(&other.credentials);
    const bool is_same_password = password != nullptr && other_password != nullptr &&
                                  record.user_id == other.user_id && password->text == other_password->text;
    if (is_same_password) return i;
    if (record.mechanism == Mechanism::kNull && other.mechanism == Mechanism::kNull) return i;
  }
  return std::nullopt;
}

/// Says why a record does not count, and what would mend that. Nothing for one that does.
void explain_inactive(const Checker& checker, std::size_t index, Explanation& out) {
  const AuthRecord& record = record_at(checker, index);
  const std::string name = "record " + std::to_string(index);
  const std::string number = std::to_string(index);
  if (!record.enabled) {
    out.notes.push_back(name + " is disabled");
    out.commands.push_back({"update", number, "--enabled"});
  } else if (record.not_after && checker.now() >= *record.not_after) {
    out.notes.push_back(name + " is not valid since " + format_timestamp(*record.not_after));
    out.commands.push_back({"update", number, "--not_after", "TIME"});
  } else if (record.not_before && checker.now() < *record.not_before) {
    out.notes.push_back(name + " is not valid before " + format_timestamp(*record.not_before));
    out.commands.push_back({"update", number, "--not_before", format_timestamp(checker.now())});
  } else if (const auto denier = denier_of(checker, record)) {
    out.notes.push_back(name + " does nothing: deny record " + std::to_string(*denier) +
                        " denies its credentials");
  }
}

/// A user who is not known: no record, or none that counts.
void explain_unknown_user(const Checker& checker, const std::string& user_id,
                          const std::vector<std::string>& required, Explanation& out) {
  const auto& allow = checker.policy().allow();
  bool has_record = false;
  for (std::size_t i = 0; i < allow.size(); ++i) {
    if (!allow[i].record || allow[i].record->user_id != user_id) continue;
    has_record = true;
    explain_inactive(checker, i, out);
  }
  if (has_record) return;
  out.notes.push_back("no record has the user_id " + quoted(user_id));
  if (user_id.empty()) return;
  Command command{"add", "--user_id", user_id, "--credentials", "PUBLIC_KEY"};
  Json::Array names;
  for (const std::string& name : required) {
    if (name.empty()) return;
    names.emplace_back(name);
  }
  if (!names.empty()) {
    command.emplace_back("--capabilities");
    command.push_back(names_text(names));
  }
  out.commands.push_back(std::move(command));
}

// ---- Connecting ----

bool accepts(const std::vector<Pattern>& patterns, std::string_view value) {
  return patterns.empty() ||
         std::any_of(patterns.begin(), patterns.end(), [&](const Pattern& p) { return p.matches(value); });
}

/// A record of the right credentials, which is asked from a place that it does not accept.
void explain_place(const ConnectQuestion& question, std::size_t index, const AuthRecord& record,
                   Explanation& out) {
  const std::string address = canonical_address(question.address);
  Command command{"update", std::to_string(index)};
  bool is_possible = true;
  const auto widen = [&](const char* field, const std::vector<Pattern>& patterns, const std::string& value) {
    if (accepts(patterns, value)) return;
    std::vector<std::string> texts;
    texts.reserve(patterns.size());
    for (const Pattern& pattern : patterns) texts.push_back(pattern.text());
    out.notes.push_back("record " + std::to_string(index) + " accepts these credentials only with " + field +
                        " " + (texts.size() == 1 ? quoted(texts.front()) : "one of " + python_repr(texts)));
    const auto wider = widened(patterns, value);
    is_possible = is_possible && wider;
    command.push_back("--" + std::string(field));
    command.push_back(wider.value_or(""));
  };
  widen("domain", record.domain, question.domain);
  widen("address", record.address, address);
  if (is_possible && command.size() > 2) out.commands.push_back(std::move(command));
}

/// A pattern that accepts the key, in a record that is asked from another place. A wider place would be one
/// for every key of the pattern: no command for that.
void note_pattern_record(const Checker& checker, const ConnectQuestion& question, const CurveKey& key,
                         std::size_t index, Explanation& out) {
  const AuthRecord& record = record_at(checker, index);
  const auto* pattern = std::get_if<Pattern>(&record.credentials);
  if (pattern == nullptr || !record.is_active(checker.now()) || !pattern->matches(key.to_base64url())) return;
  Explanation place;
  explain_place(question, index, record, place);
  std::move(place.notes.begin(), place.notes.end(), std::back_inserter(out.notes));
}

void explain_curve(const Checker& checker, const ConnectQuestion& question,
                   const std::optional<std::string>& pending_user_id, Explanation& out) {
  const auto key = CurveKey::parse(question.credentials.front());
  if (!key) return;
  bool has_record = false;
  const auto& allow = checker.policy().allow();
  for (std::size_t i = 0; i < allow.size(); ++i) {
    if (!allow[i].record) continue;
    note_pattern_record(checker, question, *key, i, out);
    const auto* known = std::get_if<CurveKey>(&allow[i].record->credentials);
    if (known == nullptr || !(*known == *key)) continue;
    has_record = true;
    const std::size_t notes_before = out.notes.size();
    explain_inactive(checker, i, out);
    if (out.notes.size() == notes_before) explain_place(question, i, *allow[i].record, out);
  }
  if (has_record) return;
  if (pending_user_id) {
    out.notes.push_back("the peer waits for a decision as " + *pending_user_id);
    out.commands.push_back({"remote", "approve", "--", *pending_user_id});
  }
  out.commands.push_back({"add", "--credentials", key->to_base64url()});
}

void explain_denied_peer(const Checker& checker, const ConnectQuestion& question, const Finding& finding,
                         Explanation& out) {
  if (finding.source.empty() || question.mechanism != to_string(Mechanism::kCurve)) return;
  const auto index = index_in("/deny", finding.source.front());
  if (!index) return;
  const AuthRecord& record = *checker.policy().deny()[*index].record;
  const auto* key = std::get_if<CurveKey>(&record.credentials);
  if (key == nullptr) {
    out.notes.emplace_back("the deny record names many keys: no command takes one of them out");
    return;
  }
  const auto& allow = checker.policy().allow();
  const bool has_record = std::any_of(allow.begin(), allow.end(), [&](const Policy::Entry& entry) {
    const auto* other = entry.record ? std::get_if<CurveKey>(&entry.record->credentials) : nullptr;
    return other != nullptr && *other == *key;
  });
  // Approving moves every deny record of that name.
  const auto& deny = checker.policy().deny();
  const auto namesakes = std::count_if(deny.begin(), deny.end(), [&](const Policy::Entry& entry) {
    return entry.record->user_id == record.user_id;
  });
  if (namesakes > 1) {
    out.notes.push_back(std::to_string(namesakes) + " deny records have the user_id " +
                        quoted(record.user_id) + ": to approve it would let all of them in");
  } else if (!has_record) {
    out.commands.push_back({"remote", "approve", "--", record.user_id});
  }
}

/// A NULL record is only as narrow as its address and domain.
void explain_null(const ConnectQuestion& question, Explanation& out) {
  const auto is_one = [](const std::string& text) {
    return !text.empty() && !Pattern::looks_like_regex(text) && text.front() != '[';
  };
  if (!is_one(question.address) || !is_one(question.domain)) return;
  out.commands.push_back(
      {"add", "--mechanism", "NULL", "--address", question.address, "--domain", question.domain});
}

void explain_plain(const Checker& checker, const std::string& username, Explanation& out) {
  const auto& allow = checker.policy().allow();
  bool is_taken = false;
  for (std::size_t i = 0; i < allow.size(); ++i) {
    if (!allow[i].record || allow[i].record->user_id != username) continue;
    is_taken = true;
    const std::size_t notes_before = out.notes.size();
    explain_inactive(checker, i, out);
    if (out.notes.size() != notes_before) continue;
    out.notes.push_back("record " + std::to_string(i) +
                        (allow[i].record->mechanism == Mechanism::kPlain
                             ? " has this user name: the password, the address or the domain is another"
                             : " has this user_id, but not the mechanism PLAIN"));
  }
  if (!is_taken && !username.empty())
    out.commands.push_back({"add", "--mechanism", "PLAIN", "--user_id", username});
}

// ---- All ----

Explanation start(const Checker& checker, const Finding& finding) {
  Explanation out;
  for (const std::string& place : finding.source)
    out.places.push_back(describe_place(checker, finding.user_id, place));
  return out;
}

Explanation finish(Explanation out) {
  if (out.commands.size() > Explanation::kMostCommands) out.commands.resize(Explanation::kMostCommands);
  return out;
}

/// Where calls to a method get their requirements from.
void note_requirements(const Checker& checker, const CallQuestion& question, Explanation& out) {
  const auto& allow = checker.policy().allow();
  for (std::size_t i = 0; i < allow.size(); ++i) {
    if (!allow[i].record || allow[i].record->identity != question.callee) continue;
    const auto& methods = allow[i].record->rpc_method_authorizations.methods;
    const bool lists_it = std::any_of(methods.begin(), methods.end(),
                                      [&](const auto& method) { return method.first == question.method; });
    if (!lists_it) continue;
    out.notes.push_back(
        "required by " +
        json_pointer(json_pointer("/allow", i) + "/rpc_method_authorizations", question.method));
  }
}

}  // namespace

std::string describe_place(const Checker& checker, const std::optional<std::string>& user_id,
                           const std::string& place) {
  const Policy& policy = checker.policy();
  if (const auto index = index_in("/allow", place); index && *index < policy.allow().size()) {
    const auto& record = policy.allow()[*index].record;
    const std::string name = "record " + std::to_string(*index);
    if (place.ends_with("/capabilities")) return "capabilities of " + name;
    if (place.ends_with("/rpc_method_authorizations")) return "what calls to " + name + " require";
    return record ? name + ", user_id " + quoted(record->user_id) : name;
  }
  if (const auto index = index_in("/deny", place)) return "deny record " + std::to_string(*index);
  for (const auto* rules : {&checker.rules().write_protect, &checker.rules().read_protect}) {
    for (const TopicRule& rule : *rules) {
      if (rule.location == place)
        return "rule for topic " + quoted(rule.topic.text()) + ": requires " + python_repr(rule.capabilities);
    }
  }
  if (!user_id || !place.starts_with("/roles/")) return {};
  for (const std::size_t index : records_of(checker, *user_id)) {
    const AuthRecord& record = record_at(checker, index);
    const std::string holder = ", which record " + std::to_string(index) + " has";
    for (const std::string& role : record.roles) {
      if (json_pointer("/roles", role) == place) return "role " + quoted(role) + holder;
    }
    for (const std::string& name : record.groups) {
      const Policy::Group* group = policy.find_group(name);
      if (group == nullptr || !group->roles) continue;
      for (const std::string& role : *group->roles) {
        if (json_pointer("/roles", role) == place)
          return "role " + quoted(role) + " of group " + quoted(name) + holder;
      }
    }
  }
  return {};
}

Explanation explain_connect(const Checker& checker, const ConnectQuestion& question, const Finding& finding,
                            const std::optional<std::string>& pending_user_id) {
  Explanation out = start(checker, finding);
  switch (finding.decision.reason()) {
    case Reason::kDenied: explain_denied_peer(checker, question, finding, out); break;
    case Reason::kUnknown:
    case Reason::kInactive:
      if (question.mechanism == to_string(Mechanism::kCurve)) {
        explain_curve(checker, question, pending_user_id, out);
      } else if (question.mechanism == to_string(Mechanism::kPlain)) {
        explain_plain(checker, question.credentials.front(), out);
      } else {
        explain_null(question, out);
      }
      break;
    default: break;
  }
  return finish(std::move(out));
}

Explanation explain_call(const Checker& checker, const CallQuestion& question, const Finding& finding) {
  Explanation out = start(checker, finding);
  if (finding.decision) return out;
  std::vector<std::string> required = question.required.value_or(std::vector<std::string>());
  if (!question.required) {
    const auto known = checker.snapshot().methods.required(question.callee, question.method);
    if (!known) return out;
    required.assign(known->begin(), known->end());
    note_requirements(checker, question, out);
  }
  const CapabilityResolver& capabilities = checker.snapshot().capabilities;
  if (!capabilities.knows(question.user_id)) {
    explain_unknown_user(checker, question.user_id, required, out);
    return finish(std::move(out));
  }
  const auto is_met = [&](const std::string& name) {
    const std::vector<std::string> one{name};
    return capabilities.authorize_call(question.user_id, question.method, one, question.arguments).allowed();
  };
  const auto value_of = [&](const std::string& parameter) -> std::optional<Json> {
    const Json* argument = question.arguments.find(parameter);
    return argument == nullptr ? std::nullopt : std::optional(*argument);
  };
  const Needs needs = needs_of(required, capabilities, question.user_id, is_met, value_of);
  out.missing = needs.missing;
  add_grant_commands(checker, question.user_id, needs, out);
  return finish(std::move(out));
}

Explanation explain_topic(const Checker& checker, const std::string& user_id, const std::string& topic,
                          const std::vector<TopicRule>& rules, const Finding& finding) {
  Explanation out = start(checker, finding);
  const bool is_malformed = finding.decision.reason() == Reason::kMalformed;
  if (finding.decision || is_malformed) return out;
  std::vector<std::string> required;
  for (const TopicRule& rule : rules) {
    if (!rule.covers(topic)) continue;
    for (const std::string& name : rule.capabilities) {
      if (std::find(required.begin(), required.end(), name) == required.end()) required.push_back(name);
    }
  }
  const CapabilityResolver& capabilities = checker.snapshot().capabilities;
  if (!capabilities.knows(user_id)) {
    explain_unknown_user(checker, user_id, required, out);
    return finish(std::move(out));
  }
  const auto is_met = [&](const std::string& name) {
    const std::vector<std::string> one{name};
    return capabilities.authorize_topic(user_id, "", topic, one).allowed();
  };
  const auto value_of = [&](const std::string& parameter) {
    return parameter == "topic" ? std::optional(Json(topic)) : std::nullopt;
  };
  const Needs needs = needs_of(required, capabilities, user_id, is_met, value_of);
  out.missing = needs.missing;
  add_grant_commands(checker, user_id, needs, out);
  return finish(std::move(out));
}

}  // namespace vipauth::vctl::auth
