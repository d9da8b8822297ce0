#include <vipauth/web_users.hpp>

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>
#include <utility>

#include <vipauth/json.hpp>
#include <vipauth/python_repr.hpp>

#include "base/hash.hpp"
#include "base/password.hpp"
#include "store/atomic_file.hpp"
#include "store/audit_change.hpp"
#include "store/json_file.hpp"

namespace vipauth {
namespace {

namespace fs = std::filesystem;

/// What a hash may cost to check, since the file says it: a whole server must not be stopped by one line of
/// it.
constexpr std::uint32_t kMaxMemoryKib = 256 * 1024;
constexpr std::uint32_t kMaxPasses = 16;
constexpr std::uint32_t kMaxLanes = 64;
constexpr std::size_t kMaxGroups = 64;
constexpr std::size_t kMaxHashBytes = 127;  // libsodium's crypto_pwhash_STRBYTES, less its end

Error invalid(std::string message) { return Error{ErrorCode::kInvalidArgument, std::move(message), ""}; }

bool is_name(std::string_view text) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '@' || c == '-';
  };
  return !text.empty() && text.size() <= WebUsers::kMaxNameBytes &&
         std::all_of(text.begin(), text.end(), is_allowed);
}

Result<void> check_name(std::string_view what, std::string_view name) {
  if (is_name(name)) return {};
  return invalid(std::string(what) + " is 1 to 64 of A-Z, a-z, 0-9, \"_\", \".\", \"@\" and \"-\"");
}

/// "name=" and a number of at most `most`, taken from the front of `text`.
bool take_number(std::string_view& text, std::string_view name, std::uint32_t most) {
  if (!text.starts_with(name)) return false;
  text.remove_prefix(name.size());
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value == 0 || value > most) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

/// True for an Argon2id string, ours or passlib's, that costs no more to check than it may.
/// Source: the PHC string format; libsodium, crypto_pwhash_str_verify.
bool is_affordable_hash(std::string_view text) {
  constexpr std::string_view kStart = "$argon2id$v=19$";
  if (text.size() > kMaxHashBytes || !text.starts_with(kStart)) return false;
  text.remove_prefix(kStart.size());
  return take_number(text, "m=", kMaxMemoryKib) && take_number(text, ",t=", kMaxPasses) &&
         take_number(text, ",p=", kMaxLanes) && text.starts_with('$');
}

struct Entry {
  WebUsers::User user;
  std::string hash;
};

/// What a member of the file says, or why that is not understood; the message holds no value of it.
Result<Entry> parse_entry(const Json::Member& member) {
  if (auto checked = check_name("the name of a web user", member.name); !checked) return checked.error();
  if (!member.value.is_object()) return invalid("a web user must be an object");
  const Json* hash = member.value.find("hashed_password");
  if (hash == nullptr || !hash->is_string() || !is_affordable_hash(hash->as_string())) {
    return invalid("hashed_password is no Argon2id hash of at most 256 MiB and 16 passes")
        .at("/hashed_password");
  }
  Entry out{{member.name, {}, secret_fingerprint(member.value.canonical().dump())}, hash->as_string()};
  const Json* groups = member.value.find("groups");
  if (groups == nullptr) return out;
  if (!groups->is_array() || groups->as_array().size() > kMaxGroups)
    return invalid("groups must be a list").at("/groups");
  for (const Json& group : groups->as_array()) {
    if (!group.is_string()) return invalid("groups must be a list of names").at("/groups");
    out.user.groups.push_back(group.as_string());
  }
  return out;
}

/// The entry of one user, where there is one that is understood.
std::optional<Entry> entry_of(const Json& document, std::string_view name) {
  const Json* source = document.find(name);
  if (source == nullptr) return std::nullopt;
  auto entry = parse_entry({std::string(name), *source});
  return entry ? std::optional<Entry>(*std::move(entry)) : std::nullopt;
}

Result<Json> load_document(const fs::path& path, StrictModes strict_modes) {
  return read_object_file(path, strict_modes, Sensitivity::kSecret, "users");
}

/// Does for a name that nobody has what a wrong password of somebody else does: always the same one's for
/// that name, so that time does not tell who exists, also where hashes cost differently.
void imitate_user(const Json& document, std::string_view name, std::string_view password) {
  const Json::Object& users = document.as_object();
  const std::size_t start = users.empty() ? 0 : seeded_hash(name) % users.size();
  for (std::size_t i = 0; i < users.size(); ++i) {
    const auto entry = parse_entry(users[(start + i) % users.size()]);
    if (!entry) continue;
    static_cast<void>(verify_password(entry->hash, password));
    return;
  }
  waste_password_time(password);
}

Error no_such_user(std::string_view name, const fs::path& path) {
  return Error{ErrorCode::kNotFound,
               "there is no web user " + python_repr(Json(name)) + " in \"" + path.string() + "\"", ""};
}

/// What an audit may show of a user: no hash.
Json shown(const Json* entry) {
  if (entry == nullptr) return {};
  const Json* groups = entry->find("groups");
  return Json::Object{{"groups", groups == nullptr ? Json(Json::Array()) : *groups}};
}

/// One transaction on the entry of one user.
Result<EditReport> edit(const fs::path& path, StrictModes strict_modes, const EditOptions& options,
                        std::string_view name, const std::function<Result<void>(Json& document)>& change) {
  const auto lock = FileLock::acquire(path, options.patience);
  if (!lock) return lock.error();
  auto document = load_document(path, strict_modes);
  if (!document) return document.error();
  const Json before = *document;
  if (auto changed = change(*document); !changed) return changed.error();
  if (auto replaced = replace_file(path, document->dump_pretty() + "\n"); !replaced) return replaced.error();
  EditReport report;
  report.written = true;
  AuditEvent event;
  event.user_id = std::string(name);
  event.before = shown(before.find(name));
  event.after = shown(document->find(name));
  if (auto unaudited = audit_change(path, std::move(event), options, strict_modes)) {
    report.warnings.push_back(*std::move(unaudited));  // the edit stands
  }
  return report;
}

}  // namespace

bool WebUsers::User::is_admin() const {
  return std::find(groups.begin(), groups.end(), kAdmin) != groups.end();
}

Result<std::vector<WebUsers::User>> WebUsers::list(std::vector<std::string>* warnings) const {
  const auto document = load_document(path_, strict_modes_);
  if (!document) return document.error();
  std::vector<User> out;
  for (const Json::Member& member : document->as_object()) {
    auto entry = parse_entry(member);
    if (entry) {
      out.push_back(std::move(entry->user));
    } else if (warnings != nullptr) {
      warnings->push_back(in_file(entry.error().at(json_pointer("", member.name)), path_).to_string());
    }
  }
  return out;
}

Result<WebUsers::User> WebUsers::get(std::string_view name) const {
  const auto document = load_document(path_, strict_modes_);
  if (!document) return document.error();
  auto entry = entry_of(*document, name);
  if (!entry) return no_such_user(name, path_);
  return std::move(entry->user);
}

Result<WebUsers::User> WebUsers::verify(std::string_view name, std::string_view password) const {
  const Error refused{ErrorCode::kPermissionDenied, "the user name or the password is wrong", ""};
  if (password.size() > kMaxPasswordBytes) return refused;
  const auto document = load_document(path_, strict_modes_);
  if (!document) {
    Error problem = document.error();
    problem.code = ErrorCode::kUnavailable;  // so that it is not taken for a wrong password
    return problem;
  }
  auto entry = entry_of(*document, name);
  if (!entry) {
    imitate_user(*document, name, password);
    return refused;
  }
  if (!verify_password(entry->hash, password)) return refused;
  return std::move(entry->user);
}

Result<EditReport> WebUsers::add(std::string_view name, std::string_view password,
                                 const std::vector<std::string>& groups, Existing existing,
                                 const EditOptions& options) const {
  if (auto checked = check_name("the name of a web user", name); !checked) return checked.error();
  if (password.size() < kMinPasswordBytes || password.size() > kMaxPasswordBytes) {
    return invalid("a password is 8 to 1024 bytes long");
  }
  if (groups.size() > kMaxGroups) return invalid("a web user is in at most 64 groups");
  for (const std::string& group : groups) {
    if (auto checked = check_name("the name of a group", group); !checked) return checked.error();
  }
  auto hash = hash_of_password(password);
  if (!hash) return hash.error();
  return edit(path_, strict_modes_, options, name, [&](Json& document) -> Result<void> {
    const Json* present = document.find(name);
    if (present != nullptr && existing == Existing::kRefuse) {
      return Error{ErrorCode::kAlreadyExists, "there is a web user " + python_repr(Json(name)) + " already",
                   ""};
    }
    if (present == nullptr && document.as_object().size() >= kMaxUsers) {
      return Error{ErrorCode::kLimitExceeded, "there are at most 1000 web users", ""};
    }
    Json user = present != nullptr && present->is_object() ? *present : Json(Json::Object());
    user.set("hashed_password", Json(*hash));
    user.set("groups", Json::strings(groups));
    document.set(name, std::move(user));
    return {};
  });
}

Result<EditReport> WebUsers::remove(std::string_view name, const EditOptions& options) const {
  return edit(path_, strict_modes_, options, name, [&](Json& document) -> Result<void> {
    if (!document.erase(name)) return no_such_user(name, path_);
    return {};
  });
}

}  // namespace vipauth
