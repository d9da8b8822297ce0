#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/etcd_options.hpp>
#include <vipauth/result.hpp>
#include <vipauth/store_address.hpp>

namespace vipauth::fleet {

struct KeyValue {
  std::string key;
  std::string value;
  std::int64_t create_revision = 0;
  std::int64_t mod_revision = 0;
};

/// Keys from `key` on, before `range_end`; without a range_end, one key.
struct RangeQuestion {
  std::string key;
  std::string range_end = {};
  std::int64_t limit = 0;         ///< 0: all
  std::int64_t revision = 0;      ///< as it was then; 0: now
  std::int64_t min_revision = 0;  ///< only what was changed at this revision or later
  bool keys_only = false;
};

struct RangeAnswer {
  std::int64_t revision = 0;  ///< of the cluster
  std::vector<KeyValue> values;
  bool has_more = false;
};

/// What must be so for a transaction to be made.
struct Compare {
  enum class Field { kCreateRevision, kModRevision };
  std::string key;
  Field field = Field::kModRevision;
  std::int64_t equals = 0;  ///< 0: there is no such key
};

struct Mutation {
  std::string key;
  std::optional<std::string> value;  ///< nothing: the key goes
  std::string range_end = {};        ///< of what goes: all keys before it
};

struct TxnAnswer {
  bool succeeded = false;  ///< false: a comparison failed, and nothing was done
  std::int64_t revision = 0;
};

struct ClusterStatus {
  std::string version;     ///< "3.4.23"
  std::string cluster_id;  ///< decimal
  std::int64_t revision = 0;
};

/// What a watch is told. Revisions only grow.
struct WatchEvents {
  std::int64_t revision = 0;     ///< up to which all is told
  std::vector<Mutation> events;  ///< in the order in which they happened; none: only that time has passed
  std::vector<std::int64_t> revisions;  ///< of each event
};

/// Why a watch ended.
struct WatchEnd {
  enum class Why { kStopped, kCompacted, kFailed };
  Why why = Why::kStopped;
  std::int64_t compact_revision = 0;  ///< of kCompacted: the oldest that can be watched from
  Error error;                        ///< of kFailed, kCompacted
};

/// etcd's JSON gateway (/v3/kv/range, /v3/kv/txn, /v3/watch, /v3/auth/authenticate, /v3/maintenance/status),
/// of etcd 3.4 or newer: what is asked goes to one member after the other until one answers. May be used from
/// any thread.
///
/// What no member takes for want of a leader is asked again until the options' timeout, for they choose one;
/// so is a question that they do not answer while they do.
///
/// Every error is an Error of these: kUnavailable  no member got the question (the message names each, and
/// why); kIoError  one may have got it, but there is no answer; kPermissionDenied  not trusted, or not
/// allowed to this user; kLimitExceeded  the answer is too large, or etcd's quota is used up, or the request
/// too large for it; kBusy  there is no leader, or too many requests; kConflict  the revision that was asked
/// for is compacted, or not there yet; kInvalidArgument  a question that etcd does not take; kParseError  an
/// answer that etcd never gives.
class EtcdClient {
 public:
  /// As many operations as etcd takes in one transaction, by its own default.
  static constexpr std::size_t kMostOperations = 128;
  /// Longest answer that is read.
  static constexpr std::size_t kMaxAnswerBytes = std::size_t{16} << 20U;

  /// Asks nobody yet, but reads the files that the options name.
  /// \return kInvalidArgument  options that do not fit the address or each other: TLS without authorities; files for
  ///                           TLS, but no TLS; a password that would go in clear to another host
  /// \return kNotFound, kIoError, kLimitExceeded, kPermissionDenied, kParseError, kConflict  one of the files
  static Result<EtcdClient> create(const StoreAddress& address, EtcdOptions options);

  EtcdClient(EtcdClient&&) noexcept;
  EtcdClient& operator=(EtcdClient&&) noexcept;
  ~EtcdClient();

  /// Until when an answer is waited for, where that is before the options' timeout is over.
  using Deadline = std::optional<std::chrono::steady_clock::time_point>;

  Result<RangeAnswer> range(const RangeQuestion& question, Deadline deadline = {}) const;

  /// Whatever went wrong, a transaction may have been made, or may be made later, unless is_certain(error).
  /// It is sent to another member only where the first one cannot have got it, or has refused it for want of
  /// a leader.
  Result<TxnAnswer> txn(const std::vector<Compare>& compares, const std::vector<Mutation>& mutations,
                        Deadline deadline = {}) const;
  /// Of an error of txn(): nothing was done, nor will be.
  static bool is_certain(const Error& error);

  Result<ClusterStatus> status() const;

  /// Tells what happens to these keys from `start_revision` on (0: from now on), until it is stopped or
  /// cannot go on. Transactions are told whole. It tells at once that it stands, and then at least every
  /// `timeout` of the options: where nothing happens, the member is asked, and must answer with a majority
  /// behind it. It ends when the member has lost its leader, is cut off or stands still, and when the user is
  /// no longer known: whoever goes on from the last revision that was told comes to another member.
  /// kLimitExceeded: a transaction that is too large to be told; what it left must be read.
  /// \param on_events  on this thread. \return false: it is to stop
  WatchEnd watch(std::string_view key, std::string_view range_end, std::int64_t start_revision,
                 const std::function<bool(const WatchEvents&)>& on_events) const;

  /// Ends what waits, here and in watch(), from any thread, for good.
  void stop() const noexcept;

 private:
  struct Impl;
  explicit EtcdClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The end of the range of all keys that begin with `prefix`.
std::string prefix_end(std::string_view prefix);

}  // namespace vipauth::fleet
