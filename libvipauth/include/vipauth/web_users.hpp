#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/file_edit.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// The `web-users.json` file of a home: who may log in to the web, and in which groups they are.
/// `{"NAME": {"hashed_password": "$argon2id$...", "groups": ["admin"]}}`, as VOLTTRON writes and reads it.
///
/// Every change is one transaction: lock, read again, change, temporary file (0600), fsync, rename. A file
/// that cannot be read is refused and left untouched; users and members that are not understood stay in it.
/// Any number of processes may change it at once. Each change is a line of the home's audit log, where there
/// is one; that this failed is a warning. Source: VOLTTRON admin_endpoints.py, AdminEndpoints.add_user.
class WebUsers {
 public:
  static constexpr std::size_t kMaxNameBytes = 64;
  static constexpr std::size_t kMinPasswordBytes = 8;
  static constexpr std::size_t kMaxPasswordBytes = 1024;
  static constexpr std::size_t kMaxUsers = 1000;
  static constexpr std::string_view kAdmin = "admin";  ///< the group that may use the administrator's API

  struct User {
    std::string name;
    std::vector<std::string> groups;
    std::string stamp;  ///< differs as soon as anything of the user does; tells nothing of the password

    VIPAUTH_EXPORT bool is_admin() const;
  };

  explicit WebUsers(std::filesystem::path path, StrictModes strict_modes = StrictModes::kOn)
      : path_(std::move(path)), strict_modes_(strict_modes) {}

  const std::filesystem::path& path() const noexcept { return path_; }

  /// Those that are understood, in file order; a missing file has none.
  /// \param warnings  a line for each other entry
  /// \return kParseError, kInvalidArgument  not a JSON object; kPermissionDenied, kIoError
  VIPAUTH_EXPORT Result<std::vector<User>> list(std::vector<std::string>* warnings = nullptr) const;
  /// \return kNotFound; what list() returns
  VIPAUTH_EXPORT Result<User> get(std::string_view name) const;

  /// The user, if this is the password. Takes the time of one Argon2id hash, and its memory (64 MiB for those
  /// of add()); for a user who does not exist the hash of another one is checked.
  /// \return kPermissionDenied  no such user, or not the password: the same message
  /// \return kUnavailable       the file cannot be used, with why
  VIPAUTH_EXPORT Result<User> verify(std::string_view name, std::string_view password) const;

  enum class Existing { kRefuse, kReplace };
  /// Adds a user, or gives one that is there another password and these groups; other members stay.
  /// \return kInvalidArgument  a name other than 1 to 64 of `[A-Za-z0-9_.@-]`, a password of other lengths,
  ///                           or a group's name that holds anything else
  /// \return kAlreadyExists, kLimitExceeded; what list() returns
  VIPAUTH_EXPORT Result<EditReport> add(std::string_view name, std::string_view password,
                                        const std::vector<std::string>& groups, Existing existing,
                                        const EditOptions& options = {}) const;
  /// Also of an entry that is not understood. \return kNotFound; what list() returns
  VIPAUTH_EXPORT Result<EditReport> remove(std::string_view name, const EditOptions& options = {}) const;

 private:
  std::filesystem::path path_;
  StrictModes strict_modes_;
};

}  // namespace vipauth
