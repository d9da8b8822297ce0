#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <vipauth/clock.hpp>
#include <vipauth/export.hpp>

namespace vipauth {

/// Who edits a file, and by what: for its history. Never a secret: no values from a command line.
struct EditNote {
  std::string who;      ///< empty: the user of the process
  std::string command;  ///< "auth add"
  /// A program edits without anybody's telling it. Such edits in a row are one in the history, which keeps
  /// what was before the first.
  bool is_automatic = false;
};

/// Whom the note names, else the user of the process.
VIPAUTH_EXPORT std::string editor_of(const EditNote& note);

struct EditOptions {
  std::chrono::milliseconds patience = std::chrono::seconds(60);  ///< how long to wait for the file's lock
  EditNote note;
  Clock clock = system_now;
};

/// What an edit did beside the change itself, for the operator to know.
struct EditReport {
  bool written = false;               ///< false: the change changed nothing
  std::vector<std::string> warnings;  ///< "comments ... are kept in auth.json.commented.bak"
};

}  // namespace vipauth
