#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <vipauth/clock.hpp>
#include <vipauth/json.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// `fleet.json` of a home: says that auth.json and protected_topics.json there are the copy of what a store
/// of many homes says, and how far it has come. Who edits them anyway loses that at the next change of the
/// store.
class LocalCopy {
 public:
  struct Mark {
    std::string store;  ///< "etcd://host:2379/prefix?site=berlin"
    Json details;       ///< whoever keeps the copy knows what it means
    /// The two files are still those that were there when this was saved.
    bool is_unchanged = false;
    Timestamp synced_at{};  ///< when the copy was last known to say what the store says
  };

  explicit LocalCopy(std::filesystem::path home, StrictModes strict_modes = StrictModes::kOn)
      : home_(std::move(home)), strict_modes_(strict_modes) {}

  /// Nothing: the home is no copy. \return kParseError, kInvalidArgument, kPermissionDenied, kIoError
  VIPAUTH_EXPORT Result<std::optional<Mark>> load() const;
  /// Says so of the two files as they are. \return kPermissionDenied, kIoError
  VIPAUTH_EXPORT Result<void> save(std::string_view store, const Json& details, Timestamp synced_at) const;
  /// The copy still says what the store says. It is the file's own time of change, and so costs no writing.
  VIPAUTH_EXPORT Result<void> note_synced(Timestamp at) const;
  /// The home is no copy any more; the files stay. \return true: it was one
  VIPAUTH_EXPORT Result<bool> remove() const;

  /// Whether the two files are for editing in the home. What is not understood counts as a mark.
  /// \return kConflict  they are a copy: the message says where to edit, without what could be a password
  VIPAUTH_EXPORT Result<void> check_edited_here() const;

  VIPAUTH_EXPORT std::filesystem::path path() const;

 private:
  std::filesystem::path home_;
  StrictModes strict_modes_;
};

}  // namespace vipauth
