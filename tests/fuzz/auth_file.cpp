// The text of an auth.json: both readers of it, what is written of it, and what is decided by it.
#include <optional>

#include <vipauth/lint.hpp>
#include <vipauth/policy_sink.hpp>
#include <vipauth/policy_snapshot.hpp>
#include <vipauth/record_secrets.hpp>

#include "fuzz.hpp"
#include "model/policy_document.hpp"
#include "model/policy_stream.hpp"
#include "model/policy_upgrade.hpp"
#include "store/file_content.hpp"
#include "store/loaded_policy.hpp"
#include "text/json_check.hpp"
#include "text/json_writer.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;

namespace {

constexpr Timestamp kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21);

std::string shown(const Pattern& pattern) { return pattern.text() + "\n"; }

/// All of a record that decides.
std::string shown(const AuthRecord& record) {
  std::string out = std::string(to_string(record.mechanism)) + " " + record.user_id + " " + record.identity +
                    " " + (record.enabled ? "on" : "off") + "\n";
  for (const Pattern& pattern : record.domain) out += "domain " + shown(pattern);
  for (const Pattern& pattern : record.address) out += "address " + shown(pattern);
  if (const auto* key = std::get_if<CurveKey>(&record.credentials))
    out += "key " + key->to_base64url() + "\n";
  if (const auto* pattern = std::get_if<Pattern>(&record.credentials)) out += "keys " + shown(*pattern);
  if (const auto* password = std::get_if<StoredPassword>(&record.credentials))
    out += "password " + password->text;
  for (const Capability& capability : record.capabilities) {
    out += "capability " + capability.name + "\n";
    for (const Restriction& each : capability.restrictions)
      out += each.parameter + "=" + each.constraint.dump() + "\n";
  }
  for (const std::string& role : record.roles) out += "role " + role + "\n";
  for (const std::string& group : record.groups) out += "group " + group + "\n";
  for (const auto& [method, needed] : record.rpc_method_authorizations.methods) {
    out += "method " + method + Json::strings(needed).dump() + "\n";
  }
  if (record.rpc_method_authorizations.ill_typed) out += "ill-typed\n";
  if (record.not_before) out += "from " + format_timestamp(*record.not_before) + "\n";
  if (record.not_after) out += "until " + format_timestamp(*record.not_after) + "\n";
  return out;
}

/// Writes down what it is given, each list for itself.
class Recorder : public PolicySink {
 public:
  void on_allow(const AuthRecord& record) override { allow += shown(record); }
  void on_deny(const AuthRecord& record) override { deny += shown(record); }
  void on_unreadable_allow(const Json& source, const Error& problem) override {
    allow += source.dump() + problem.to_string() + "\n";
  }
  void on_unreadable_deny(const Json& source, const Error& problem) override {
    deny += source.dump() + problem.to_string() + "\n";
  }
  void on_role(const Policy::Role& role) override {
    roles += role.name + role.source.dump() +
             (role.capabilities ? "" : role.capabilities.error().to_string()) + "\n";
  }
  void on_group(const Policy::Group& group) override {
    groups += group.name + group.source.dump() + (group.roles ? "" : group.roles.error().to_string()) + "\n";
  }
  std::string all() const { return allow + "deny\n" + deny + "roles\n" + roles + "groups\n" + groups; }

 private:
  std::string allow;
  std::string deny;
  std::string roles;
  std::string groups;
};

std::string shown(const Policy& policy) {
  Recorder recorder;
  read_parts(policy, recorder);
  return recorder.all();
}

std::string problems_of(const Policy& policy, std::size_t size) {
  std::string out;
  for (const Error& problem : policy.problems()) {
    require_good(problem, size);
    out += problem.to_string() + "\n";
  }
  return out;
}

void check_same(const Policy& a, const Policy& b, std::size_t size) {
  require_same(a.to_json().dump(), b.to_json().dump());
  require_same(problems_of(a, size), problems_of(b, size));
  require_same(shown(a), shown(b));
}

/// By blocks, and as a whole.
void check_readers(std::string_view text, std::size_t size) {
  const auto streamed = PolicyDocument::read(reader_of(text, 7));
  Recorder recorder;
  require(stream_policy(reader_of(text), recorder) == streamed.has_value());
  if (!streamed) return;
  auto document = Json::parse(text);
  require(document.has_value(), "only by blocks");
  auto upgraded = upgrade_document(*std::move(document));
  require(upgraded && upgraded->from.empty() && upgraded->warnings.empty());
  const auto whole = Policy::parse(std::move(upgraded->document));
  require(whole.has_value(), "only by blocks");
  check_same(*streamed, *whole, size);
  require_same(recorder.all(), shown(*whole));
}

void check_written(const Policy& policy, std::size_t size) {
  std::string text;
  const WriteBytes write = [&](std::string_view block) {
    text += block;
    return true;
  };
  {
    JsonWriter writer(write);
    PolicyDocument::hand_over(policy, writer);
  }
  const Json document = policy.to_json();
  require_same(text, document.dump_pretty() + "\n");
  JsonPartCheck check;
  PolicyDocument::hand_over(policy, check);
  require(check.survives_writing() && survives_writing(document), "could not be written");
  const auto again = understand(FileContent::of(text), "auth.json");
  require(again.has_value(), again ? "" : again.error().to_string());
  require(again->from.empty() && again->warnings.empty() && !again->had_comments);
  check_same(again->policy, policy, size);
}

/// No password is in what is shown of a record.
void check_hidden(const Policy::Entry& entry) {
  const Json* credentials = entry.source.find("credentials");
  if (credentials == nullptr || !credentials->is_string() || credentials->as_string().size() < 6) return;
  const bool is_password =
      entry.record ? std::holds_alternative<StoredPassword>(entry.record->credentials) : false;
  if (!is_password) return;
  const Json shown = without_passwords(entry);
  const Json* stand_in = shown.find("credentials");
  require(password_stand_in(entry).has_value() && stand_in != nullptr && is_password_stand_in(*stand_in));
}

void check_decisions(const Policy& policy, std::size_t size) {
  for (const LintFinding& finding : lint(policy, {}, kNow)) require_shown(finding.message, size);
  auto snapshot = PolicySnapshot::compile(policy, TopicProtector(), kNow);
  if (!snapshot) {
    require_good(snapshot.error(), size);
    require(!policy.deny().empty());
    return;
  }
  for (const Policy::Entry& entry : policy.allow()) {
    if (!entry.record) continue;
    const AuthRecord& record = *entry.record;
    const auto* key = std::get_if<CurveKey>(&record.credentials);
    if (key == nullptr || record.mechanism != Mechanism::kCurve) continue;
    const auto found = snapshot->authenticator.authenticate({"vip", "127.0.0.1", *key});
    const bool may_be_denied = !policy.deny().empty();
    const bool is_plain = record.domain.empty() && record.address.empty() && record.is_active(kNow);
    require(!is_plain || may_be_denied || found.decision.allowed(), "a plain record does not let in");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  check_readers(text, size);
  const auto loaded = understand(FileContent::of(std::string(text)), "auth.json");
  if (!loaded) {
    require_good(loaded.error(), size);
    return 0;
  }
  check_written(loaded->policy, size);
  for (const std::string& warning : loaded->warnings) require_shown(warning, size);
  for (const Policy::Entry& entry : loaded->policy.allow()) check_hidden(entry);
  for (const Policy::Entry& entry : loaded->policy.deny()) check_hidden(entry);
  check_decisions(loaded->policy, size);
  return 0;
}
