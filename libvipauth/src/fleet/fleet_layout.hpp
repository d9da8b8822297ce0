#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <vipauth/common_name.hpp>

namespace vipauth::fleet {

/// What all sites share, or what one adds.
enum class Scope { kFleet, kSite };

/// What a key below the prefix is about.
struct FleetKey {
  enum class Kind {
    kAllow,          // <scope>/allow/<rank>: a record of auth.json
    kDeny,           // <scope>/deny/<rank>
    kRole,           // <scope>/roles/<name>: what the name stands for
    kGroup,          // <scope>/groups/<name>
    kWriteProtect,   // <scope>/write-protect/<rank>: a rule of protected_topics.json
    kReadProtect,    // <scope>/read-protect/<rank>
    kPolicyMembers,  // <scope>/policy: the other members of auth.json, in one object
    kTopicsMembers,  // <scope>/topics: the other members of protected_topics.json
    kGuard,  // <scope>/guard: written by each edit of the scope: {"edit": ID, "who": ..., "command": ...,
             // "time": ...}
  };
  Scope scope = Scope::kFleet;
  Kind kind = Kind::kGuard;
  std::uint64_t rank = 0;     ///< of lists: the order in the file
  std::string name = {};      ///< of roles and groups; what stands for a rank, where that is none
  bool is_malformed = false;  ///< of lists: what stands for the rank is none

  friend bool operator==(const FleetKey&, const FleetKey&) = default;
};

/// True of the kinds that have ranks.
bool is_list(FleetKey::Kind kind) noexcept;
/// Whether this stands for a rank, where a rank is to stand.
bool is_rank(std::string_view text) noexcept;
/// The part of a key that tells its kind: "allow", "roles", "policy", "guard".
std::string_view to_string(FleetKey::Kind kind) noexcept;
/// A key as it is named to people: "fleet/allow/0000000000100000", "site/policy". What others have put there
/// is escaped, and cut off where it is long.
std::string display_name(const FleetKey& key);

/// What path_part() made of a text. Nothing: a "%" without two hexadecimal digits.
std::optional<std::string> from_path_part(std::string_view text);

/// A key about a site's requests for certificates: "certificates/<site>/<kind>/<common name>".
struct CsrKey {
  enum class Kind {
    kRequest,   // requests: how a request stands; written by the site
    kDecision,  // decisions: what an administrator asks the site to do; taken away when it is done
    kAnswer,    // answers: what became of the last decision; written by the site
  };
  std::string site;
  Kind kind = Kind::kRequest;
  /// Nothing: what stands in its place is no such name.
  std::optional<CommonName> name;
};

/// Names keys: "/<prefix>/fleet/..." and "/<prefix>/sites/<site>/...". Names are percent-encoded as in a URL,
/// ranks are 16 hexadecimal digits in lower case, so that the order of keys is the order of the file. There
/// is one form of each key.
class FleetLayout {
 public:
  FleetLayout(std::string prefix, std::string site) : prefix_(std::move(prefix)), site_(std::move(site)) {}

  std::string key(const FleetKey& key) const;
  /// Nothing: of another site, or of no kind that is known here. What is malformed in a list is told, for it
  /// may be a record that denies; a role or group whose name is not in the one form is nothing.
  std::optional<FleetKey> parse(std::string_view key) const;
  /// "/vipauth/acme/fleet/", "/vipauth/acme/sites/berlin/"; empty: of a site, and the layout has none
  std::string scope_prefix(Scope scope) const;
  /// "/vipauth/acme/pending/berlin/": strangers who wait at the site. Where the layout has none, those of
  /// all:
  /// "/vipauth/acme/pending/".
  std::string pending_prefix() const;
  /// "/vipauth/acme/pending/berlin/CURVE:..."
  std::string pending_key(std::string_view site, std::string_view id) const;
  /// Where the stranger waits; empty: at none, as who noted it had no site. Nothing: it is no such key, or of
  /// a site whose name no address can hold.
  std::optional<std::string> site_of_pending(std::string_view key) const;
  /// "CURVE:...": who waits there. Nothing: it is no key of this site's, or not in the one form.
  std::optional<std::string> pending_id(std::string_view key) const;
  /// "/vipauth/acme/fleet/decided/": where somebody may come from about whom was decided. Empty: of a site,
  /// and the layout has none.
  std::string decided_prefix(Scope scope) const;
  std::string decided_key(Scope scope, std::string_view id) const;
  /// Of whom the key is. Nothing: it is no such key, or not in the one form.
  std::optional<std::string> decided_id(Scope scope, std::string_view key) const;

  /// "/vipauth/acme/certificates/berlin/": requests for certificates at the site. Where the layout has none,
  /// those of all: "/vipauth/acme/certificates/".
  std::string csr_prefix() const;
  /// "/vipauth/acme/certificates/berlin/"
  std::string csr_prefix(std::string_view site) const;
  /// "/vipauth/acme/certificates/berlin/decisions/"
  std::string csr_prefix(std::string_view site, CsrKey::Kind kind) const;
  std::string csr_key(std::string_view site, CsrKey::Kind kind, const CommonName& name) const;
  /// Nothing: below none of these; of a site whose name no address of a store can hold.
  std::optional<CsrKey> parse_csr(std::string_view key) const;
  /// Whose any key below csr_prefix() is. Nothing: of a site that no address can name.
  std::optional<std::string> site_of_csr(std::string_view key) const;

  const std::string& site() const noexcept { return site_; }

 private:
  std::string pending_root() const;
  std::string csr_root() const;

  std::string prefix_;
  std::string site_;
};

}  // namespace vipauth::fleet
