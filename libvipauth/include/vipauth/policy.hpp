#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vipauth/auth_record.hpp>
#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// The content of an auth.json: who is allowed, who is denied, and what roles and groups mean.
///
/// It holds every record twice: as it was written (`source`, the truth that is written back) and as it was
/// understood. What is not understood is kept, never matches, and is listed by problems(). Edits change only
/// what they name; unknown fields, unknown records and every order survive. A value: plain data, no file.
/// Source: semantics 2 and 4; VOLTTRON auth_file.py, AuthFile.
class Policy {
 public:
  struct Entry {
    Json source;
    Result<AuthRecord> record;  ///< or why it is not understood; `location` is a pointer from the file's root
  };
  struct Role {
    std::string name;
    Json source;
    Result<std::vector<Capability>> capabilities;
  };
  struct Group {
    std::string name;
    Json source;
    Result<std::vector<std::string>> roles;
  };
  struct Version {
    int major = 1;
    int minor = 4;
  };
  /// The version that this library writes.
  static constexpr Version kVersion{1, 4};

  /// An empty policy of the present version: nobody is allowed.
  VIPAUTH_EXPORT Policy();

  /// Reads the document. Records that cannot be understood are kept and reported, in the deny list too: it is
  /// the engine that refuses to decide by a policy with such a deny record (semantics 2).
  /// \return kInvalidArgument  the document, or allow, deny, groups or roles, has a wrong type
  VIPAUTH_EXPORT static Result<Policy> parse(Json document);

  /// The document with every edit in it.
  VIPAUTH_EXPORT Json to_json() const&;
  VIPAUTH_EXPORT Json to_json() &&;

  /// What the document says besides allow, deny, groups and roles, in its order: an object.
  VIPAUTH_EXPORT Json other_members() const;

  const std::vector<Entry>& allow() const noexcept { return allow_; }
  const std::vector<Entry>& deny() const noexcept { return deny_; }
  const std::vector<Role>& roles() const noexcept { return roles_; }
  const std::vector<Group>& groups() const noexcept { return groups_; }
  VIPAUTH_EXPORT const Role* find_role(std::string_view name) const noexcept;
  VIPAUTH_EXPORT const Group* find_group(std::string_view name) const noexcept;

  /// What the document says of its version; nothing where it says nothing, or nothing readable.
  VIPAUTH_EXPORT std::optional<Version> version() const;

  /// Everything that is not understood, each with its place; in file order, allow before deny.
  VIPAUTH_EXPORT std::vector<Error> problems() const;

  /// Adds a record to the end of the allow list, completed with the fields that VOLTTRON writes, CURVE keys
  /// in their base64url form, and a new user_id where it has none.
  /// \return the record's index
  /// \return kAlreadyExists  `user_id X is already in use at index [2]`, or
  ///                         `entry matches domain, address and credentials at index [2]`
  /// \return what AuthRecord::parse returns
  VIPAUTH_EXPORT Result<std::size_t> add_allow(const Json& record);
  /// Adds records that belong to one user, such as the two keys of a rotation: all or none of them. Each must
  /// be new to the list, but they may share a user_id among themselves.
  VIPAUTH_EXPORT Result<void> add_allow_together(const std::vector<Json>& records);
  /// Gives the user of an allow record a second CURVE key: a copy of the record with `new_key` goes to the
  /// end of the list, and the record at `index` ends at `old_valid_until`, unless it ends before that anyway.
  /// \return the new record's index
  /// \return kNotFound          `invalid index 9`
  /// \return kInvalidArgument   that record has no CURVE key of its own
  /// \return kAlreadyExists     the new key has such a record already, or one of another user
  VIPAUTH_EXPORT Result<std::size_t> add_second_key(std::size_t index, const CurveKey& new_key,
                                                    Timestamp old_valid_until);
  /// As add_allow, for the deny list, where user ids need not be unique.
  VIPAUTH_EXPORT Result<std::size_t> add_deny(const Json& record);

  /// Changes the given fields of an allow record in its place, and nothing else of it; what was not
  /// understood may become so. Null gives a field the value that a new record has: a new user_id, CURVE, no
  /// restriction; a field that VOLTTRON does not know is taken out. With another mechanism go other
  /// credentials.
  /// \return kNotFound        `invalid index 9`
  /// \return kAlreadyExists   as add_allow, of what the change would make equal to another record
  /// \return what AuthRecord::parse returns; `location` is a pointer from the file's root
  VIPAUTH_EXPORT Result<void> update_allow(std::size_t index, const Json& fields);
  /// As update_allow, for the deny list, where records need not be unique.
  VIPAUTH_EXPORT Result<void> update_deny(std::size_t index, const Json& fields);

  /// Removes the records at these indices of the list before the call; an index given twice counts once.
  /// \return kNotFound  `invalid index 9`; nothing is removed
  VIPAUTH_EXPORT Result<void> remove_allow(std::vector<std::size_t> indices);
  VIPAUTH_EXPORT Result<void> remove_deny(std::vector<std::size_t> indices);

  /// Adds a role, in the form in which its capabilities are given.
  /// \return kAlreadyExists  `role "X" already exists`
  /// \return what parse_capabilities returns
  VIPAUTH_EXPORT Result<void> add_role(std::string_view name, Json capabilities);
  /// Gives a role capabilities that it does not have yet, and keeps the form in which it was written (name,
  /// list, map) where that can hold them.
  /// \return kNotFound  `role "X" does not exist`
  /// \return what parse_capabilities returns, of the role too
  VIPAUTH_EXPORT Result<void> add_to_role(std::string_view name, const Json& capabilities);
  /// Takes every grant of these capabilities from a role; those that it does not have do not matter.
  /// \return kNotFound; what parse_capabilities returns of the role
  VIPAUTH_EXPORT Result<void> remove_from_role(std::string_view name,
                                               const std::vector<std::string>& capabilities);
  /// Records and groups may go on naming the role, which then grants nothing.
  /// \return kNotFound
  VIPAUTH_EXPORT Result<void> remove_role(std::string_view name);

  // The same for groups, of which the values are roles, known or not.
  VIPAUTH_EXPORT Result<void> add_group(std::string_view name, const std::vector<std::string>& roles);
  VIPAUTH_EXPORT Result<void> add_to_group(std::string_view name, const std::vector<std::string>& roles);
  VIPAUTH_EXPORT Result<void> remove_from_group(std::string_view name, const std::vector<std::string>& roles);
  VIPAUTH_EXPORT Result<void> remove_group(std::string_view name);

  /// Has callers of a method of the agent `identity` need these capabilities too. They go to the first record
  /// of that identity that lists the method, else to its first record. A list of nothing but "" is replaced.
  /// \return kNotFound         no record that is understood has that identity: the message says which there are
  /// \return kInvalidArgument  a capability without a name; a record whose rpc_method_authorizations is of a
  ///                           wrong type, for which `location` is a pointer from the file's root
  /// Source: semantics 5; VOLTTRON auth.py, add_rpc_authorizations.
  VIPAUTH_EXPORT Result<void> add_rpc_authorizations(std::string_view identity, std::string_view method,
                                                     const std::vector<std::string>& capabilities);
  /// Has callers need them no more: all of them, or none where one is not listed. Of a list that loses its
  /// last, [""] remains: nothing is required, and a registration does not fill it again.
  /// \return as add_rpc_authorizations; kNotFound too for what is not listed: the message says what is
  /// Source: semantics 5; VOLTTRON auth.py, delete_rpc_authorizations.
  VIPAUTH_EXPORT Result<void> remove_rpc_authorizations(std::string_view identity, std::string_view method,
                                                        const std::vector<std::string>& capabilities);
  /// Writes down what the code of the agent `identity` declares, for the methods that no record of it lists
  /// yet, or only as []: in the first record that lists the method, else in its first. Everything else the
  /// records settle.
  /// \param most_methods  that the records of one identity may list together after that
  /// \return kNotFound, kInvalidArgument  as add_rpc_authorizations
  /// \return kLimitExceeded              too many methods, or 256 KiB of names; nothing is written
  /// Source: semantics 5; VOLTTRON auth_service.py, update_id_rpc_authorizations.
  VIPAUTH_EXPORT Result<void> declare_rpc_authorizations(
      std::string_view identity,
      const std::vector<std::pair<std::string, std::vector<std::string>>>& declared,
      std::size_t most_methods);

 private:
  friend class PolicyDocument;  // reads and writes the document part by part

  Json document_;  // of which allow, deny, groups and roles are in the members below
  std::vector<Entry> allow_;
  std::vector<Entry> deny_;
  std::vector<Role> roles_;
  std::vector<Group> groups_;
};

}  // namespace vipauth
