#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/auth_file.hpp>
#include <vipauth/live_policy.hpp>
#include <vipauth/log_sink.hpp>
#include <vipauth/policy_change.hpp>
#include <vipauth/topics_file.hpp>

#include "engine/policy_index.hpp"
#include "store/auth_file_revision.hpp"
#include "store/file_version.hpp"

namespace vipauth {

// Of a home.
inline constexpr std::string_view kAuthFile = "auth.json";
inline constexpr std::string_view kTopicsFile = "protected_topics.json";
inline constexpr std::string_view kPendingFile = "pending.json";

/// Keeps a LivePolicy in step with auth.json and protected_topics.json.
///
/// The two count as they were at one moment: who writes both, in an order in which nothing opens in between,
/// is followed in that order. What cannot be read changes nothing: the last good policy, and the last good
/// rules, stay in force. A file that was never there is empty; one that disappears is a problem. May be used
/// from any thread.
class PolicyKeeper {
 public:
  struct Settings {
    IpcTrust ipc_trust;
    Clock clock;
    LogSink log;
    /// Somebody calls release_retired() now and then.
    bool retires = false;
  };
  /// Which files to read again, the other one with it where it has changed too; none: the same policy at a
  /// later time. Topics alone that say the same again put nothing in force.
  struct Files {
    bool auth = true;
    bool topics = true;
  };
  /// What was read of each file; null: nothing yet, or there is no such file.
  struct Contents {
    std::shared_ptr<const AuthFileRevision> auth;
    std::shared_ptr<const TopicDocument> topics;
  };
  struct Outcome {
    std::optional<Error> problem;        ///< the first thing that keeps the files from being in force
    std::optional<PolicyChange> change;  ///< the policy that has been put in force, if any
    Contents before{};                   ///< with a change: what was in force, and what is now
    Contents after{};
  };

  PolicyKeeper(AuthFile auth_file, TopicsFile topics_file, Settings settings);

  Outcome reload(Files files);

  /// Changes what is in force of what agents declare. \return nothing: it changed nothing
  using Declare = std::function<Result<MethodRegistry>(const PolicySnapshot&)>;
  Result<std::optional<PolicyChange>> declare(const Declare& declare);

  /// Policies that were replaced are kept until nobody uses them, and are let go here: a large one takes
  /// milliseconds, for which no decision may wait. \return true  there are more
  bool release_retired();

  const std::shared_ptr<LivePolicy>& live() const noexcept { return live_; }
  std::optional<Error> problem() const;
  std::optional<Error> topics_problem() const;
  /// When a record begins or ceases to be valid next.
  std::optional<Timestamp> next_change() const;

 private:
  struct LogLine {
    LogLevel level;
    std::string text;
  };

  Outcome read_and_publish(Files files);
  PolicyChange publish(PolicySnapshot next, std::vector<std::string> revoked);
  /// auth.json, as it was read.
  struct AuthContent {
    std::shared_ptr<const PolicyIndex> records;
    std::shared_ptr<const AuthFileRevision> file;
    std::vector<Error> problems;  // the first of them
    std::size_t problem_count = 0;
  };

  /// What is to be put in force of auth.json, and which files were read. Rules for topics are kept here.
  struct Reading {
    std::optional<AuthContent> auth;
    Files files{false, false};
  };
  /// Nothing: the files are written again and again meanwhile, and what is in force stays.
  std::optional<Reading> read(Files files);
  /// Nothing: what is in force stays.
  std::optional<AuthContent> read_auth();
  Result<AuthContent> load_auth() const;
  Result<AuthContent> load_auth_once() const;
  /// Notes the problem where there is one.
  std::optional<PolicySnapshot> compiled(Result<PolicySnapshot> snapshot);
  /// \return true  they are other rules than before
  bool read_topics();
  /// Rules that are to be put in force.
  void set_topics(TopicProtector topics) noexcept;
  void note_auth_problem(std::optional<Error> problem);
  void note_topics_problem(std::optional<Error> problem);
  void report_ignored_records(const AuthContent& content);
  std::optional<Error> first_problem() const;
  void log(LogLevel level, std::string text);

  const AuthFile auth_file_;
  const TopicsFile topics_file_;
  const Settings settings_;
  const std::shared_ptr<LivePolicy> live_;

  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const PolicySnapshot>> retired_;
  std::vector<LogLine> lines_;                             // to be logged when the lock is let go
  std::shared_ptr<const AuthFileRevision> auth_revision_;  // of the last good policy
  bool auth_seen_ = false;
  std::optional<HeldFile> auth_read_;  // what was read last, good or bad; nothing: nothing yet
  HeldFile topics_read_;               // the same
  bool is_unfinished_ = false;         // a reading was broken off: the next one reads all
  std::shared_ptr<const TopicDocument> topic_document_;  // the last good one
  TopicProtector topics_;
  bool topics_seen_ = false;
  bool topics_good_ = true;
  bool has_other_topics_ = false;  // than those that are in force
  std::optional<Error> auth_problem_;
  std::optional<Error> topics_problem_;
};

}  // namespace vipauth
