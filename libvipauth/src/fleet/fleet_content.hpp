#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/policy.hpp>
#include <vipauth/result.hpp>
#include <vipauth/store_address.hpp>
#include <vipauth/topic_document.hpp>

#include "fleet/etcd_client.hpp"

namespace vipauth::fleet {

/// What all sites share, or what one adds.
enum class Scope { kFleet, kSite };

/// What a key below the prefix is about.
struct FleetKey {
  enum class Kind {
    kAllow,           // <scope>/allow/<rank>: a record of auth.json
    kDeny,            // <scope>/deny/<rank>
    kRole,            // <scope>/roles/<name>: what the name stands for
    kGroup,           // <scope>/groups/<name>
    kWriteProtect,    // <scope>/write-protect/<rank>: a rule of protected_topics.json
    kReadProtect,     // <scope>/read-protect/<rank>
    kPolicyMembers,   // <scope>/policy: the other members of auth.json, in one object
    kTopicsMembers,   // <scope>/topics: the other members of protected_topics.json
    kGuard,           // <scope>/guard: written by each edit of the scope: {"edit": ID, "who": ..., "command": ..., "time": ...}
  };
  Scope scope = Scope::kFleet;
  Kind kind = Kind::kGuard;
  std::uint64_t rank = 0;  ///< of lists: the order in the file
  std::string name;        ///< of roles and groups
};

/// Names keys: "/<prefix>/fleet/..." and "/<prefix>/sites/<site>/...". Names are percent-encoded as in a URL, ranks
/// are 16 hexadecimal digits, so that the order of keys is the order of the file.
class FleetLayout {
 public:
  FleetLayout(std::string prefix, std::string site) : prefix_(std::move(prefix)), site_(std::move(site)) {}

  std::string key(const FleetKey& key) const;
  /// Nothing: of another site, or of no kind that is known here.
  std::optional<FleetKey> parse(std::string_view key) const;
  /// "/vipauth/acme/fleet/", "/vipauth/acme/sites/berlin/"
  std::string scope_prefix(Scope scope) const;
  /// "/vipauth/acme/sites/berlin/pending/": strangers who wait at a site; of `site`, or of the layout's own
  std::string pending_prefix(std::string_view site = {}) const;
  /// "/vipauth/acme/sites/"
  std::string sites_prefix() const;
  const std::string& site() const noexcept { return site_; }

 private:
  std::string prefix_;
  std::string site_;
};

/// The policy of a fleet as keys and their values, and of one site where there is one.
///
/// What a bus decides by is made of both: the fleet's records before the site's, in both lists; roles and groups of
/// either, the fleet's where both have one of that name; all rules for topics of both; other members, the fleet's
/// first. The deny list is asked first (semantics 2): no site can let in whom the fleet denies.
class FleetContent {
 public:
  /// Between the ranks of neighbours, so that something may be put between them.
  static constexpr std::uint64_t kRankStep = std::uint64_t{1} << 20U;

  explicit FleetContent(bool has_site) : has_site_(has_site) {}

  /// Takes over what happened to a key. A value that is no JSON of the kind's type is kept as a problem: it
  /// stands for a record that is not understood, never for nothing.
  void apply(const FleetKey& key, std::optional<std::string> value);

  /// \return what Policy::parse returns
  Result<Policy> policy() const;
  Result<TopicDocument> topics() const;
  std::size_t size() const noexcept;  ///< keys

  /// The values of one kind and scope, in order: for push, pull and the local copy's index.
  const std::map<std::uint64_t, std::string>& list(Scope scope, FleetKey::Kind kind) const;
  const std::map<std::string, std::string>& names(Scope scope, FleetKey::Kind kind) const;

  /// What makes the content mean `after`, where policy() is what an edit began with. What is new goes to the end
  /// of `edits`; what is changed stays in its place.
  /// \return kPermissionDenied  the edit changes what is the fleet's, and `edits` is the site: the message names the
  ///                            first such record, role or group, and says to edit without `?site`
  /// \return kUnsupported       an order that ranks cannot tell
  Result<std::vector<std::pair<FleetKey, std::optional<std::string>>>> difference(const Policy& after,
                                                                                  Scope edits) const;
  Result<std::vector<std::pair<FleetKey, std::optional<std::string>>>> difference(const TopicDocument& after,
                                                                                  Scope edits) const;

 private:
  struct Part {
    std::map<std::uint64_t, std::string> allow, deny, write_protect, read_protect;
    std::map<std::string, std::string> roles, groups;
    std::optional<std::string> policy_members, topics_members;
  };
  const Part& part(Scope scope) const noexcept { return scope == Scope::kFleet ? fleet_ : site_; }

  bool has_site_;
  Part fleet_;
  Part site_;
};

}  // namespace vipauth::fleet
