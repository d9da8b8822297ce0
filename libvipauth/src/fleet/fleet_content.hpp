#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vipauth/policy.hpp>
#include <vipauth/policy_document_sink.hpp>
#include <vipauth/result.hpp>
#include <vipauth/topic_document.hpp>

#include "fleet/fleet_layout.hpp"

namespace vipauth::fleet {

/// A key, and what becomes its value; nothing: it goes.
using KeyChange = std::pair<FleetKey, std::optional<std::string>>;
using KeyChanges = std::vector<KeyChange>;

/// The policy of a fleet as keys and their values, and of one site where there is one.
///
/// What a bus decides by is made of both: the fleet's records before the site's, in both lists; roles and
/// groups of either, the fleet's where both have one of that name; all rules for topics of both; other
/// members, the fleet's first. The deny list is asked first (semantics 2): no site can let in whom the fleet
/// denies.
///
/// What is not understood keeps its place, as in a file. So a site that denies by what is not understood, or
/// protects a topic so, has its own buses keep what they had, and no others. A key of a list whose rank is
/// none stands for a record, or a rule, that is not understood, whatever its value says.
class FleetContent {
 public:
  /// Between the ranks of neighbours, so that something may be put between them.
  static constexpr std::uint64_t kRankStep = std::uint64_t{1} << 20U;

  explicit FleetContent(bool has_site) : has_site_(has_site) {}

  /// Takes over what happened to a key. The guard's is nothing, nor what is a site's where there is none.
  /// Records, rules, roles and groups are kept in the form that Json::dump gives them.
  void apply(const FleetKey& key, std::optional<std::string> value);

  /// Roles and groups are sorted by name, the fleet's first. What a site adds cannot make this fail.
  /// \return what Policy::parse returns; kUnsupported  the fleet's is of another version
  Result<Policy> policy() const;
  /// What keeps policy() from being put in force: its error, or that of a deny record. Nothing: nothing does.
  std::optional<Error> policy_problem() const;
  /// Hands over the text of an auth.json that says what policy() says, a record on each line, in pieces until
  /// `write` returns false. It takes no more memory than its longest line.
  void write_policy(const std::function<bool(std::string_view)>& write) const;
  /// A list without rules is left out.
  /// \return what TopicDocument::parse returns; `location` begins with the key: "fleet/write-protect/..."
  Result<TopicDocument> topics() const;
  std::size_t size() const noexcept;  ///< keys
  /// True where they say the same in the same words.
  bool has_same_policy(const FleetContent& other) const;
  bool has_same_topics(const FleetContent& other) const;
  /// What the fleet says without the site.
  FleetContent fleet_part() const;
  /// What the site adds, without the fleet's.
  FleetContent site_part() const;
  /// Of what the site adds what denies and protects, and so opens nothing.
  FleetContent site_restrictions() const;
  /// Puts what another site adds, or the same at another time, in the place of this one's.
  void swap_site(FleetContent& other) noexcept { std::swap(site_, other.site_); }
  bool has_site_content() const noexcept { return site_.size() > 0; }
  /// The key of "/allow/3" of policy(), or of "/write-protect/3" of topics(). Nothing: there is no such
  /// place.
  std::optional<FleetKey> key_at(FleetKey::Kind kind, std::size_t index) const;

  /// What stands there without counting: roles, groups and members of a site that has the fleet's of the same
  /// name, members that are no object or may not be there. `location` is the key. What is in a document is
  /// not listed.
  std::vector<Error> problems() const;

  /// The values of one kind and scope, in order: for push, pull and the local copy's index. Without the keys
  /// whose ranks are none.
  const std::map<std::uint64_t, std::string>& list(Scope scope, FleetKey::Kind kind) const;
  const std::map<std::string, std::string>& names(Scope scope, FleetKey::Kind kind) const;

  /// What makes the content mean `after`, where policy() is what an edit began with. What is new goes to the
  /// end of `edits`, or where it stands among what is there already; what is changed stays in its place. The
  /// order between the fleet's and the site's is not an edit's to change.
  ///
  /// Of two records with the same text, one of each scope, the one of `edits` goes. With a role of the fleet
  /// goes the site's of that name, which would come to count. Should changes be made one by one, their order
  /// leaves little open between: what denies and protects comes first, then what takes away, what allows is
  /// the last that is added, and what denies goes last.
  /// \return kPermissionDenied  the edit changes what is the fleet's, and `edits` is the site: the message names the
  ///                            first such record, role or group, and says how to edit the fleet
  /// \return kUnsupported       `after` is of another version
  /// \return kInvalidArgument   it holds what cannot be written, as AuthFile::edit says; there is no site
  Result<KeyChanges> difference(const Policy& after, Scope edits) const;
  Result<KeyChanges> difference(const TopicDocument& after, Scope edits) const;

  /// What policy() and topics() leave out: with them it is the whole content.
  Json index() const;
  /// The content again. Texts may be written in another way; policy(), topics() and index() are the same.
  /// \param read_policy  hands over the document of the policy, in which each list stands once
  /// \return what read_policy returns
  /// \return kInvalidArgument  it is no index; kUnsupported  it is of another version
  /// \return kConflict         it is of another policy, or other topics
  static Result<FleetContent> restore(const std::function<Result<void>(PolicyDocumentSink&)>& read_policy,
                                      const TopicDocument& topics, const Json& index);

 private:
  using Kind = FleetKey::Kind;
  using Names = std::map<std::string, std::string>;
  using Members = std::optional<std::string>;
  struct List {
    std::map<std::uint64_t, std::string> ranked;
    std::set<std::string> malformed;  // what stands for a rank; first in the document
    std::size_t size() const noexcept { return ranked.size() + malformed.size(); }
    bool operator==(const List&) const = default;
  };
  struct Part {
    List allow, deny, write_protect, read_protect;
    Names roles, groups;
    Members policy_members, topics_members;
    std::size_t size() const noexcept;  ///< keys
  };
  class Restoring;

  static Json present_version();
  /// Why this program can make nothing of the fleet's policy.
  std::optional<Error> version_problem() const;
  static List Part::* list_at(Kind kind) noexcept;
  static Names Part::* names_at(Kind kind) noexcept;
  static Members Part::* members_at(Kind kind) noexcept;
  Part& part(Scope scope) noexcept { return scope == Scope::kFleet ? fleet_ : site_; }
  const Part& part(Scope scope) const noexcept { return scope == Scope::kFleet ? fleet_ : site_; }

  /// Of a role or group of the site: the fleet has one of that name.
  bool is_hidden(Kind kind, const std::string& name) const;
  Json merged_list(Kind kind) const;
  Json merged_names(Kind kind) const;
  /// The members that are stored, and of these those that count.
  Json::Object stored_members(Scope scope, Kind kind) const;
  Json::Object members(Scope scope, Kind kind) const;
  std::vector<Error> idle_members(Scope scope, Kind kind) const;

  Result<void> check_scope(Scope edits) const;
  Result<void> add_list_changes(Kind kind, const std::vector<const Json*>& after, Scope edits,
                                KeyChanges& changes) const;
  Result<void> add_name_changes(Kind kind, const std::map<std::string_view, const Json*>& after, Scope edits,
                                KeyChanges& changes) const;
  Result<void> add_member_changes(Kind kind, const Json::Object& after, Scope edits,
                                  KeyChanges& changes) const;

  bool has_site_;
  Part fleet_;
  Part site_;
};

/// Of the members of a document, those that have keys of their own, or are always there.
bool is_reserved_member(FleetKey::Kind members, std::string_view name);
const Json::Member* find_member(const Json::Object& object, std::string_view name);

}  // namespace vipauth::fleet
