#include "fleet/fleet_layout.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <vipauth/json.hpp>

#include "web/web_address.hpp"

namespace vipauth::fleet {
namespace {

using Kind = FleetKey::Kind;

constexpr std::size_t kRankDigits = 16;
constexpr std::string_view kDigits = "0123456789abcdef";

struct Name {
  Kind kind;
  std::string_view text;
};
constexpr std::array kNames{Name{Kind::kAllow, "allow"},
                            Name{Kind::kDeny, "deny"},
                            Name{Kind::kRole, "roles"},
                            Name{Kind::kGroup, "groups"},
                            Name{Kind::kWriteProtect, "write-protect"},
                            Name{Kind::kReadProtect, "read-protect"},
                            Name{Kind::kPolicyMembers, "policy"},
                            Name{Kind::kTopicsMembers, "topics"},
                            Name{Kind::kGuard, "guard"}};

struct CsrName {
  CsrKey::Kind kind;
  std::string_view text;
};
constexpr std::array kCsrNames{CsrName{CsrKey::Kind::kRequest, "requests"},
                               CsrName{CsrKey::Kind::kDecision, "decisions"},
                               CsrName{CsrKey::Kind::kAnswer, "answers"}};

/// As StoreAddress has it.
bool is_site(std::string_view text) {
  constexpr std::size_t kMostBytes = 255;
  return !text.empty() && text.size() <= kMostBytes && text != "." && text != ".." &&
         web::path_part(text) == text;
}

bool has_name(Kind kind) { return kind == Kind::kRole || kind == Kind::kGroup; }

std::string rank_text(std::uint64_t rank) {
  std::string out(kRankDigits, '0');
  for (std::size_t i = kRankDigits; i > 0; --i, rank >>= 4U) out[i - 1] = kDigits[rank & 0xFU];
  return out;
}

std::optional<std::uint64_t> parse_rank(std::string_view text) {
  if (!is_rank(text)) return std::nullopt;
  std::uint64_t rank = 0;
  std::from_chars(text.data(), text.data() + text.size(), rank, 16);
  return rank;
}

/// Of the one form in which path_part() writes a name; anything else would be a second key of the same name.
std::optional<std::string> parse_name(std::string_view text) {
  auto name = from_path_part(text);
  const bool is_good = name && is_valid_utf8(*name) && web::path_part(*name) == text;
  return is_good ? name : std::nullopt;
}

/// What stands behind the prefix of a scope.
std::string inner_text(const FleetKey& key) {
  std::string out(to_string(key.kind));
  if (is_list(key.kind)) return out + "/" + (key.is_malformed ? key.name : rank_text(key.rank));
  return has_name(key.kind) ? out + "/" + web::path_part(key.name) : out;
}

std::optional<FleetKey> parse_inner(Scope scope, std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto found = std::find_if(kNames.begin(), kNames.end(),
                                  [&](const Name& n) { return n.text == text.substr(0, slash); });
  if (found == kNames.end()) return std::nullopt;
  FleetKey out;
  out.scope = scope;
  out.kind = found->kind;
  const bool has_more = is_list(out.kind) || has_name(out.kind);
  if (has_more != (slash != std::string_view::npos)) return std::nullopt;
  if (!has_more) return out;
  const std::string_view rest = text.substr(slash + 1);
  if (has_name(out.kind)) {
    auto name = parse_name(rest);
    if (!name) return std::nullopt;
    out.name = *std::move(name);
    return out;
  }
  if (const auto rank = parse_rank(rest)) {
    out.rank = *rank;
  } else {
    out.is_malformed = true;
    out.name = rest;
  }
  return out;
}

}  // namespace

bool is_list(Kind kind) noexcept {
  return kind == Kind::kAllow || kind == Kind::kDeny || kind == Kind::kWriteProtect ||
         kind == Kind::kReadProtect;
}

bool is_rank(std::string_view text) noexcept {
  return text.size() == kRankDigits && text.find_first_not_of(kDigits) == std::string_view::npos;
}

std::string_view to_string(Kind kind) noexcept {
  return std::find_if(kNames.begin(), kNames.end(), [&](const Name& n) { return n.kind == kind; })->text;
}

std::string display_name(const FleetKey& key) {
  constexpr std::size_t kMostNameBytes = 200;
  FleetKey shown = key;
  shown.name = key.name.substr(0, kMostNameBytes);
  if (key.is_malformed) shown.name = web::path_part(shown.name);
  return (key.scope == Scope::kFleet ? "fleet/" : "site/") + inner_text(shown);
}

std::optional<std::string> from_path_part(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned byte = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (error != std::errc() || end != digits.data() + 2) return std::nullopt;
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

std::string FleetLayout::key(const FleetKey& key) const { return scope_prefix(key.scope) + inner_text(key); }

std::optional<FleetKey> FleetLayout::parse(std::string_view key) const {
  for (const Scope scope : {Scope::kFleet, Scope::kSite}) {
    const std::string prefix = scope_prefix(scope);
    if (!prefix.empty() && key.starts_with(prefix)) return parse_inner(scope, key.substr(prefix.size()));
  }
  return std::nullopt;
}

std::string FleetLayout::scope_prefix(Scope scope) const {
  if (scope == Scope::kFleet) return "/" + prefix_ + "/fleet/";
  return site_.empty() ? std::string() : "/" + prefix_ + "/sites/" + site_ + "/";
}

std::string FleetLayout::pending_root() const { return "/" + prefix_ + "/pending/"; }

std::string FleetLayout::pending_prefix() const {
  return site_.empty() ? pending_root() : pending_root() + site_ + "/";
}

std::string FleetLayout::pending_key(std::string_view site, std::string_view id) const {
  return pending_root() + std::string(site) + "/" + web::path_part(id);
}

std::optional<std::string> FleetLayout::site_of_pending(std::string_view key) const {
  const std::string prefix = pending_prefix();
  if (!key.starts_with(prefix)) return std::nullopt;
  if (!site_.empty()) return site_;
  const std::string_view rest = key.substr(prefix.size());
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view site = rest.substr(0, slash);
  return site.empty() || is_site(site) ? std::optional(std::string(site)) : std::nullopt;
}

std::optional<std::string> FleetLayout::pending_id(std::string_view key) const {
  const std::string prefix = pending_prefix();
  if (site_.empty() || !key.starts_with(prefix)) return std::nullopt;
  return parse_name(key.substr(prefix.size()));
}

std::string FleetLayout::decided_prefix(Scope scope) const {
  const std::string of_scope = scope_prefix(scope);
  return of_scope.empty() ? of_scope : of_scope + "decided/";
}

std::string FleetLayout::decided_key(Scope scope, std::string_view id) const {
  return decided_prefix(scope) + web::path_part(id);
}

std::optional<std::string> FleetLayout::decided_id(Scope scope, std::string_view key) const {
  const std::string prefix = decided_prefix(scope);
  if (prefix.empty() || !key.starts_with(prefix)) return std::nullopt;
  return parse_name(key.substr(prefix.size()));
}

std::string FleetLayout::csr_root() const { return "/" + prefix_ + "/certificates/"; }

std::string FleetLayout::csr_prefix() const { return site_.empty() ? csr_root() : csr_prefix(site_); }

std::string FleetLayout::csr_prefix(std::string_view site) const {
  return csr_root() + std::string(site) + "/";
}

std::string FleetLayout::csr_prefix(std::string_view site, CsrKey::Kind kind) const {
  const auto found = std::find_if(kCsrNames.begin(), kCsrNames.end(),
                                  [&](const CsrName& name) { return name.kind == kind; });
  return csr_prefix(site) + std::string(found->text) + "/";
}

std::string FleetLayout::csr_key(std::string_view site, CsrKey::Kind kind, const CommonName& name) const {
  return csr_prefix(site, kind) + name.text();  // whose characters all stand for themselves
}

std::optional<std::string> FleetLayout::site_of_csr(std::string_view key) const {
  const std::string root = csr_root();
  if (!key.starts_with(root)) return std::nullopt;
  key.remove_prefix(root.size());
  const std::size_t slash = key.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view site = key.substr(0, slash);
  if (!is_site(site) || (!site_.empty() && site != site_)) return std::nullopt;
  return std::string(site);
}

std::optional<CsrKey> FleetLayout::parse_csr(std::string_view key) const {
  auto site = site_of_csr(key);
  if (!site) return std::nullopt;
  key.remove_prefix(csr_prefix(*site).size());
  const std::size_t slash = key.find('/');
  const auto found = std::find_if(kCsrNames.begin(), kCsrNames.end(), [&](const CsrName& name) {
    return slash != std::string_view::npos && name.text == key.substr(0, slash);
  });
  if (found == kCsrNames.end()) return std::nullopt;
  CsrKey out{*std::move(site), found->kind, std::nullopt};
  if (auto name = CommonName::parse(key.substr(slash + 1))) out.name = *std::move(name);
  return out;
}

}  // namespace vipauth::fleet
