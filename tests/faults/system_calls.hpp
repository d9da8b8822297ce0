#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace vipauth::test {

/// What stands between this program and the system: each call on what is below one folder is counted, and one
/// of them may fail, write only half, or be the last that the process makes. Below it no call syncs really:
/// what would be on the disk is kept account of instead.
class SystemCalls {
 public:
  enum class Kind {
    kOpen,
    kCreate,
    kRead,
    kWrite,
    kSync,
    kClose,
    kRename,
    kRenameSpecially,  // a swap, or one that replaces nothing: not every file system has them
    kLink,
    kUnlink,
    kMakeFolder,
    kTruncate,
    kChangeMode,
    kChangeOwner,
    kLock,
    kLook,  // stat and its kin
    kList   // a folder
  };

  /// What befalls the call with the number `at`, counted from 1.
  struct Fault {
    enum class What {
      kNothing,
      kFails,         ///< with an error of errors_of(kind)
      kFailsOn,       ///< and so does each later call that can fail so: a disk that is full stays full
      kDoesHalf,      ///< a write or a read of less than was asked for
      kKills,         ///< the process ends before the call
      kKillsHalfway,  ///< and in the midst of a write
      kMeanwhile,     ///< somebody else does something before the call
    };
    What what = What::kNothing;
    std::size_t at = 0;
    std::size_t error = 0;  ///< which of errors_of(kind)
    std::function<void()> meanwhile = {};
  };

  /// What a power cut takes away with the process, of what was not synced.
  enum class PowerCut {
    kNone,
    kLosesAll,   ///< names that the folder was not synced for, and content
    kTearsData,  ///< names stay, content is torn: the disk wrote the one before the other
    kHalf,       ///< the older half of the names stays, content is lost
  };

  /// The exit code of a process that a fault ended.
  static constexpr int kKilled = 99;

  /// What a fault hit.
  struct Hit {
    bool happened = false;
    bool has_error = true;  ///< false: there is no such error of this kind of call
    Kind kind = Kind::kOpen;
    int error = 0;
    std::string name;  ///< of the call, and the file
  };

  /// Begins to count, below `folder`. `undo_folder` is on the same file system, for what a power cut would
  /// bring back.
  static void begin(const std::filesystem::path& folder, const std::filesystem::path& undo_folder,
                    const Fault& fault, PowerCut power_cut = PowerCut::kNone);
  /// Ends it.
  static Hit end();
  /// How many calls there were since begin().
  static std::size_t count();
  /// How many descriptors were opened since begin() and are open still.
  static std::size_t count_open();
  /// A file that was opened since begin() so that a program that is started would inherit it, or so that a
  /// symbolic link would be followed; empty: none.
  static std::string careless_open();
  /// The power goes now. The process must end.
  static void cut_power();

  static const std::vector<int>& errors_of(Kind kind);
};

}  // namespace vipauth::test
