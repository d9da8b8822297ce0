#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vipauth/auth_service.hpp>
#include <vipauth/curve_key.hpp>
#include <vipauth/live_policy.hpp>
#include <vipauth/policy_store.hpp>
#include <vipauth/zap.hpp>

#include "base/string_hash.hpp"

namespace vipauth {

/// Records strangers as allowed, for a bounded time and number (semantics 3).
///
/// It only edits the policy: whether a peer gets in is for what is read to say. A key
/// that any record names already, in whatever way, is none of its business. May be used from any thread.
class SetupMode {
 public:
  /// \param edit_options  of its edits, which run on the thread of the ZAP handler
  SetupMode(PolicyStore& store, std::shared_ptr<const LivePolicy> live, EditOptions edit_options, LogSink log)
      : store_(store), live_(std::move(live)), edit_options_(std::move(edit_options)), log_(std::move(log)) {}

  Result<void> begin(std::chrono::milliseconds duration, AuthService::SetupLimits limits);
  /// When it returns, nobody more is recorded.
  void end();
  std::optional<Timestamp> until();

  enum class Outcome {
    kStranger,  ///< nothing has become of it
    kInFile,    ///< the file may know the peer by now: read it again, then ask the policy again
    kInPolicy,  ///< the file has been read since the peer was recorded: ask the policy again
  };

  /// Records the peer, where it may.
  Outcome admit(const ZapRequest& request, const CurveKey& key);

  /// Ends it when its time is over, and reminds of it each minute.
  /// \return how long to wait for the next of these, if it is on
  std::optional<std::chrono::milliseconds> keep_time();

 private:
  /// To be logged when the lock is let go.
  using Lines = std::vector<std::pair<LogLevel, std::string>>;

  bool is_on(Timestamp now, Lines& lines);
  void finish(std::string_view why, Lines& lines);
  Outcome record(const ZapRequest& request, const CurveKey& key, Timestamp now, Lines& lines);
  std::string let_in() const;
  void log(const Lines& lines) const;

  PolicyStore& store_;
  const std::shared_ptr<const LivePolicy> live_;
  const EditOptions edit_options_;
  const LogSink log_;

  std::atomic<bool> on_ = false;  // lets strangers pass by without the lock
  std::mutex mutex_;
  Timestamp begun_;
  Timestamp until_;
  Timestamp reminded_;
  Timestamp not_before_;  // the next edit: one that failed is not tried again at once
  AuthService::SetupLimits limits_;
  StringMap<std::uint64_t> recorded_;  // keys, and the generation of the policy that did not know them yet
  StringMap<Timestamp> named_;         // keys that some record names, and when the file may be asked again
  StringMap<std::size_t> of_source_;
  std::string problem_;  // the last one logged
};

}  // namespace vipauth
