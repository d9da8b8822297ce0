#include "reference_model.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <functional>

#include <vipauth/auth_record.hpp>

#include "plain_pattern.hpp"

namespace vipauth::test::model {
namespace {

bool is_absent(const Json* json) {
  return json == nullptr || json->is_null() || (json->is_string() && json->as_string().empty());
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// The members of a list of the policy, as written.
Json::Array list_of(const Json& policy, const char* name) {
  const Json* list = policy.find(name);
  return list == nullptr ? Json::Array() : list->as_array();
}

// ---- Semantics 2: record ----

/// A pattern, or a list of them; nothing where it is neither, or one is bad.
std::optional<std::vector<std::string>> read_patterns(const Json& json) {
  std::vector<std::string> out;
  if (is_absent(&json)) return out;
  const Json::Array items = json.is_array() ? json.as_array() : Json::Array{json};
  for (const Json& item : items) {
    if (!item.is_string() || !is_good_pattern(item.as_string())) return std::nullopt;
    out.push_back(item.as_string());
  }
  return out;
}

/// A name: null and "" are none.
std::optional<std::string> read_name(const Json* json) {
  if (is_absent(json)) return std::string();
  if (!json->is_string() || json->as_string().size() > 255 || has_control(json->as_string())) {
    return std::nullopt;
  }
  return json->as_string();
}

/// False where it is there and is no time.
bool read_time(const Json* json, std::optional<Timestamp>& out) {
  if (json == nullptr || json->is_null()) return true;
  if (!json->is_string()) return false;
  const auto time = parse_timestamp(json->as_string());
  if (time) out = *time;
  return time.has_value();
}

bool is_key_text(std::string_view text) {
  constexpr std::string_view kLast = "AEIMQUYcgkosw048";  // 43 characters hold two bits more than 32 bytes
  return text.size() == 43 && kLast.find(text.back()) != std::string_view::npos &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
}

bool is_key(const PlainRecord& record) {
  return record.mechanism == "CURVE" && !is_expression(record.credentials);
}

bool is_within_its_time(const PlainRecord& record, Timestamp now) {
  return (!record.not_before || now >= *record.not_before) && (!record.not_after || now < *record.not_after);
}

bool is_any_of(const std::vector<std::string>& patterns, std::string_view value) {
  return patterns.empty() || std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
           return matches_whole(pattern, value);
         });
}

/// Literal addresses are compared in one form (semantics 3).
bool is_from(const PlainRecord& record, const Peer& peer) {
  std::vector<std::string> addresses = record.address;
  for (std::string& address : addresses) {
    if (!is_expression(address)) address = plain_address(address);
  }
  return is_any_of(record.domain, peer.domain) && is_any_of(addresses, plain_address(peer.address));
}

/// A deny record's credentials are those of an allow record: the key, a pattern of it, or the same literal.
bool names_same_credentials(const PlainRecord& deny, const PlainRecord& allow) {
  if (deny.mechanism != allow.mechanism) return false;
  if (deny.mechanism == "CURVE") return matches_whole(deny.credentials, allow.credentials);
  if (deny.mechanism == "PLAIN") {
    return deny.user_id == allow.user_id && deny.credentials == allow.credentials;
  }
  return true;
}

/// The deny records that count.
std::vector<PlainRecord> active_deny_records(const ReferenceModel& model) {
  std::vector<PlainRecord> out;
  for (const Json& source : list_of(model.policy, "deny")) {
    const auto record = understand(source);
    if (record && record->enabled && is_within_its_time(*record, model.now)) out.push_back(*record);
  }
  return out;
}

/// Whether an allow record counts.
bool is_active(const ReferenceModel& model, const PlainRecord& record) {
  if (!record.enabled || !is_within_its_time(record, model.now)) return false;
  const bool is_pattern = record.mechanism == "CURVE" && !is_key(record);
  const auto denied = active_deny_records(model);
  return is_pattern || std::none_of(denied.begin(), denied.end(), [&](const PlainRecord& deny) {
           return deny.domain.empty() && deny.address.empty() && names_same_credentials(deny, record);
         });
}

std::vector<PlainRecord> allow_records(const ReferenceModel& model) {
  std::vector<PlainRecord> out;
  for (const Json& source : list_of(model.policy, "allow")) {
    if (const auto record = understand(source)) out.push_back(*record);
  }
  return out;
}

std::vector<PlainRecord> active_allow_records(const ReferenceModel& model) {
  std::vector<PlainRecord> out = allow_records(model);
  std::erase_if(out, [&](const PlainRecord& record) { return !is_active(model, record); });
  return out;
}

// ---- Semantics 3: authentication ----

/// `is_password` says of what a record stores whether it is the peer's.
using IsPassword = std::function<bool(const std::string& stored)>;

bool matches(const PlainRecord& record, const Peer& peer, const IsPassword& is_password) {
  if (record.mechanism != peer.mechanism || !is_from(record, peer)) return false;
  if (record.mechanism == "CURVE") return matches_whole(record.credentials, peer.key);
  if (record.mechanism == "PLAIN") return record.user_id == peer.username && is_password(record.credentials);
  return true;
}

std::string location_name(const Peer& peer) {
  std::string out;
  for (const std::string& field : {peer.domain, plain_address(peer.address), peer.mechanism}) {
    if (!out.empty()) out += ',';
    for (const char c : field) {
      if (c == ',' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out;
}

bool is_of_uid(std::string_view address, std::uint32_t uid) {
  return address.starts_with("localhost:" + std::to_string(uid) + ":");
}

bool is_trusted(const ReferenceModel& model, const Peer& peer) {
  return model.trusted_uid && peer.mechanism == "NULL" && is_of_uid(peer.address, *model.trusted_uid);
}

Answer judge(const ReferenceModel& model, const Peer& peer, const IsPassword& is_password) {
  // 1. Any active deny record matches.
  for (const PlainRecord& record : active_deny_records(model)) {
    if (matches(record, peer, is_password)) return Answer::refuse(Reason::kDenied);
  }
  const auto accepted = [](const PlainRecord& record) {
    return Answer{true,
                  {Reason::kAccepted},
                  record.user_id,
                  record.identity,
                  record.mechanism == "PLAIN" ? record.credentials : ""};
  };
  // 2. Literal credentials in file order.
  for (const PlainRecord& record : active_allow_records(model)) {
    if (!is_expression(record.credentials) && matches(record, peer, is_password)) return accepted(record);
  }
  // A key that has literal allow records of which none is active is not let in by a regular expression.
  const auto has_key = [&](const PlainRecord& record) {
    return is_key(record) && peer.mechanism == "CURVE" && record.credentials == peer.key;
  };
  const auto all = allow_records(model);
  const auto active = active_allow_records(model);
  if (std::any_of(all.begin(), all.end(), has_key) && std::none_of(active.begin(), active.end(), has_key)) {
    return Answer::refuse(Reason::kInactive);
  }
  // Then regular expressions in file order.
  for (const PlainRecord& record : active) {
    if (is_expression(record.credentials) && matches(record, peer, is_password)) return accepted(record);
  }
  if (is_trusted(model, peer)) return {true, {Reason::kAccepted}, location_name(peer)};
  // 3. Otherwise unknown.
  return Answer::refuse(Reason::kUnknown);
}

// ---- Semantics 4: grants ----

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

/// So that a name is never a pattern.
std::string quoted(const std::string& name) {
  std::string out;
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x80 && std::isalnum(static_cast<unsigned char>(c)) == 0 &&
        c != '_') {
      out += '\\';
    }
    out += c;
  }
  return out;
}

/// A constraint with the names of the asking user in it; nothing where the grant does not count.
std::optional<Json> with_names(const Json& constraint, const PlainRecord& holder) {
  Json out = constraint;
  if (out.is_array()) {
    for (Json& item : out.as_array()) {
      const auto named = with_names(item, holder);
      if (!named) return std::nullopt;
      item = *named;
    }
  } else if (out.is_object()) {
    for (Json::Member& member : out.as_object()) {
      const auto named = with_names(member.value, holder);
      if (!named) return std::nullopt;
      member.value = *named;
    }
  } else if (out.is_string()) {
    const std::string& text = constraint.as_string();
    if (text.find("{identity}") != std::string::npos && holder.identity.empty()) return std::nullopt;
    const bool is_pattern = is_expression(text);
    // No name of a world holds a template.
    std::string named = replaced(text, "{user_id}", is_pattern ? quoted(holder.user_id) : holder.user_id);
    named = replaced(named, "{identity}", is_pattern ? quoted(holder.identity) : holder.identity);
    if (!is_pattern && is_expression(named)) return std::nullopt;
    if (!is_good_pattern(named)) return std::nullopt;
    out = Json(named);
  }
  return out;
}

/// A grant as one record of the user holds it: its restrictions, names filled in.
using Restrictions = std::vector<std::pair<std::string, Json>>;

std::optional<Restrictions> restrictions_of(const PlainGrant& grant, const PlainRecord& holder) {
  Restrictions out;
  for (const Json::Member& restriction : grant.second) {
    const auto constraint = with_names(restriction.value, holder);
    if (!constraint) return std::nullopt;
    out.emplace_back(restriction.name, *constraint);
  }
  return out;
}

/// The grants of a role; none of one that is unknown or not understood.
std::vector<PlainGrant> grants_of_role(const ReferenceModel& model, const std::string& name) {
  const Json* roles = model.policy.find("roles");
  const Json* role = roles == nullptr ? nullptr : roles->find(name);
  return role == nullptr ? std::vector<PlainGrant>()
                         : read_capabilities(*role).value_or(std::vector<PlainGrant>());
}

std::vector<std::string> roles_of_group(const ReferenceModel& model, const std::string& name) {
  const Json* groups = model.policy.find("groups");
  const Json* group = groups == nullptr ? nullptr : groups->find(name);
  return group == nullptr ? std::vector<std::string>()
                          : read_names(*group).value_or(std::vector<std::string>());
}

/// The union of the record's own grants, those of its roles, and those of the roles of its groups.
std::vector<PlainGrant> grants_of_record(const ReferenceModel& model, const PlainRecord& record) {
  std::vector<PlainGrant> out = record.capabilities;
  std::vector<std::string> roles = record.roles;
  for (const std::string& group : record.groups) {
    for (const std::string& role : roles_of_group(model, group)) roles.push_back(role);
  }
  for (const std::string& role : roles) {
    for (const PlainGrant& grant : grants_of_role(model, role)) out.push_back(grant);
  }
  return out;
}

/// What a user holds of a capability, over all of its active records.
std::vector<Restrictions> held(const ReferenceModel& model, const std::string& user_id,
                               const std::string& capability) {
  std::vector<Restrictions> out;
  for (const PlainRecord& record : active_allow_records(model)) {
    if (record.user_id != user_id) continue;
    for (const PlainGrant& grant : grants_of_record(model, record)) {
      if (grant.first != capability) continue;  // "" is a name like any other, as in VOLTTRON (semantics 5)
      if (const auto restrictions = restrictions_of(grant, record)) out.push_back(*restrictions);
    }
  }
  return out;
}

// ---- Semantics 5: calling a method ----

/// Equality: numbers by value, a boolean is never a number, lists in order, objects by members.
bool is_same(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) {
    return std::strtod(a.as_number().digits.c_str(), nullptr) ==
           std::strtod(b.as_number().digits.c_str(), nullptr);
  }
  if (a.is_null()) return b.is_null();
  if (a.is_bool()) return b.is_bool() && a.as_bool() == b.as_bool();
  if (a.is_string()) return b.is_string() && a.as_string() == b.as_string();
  if (a.is_array()) {
    return b.is_array() && std::equal(a.as_array().begin(), a.as_array().end(), b.as_array().begin(),
                                      b.as_array().end(), is_same);
  }
  return a.is_object() && b.is_object() && a.as_object().size() == b.as_object().size() &&
         std::all_of(a.as_object().begin(), a.as_object().end(), [&](const Json::Member& member) {
           const Json* other = b.find(member.name);
           return other != nullptr && is_same(member.value, *other);
         });
}

/// A regular expression accepts only a string.
bool accepts(const Json& constraint, const Json& argument) {
  if (!constraint.is_string() || !is_expression(constraint.as_string())) return is_same(constraint, argument);
  return argument.is_string() && matches_whole(constraint.as_string(), argument.as_string());
}

const Json* find_in(const Json::Object& object, const std::string& name) {
  for (const Json::Member& member : object) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

/// What calls to a method require; nothing where the callee's record says it in a form that cannot be read.
std::optional<std::set<std::string>> required(const ReferenceModel& model, const std::string& callee,
                                              const std::string& method) {
  std::set<std::string> out;
  bool is_settled = false;
  // All records whose identity is the callee, active or not, understood or not, together.
  for (const Json& source : list_of(model.policy, "allow")) {
    if (source.text_at("identity") != callee || callee.empty()) continue;
    const Json* methods = source.find("rpc_method_authorizations");
    if (methods == nullptr || methods->is_null()) continue;
    if (!methods->is_object()) return std::nullopt;
    for (const Json::Member& member : methods->as_object()) {
      const auto names = member.value.is_array() ? read_names(member.value) : std::nullopt;
      if (!names) return std::nullopt;
      if (member.name != method || names->empty()) continue;
      is_settled = true;
      if (*names != std::vector<std::string>{""}) out.insert(names->begin(), names->end());
    }
  }
  if (is_settled) return out;
  // Not listed yet, or as []: what the agent's code declares.
  const auto agent = model.declared.find(callee);
  if (agent == model.declared.end()) return out;
  const auto declaration = agent->second.find(method);
  if (declaration != agent->second.end()) {
    out.insert(declaration->second.capabilities.begin(), declaration->second.capabilities.end());
  }
  return out;
}

/// Every required capability is held, and for each at least one grant's restrictions all accept.
/// `refusal` says of one grant why it does not accept, or nothing.
Answer require(const ReferenceModel& model, const std::string& user_id, const std::set<std::string>& names,
               const std::function<std::optional<Reason>(const Restrictions&)>& refusal) {
  Answer out = Answer::allow(Reason::kAllowed);
  std::set<Reason> refusals;
  for (const std::string& name : names) {
    const auto grants = held(model, user_id, name);
    if (grants.empty()) refusals.insert(Reason::kMissingCapability);
    std::set<Reason> of_grants;
    bool is_accepted = false;
    for (const Restrictions& grant : grants) {
      const auto reason = refusal(grant);
      if (reason) of_grants.insert(*reason);
      is_accepted = is_accepted || !reason;
    }
    if (!is_accepted) refusals.merge(of_grants);
  }
  if (!refusals.empty()) out = {false, refusals};
  return out;
}

/// By position and by name, defaults included, as Python binds them.
enum class Binding { kBound, kWrong, kParametersNotKnown };

Binding bind_params(const std::optional<std::vector<PlainParameter>>& parameters, const Json& params,
                    Json::Object& bound) {
  Json::Array positional;
  Json::Object named;
  if (params.is_array()) {
    positional = params.as_array();
  } else if (params.is_object()) {
    const Json* args = params.find("*args");
    const Json* kwargs = params.find("**kwargs");
    if (args != nullptr || kwargs != nullptr) {
      if (params.as_object().size() != (args != nullptr ? 1U : 0U) + (kwargs != nullptr ? 1U : 0U)) {
        return Binding::kWrong;
      }
      if (args != nullptr && !args->is_array()) return Binding::kWrong;
      if (kwargs != nullptr && !kwargs->is_object()) return Binding::kWrong;
      if (args != nullptr) positional = args->as_array();
      if (kwargs != nullptr) named = kwargs->as_object();
    } else {
      named = params.as_object();
    }
  } else if (!params.is_null()) {
    return Binding::kWrong;
  }
  if (!parameters) {
    if (!positional.empty()) return Binding::kParametersNotKnown;
    bound = named;
    return Binding::kBound;
  }
  for (const PlainParameter& parameter : *parameters) {
    const Json* by_name = find_in(named, parameter.name);
    if (parameter.kind == "POSITIONAL" && !positional.empty()) {
      if (by_name != nullptr) return Binding::kWrong;  // given twice
      bound.push_back({parameter.name, positional.front()});
      positional.erase(positional.begin());
    } else if (parameter.kind == "POSITIONAL" || parameter.kind == "KEYWORD") {
      if (by_name == nullptr && !parameter.default_value) return Binding::kWrong;  // missing
      bound.push_back({parameter.name, by_name != nullptr ? *by_name : *parameter.default_value});
      std::erase_if(named, [&](const Json::Member& member) { return member.name == parameter.name; });
    }
  }
  for (const PlainParameter& parameter : *parameters) {  // what is left over
    if (parameter.kind == "*") {
      bound.push_back({parameter.name, Json(positional)});
      positional.clear();
    }
    if (parameter.kind == "**") {
      bound.push_back({parameter.name, Json(named)});
      named.clear();
    }
  }
  return positional.empty() && named.empty() ? Binding::kBound : Binding::kWrong;
}

// ---- Semantics 6: topics ----

struct Rule {
  std::string topic;
  std::vector<std::string> capabilities;
};

/// The rules of a list; nothing where one of them, or the list, is bad.
std::optional<std::vector<Rule>> read_rules(const Json& document, const char* list) {
  std::vector<Rule> out;
  if (!document.is_object()) return std::nullopt;
  const Json* rules = document.find(list);
  if (rules == nullptr) return out;
  if (!rules->is_array()) return std::nullopt;
  for (const Json& rule : rules->as_array()) {
    const Json* topic = rule.find("topic");
    const Json* capabilities = rule.find("capabilities");
    if (topic == nullptr || !topic->is_string() || !is_good_pattern(topic->as_string())) return std::nullopt;
    if (capabilities == nullptr) return std::nullopt;
    const auto names = capabilities->is_string()  ? std::vector<std::string>{capabilities->as_string()}
                       : capabilities->is_array() ? read_names(*capabilities)
                                                  : std::nullopt;
    if (!names) return std::nullopt;
    out.push_back({topic->as_string(), *names});
  }
  return out;
}

bool covers(const Rule& rule, const std::string& topic) {
  return is_expression(rule.topic) ? matches_whole(rule.topic, topic) : topic.starts_with(rule.topic);
}

Answer use_topic(const ReferenceModel& model, const std::string& user_id, const std::string& topic,
                 const char* list) {
  if (!is_valid_utf8(topic) || has_control(topic)) return Answer::refuse(Reason::kMalformed);
  if (model.topic_rules.is_null()) return Answer::refuse(Reason::kNoPolicy);
  if (!model.knows(user_id)) return Answer::refuse(Reason::kUnknown);
  // Every rule that covers the topic must be satisfied.
  std::set<std::string> names;
  const auto rules = read_rules(model.topic_rules, list);
  for (const Rule& rule : *rules) {
    if (covers(rule, topic)) names.insert(rule.capabilities.begin(), rule.capabilities.end());
  }
  if (names.empty()) return Answer::allow(Reason::kUnprotected);
  // A restriction on a parameter named `topic` counts; any other is ignored here.
  return require(model, user_id, names, [&](const Restrictions& grant) -> std::optional<Reason> {
    for (const auto& [parameter, constraint] : grant) {
      if (parameter == "topic" && !accepts(constraint, Json(topic))) return Reason::kRestricted;
    }
    return std::nullopt;
  });
}

}  // namespace

// ---- Reading ----

std::optional<std::vector<std::string>> read_names(const Json& json) {
  std::vector<std::string> out;
  if (is_absent(&json)) return out;
  if (!json.is_array()) return std::nullopt;
  for (const Json& item : json.as_array()) {
    if (!item.is_string()) return std::nullopt;
    out.push_back(item.as_string());
  }
  return out;
}

std::optional<std::vector<PlainGrant>> read_capabilities(const Json& json) {
  std::vector<PlainGrant> out;
  if (is_absent(&json)) return out;
  const Json::Array items = json.is_array() ? json.as_array() : Json::Array{json};
  for (const Json& item : items) {
    if (item.is_string()) {
      out.emplace_back(item.as_string(), Json::Object());
    } else if (item.is_object()) {
      for (const Json::Member& member : item.as_object()) {
        if (!member.value.is_null() && !member.value.is_object()) return std::nullopt;
        out.emplace_back(member.name, member.value.is_null() ? Json::Object() : member.value.as_object());
      }
    } else {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<std::string> read_key(std::string_view text) {
  if (is_key_text(text)) return std::string(text);
  constexpr std::string_view kZ85 =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
  constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  if (text.size() != 40) return std::nullopt;
  std::vector<bool> bits;
  for (std::size_t i = 0; i < text.size(); i += 5) {
    std::uint64_t word = 0;
    for (const char c : text.substr(i, 5)) {
      const std::size_t digit = kZ85.find(c);
      if (digit == std::string_view::npos) return std::nullopt;
      word = word * 85 + digit;
    }
    if (word > 0xffffffffU) return std::nullopt;
    for (int bit = 31; bit >= 0; --bit) bits.push_back(((word >> static_cast<unsigned>(bit)) & 1U) != 0);
  }
  bits.resize(258);  // two zero bits more: 43 characters
  std::string out;
  for (std::size_t i = 0; i < bits.size(); i += 6) {
    std::size_t digit = 0;
    for (std::size_t k = 0; k < 6; ++k) digit = digit * 2 + (bits[i + k] ? 1 : 0);
    out += kBase64[digit];
  }
  return out;
}

std::string plain_address(std::string_view address) {
  constexpr std::string_view kMapped = "::ffff:";
  std::string start(address.substr(0, kMapped.size()));
  std::transform(start.begin(), start.end(), start.begin(), [](unsigned char c) { return std::tolower(c); });
  if (start != kMapped) return std::string(address);
  // Whoever writes a world writes whole numbers from 0 to 255 there, or none.
  const std::string_view rest = address.substr(kMapped.size());
  const bool is_ipv4 = std::count(rest.begin(), rest.end(), '.') == 3 &&
                       rest.find_first_not_of("0123456789.") == std::string_view::npos;
  return std::string(is_ipv4 ? rest : address);
}

std::optional<PlainRecord> understand(const Json& record) {
  if (!record.is_object()) return std::nullopt;
  const auto field = [&](const char* name) {
    return record.find(name) == nullptr ? Json() : *record.find(name);
  };
  PlainRecord out;

  const auto domain = read_patterns(field("domain"));
  const auto address = read_patterns(field("address"));
  const auto roles = read_names(field("roles"));
  const auto groups = read_names(field("groups"));
  const auto capabilities = read_capabilities(field("capabilities"));
  const auto user_id = read_name(record.find("user_id"));
  const auto identity = read_name(record.find("identity"));
  if (!domain || !address || !roles || !groups || !capabilities || !user_id || !identity) return std::nullopt;

  const Json enabled = record.find("enabled") == nullptr ? Json(true) : field("enabled");
  if (!enabled.is_bool()) return std::nullopt;
  if (!read_time(record.find("not_before"), out.not_before)) return std::nullopt;
  if (!read_time(record.find("not_after"), out.not_after)) return std::nullopt;

  const Json mechanism = record.find("mechanism") == nullptr ? Json("CURVE") : field("mechanism");
  if (!mechanism.is_string()) return std::nullopt;
  out.mechanism = mechanism.as_string();
  if (out.mechanism != "CURVE" && out.mechanism != "PLAIN" && out.mechanism != "NULL") return std::nullopt;
  const Json credentials = field("credentials");
  if (out.mechanism != "NULL") {  // which has none
    if (is_absent(&credentials) || !credentials.is_string()) return std::nullopt;
    out.credentials = credentials.as_string();
  }
  if (out.mechanism == "CURVE" && is_expression(out.credentials)) {
    if (!is_good_pattern(out.credentials)) return std::nullopt;
  } else if (out.mechanism == "CURVE") {
    const auto key = read_key(out.credentials);
    if (!key) return std::nullopt;
    out.credentials = *key;
  }

  out.domain = *domain;
  out.address = *address;
  out.user_id = user_id->empty() ? derive_user_id(record) : *user_id;
  out.identity = *identity;
  out.capabilities = *capabilities;
  out.roles = *roles;
  out.groups = *groups;
  out.enabled = enabled.as_bool();
  return out;
}

// ---- Answers ----

bool ReferenceModel::can_be_in_force(const Json& policy) {
  // A bad deny record makes the whole load fail (semantics 2).
  const Json::Array deny = list_of(policy, "deny");
  return std::all_of(deny.begin(), deny.end(),
                     [](const Json& record) { return understand(record).has_value(); });
}

bool ReferenceModel::are_good_rules(const Json& topic_rules) {
  return read_rules(topic_rules, "write-protect") && read_rules(topic_rules, "read-protect");
}

Answer ReferenceModel::authenticate(const Peer& peer) const {
  if (!is_valid_utf8(peer.domain) || !is_valid_utf8(peer.address)) return Answer::refuse(Reason::kMalformed);
  // Worlds store passwords as plain text, as old files do.
  return judge(*this, peer, [&](const std::string& stored) { return stored == peer.password; });
}

Answer ReferenceModel::judge_again(const StandingSession& session) const {
  // Judged again by section 3, with what it was accepted by (semantics 7).
  Peer peer = session.peer;
  if (peer.mechanism == "PLAIN") peer.username = session.user_id;
  Answer out =
      judge(*this, peer, [&](const std::string& stored) { return stored == session.stored_password; });
  if (!out.allowed || out.user_id != session.user_id) return Answer::refuse(Reason::kRevoked);
  return out;
}

std::set<std::string> ReferenceModel::capabilities_of(const std::string& user_id) const {
  std::set<std::string> out;
  for (const PlainRecord& record : active_allow_records(*this)) {
    if (record.user_id != user_id) continue;
    for (const PlainGrant& grant : grants_of_record(*this, record)) {
      if (restrictions_of(grant, record)) out.insert(grant.first);
    }
  }
  return out;
}

bool ReferenceModel::knows(const std::string& user_id) const {
  // While at least one of its allow records is active, or it is a trusted peer (semantics 7).
  for (const PlainRecord& record : active_allow_records(*this)) {
    if (record.user_id == user_id) return true;
  }
  // "domain,address,NULL", of which no domain of a world holds a comma.
  const std::size_t comma = user_id.find(',');
  return trusted_uid && comma != std::string::npos && user_id.ends_with(",NULL") &&
         is_of_uid(std::string_view(user_id).substr(comma + 1), *trusted_uid);
}

Answer ReferenceModel::call(const std::string& user_id, const std::string& callee, const std::string& method,
                            const Json::Object& arguments) const {
  if (!is_valid_utf8(callee) || !is_valid_utf8(method)) return Answer::refuse(Reason::kMalformed);
  const auto names = required(*this, callee, method);
  Answer refusal;
  if (!names) refusal.reasons.insert(Reason::kIllTyped);  // every call to that identity is refused
  if (!knows(user_id)) refusal.reasons.insert(Reason::kUnknown);
  if (!refusal.reasons.empty()) return refusal;
  if (names->empty()) return Answer::allow(Reason::kUnprotected);
  return require(*this, user_id, *names, [&](const Restrictions& grant) -> std::optional<Reason> {
    for (const auto& [parameter, constraint] : grant) {
      const Json* argument = find_in(arguments, parameter);
      if (argument == nullptr) return Reason::kUnknownParameter;
      if (!accepts(constraint, *argument)) return Reason::kRestricted;
    }
    return std::nullopt;
  });
}

Answer ReferenceModel::call_as_it_came(const std::string& user_id, const std::string& callee,
                                       const std::string& method, const Json& params) const {
  std::optional<std::vector<PlainParameter>> parameters;
  const auto agent = declared.find(callee);
  if (agent != declared.end()) {
    const auto declaration = agent->second.find(method);
    if (declaration != agent->second.end()) parameters = declaration->second.parameters;
  }
  Json::Object bound;
  const Binding binding = bind_params(parameters, params, bound);
  if (binding == Binding::kBound) return call(user_id, callee, method, bound);
  // Without names, only a grant without restrictions accepts: as if there were no arguments.
  Answer out = call(user_id, callee, method, {});
  if (binding == Binding::kParametersNotKnown && out.allowed) return out;
  if (out.allowed && out.reasons.contains(Reason::kUnprotected)) return out;  // the callee's to refuse
  if (out.allowed) return Answer::refuse(Reason::kMalformed);
  out.reasons.insert(Reason::kMalformed);
  return out;
}

Answer ReferenceModel::publish(const std::string& user_id, const std::string& topic) const {
  return use_topic(*this, user_id, topic, "write-protect");
}

Answer ReferenceModel::receive(const std::string& user_id, const std::string& topic) const {
  return use_topic(*this, user_id, topic, "read-protect");
}

Answer ReferenceModel::speak_as(const std::string& user_id, const std::string& permitted,
                                const std::string& claimed) const {
  // No "/", NUL, control character or empty name (semantics 7).
  const bool is_name = !claimed.empty() && claimed.size() <= 255 && is_valid_utf8(claimed) &&
                       !has_control(claimed) && claimed.find('/') == std::string::npos;
  if (!is_name) return Answer::refuse(Reason::kMalformed);
  Answer wrong = Answer::refuse(Reason::kWrongIdentity);
  // The session's record names another identity.
  if (!permitted.empty() && permitted != claimed) return wrong;
  // The identity or user_id of any other user's record, active or not.
  bool is_given_to_this_user = false;
  for (const Json& source : list_of(policy, "allow")) {
    const auto record = understand(source);
    const std::string owner = record ? record->user_id : source.text_at("user_id");
    const bool is_its_name = claimed == owner || claimed == source.text_at("identity");
    if (is_its_name && (owner.empty() || owner != user_id)) return wrong;
    is_given_to_this_user = is_given_to_this_user || is_its_name;
  }
  // A name of the platform itself that no record gives to this user.
  const std::set<std::string> platform = {
      "platform",     "platform.auth", "control",      "control.connection", "config.store", "pubsub",
      "keydiscovery", "platform_web",  "platform.web", "platform.health",    "router"};
  if (platform.contains(claimed) && !is_given_to_this_user) return wrong;
  return Answer::allow(Reason::kAllowed);
}

}  // namespace vipauth::test::model
