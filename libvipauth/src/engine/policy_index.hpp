#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vipauth/auth_record.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/policy.hpp>
#include <vipauth/policy_sink.hpp>
#include <vipauth/result.hpp>

#include "base/string_hash.hpp"
#include "engine/grant_profiles.hpp"
#include "engine/name_table.hpp"
#include "engine/record_table.hpp"

namespace vipauth {

/// What records say together of one method of an agent.
struct ListedMethod {
  std::vector<std::string> required;
  bool settled = false;  ///< something stands there, be it [""]: what the code declares does not count
  friend bool operator==(const ListedMethod&, const ListedMethod&) = default;
};

/// What records say of the methods of one agent.
struct ListedMethods {
  StringMap<ListedMethod> methods;
  std::optional<std::uint32_t> unreadable;  ///< an allow record of it that cannot be read
  friend bool operator==(const ListedMethods&, const ListedMethods&) = default;
};

/// Everything that decisions need of an auth.json, at any time: about 150 bytes a record.
///
/// Made once, by PolicyIndexBuilder; what counts at a moment is in an Activity. Allow records have the
/// numbers that they have in the file.
class PolicyIndex {
 public:
  static constexpr std::uint32_t kNone = IdSlots::kNone;

  const RecordTable& allow() const noexcept { return allow_; }
  const RecordTable& deny() const noexcept { return deny_; }
  const RecordTables& tables() const noexcept { return tables_; }
  const NameTable& names() const noexcept { return names_; }

  /// The user's first allow record; the others follow by next_of_user, in file order. kNone: none.
  std::uint32_t first_of_user(NameTable::Id user) const noexcept {
    return user < first_of_user_.size() ? first_of_user_[user] : kNone;
  }
  const GrantSet& grants_of(std::uint32_t allow_record) const noexcept {
    return profiles_.grants_of(allow_record, allow_[allow_record].grants);
  }
  /// Whom the restrictions of its grants may name.
  TemplateSubject holder_of(std::uint32_t allow_record) const noexcept {
    const CompactRecord& record = allow_[allow_record];
    return {names_[record.user],
            record.identity == NameTable::kNone ? std::string_view() : names_[record.identity]};
  }
  std::size_t grant_count(std::uint32_t allow_record) const noexcept {
    return profiles_.size_of(allow_[allow_record].grants);
  }

  /// Whose name this is: the first record that has it as user_id or identity, and whether another user's has,
  /// too.
  struct Owner {
    std::uint32_t record = kNone;
    bool several = false;
  };
  Owner owner_of(NameTable::Id name) const noexcept {
    return name < owners_.size() ? unpack(owners_[name]) : Owner{};
  }
  /// True where a record that is understood gives this identity.
  bool gives_identity(NameTable::Id name) const noexcept {
    return name < is_identity_.size() && is_identity_[name];
  }

  const StringMap<ListedMethods>& methods() const noexcept { return methods_; }
  /// Why the file must not be put in force: the first deny record that is not understood.
  const std::optional<Error>& bad_deny_record() const noexcept { return bad_deny_record_; }

 private:
  friend class PolicyIndexBuilder;
  static constexpr std::uint32_t kSeveral = 0x80000000;

  static Owner unpack(std::uint32_t packed) noexcept {
    if (packed == kNone) return {};
    return {packed & ~kSeveral, (packed & kSeveral) != 0};
  }

  RecordTable allow_;
  RecordTable deny_;
  RecordTables tables_;
  NameTable names_;
  GrantProfiles profiles_;
  std::vector<std::uint32_t> first_of_user_;  // by name
  std::vector<std::uint32_t> owners_;         // by name: a record, with kSeveral
  std::vector<bool> is_identity_;             // by name
  StringMap<ListedMethods> methods_;
  std::optional<Error> bad_deny_record_;
};

/// Makes an index of the parts of an auth.json.
class PolicyIndexBuilder : public PolicySink {
 public:
  PolicyIndexBuilder() : index_(std::make_shared<PolicyIndex>()) {}

  /// A record that is not understood finds nobody, but nobody else may use its names, and what it lists for
  /// the methods of its identity is required.
  void on_allow(const AuthRecord& record) override;
  void on_unreadable_allow(const Json& source, const Error& problem) override;
  void on_deny(const AuthRecord& record) override;
  void on_unreadable_deny(const Json& source, const Error& problem) override;
  void on_role(const Policy::Role& role) override;
  void on_group(const Policy::Group& group) override;
  /// An allow record that is left out.
  void skip_allow() { index_->allow_.add_unreadable({}); }

  /// A record with more grants of its own than CapabilityResolver::kMaxGrantsPerUser gets none.
  std::shared_ptr<const PolicyIndex> finish() &&;

 private:
  CompactRecord compact(const AuthRecord& record);
  void chain_user(std::uint32_t record, NameTable::Id user);
  void own(NameTable::Id name, std::uint32_t record, NameTable::Id user);
  void list_methods(const std::string& identity, const MethodAuthorizations& authorizations,
                    std::uint32_t id);

  std::shared_ptr<PolicyIndex> index_;
  std::vector<std::uint32_t> last_of_user_;  // by name
};

/// What counts at a moment.
struct Activity {
  std::vector<bool> allow;  ///< by record: enabled, within its time, and not denied as a whole (semantics 2)
  std::vector<bool> deny;
  std::optional<Timestamp> next_change;  ///< the next moment at which a record begins or ceases to be valid
};

Activity activity_at(const PolicyIndex& index, Timestamp now);

/// The index of a whole policy.
/// \param records  of the allow list, in file order: those whose flag is false are left out; empty: all
std::shared_ptr<const PolicyIndex> index_of(const Policy& policy, const std::vector<bool>& records = {});

}  // namespace vipauth
