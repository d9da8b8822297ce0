#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <vipauth/fleet_follower.hpp>
#include <vipauth/home_store.hpp>

#include "fleet/etcd_client.hpp"
#include "fleet/fleet_edit.hpp"
#include "fleet/fleet_layout.hpp"
#include "fleet/home_copy.hpp"
#include "fleet/pending_exchange.hpp"
#include "fleet/range_watcher.hpp"
#include "fleet/watch_lag.hpp"

namespace vipauth::fleet {

/// What a follower knows, and the threads that keep it: two watchers, one for each scope, that are told what
/// happens, and a keeper, which does everything else. No lock is held while somebody else's code is called
/// but `content_mutex`, and that only while an edit is worked out.
class FollowedFleet {
 public:
  FollowedFleet(const std::filesystem::path& home, FleetFollower::Options options, EtcdClient client);
  FollowedFleet(const FollowedFleet&) = delete;
  FollowedFleet& operator=(const FollowedFleet&) = delete;
  ~FollowedFleet();  ///< wipes the password of the options

  /// Takes over what the home is a copy of, and starts the keeper.
  void start();
  /// Waits for the threads' end.
  void stop();

  FleetFollower::Status status() const;
  /// Waits until the home was known to say what the store says, at a moment not before the call.
  Result<void> wait_until_synced(std::chrono::milliseconds patience) const;
  /// Since the home was last known to say so. Nothing: never, or a clock was set back since.
  std::optional<std::chrono::milliseconds> age() const;

  HomeStore& home() noexcept { return home_store_; }

  Result<EditReport> edit_policy(const AuthFile::Change& change, const EditOptions& options);
  Result<EditReport> edit_topics(const TopicsFile::Change& change, const EditOptions& options);

 private:
  /// Of the last edit that is known of each scope, at a moment when the store was known to have it.
  struct Proof {
    Revisions revisions{};
    std::array<std::string, 2> edits;
  };
  static Proof proof_of(const Revisions& revisions, const Stands& stands);
  struct LogLine {
    LogLevel level;
    std::string text;
  };
  enum class Proving { kSame, kOther, kUnknown };

  // ---- The keeper's ----
  void run(const std::stop_token& stop);
  bool step(const std::stop_token& stop);
  void restore();
  bool read_all();
  Proving prove();
  void start_watchers();
  void stop_watchers();
  void write_home();
  Result<void> write_fleet_without_news_of_site();
  Result<void> write_with_site(FleetContent& site, HomeCopy::OfSite of_site);
  void note_written();
  void check();
  struct Comparison {
    Proving proving = Proving::kSame;
    std::array<bool, 2> is_behind{};  ///< by scope: the store has edits that were not told
    Revisions revisions{};            ///< of the store, when it was asked
    std::optional<Error> problem;
  };
  Comparison compare_guards(const Stands& told, EtcdClient::Deadline deadline = {}) const;
  void exchange_pending();
  void note_revisions_now_and_then(bool is_end);

  // ---- The watchers' ----
  void on_events(Scope scope, const WatchEvents& told);
  void on_gap();
  void on_watch_problem(Scope scope, const std::optional<Error>& problem);

  // ---- Anybody's ----
  Result<void> check_history(std::chrono::steady_clock::time_point deadline) const;
  template <typename Document, typename Change, typename Meaning>
  Result<EditReport> edit(const Change& change, const EditOptions& options, Meaning meaning);
  // Of what `mutex_` guards.
  std::optional<Error> problem() const;
  bool needs_proof() const noexcept { return proved_ != interruptions_; }
  /// Sets one of the problems, which `mutex_` guards, and has it logged where it is another one.
  void note(std::optional<Error>& place, std::optional<Error> problem, const char* what);
  void log(LogLevel level, std::string text) const;
  void flush_log() const noexcept;
  void tell_failure(const char* what) noexcept;

  FleetFollower::Options options_;
  const FleetLayout layout_;
  const EtcdClient client_;
  const HomeCopy copy_;
  HomeStore home_store_;
  PendingExchange pending_exchange_;

  // What is known. Held while it is written to the home, which may take seconds.
  mutable std::mutex content_mutex_;
  Followed followed_;
  HomeCopy::Parts changed_;                // since it was written
  std::optional<FleetContent> good_site_;  // what the site added last that could be put in force
  HomeCopy::OfSite good_site_is_ = HomeCopy::OfSite::kAll;
  bool is_site_changed_ = true;   // since then
  bool is_fleet_changed_ = true;  // since it was written, with whatever of the site

  // How it stands; taken after the other where both are, and for moments.
  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_cv_;
  bool is_loaded_ = false;
  bool has_news_ = false;   // what is known is more than what the home says
  bool wants_all_ = false;  // all is to be read again
  // A store that answers again must prove to be the one whose edits are known.
  std::uint64_t interruptions_ = 0;
  std::uint64_t proved_ = 0;          // up to which of them
  mutable bool wants_check_ = false;  // now, not at the next interval
  std::size_t keys_ = 0;
  Revisions written_{};    // to the home
  Stands written_stands_;  // the same
  std::optional<Timestamp> synced_at_;
  std::optional<std::chrono::nanoseconds> synced_at_since_boot_;  // since the start
  std::uint64_t checks_ = 0;                                      // that were begun
  std::uint64_t good_check_ = 0;  // the last that found the home to say what the store says
  std::array<std::optional<Error>, 2> follow_problems_;
  std::optional<Error> read_problem_, write_problem_, check_problem_, pending_problem_;
  std::uint64_t edits_ = 0;
  std::uint64_t full_reads_ = 0;
  mutable std::vector<LogLine> log_lines_;

  // The keeper's own.
  Proof proof_;
  std::array<WatchLag, 2> lags_;
  std::chrono::steady_clock::time_point next_note_;
  Revisions noted_{};  // in the home
  std::array<std::unique_ptr<RangeWatcher>, 2> watchers_;
  std::jthread keeper_;
};

}  // namespace vipauth::fleet
