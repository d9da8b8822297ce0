#pragma once

#include <string>
#include <string_view>

#include <vipauth/file_edit.hpp>
#include <vipauth/result.hpp>

namespace vipauth::fleet {

/// What each edit leaves beside what it changes: who has made the last one, so that the next one knows
/// whether it has seen it, and whether an edit whose answer was lost was made.
struct FleetGuard {
  std::string edit;      ///< a UUID
  std::string who;       ///< as in the history of a file
  std::string command;   ///< "auth add"
  std::string time;      ///< ISO 8601
  bool partial = false;  ///< a push is under way: until it ends, nothing of this counts
  /// The edit was of the fleet and of this site at once: the guard of each was written. Empty: of one alone.
  std::string with_site = {};

  /// One of a new edit.
  static FleetGuard of(const EditOptions& options);
  /// What is not understood, or too long, is no guard that anybody of ours has written: all is empty. Texts
  /// are cut off where they are long, and control characters are left out: they are for logs.
  static FleetGuard parse(std::string_view text);
  std::string to_text() const;
};

}  // namespace vipauth::fleet
