#include "fleet/etcd_messages.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include <vipauth/json.hpp>

#include "web/base64.hpp"

namespace vipauth::fleet {
namespace {

// Source: google.golang.org/grpc/codes
constexpr int kInvalidArgument = 3;
constexpr int kPermissionDenied = 7;
constexpr int kResourceExhausted = 8;
constexpr int kFailedPrecondition = 9;
constexpr int kOutOfRange = 11;
constexpr int kUnimplemented = 12;
constexpr int kUnavailable = 14;
constexpr int kUnauthenticated = 16;
constexpr int kMostCode = 100;
constexpr int kServerError = 500;  // of HTTP

constexpr std::size_t kMaxToken = 8192;
constexpr std::size_t kMaxShown = 300;

Error wrong(const std::string& what) {
  return Error{ErrorCode::kParseError, "an answer that etcd does not give: " + what, "etcd"};
}

// ---- Writing ----

std::string member(std::string_view name, std::string_view bytes) {
  return "\"" + std::string(name) + "\":\"" + web::to_base64(bytes) + "\"";
}

std::string member(std::string_view name, std::int64_t number) {
  return "\"" + std::string(name) + "\":\"" + std::to_string(number) + "\"";
}

std::string range_members(std::string_view key, std::string_view range_end) {
  std::string out = member("key", key);
  if (!range_end.empty()) out += "," + member("range_end", range_end);
  return out;
}

std::string compare_text(const Compare& compare) {
  const bool is_creation = compare.field == Compare::Field::kCreateRevision;
  return "{" + member("key", compare.key) + R"(,"result":"EQUAL","target":")" +
         (is_creation ? "CREATE" : "MOD") + "\"," +
         member(is_creation ? "create_revision" : "mod_revision", compare.equals) + "}";
}

std::string mutation_text(const Mutation& mutation) {
  if (!mutation.value) {
    return R"({"request_delete_range":{)" + range_members(mutation.key, mutation.range_end) + "}}";
  }
  return R"({"request_put":{)" + member("key", mutation.key) + "," + member("value", *mutation.value) + "}}";
}

/// Adds a text that is UTF-8 as a JSON string, without copies of it elsewhere. There is room for it.
void add_quoted(std::string& out, std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ') {
      out += "\\u00";
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 0xFU];
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

// ---- Reading ----

Result<Json> parse_object(std::string_view text) {
  auto out = Json::parse(text);
  if (!out) return wrong(out.error().to_string());
  if (!out->is_object()) return wrong("it is " + std::string(out->kind_name()) + ", no object");
  return out;
}

/// The member of that name; null where there is none, or it is null.
const Json* present(const Json& object, std::string_view name) {
  const Json* out = object.find(name);
  return out == nullptr || out->is_null() ? nullptr : out;
}

/// A whole number of 64 bits that is not negative, as a string or a number; 0 where it is left out. Of a
/// revision there must be a next one.
Result<std::int64_t> number_at(const Json& object, std::string_view name) {
  const Json* value = present(object, name);
  if (value == nullptr) return std::int64_t{0};
  if (value->is_string() || value->is_number()) {
    const std::string& digits = value->is_string() ? value->as_string() : value->as_number().digits;
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    std::int64_t out = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    if (error == std::errc() && end == digits.data() + digits.size() && out >= 0 && out < kMost) {
      return out;
    }
  }
  return wrong("\"" + std::string(name) + "\" is no number from 0 to 2^63-2");
}

Result<bool> truth_at(const Json& object, std::string_view name) {
  const Json* value = present(object, name);
  if (value == nullptr) return false;
  if (value->is_bool()) return value->as_bool();
  return wrong("\"" + std::string(name) + "\" is " + std::string(value->kind_name()) + ", no boolean");
}

Result<std::string> text_at(const Json& object, std::string_view name) {
  const Json* value = present(object, name);
  if (value == nullptr) return std::string();
  if (value->is_string()) return value->as_string();
  return wrong("\"" + std::string(name) + "\" is " + std::string(value->kind_name()) + ", no string");
}

Result<std::string> bytes_at(const Json& object, std::string_view name) {
  const Json* value = present(object, name);
  if (value == nullptr) return std::string();
  if (value->is_string()) {
    if (auto out = web::from_base64(value->as_string())) return *std::move(out);
  }
  return wrong("\"" + std::string(name) + "\" is no base64");
}

Result<const Json*> object_at(const Json& object, std::string_view name) {
  const Json* value = object.find(name);
  if (value != nullptr && value->is_object()) return value;
  return wrong("there is no object \"" + std::string(name) + "\"");
}

/// The list of that name; null where it is left out.
Result<const Json::Array*> list_at(const Json& object, std::string_view name) {
  const Json* value = present(object, name);
  if (value == nullptr) return static_cast<const Json::Array*>(nullptr);
  if (value->is_array()) return &value->as_array();
  return wrong("\"" + std::string(name) + "\" is " + std::string(value->kind_name()) + ", no list");
}

/// The revision of the cluster, which is at least 1.
Result<std::int64_t> revision_of(const Json& answer) {
  const auto header = object_at(answer, "header");
  if (!header) return header.error();
  auto out = number_at(**header, "revision");
  if (out && *out == 0) return wrong("there is no revision");
  return out;
}

Result<KeyValue> parse_key_value(const Json& object) {
  if (!object.is_object()) return wrong("a key with its value is " + std::string(object.kind_name()));
  auto key = bytes_at(object, "key");
  if (!key) return key.error();
  auto value = bytes_at(object, "value");
  if (!value) return value.error();
  const auto created = number_at(object, "create_revision");
  if (!created) return created.error();
  const auto changed = number_at(object, "mod_revision");
  if (!changed) return changed.error();
  if (key->empty()) return wrong("a key is empty");
  if (*changed == 0 || *created > *changed) return wrong("a key has the revision of no change");
  return KeyValue{*std::move(key), *std::move(value), *created, *changed};
}

Result<void> parse_event(const Json& event, WatchAnswer& out) {
  const auto type = text_at(event, "type");
  if (!type) return type.error();
  const auto object = object_at(event, "kv");
  if (!object) return object.error();
  auto changed = parse_key_value(**object);
  if (!changed) return changed.error();
  Mutation mutation{std::move(changed->key), std::nullopt};
  if (type->empty() || *type == "PUT") {
    mutation.value = std::move(changed->value);
  } else if (*type != "DELETE") {
    return wrong("an event is neither PUT nor DELETE");
  }
  out.events.push_back(std::move(mutation));
  out.revisions.push_back(changed->mod_revision);
  return {};
}

/// What a server says, fit to be shown.
std::string shown(std::string_view text) {
  std::string out(text.substr(0, kMaxShown));
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  return out;
}

/// What a watch that is canceled says: "rpc error: code = PermissionDenied desc = etcdserver: permission
/// denied".
Refusal refusal_of_watch(std::string_view reason) {
  constexpr std::array<std::pair<std::string_view, int>, 6> kCodes{
      {{"permission denied", kPermissionDenied},
       {"invalid auth token", kUnauthenticated},
       {"user name is empty", kInvalidArgument},
       {"revision of auth store is old", kInvalidArgument},
       {"no leader", kUnavailable},
       {"required revision", kOutOfRange}}};
  const auto found = std::find_if(kCodes.begin(), kCodes.end(), [&](const auto& known) {
    return reason.find(known.first) != std::string_view::npos;
  });
  return Refusal{found == kCodes.end() ? 0 : found->second,
                 reason.empty() ? "no reason is given" : shown(reason)};
}

}  // namespace

// ---- Questions ----

std::string prefix_end(std::string_view prefix) {
  std::string out(prefix);
  while (!out.empty() && out.back() == '\xff') out.pop_back();
  if (out.empty()) return std::string(1, '\0');
  out.back() = static_cast<char>(static_cast<unsigned char>(out.back()) + 1U);
  return out;
}

bool is_in_range(std::string_view one, std::string_view key, std::string_view range_end) {
  if (range_end.empty()) return one == key;
  return one >= key && (range_end == std::string_view("\0", 1) || one < range_end);
}

std::string range_text(const RangeQuestion& question) {
  std::string out = "{" + range_members(question.key, question.range_end);
  if (question.limit != 0) out += "," + member("limit", question.limit);
  if (question.revision != 0) out += "," + member("revision", question.revision);
  if (question.min_revision != 0) out += "," + member("min_mod_revision", question.min_revision);
  if (question.keys_only) out += R"(,"keys_only":true)";
  return out + "}";
}

std::string txn_text(const std::vector<Compare>& compares, const std::vector<Mutation>& mutations) {
  std::string out = R"({"compare":[)";
  for (std::size_t i = 0; i < compares.size(); ++i) out += (i > 0 ? "," : "") + compare_text(compares[i]);
  out += R"(],"success":[)";
  for (std::size_t i = 0; i < mutations.size(); ++i) out += (i > 0 ? "," : "") + mutation_text(mutations[i]);
  return out + "]}";
}

std::string watch_text(std::string_view key, std::string_view range_end, std::int64_t start_revision) {
  return R"({"create_request":{)" + range_members(key, range_end) + "," +
         member("start_revision", start_revision) + R"(,"progress_notify":true,"fragment":true}})";
}

std::string authenticate_text(std::string_view user, std::string_view password) {
  std::string out;
  out.reserve(6 * (user.size() + password.size()) + 64);  // \u0000 is the longest
  out += "{\"name\":";
  add_quoted(out, user);
  out += ",\"password\":";
  add_quoted(out, password);
  out += "}";
  return out;
}

// ---- Answers ----

Result<RangeAnswer> parse_range(std::string_view text, const RangeQuestion& question) {
  const auto answer = parse_object(text);
  if (!answer) return answer.error();
  RangeAnswer out;
  const auto revision = revision_of(*answer);
  if (!revision) return revision.error();
  out.revision = *revision;
  const auto more = truth_at(*answer, "more");
  if (!more) return more.error();
  out.has_more = *more;
  const auto list = list_at(*answer, "kvs");
  if (!list) return list.error();
  if (*list == nullptr) return out;
  if (question.limit > 0 && (*list)->size() > static_cast<std::size_t>(question.limit)) {
    return wrong("there are more keys than were asked for");
  }
  out.values.reserve((*list)->size());
  for (const Json& one : **list) {
    auto value = parse_key_value(one);
    if (!value) return value.error();
    if (!is_in_range(value->key, question.key, question.range_end)) {
      return wrong("there is a key that was not asked for");
    }
    if (!out.values.empty() && out.values.back().key >= value->key) return wrong("the keys are in disorder");
    out.values.push_back(*std::move(value));
  }
  return out;
}

Result<TxnAnswer> parse_txn(std::string_view text) {
  const auto answer = parse_object(text);
  if (!answer) return answer.error();
  const auto revision = revision_of(*answer);
  if (!revision) return revision.error();
  const auto succeeded = truth_at(*answer, "succeeded");
  if (!succeeded) return succeeded.error();
  return TxnAnswer{*succeeded, *revision};
}

Result<ClusterStatus> parse_status(std::string_view text) {
  const auto answer = parse_object(text);
  if (!answer) return answer.error();
  const auto revision = revision_of(*answer);
  if (!revision) return revision.error();
  const auto header = object_at(*answer, "header");
  if (!header) return header.error();
  const auto version = text_at(*answer, "version");
  if (!version) return version.error();
  auto cluster = text_at(**header, "cluster_id");  // up to 2^64-1
  if (!cluster) return cluster.error();
  std::uint64_t ignored = 0;
  const auto [end, error] = std::from_chars(cluster->data(), cluster->data() + cluster->size(), ignored);
  if (error != std::errc() || end != cluster->data() + cluster->size()) return wrong("the cluster has no id");
  return ClusterStatus{shown(*version), *std::move(cluster), *revision};
}

Result<std::string> parse_token(std::string_view text) {
  const auto answer = parse_object(text);
  if (!answer) return answer.error();
  auto token = text_at(*answer, "token");
  if (!token) return token.error();
  const bool is_visible =
      std::all_of(token->begin(), token->end(), [](char c) { return c > ' ' && c <= '~'; });
  if (token->empty() || token->size() > kMaxToken || !is_visible) return wrong("the token is no token");
  return token;
}

// ---- Refusals ----

bool Refusal::is_unauthenticated() const {
  return code == kUnauthenticated || message.find("user name is empty") != std::string::npos ||
         message.find("revision of auth store is old") != std::string::npos;
}

bool Refusal::is_auth_off() const {
  return code == kFailedPrecondition && message.find("authentication is not enabled") != std::string::npos;
}

// Of the check that comes before all others, where a leader is asked for.
// Source: etcd, server/etcdserver/api/v3rpc/interceptor.go, ErrGRPCNoLeader.
bool Refusal::is_without_leader() const { return code == kUnavailable && message == "etcdserver: no leader"; }

// Source: etcd, api/v3rpc/rpctypes/error.go, ErrGRPCLeaderChanged.
bool Refusal::is_leader_changing() const {
  return code == kUnavailable && message == "etcdserver: leader changed";
}

Error Refusal::to_error() const {
  const auto says = [this](std::string_view text) { return message.find(text) != std::string::npos; };
  const auto error = [this](ErrorCode out, std::string_view hint = "") {
    return Error{out, "the cluster refuses: \"" + message + "\"" + std::string(hint), "etcd"};
  };
  switch (code) {
    case kPermissionDenied:
      return error(ErrorCode::kPermissionDenied, ": grant the user a role for the keys below the prefix");
    case kUnauthenticated: return error(ErrorCode::kPermissionDenied);
    case kInvalidArgument:
      if (says("user name is empty")) {
        return error(ErrorCode::kPermissionDenied, ": it has users: say as which one to ask");
      }
      if (is_unauthenticated() || says("authentication failed")) return error(ErrorCode::kPermissionDenied);
      if (says("too large") || says("too many operations")) return error(ErrorCode::kLimitExceeded);
      return error(ErrorCode::kInvalidArgument);
    case kResourceExhausted:
      if (says("too many requests")) return error(ErrorCode::kBusy);
      if (says("database space exceeded")) {
        return error(ErrorCode::kLimitExceeded, ": make room there (compact, defragment, disarm the alarm)");
      }
      return error(says("larger than max") ? ErrorCode::kLimitExceeded : ErrorCode::kBusy);
    case kOutOfRange: return error(ErrorCode::kConflict);
    case kUnavailable: return error(ErrorCode::kBusy);
    case kUnimplemented: return error(ErrorCode::kParseError, ": it must be etcd 3.4 or newer");
    default: return error(ErrorCode::kIoError);
  }
}

std::optional<Refusal> parse_refusal(std::string_view text) {
  const auto answer = Json::parse(text);
  if (!answer || !answer->is_object()) return std::nullopt;
  // Of a stream it is an object, also where the stream never began. The names differ with the version.
  const Json* error = present(*answer, "error");
  const Json& object = error != nullptr && error->is_object() ? *error : *answer;
  const auto code = number_at(object, object.find("grpc_code") != nullptr ? "grpc_code" : "code");
  std::string message = object.text_at("message");
  if (message.empty()) message = object.text_at("error");
  if (!code || *code == 0 || *code > kMostCode || message.empty()) return std::nullopt;
  return Refusal{static_cast<int>(*code), shown(message)};
}

Trouble trouble_of(std::string_view origin, int status, std::string_view body) {
  const auto refusal = parse_refusal(body);
  const std::string quoted = "\"" + std::string(origin) + "\"";
  // Source: etcd, server/embed/serve.go, accessController.
  if (!refusal && body.find("CommonName of client") != std::string_view::npos) {
    return {
        Error{ErrorCode::kPermissionDenied,
              quoted + " has users, and takes no certificate with a common name then: show one without, that "
                       "is of the same authority",
              ""},
        false, true};
  }
  if (!refusal) {
    return {Error{status >= kServerError ? ErrorCode::kIoError : ErrorCode::kParseError,
                  quoted + " answers " + std::to_string(status) +
                      " and nothing that etcd says: is it etcd 3.4 or newer, and the address right, with or "
                      "without TLS?",
                  ""},
            true, false};
  }
  Trouble out{refusal->to_error(), false, true};
  // Elsewhere there may be a leader, or somebody in better health.
  out.is_final = out.error.code != ErrorCode::kBusy && out.error.code != ErrorCode::kIoError;
  out.is_without_leader = refusal->is_without_leader() || refusal->is_leader_changing();
  out.may_be_done = !EtcdClient::is_certain(out.error) && !refusal->is_without_leader();
  return out;
}

// ---- Watches ----

Result<WatchAnswer> parse_watch(std::string_view text) {
  const auto document = parse_object(text);
  if (!document) return document.error();
  WatchAnswer out;
  if (present(*document, "error") != nullptr) {
    out.refusal = parse_refusal(text);
    if (!out.refusal) return wrong("an error is none");
    return out;
  }
  const auto result = object_at(*document, "result");
  if (!result) return result.error();
  for (const auto& [name, field] :
       {std::pair{"created", &WatchAnswer::is_created}, std::pair{"canceled", &WatchAnswer::is_canceled},
        std::pair{"fragment", &WatchAnswer::is_fragment}}) {
    const auto value = truth_at(**result, name);
    if (!value) return value.error();
    out.*field = *value;
  }
  const auto compacted = number_at(**result, "compact_revision");
  if (!compacted) return compacted.error();
  out.compact_revision = *compacted;
  if (out.is_canceled) {  // one for the revision that it names has none of its own
    const auto reason = text_at(**result, "cancel_reason");
    if (!reason) return reason.error();
    out.refusal = refusal_of_watch(*reason);
    return out;
  }
  const auto revision = revision_of(**result);
  if (!revision) return revision.error();
  out.revision = *revision;
  const auto events = list_at(**result, "events");
  if (!events) return events.error();
  if (*events == nullptr) return out;
  out.events.reserve((*events)->size());
  out.revisions.reserve((*events)->size());
  for (const Json& event : **events) {
    if (auto done = parse_event(event, out); !done) return done.error();
  }
  return out;
}

}  // namespace vipauth::fleet
