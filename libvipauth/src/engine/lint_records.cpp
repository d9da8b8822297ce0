#include <string>
#include <utility>

#include <vipauth/record_secrets.hpp>

#include "engine/lint_report.hpp"
#include "engine/restriction_template.hpp"

namespace vipauth {
namespace {

using Place = LintPlace;

const char* list_name(LintSection section) { return section == LintSection::kAllow ? "/allow" : "/deny"; }

/// The place of an error, as far as it is inside of the item.
std::string tail_of(const Error& error, const std::string& item) {
  return error.location.starts_with(item) ? error.location.substr(item.size()) : std::string();
}

void report_bad_allow(LintReport& report, std::size_t i, const Error& error) {
  const std::string tail = tail_of(error, json_pointer("/allow", i));
  const std::string index = std::to_string(i);
  if (tail == "/credentials") {
    report.error({LintSection::kAllow, i, tail},
                 {"bad-key",
                  error.message + ": the record never matches",
                  "put the peer's public key there, 43 characters of base64url",
                  {"update", index, "--credentials", "PUBLIC_KEY"}});
  } else {
    report.error({LintSection::kAllow, i, tail}, {"bad-record", error.message + ": the record never matches",
                                                  "mend it, or remove the record"});
  }
}

/// A field with patterns: domain or address.
void check_patterns(LintReport& report, const Place& place, const std::vector<Pattern>& patterns) {
  const std::string field = place.tail.substr(1);
  const auto command = [&](const std::string& value) -> std::vector<std::string> {
    if (place.section != LintSection::kAllow || patterns.size() != 1) return {};
    return {"update", std::to_string(place.index), "--" + field, value};
  };
  for (const Pattern& pattern : patterns) {
    if (const auto intent = Pattern::likely_intent(pattern.text())) {
      report.warning(place,
                     {"half-slashed-pattern",
                      quoted(pattern.text()) + " is compared as plain text: it has a slash at one end only",
                      "write " + quoted(*intent) + " for a regular expression", command(*intent)});
    } else if (const auto difference = PatternCheck::difference_to_volttron(pattern.text())) {
      const std::string better = PatternCheck::same_in_both(pattern.text());
      report.warning(place, {"anchoring", quoted(pattern.text()) + ": " + *difference,
                             "write " + quoted(better) + ", which means the same in both", command(better)});
    }
  }
}

void check_credentials(LintReport& report, LintSection section, std::size_t i, const AuthRecord& record) {
  const Place place{section, i, "/credentials"};
  const bool is_allow = section == LintSection::kAllow;
  if (const auto* password = std::get_if<StoredPassword>(&record.credentials)) {
    if (password->text.starts_with("$argon2id$") || is_password_stand_in(Json(password->text))) return;
    LintText text{"plain-text-password", "the password stands in the file as it is",
                  "put its hash there, as the allow list has it"};
    if (is_allow) {
      text.remedy = "enter it again: it is then stored as a hash";
      text.command = {"update", std::to_string(i)};
    }
    report.warning(place, std::move(text));
  } else if (const auto* pattern = std::get_if<Pattern>(&record.credentials)) {
    const auto difference = PatternCheck::difference_to_volttron(pattern->text());
    if (!difference) return;
    const std::string better = PatternCheck::same_in_both(pattern->text());
    report.warning(place,
                   {"anchoring", quoted(pattern->text()) + ": " + *difference,
                    "write " + quoted(better) + ", which means the same in both",
                    is_allow ? std::vector<std::string>{"update", std::to_string(i), "--credentials", better}
                             : std::vector<std::string>{}});
  }
}

void check_times(LintReport& report, std::size_t i, const AuthRecord& record) {
  if (!record.enabled) return;
  if (record.not_after && report.now >= *record.not_after) {
    report.warning({LintSection::kAllow, i, "/not_after"},
                   {"expired-record",
                    "the record is not valid since " + format_timestamp(*record.not_after),
                    "remove it, or let it be valid for longer",
                    {"remove", std::to_string(i)}});
  } else if (record.not_before && report.now < *record.not_before) {
    report.warning({LintSection::kAllow, i, "/not_before"},
                   {"not-yet-valid", "the record is not valid before " + format_timestamp(*record.not_before),
                    "nothing is to be done if that is meant"});
  }
}

// ---- Restrictions ----

class RestrictionChecks {
 public:
  explicit RestrictionChecks(LintReport& report) : report_(report) {}

  /// \param identity  of the record; of a role, which serves many, nothing
  void check(const Place& place, const std::vector<Capability>& capabilities,
             const std::optional<std::string>& identity) {
    for (const Capability& capability : capabilities) {
      for (const Restriction& restriction : capability.restrictions)
        check_one(place, capability, restriction, identity);
    }
  }

 private:
  void check_one(const Place& place, const Capability& capability, const Restriction& restriction,
                 const std::optional<std::string>& identity) {
    const std::string what =
        "restriction " + quoted(restriction.parameter) + " of capability " + quoted(capability.name);
    if (has_template(restriction.constraint)) {
      report_.warning(
          place, {"template", what + " holds {user_id} or {identity}, which VOLTTRON reads as plain text",
                  "nothing is to be done unless VOLTTRON uses the file, too"});
      if (identity && !expand_template(restriction.constraint, {"user", *identity})) {
        report_.warning(place,
                        {"template-without-identity",
                         what + " asks for the identity of the record, which gives none: it grants nothing",
                         "give the record an identity",
                         {"update", std::to_string(place.index), "--identity", "IDENTITY"}});
      }
    }
    if (restriction.constraint.is_string()) check_text(place, what, restriction.constraint);
  }

  void check_text(const Place& place, const std::string& what, const Json& constraint) {
    const std::string& written = constraint.as_string();
    if (const auto intent = Pattern::likely_intent(written)) {
      report_.warning(place, {"half-slashed-pattern",
                              what + ": " + quoted(written) +
                                  " is compared as plain text: it has a slash at one "
                                  "end only",
                              "write " + quoted(*intent) + " for a regular expression"});
      return;
    }
    const auto sample = expand_template(constraint, {"user", "identity"});
    const std::string text = sample ? sample->as_string() : written;
    if (const auto& problem = patterns_.problem(text)) {
      report_.error(place,
                    {"bad-restriction", what + ": " + *problem + ": it grants nothing", "mend the pattern"});
    } else if (const auto difference = PatternCheck::difference_to_volttron(text)) {
      report_.warning(
          place, {"anchoring", what + ": " + quoted(written) + ": " + *difference,
                  "write " + quoted(PatternCheck::same_in_both(written)) + ", which means the same in both"});
    }
  }

  LintReport& report_;
  PatternCheck patterns_;
};

void check_record(LintReport& report, LintSection section, std::size_t i, const AuthRecord& record) {
  check_patterns(report, {section, i, "/domain"}, record.domain);
  check_patterns(report, {section, i, "/address"}, record.address);
  check_credentials(report, section, i, record);
}

}  // namespace

void lint_problems(LintReport& report) {
  const Policy& policy = report.policy;
  for (std::size_t i = 0; i < policy.allow().size(); ++i) {
    if (!policy.allow()[i].record) report_bad_allow(report, i, policy.allow()[i].record.error());
  }
  for (std::size_t i = 0; i < policy.deny().size(); ++i) {
    if (policy.deny()[i].record) continue;
    const Error& error = policy.deny()[i].record.error();
    report.error(
        {LintSection::kDeny, i, tail_of(error, json_pointer(list_name(LintSection::kDeny), i))},
        {"bad-deny-record",
         error.message + ": the whole file is not put in force, for ignoring it would let someone in",
         "mend it, or take the record out of the file"});
  }
  for (std::size_t i = 0; i < policy.groups().size(); ++i) {
    if (policy.groups()[i].roles) continue;
    const Error& error = policy.groups()[i].roles.error();
    const std::string item = json_pointer("/groups", policy.groups()[i].name);
    report.error({LintSection::kGroups, i, tail_of(error, item)},
                 {"bad-group", error.message + ": the group grants nothing",
                  "mend it: a group is a list of names of roles"});
  }
  for (std::size_t i = 0; i < policy.roles().size(); ++i) {
    if (policy.roles()[i].capabilities) continue;
    const Error& error = policy.roles()[i].capabilities.error();
    const std::string item = json_pointer("/roles", policy.roles()[i].name);
    report.error({LintSection::kRoles, i, tail_of(error, item)},
                 {"bad-role", error.message + ": the role grants nothing",
                  "mend it: a role is a list of capabilities"});
  }
}

void lint_records(LintReport& report) {
  RestrictionChecks restrictions(report);
  const Policy& policy = report.policy;
  for (std::size_t i = 0; i < policy.allow().size(); ++i) {
    const auto& record = policy.allow()[i].record;
    if (!record) continue;
    check_record(report, LintSection::kAllow, i, *record);
    check_times(report, i, *record);
    restrictions.check({LintSection::kAllow, i, "/capabilities"}, record->capabilities, record->identity);
  }
  for (std::size_t i = 0; i < policy.deny().size(); ++i) {
    const auto& record = policy.deny()[i].record;
    if (record) check_record(report, LintSection::kDeny, i, *record);
  }
  for (std::size_t i = 0; i < policy.roles().size(); ++i) {
    const auto& capabilities = policy.roles()[i].capabilities;
    if (capabilities) restrictions.check({LintSection::kRoles, i, ""}, *capabilities, std::nullopt);
  }
}

}  // namespace vipauth
