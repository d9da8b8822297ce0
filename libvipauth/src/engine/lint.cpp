#include <vipauth/lint.hpp>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include <vipauth/pattern.hpp>
#include <vipauth/python_repr.hpp>

#include "engine/lint_report.hpp"
#include "engine/policy_index.hpp"

namespace vipauth {
namespace {

// ---- Regular expressions, as far as VOLTTRON reads them differently ----

std::string_view body_of(std::string_view pattern) { return pattern.substr(1, pattern.size() - 2); }

/// True where `regex` has a `|` that is in no group and no brackets.
bool has_outer_branches(std::string_view regex) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < regex.size(); ++i) {
    if (regex[i] == '\\') {
      ++i;
    } else if (regex[i] == '[') {
      ++i;
      if (i < regex.size() && regex[i] == '^') ++i;
      if (i < regex.size() && regex[i] == ']') ++i;  // the first one stands for itself
      for (; i < regex.size() && regex[i] != ']'; ++i) {
        if (regex[i] == '\\') ++i;
      }
    } else if (regex[i] == '(') {
      ++depth;
    } else if (regex[i] == ')') {
      depth -= depth > 0 ? 1U : 0U;
    } else if (regex[i] == '|' && depth == 0) {
      return true;
    }
  }
  return false;
}

/// The length of "(?i)" at the start, or 0.
std::size_t length_of_flags(std::string_view regex) {
  if (!regex.starts_with("(?")) return 0;
  const std::size_t end = regex.find_first_not_of("is", 2);
  return end != std::string_view::npos && end > 2 && regex[end] == ')' ? end + 1 : 0;
}

bool is_of_auth_file(LintSection section) {
  return section != LintSection::kWriteProtect && section != LintSection::kReadProtect;
}

constexpr std::array kChecks{
    LintCheck{"anchoring", "a pattern that VOLTTRON reads differently"},
    LintCheck{"bad-deny-record", "a deny record that is not understood: the file is not put in force"},
    LintCheck{"bad-group", "a group that is not understood"},
    LintCheck{"bad-key", "credentials that are not understood: the record never matches"},
    LintCheck{"bad-methods", "required capabilities that cannot be read: every call is refused"},
    LintCheck{"bad-record", "a record that is not understood: it never matches"},
    LintCheck{"bad-restriction", "a restriction whose pattern does not compile: it grants nothing"},
    LintCheck{"bad-role", "a role that is not understood"},
    LintCheck{"certificate-ending", "a certificate with less than 30 days left"},
    LintCheck{"certificate-expired", "a certificate whose time is over"},
    LintCheck{"certificate-unreadable", "a file of the authority that cannot be read"},
    LintCheck{"denied-record", "an allow record whose credentials are denied"},
    LintCheck{"deny-everybody", "a deny record that keeps every key out"},
    LintCheck{"duplicate-credentials", "several records of one key"},
    LintCheck{"expired-record", "a record whose time is over"},
    LintCheck{"half-slashed-pattern", "a slash at one end only: compared as plain text"},
    LintCheck{"idle-deny-record", "a deny record that denies nothing"},
    LintCheck{"key-file-modes", "a private key that others could have read"},
    LintCheck{"methods-without-identity", "required capabilities in a record without an identity"},
    LintCheck{"no-effect-in-fleet",
              "what a site has in the store of a fleet, and the fleet too: it does not count"},
    LintCheck{"no-requirement", "a topic rule that requires nothing"},
    LintCheck{"not-yet-valid", "a record whose time has not come"},
    LintCheck{"open-credentials", "a pattern that accepts every key"},
    LintCheck{"open-null-record", "a NULL record that lets everyone in"},
    LintCheck{"plain-text-password", "a password that is not hashed"},
    LintCheck{"platform-name", "a name of the platform itself"},
    LintCheck{"request-in-doubt", "a request that cannot be read, or is not as its file says"},
    LintCheck{"restricted-role", "a role with restrictions, which VOLTTRON cannot read"},
    LintCheck{"revocation-list-old", "a revocation list that is missing, or near its end"},
    LintCheck{"shadowed-record", "a record that an earlier one stands in front of"},
    LintCheck{"shared-identity", "a name that belongs to several users: nobody may use it"},
    LintCheck{"shared-user-id", "several records of one user"},
    LintCheck{"slow-pattern", "one of over 100 patterns of topics that are tried one by one"},
    LintCheck{"template", "{user_id} or {identity}, which VOLTTRON reads as plain text"},
    LintCheck{"template-without-identity", "{identity} for a record that has none: it grants nothing"},
    LintCheck{"too-many-grants", "more grants than a user may hold: the file is not put in force"},
    LintCheck{"unheld-requirement", "a method that requires what nobody holds"},
    LintCheck{"unknown-group", "a group that does not exist"},
    LintCheck{"unknown-role", "a role that does not exist"},
    LintCheck{"unpublishable-topic", "a topic that nobody can publish to"},
    LintCheck{"unreceivable-topic", "a topic that nobody can receive"},
    LintCheck{"unused-group", "a group that nobody has"},
    LintCheck{"unused-role", "a role that nobody has"},
    LintCheck{"widened-grant", "a restricted grant beside an unrestricted one"},
};

}  // namespace

// ---- LintReport ----

LintReport::LintReport(const Policy& a_policy, const TopicRules& topic_rules, Timestamp time)
    : policy(a_policy),
      rules(topic_rules),
      now(time),
      index(index_of(a_policy)),
      activity(std::make_shared<const Activity>(activity_at(*index, time))),
      active(activity->allow),
      resolver(CapabilityResolver::create(index, activity)) {
  if (!resolver) return;
  users = resolver->users();
  for (std::size_t i = 0; i < users.size(); ++i) {
    for (const std::string& name : resolver->capabilities_of(users[i])) holders[name].push_back(i);
  }
}

std::string LintReport::pointer(const LintPlace& place) const {
  const auto base = [&]() -> std::string {
    switch (place.section) {
      case LintSection::kAllow: return json_pointer("/allow", place.index);
      case LintSection::kDeny: return json_pointer("/deny", place.index);
      case LintSection::kGroups: return json_pointer("/groups", policy.groups()[place.index].name);
      case LintSection::kRoles: return json_pointer("/roles", policy.roles()[place.index].name);
      case LintSection::kWriteProtect: return rules.write_protect[place.index].location;
      case LintSection::kReadProtect: return rules.read_protect[place.index].location;
    }
    return {};
  };
  return base() + place.tail;
}

void LintReport::error(const LintPlace& place, LintText text) {
  add(LintSeverity::kError, place, std::move(text));
}

void LintReport::warning(const LintPlace& place, LintText text) {
  add(LintSeverity::kWarning, place, std::move(text));
}

void LintReport::add(LintSeverity severity, const LintPlace& place, LintText text) {
  items_.push_back({place.section,
                    place.index,
                    {severity, std::string(text.check),
                     is_of_auth_file(place.section) ? "auth.json" : "protected_topics.json", pointer(place),
                     std::move(text.message), std::move(text.remedy), std::move(text.command)}});
}

std::vector<LintFinding> LintReport::take() {
  std::stable_sort(items_.begin(), items_.end(), [](const Item& a, const Item& b) {
    return std::tie(a.section, a.index) < std::tie(b.section, b.index);
  });
  std::vector<LintFinding> out;
  out.reserve(items_.size());
  for (Item& item : items_) out.push_back(std::move(item.finding));
  return out;
}

// ---- What the checks share ----

std::string quoted(std::string_view name) { return "\"" + python_str(Json(name)) + "\""; }

std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 3;
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < kShown; ++i) {
    const bool is_last = i + 1 == names.size();
    out += (i == 0 ? "" : is_last ? " and " : ", ") + names[i];
  }
  if (names.size() > kShown) out += " and " + std::to_string(names.size() - kShown) + " more";
  return out;
}

const std::optional<std::string>& PatternCheck::problem(const std::string& text) {
  const auto [found, is_new] = problems_.try_emplace(text);
  if (is_new && Pattern::looks_like_regex(text)) {
    if (const auto pattern = Pattern::parse(text); !pattern) found->second = pattern.error().message;
  }
  return found->second;
}

std::optional<std::string> PatternCheck::difference_to_volttron(std::string_view text) {
  if (!Pattern::looks_like_regex(text)) return std::nullopt;
  if (length_of_flags(body_of(text)) > 0) {
    return "VOLTTRON puts a ^ in front of a pattern, and cannot read one that begins with flags";
  }
  if (!has_outer_branches(body_of(text))) return std::nullopt;
  return "VOLTTRON ties only the first branch of a pattern to the start, and only the last one to the end: "
         "it "
         "accepts more than the whole value";
}

std::string PatternCheck::same_in_both(std::string_view text) {
  std::string_view body = body_of(text);
  const std::size_t flags = length_of_flags(body);
  if (flags == 0) return "/(" + std::string(body) + ")/";
  const std::string opening(body.substr(0, flags - 1));
  return "/" + opening + ":" + std::string(body.substr(flags)) + ")/";
}

// ---- The public functions ----

std::string_view to_string(LintSeverity severity) noexcept {
  return severity == LintSeverity::kError ? "error" : "warning";
}

std::vector<LintCheck> lint_checks() { return {kChecks.begin(), kChecks.end()}; }

std::vector<LintFinding> lint(const Policy& policy, const TopicRules& rules, Timestamp now) {
  LintReport report(policy, rules, now);
  lint_problems(report);
  lint_records(report);
  lint_peers(report);
  lint_names(report);
  lint_capabilities(report);
  lint_topics(report);
  return report.take();
}

}  // namespace vipauth
