#include <vipauth/known_hosts.hpp>

#include <algorithm>
#include <functional>
#include <utility>

#include "store/atomic_file.hpp"
#include "store/json_file.hpp"
#include "text/control_characters.hpp"

namespace vipauth {
namespace {

namespace fs = std::filesystem;

/// Nothing in it is secret, and agents of other users read it. Source: VOLTTRON keystore.py, KnownHostsStore.
constexpr unsigned kMode = 0644;

Error not_a_host(std::string why) { return Error{ErrorCode::kInvalidArgument, std::move(why), ""}; }

/// The parts of an address that matter here, as Python's urlparse takes it apart.
struct Parts {
  std::string_view authority;  ///< between "//" and "/", "?" or "#"
  std::string_view path;
};

Parts split_address(std::string_view address) {
  Parts parts;
  // What begins behind the first of these is no scheme: "host:1?username=x://y&password=z".
  const std::size_t scheme = address.find("://");
  const bool has_scheme = scheme != std::string_view::npos && scheme + 1 == address.find_first_of("/?#");
  if (has_scheme && scheme == 0) {
    parts.path = address;
    return parts;
  }
  if (has_scheme) address.remove_prefix(scheme + 3);
  const std::size_t end = address.find_first_of("/?#");
  parts.authority = address.substr(0, end);
  if (end == std::string_view::npos || address[end] != '/') return parts;
  parts.path = address.substr(end);
  parts.path = parts.path.substr(0, parts.path.find_first_of("?#"));
  return parts;
}

/// "user:password@host" without the password.
std::string without_password(std::string_view authority) {
  const std::size_t at = authority.rfind('@');
  const std::size_t colon = authority.find(':');
  if (at == std::string_view::npos || colon == std::string_view::npos || colon > at)
    return std::string(authority);
  return std::string(authority.substr(0, colon)) + std::string(authority.substr(at));
}

Result<void> check_address(std::string_view address) {
  if (address.size() > KnownHosts::kMaxBytes) return not_a_host("an address is at most 4096 bytes long");
  if (!is_valid_utf8(address)) return not_a_host("the address is not UTF-8");
  if (has_control_character(address)) return not_a_host("an address holds no control character");
  if (address.starts_with(' ') || address.ends_with(' ')) {
    return not_a_host("there is a space before or behind the address");
  }
  return {};
}

/// The whole name of an abstract socket of which VOLTTRON's name keeps only a part.
std::optional<std::string> abstract_name(std::string_view address) {
  const Parts parts = split_address(address);
  if (!address.starts_with("ipc://") || parts.authority != "@" || parts.path.empty()) return std::nullopt;
  return std::string(parts.authority) + std::string(parts.path);
}

/// The names of an address, the one to be preferred first.
Result<std::vector<std::string>> names_of(std::string_view address) {
  auto host = KnownHosts::host_key(address);
  if (!host) return host.error();
  std::vector<std::string> out;
  if (auto whole = abstract_name(address)) out.push_back(std::move(*whole));
  out.push_back(std::move(*host));
  return out;
}

Result<CurveKey> parse_key(const Json& source, std::string_view host) {
  auto key = source.is_string() ? CurveKey::parse(source.as_string())
                                : Result<CurveKey>(Error{ErrorCode::kParseError, "not a CURVE key", ""});
  if (!key) return key.error().at(json_pointer("", host));
  return key;
}

Result<Json> load_document(const fs::path& path, StrictModes strict_modes) {
  return read_object_file(path, strict_modes, Sensitivity::kPublic, "hosts and keys");
}

using Change = std::function<Result<void>(Json& document, KnownHosts::Report& report)>;

Result<KnownHosts::Report> edit(const fs::path& path, StrictModes strict_modes,
                                std::chrono::milliseconds patience, const Change& change) {
  const auto lock = FileLock::acquire(path, patience);
  if (!lock) return lock.error();
  auto document = load_document(path, strict_modes);
  if (!document) return document.error();
  const Json before = *document;
  KnownHosts::Report report;
  if (auto changed = change(*document, report); !changed) return changed.error();
  if (*document == before) return report;
  if (auto replaced = replace_file(path, document->dump_pretty() + "\n", {}, kMode); !replaced) {
    return replaced.error();
  }
  report.written = true;
  return report;
}

void note_replaced(KnownHosts::Report& report, const Json& source, std::string_view host) {
  report.replaced = source;
  if (auto key = parse_key(source, host)) report.replaced_key = *key;
}

bool holds(const Json& source, const CurveKey& key) {
  const auto present = parse_key(source, "");
  return present && *present == key;
}

}  // namespace

Result<std::string> KnownHosts::host_key(std::string_view address) {
  if (auto checked = check_address(address); !checked) return checked.error();
  const Parts parts = split_address(address);
  const auto count = [&](char c) { return std::count(parts.authority.begin(), parts.authority.end(), c); };
  if (count('[') != count(']')) return not_a_host("the brackets of the IPv6 address do not match");
  std::string host = parts.authority.empty() ? std::string(parts.path) : without_password(parts.authority);
  if (host.empty()) return not_a_host("the address names no host");
  return host;
}

Result<std::vector<KnownHosts::Entry>> KnownHosts::load() const {
  auto document = load_document(path_, strict_modes_);
  if (!document) return document.error();
  std::vector<Entry> out;
  for (Json::Member& member : document->as_object()) {
    auto key = parse_key(member.value, member.name);
    out.push_back({std::move(member.name), std::move(member.value), std::move(key)});
  }
  return out;
}

Result<std::optional<CurveKey>> KnownHosts::find(std::string_view address) const {
  const auto names = names_of(address);
  if (!names) return names.error();
  const auto document = load_document(path_, strict_modes_);
  if (!document) return document.error();
  for (const std::string& name : *names) {
    const Json* source = document->find(name);
    if (source == nullptr) continue;
    auto key = parse_key(*source, name);
    if (!key) return in_file(key.error(), path_);
    return std::optional<CurveKey>(*key);
  }
  return std::optional<CurveKey>();
}

Result<KnownHosts::Report> KnownHosts::add(std::string_view address, const CurveKey& key,
                                           std::chrono::milliseconds patience) const {
  auto names = names_of(address);
  if (!names) return names.error();
  return edit(path_, strict_modes_, patience, [&](Json& document, Report& report) -> Result<void> {
    for (const std::string& name : *names) {
      const Json* present = document.find(name);
      const bool is_there = present != nullptr && holds(*present, key);
      if (present != nullptr && !is_there && !report.replaced) note_replaced(report, *present, name);
      if (!is_there) document.set(name, Json(key.to_base64url()));
    }
    report.hosts = {names->rbegin(), names->rend()};
    return {};
  });
}

Result<KnownHosts::Report> KnownHosts::replace_key(const CurveKey& from, const CurveKey& to,
                                                   std::chrono::milliseconds patience) const {
  return edit(path_, strict_modes_, patience, [&](Json& document, Report& report) -> Result<void> {
    for (Json::Member& member : document.as_object()) {
      if (!holds(member.value, from)) continue;
      note_replaced(report, member.value, member.name);
      member.value = Json(to.to_base64url());
      report.hosts.push_back(member.name);
    }
    return {};
  });
}

Result<KnownHosts::Report> KnownHosts::remove(std::string_view address,
                                              std::chrono::milliseconds patience) const {
  auto names = names_of(address);
  if (!names) return names.error();
  return edit(path_, strict_modes_, patience, [&](Json& document, Report& report) -> Result<void> {
    // An abstract socket's own entry goes, and "@" with it where that is of the same server.
    for (const std::string& name : *names) {
      const Json* present = document.find(name);
      if (present == nullptr || (report.replaced && !(*present == *report.replaced))) continue;
      note_replaced(report, *present, name);
      report.hosts.insert(report.hosts.begin(), name);
    }
    for (const std::string& host : report.hosts) document.erase(host);
    if (!report.hosts.empty()) return {};
    return Error{ErrorCode::kNotFound,
                 "there is no host \"" + names->back() + "\" in \"" + path_.string() + "\"", ""};
  });
}

}  // namespace vipauth
