#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <vipauth/capability.hpp>
#include <vipauth/result.hpp>

#include "base/string_hash.hpp"
#include "engine/grant.hpp"

namespace vipauth {

/// Grants sorted by capability; those of one capability in the order of their sources.
using GrantSet = std::vector<const Grant*>;

/// Those of one capability.
std::span<const Grant* const> named_grants(const GrantSet& set, std::string_view capability);

/// What records grant: many records mostly grant the same few things, which are kept once.
///
/// First every record's profile is interned, and the roles and groups are given; then expand() makes grants
/// of them, for each profile once, or for each record where they speak of {user_id} or {identity}.
class GrantProfiles {
 public:
  using Id = std::uint32_t;
  static constexpr Id kNothing = 0;

  GrantProfiles();

  /// \param holder  of a restriction that is its name, only that is kept
  Id intern(const std::vector<Capability>& own, const std::vector<std::string>& roles,
            const std::vector<std::string>& groups, const TemplateSubject& holder);
  void add_role(std::string_view name, const Result<std::vector<Capability>>& capabilities);
  void add_group(std::string_view name, const Result<std::vector<std::string>>& roles);

  /// Makes the grants of all profiles. Call it once, when everything is added.
  /// \param most  of a profile: where there are more, none are made
  void expand(std::size_t most);

  /// True where each record has grants of its own: expand_for() makes them.
  bool is_template(Id profile) const noexcept { return profiles_[profile].is_template; }
  /// \param record  the number by which grants_of() knows it
  void expand_for(std::uint32_t record, Id profile, const TemplateSubject& subject);

  const GrantSet& grants_of(std::uint32_t record, Id profile) const noexcept;
  /// How many grants a record of this profile has, as they are written.
  std::size_t size_of(Id profile) const noexcept { return profiles_[profile].size; }

 private:
  struct Profile {
    std::vector<Capability> own;
    std::vector<std::string> roles;  // with those of the groups, once expanded; known ones, sorted, each once
    std::vector<std::string> groups;
    bool is_template = false;
    bool is_too_large = false;
    std::size_t size = 0;
    GrantSet grants;
  };
  struct Role {
    std::vector<Capability> capabilities;
    bool is_template = false;
    std::optional<GrantSet> shared;
    std::shared_ptr<const std::string> source;
  };

  void find_roles(Profile& profile) const;
  GrantSet make(const Profile& profile, const TemplateSubject& subject);
  void append(const std::vector<Capability>& capabilities, const TemplateSubject& subject,
              const std::shared_ptr<const std::string>& source, GrantSet& out);
  void append_role(Role& role, const TemplateSubject& subject, GrantSet& out);

  std::deque<Grant> grants_;  // addresses stay
  std::vector<Profile> profiles_;
  std::unordered_map<std::string, Id> ids_;
  std::string key_;  // of the profile that is looked for
  StringMap<Role> roles_;
  StringMap<std::vector<std::string>> groups_;
  std::unordered_map<std::uint32_t, GrantSet> of_records_;
};

}  // namespace vipauth
