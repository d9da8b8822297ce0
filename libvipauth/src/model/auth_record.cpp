#include <vipauth/auth_record.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>

#include "model/mapped_address.hpp"
#include "model/method_authorizations.hpp"
#include "model/name_list.hpp"
#include "model/peer_name.hpp"
#include "text/control_characters.hpp"
#include "text/uuid.hpp"

namespace vipauth {
namespace {

Error wrong_type(std::string what, const Json& found) {
  return Error{ErrorCode::kInvalidArgument, std::move(what) + ", not " + std::string(found.kind_name()), ""};
}

Result<std::vector<Pattern>> parse_patterns(const Json& json) {
  std::vector<Pattern> out;
  if (json.is_null() || (json.is_string() && json.as_string().empty())) return out;
  if (json.is_string()) {
    auto pattern = Pattern::parse(json.as_string());
    if (!pattern) return pattern.error();
    out.push_back(std::move(*pattern));
    return out;
  }
  if (!json.is_array()) return wrong_type("must be null, a pattern or a list of patterns", json);
  for (std::size_t i = 0; i < json.as_array().size(); ++i) {
    const Json& item = json.as_array()[i];
    const std::string location = json_pointer("", i);
    if (!item.is_string())
      return wrong_type("each of a list of patterns must be a string", item).at(location);
    auto pattern = Pattern::parse(item.as_string());
    if (!pattern) return pattern.error().at(location);
    out.push_back(std::move(*pattern));
  }
  return out;
}

/// As parse_patterns, with literal addresses in the form in which they are compared.
Result<std::vector<Pattern>> parse_addresses(const Json& json) {
  auto patterns = parse_patterns(json);
  if (!patterns) return patterns.error();
  for (Pattern& pattern : *patterns) {
    if (pattern.is_regex()) continue;
    auto canonical = Pattern::parse(canonical_address(pattern.text()));
    if (!canonical) return canonical.error();
    pattern = std::move(*canonical);
  }
  return patterns;
}

Result<Mechanism> parse_mechanism_field(const Json& json) {
  if (!json.is_string()) return wrong_type("must be \"CURVE\", \"PLAIN\" or \"NULL\"", json);
  const auto mechanism = parse_mechanism(json.as_string());
  if (!mechanism) {
    return Error{ErrorCode::kInvalidArgument,
                 "must be \"CURVE\", \"PLAIN\" or \"NULL\", not \"" + json.as_string() + "\"", ""};
  }
  return *mechanism;
}

Result<Credentials> parse_credentials(const Json& json, Mechanism mechanism) {
  if (mechanism == Mechanism::kNull) return Credentials();
  if (json.is_null() || (json.is_string() && json.as_string().empty())) {
    return Error{ErrorCode::kInvalidArgument,
                 "credentials are required for mechanism " + std::string(to_string(mechanism)), ""};
  }
  if (!json.is_string()) return wrong_type("must be a string", json);
  if (mechanism == Mechanism::kPlain) return Credentials(StoredPassword{json.as_string()});
  if (Pattern::looks_like_regex(json.as_string())) {
    auto pattern = Pattern::parse(json.as_string());
    if (!pattern) return pattern.error();
    return Credentials(std::move(*pattern));
  }
  auto key = CurveKey::parse(json.as_string());
  if (!key) return key.error();
  return Credentials(*key);
}

/// Null, missing and empty text all mean "none".
Result<std::string> parse_name(const Json& json) {
  if (json.is_null()) return std::string();
  if (!json.is_string()) return wrong_type("must be a string", json);
  const std::string& text = json.as_string();
  if (text.size() > AuthRecord::kMaxUserIdBytes) {
    return Error{ErrorCode::kLimitExceeded,
                 "is longer than " + std::to_string(AuthRecord::kMaxUserIdBytes) + " bytes", ""};
  }
  if (has_control_character(text)) return Error{ErrorCode::kInvalidArgument, "holds a control character", ""};
  return text;
}

Result<bool> parse_enabled(const Json& json) {
  if (!json.is_bool()) return wrong_type("must be true or false", json);
  return json.as_bool();
}

Result<std::optional<Timestamp>> parse_time(const Json& json) {
  if (json.is_null()) return std::optional<Timestamp>();
  if (!json.is_string()) return wrong_type("must be a time, such as \"2026-11-21T21:30:00Z\"", json);
  auto time = parse_timestamp(json.as_string());
  if (!time) return time.error();
  return std::optional<Timestamp>(*time);
}

/// Reads members of one record, keeping the first error and its place.
class FieldReader {
 public:
  explicit FieldReader(const Json& record) : members_(record.as_object()) {}

  /// Records mostly have their fields in the order in which they are asked for here.
  const Json* find(std::string_view name) {
    const std::size_t count = members_.size();
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = next_ + i < count ? next_ + i : next_ + i - count;
      if (members_[at].name != name) continue;
      next_ = at + 1 < count ? at + 1 : 0;
      return &members_[at].value;
    }
    return nullptr;
  }

  /// Parses the member into `out`; where there is none, `out` keeps its default.
  template <typename T, typename Parser>
  void read(std::string_view name, T& out, Parser parse) {
    if (error_) return;
    const Json* json = find(name);
    if (json == nullptr) return;
    auto parsed = parse(*json);
    if (!parsed) {
      error_ = parsed.error().at(json_pointer("", name));
    } else {
      out = std::move(*parsed);
    }
  }

  const std::optional<Error>& error() const { return error_; }

 private:
  const Json::Object& members_;
  std::size_t next_ = 0;  // the member behind the last one found
  std::optional<Error> error_;
};

}  // namespace

std::string_view to_string(Mechanism mechanism) noexcept {
  switch (mechanism) {
    case Mechanism::kNull: return "NULL";
    case Mechanism::kPlain: return "PLAIN";
    case Mechanism::kCurve: return "CURVE";
  }
  return "";
}

std::optional<Mechanism> parse_mechanism(std::string_view text) noexcept {
  for (const Mechanism mechanism : {Mechanism::kNull, Mechanism::kPlain, Mechanism::kCurve}) {
    if (text == to_string(mechanism)) return mechanism;
  }
  return std::nullopt;
}

std::string make_user_id() { return random_uuid(); }

std::optional<std::string> unmapped_address(std::string_view address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.find(':') == std::string_view::npos || address.size() >= text.size()) return std::nullopt;
  std::copy(address.begin(), address.end(), text.begin());
  in6_addr ipv6{};
  const bool is_mapped = address.find('\0') == std::string_view::npos &&
                         inet_pton(AF_INET6, text.data(), &ipv6) == 1 && IN6_IS_ADDR_V4MAPPED(&ipv6) != 0;
  if (!is_mapped) return std::nullopt;
  std::array<char, INET_ADDRSTRLEN> ipv4{};
  return inet_ntop(AF_INET, &ipv6.s6_addr[12], ipv4.data(), ipv4.size());
}

std::string canonical_address(std::string_view address) {
  return unmapped_address(address).value_or(std::string(address));
}

bool AuthRecord::is_active(Timestamp now) const noexcept {
  return enabled && (!not_before || now >= *not_before) && (!not_after || now < *not_after);
}

Result<AuthRecord> AuthRecord::parse(const Json& source) {
  if (!source.is_object()) return wrong_type("a record must be an object", source);
  AuthRecord record;
  FieldReader fields(source);
  fields.read("domain", record.domain, parse_patterns);
  fields.read("address", record.address, parse_addresses);
  fields.read("mechanism", record.mechanism, parse_mechanism_field);
  const Json* credentials = fields.find("credentials");
  fields.read("groups", record.groups, parse_name_list);
  fields.read("roles", record.roles, parse_name_list);
  fields.read("capabilities", record.capabilities, parse_capabilities);
  const Json* methods = fields.find("rpc_method_authorizations");
  fields.read("user_id", record.user_id, parse_name);
  fields.read("identity", record.identity, parse_name);
  fields.read("enabled", record.enabled, parse_enabled);
  fields.read("not_before", record.not_before, parse_time);
  fields.read("not_after", record.not_after, parse_time);
  if (fields.error()) return *fields.error();

  auto parsed = parse_credentials(credentials == nullptr ? Json() : *credentials, record.mechanism);
  if (!parsed) return parsed.error().at("/credentials");
  record.credentials = std::move(*parsed);
  if (methods != nullptr) record.rpc_method_authorizations = parse_method_authorizations(*methods);
  if (record.user_id.empty()) record.user_id = derive_user_id(source);
  return record;
}

std::string peer_name(const Json& record) {
  Json::Array fields;
  for (const std::string_view name : {"domain", "address", "mechanism", "credentials"}) {
    const Json* value = record.find(name);
    fields.push_back(value != nullptr ? *value : name == "mechanism" ? Json("CURVE") : Json());
  }
  return Json(std::move(fields)).dump();
}

std::string derive_user_id(const Json& record) { return named_uuid(peer_name(record)); }

}  // namespace vipauth
