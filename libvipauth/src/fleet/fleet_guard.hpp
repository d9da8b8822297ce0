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

  /// One of a new edit.
  static FleetGuard of(const EditOptions& options);
  /// What is not understood is no guard that anybody of ours has written: all is empty.
  static FleetGuard parse(std::string_view text);
  std::string to_text() const;
};

}  // namespace vipauth::fleet
