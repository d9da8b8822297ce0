#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <vipauth/auth_file.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/local_copy.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>
#include <vipauth/topics_file.hpp>

#include "fleet/fleet_reader.hpp"

namespace vipauth::fleet {

constexpr std::size_t at(Scope scope) noexcept { return static_cast<std::size_t>(scope); }

/// Of each scope: up to which revision.
using Revisions = std::array<std::int64_t, 2>;

/// What a bus knows of its fleet and its site.
struct Followed {
  FleetState state{true};
  Revisions revisions{};
};

/// The files of a home that are a copy of what a store says.
class HomeCopy {
 public:
  /// \param store  as its address is written
  HomeCopy(const std::filesystem::path& home, StrictModes strict_modes, std::string store, Clock clock);

  struct Restored {
    std::optional<Followed> followed;    ///< what the files are a copy of
    std::optional<Timestamp> synced_at;  ///< when they were last known to say what the store says
    std::optional<std::string> remark;   ///< why there is nothing, where there should be
    std::optional<FleetContent> site;    ///< where the files have some of the site: this
  };
  Restored restore() const;

  /// What differs from what was written last.
  struct Parts {
    bool policy = false;
    bool topics = false;
  };
  /// Whether what is written of the site is all of it, as it was at the revision that is told.
  enum class OfSite { kAll, kSome };
  /// Makes the files say what is known, in the order of TopicsFile::replace_with. Files that somebody else
  /// has written are written as a whole.
  /// \return what FleetContent and PolicySnapshot::compile say of what cannot be put in force, and then nothing
  ///         was written; kBusy  a push is under way; what AuthFile and TopicsFile return
  Result<void> write(const Followed& followed, Parts changed, OfSite of_site = OfSite::kAll) const;

  /// The files still say what is known at these revisions; where somebody else has written them this is not
  /// noted.
  Result<void> note_revisions(const Followed& followed, const Revisions& revisions) const;
  Result<void> note_synced(Timestamp at) const { return mark_.note_synced(at); }

 private:
  bool is_ours() const;
  Result<EditReport> write_policy(const FleetContent& content, const TopicDocument& topics, bool is_known,
                                  const EditOptions& options) const;
  EditOptions edit_options(const Stands& stands) const;

  const std::string store_;
  const Clock clock_;
  const AuthFile auth_file_;
  const TopicsFile topics_file_;
  const LocalCopy mark_;
};

}  // namespace vipauth::fleet
