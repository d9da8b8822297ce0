#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/clock.hpp>
#include <vipauth/decision.hpp>
#include <vipauth/decision_observer.hpp>
#include <vipauth/ipc_trust.hpp>
#include <vipauth/live_policy.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>
#include <vipauth/zap_authenticator.hpp>

namespace vipauth {

/// How often the live policy and a candidate came to the same answer.
struct ShadowCounts {
  std::uint64_t agreed = 0;
  std::uint64_t only_live_allows = 0;
  std::uint64_t only_candidate_allows = 0;
  std::uint64_t other_user = 0;  ///< authentications: both accept, as different users
  std::uint64_t skipped = 0;     ///< not compared: see ShadowPolicy

  std::uint64_t disagreed() const noexcept { return only_live_allows + only_candidate_allows + other_user; }
};

/// One disagreement, with how often it has come up.
struct ShadowSample {
  std::string kind;     ///< "authentication", or what Question's kinds are called: "call"
  std::string user_id;  ///< of the session; of an authentication: as whom the live policy or else the
                        ///< candidate accepts
  std::string
      subject;  ///< the key or user name, VIP identity, method or topic: as the peer wrote it, so any bytes
  std::string callee;  ///< of a call
  std::string address;
  bool live_allows = false;
  Reason live_reason = Reason::kUnknown;
  bool candidate_allows = false;
  Reason candidate_reason = Reason::kUnknown;
  std::string candidate_message;              ///< why it refuses
  std::vector<std::string> candidate_source;  ///< "/allow/3": at most four places
  std::uint64_t count = 0;
  Timestamp last_seen{};
};

struct ShadowReport {
  std::filesystem::path auth_file;    ///< of the candidate
  std::filesystem::path topics_file;  ///< or empty: the live topic rules
  Timestamp since{};                  ///< when it was loaded: the counts begin there
  ShadowCounts authentications;
  ShadowCounts senders;
  ShadowCounts calls;
  ShadowCounts publishes;
  ShadowCounts receives;
  std::vector<ShadowSample> samples;  ///< the newest distinct ones, newest last

  std::uint64_t disagreed() const noexcept {
    return authentications.disagreed() + senders.disagreed() + calls.disagreed() + publishes.disagreed() +
           receives.disagreed();
  }
};

/// A candidate for the next policy, which is asked whatever the live one is asked, and decides nothing.
///
/// Disagreements are counted, and a bounded sample of them is kept. A session's question is first whether the
/// candidate would have accepted its peer as the same user (semantics 7), then the question itself. A PLAIN
/// peer is compared by its stored password, without hashing: one that the candidate stores anew, though the
/// same, counts as another, and a PLAIN peer that the live policy refuses is skipped. So are requests before
/// a live policy is loaded. The files are read once; records that begin or end in time do so here too, where
/// keep_in_time() is called. May be used from any thread; nothing here throws or waits, but under contention
/// a disagreement may be counted and not sampled.
class ShadowPolicy final : public DecisionObserver {
 public:
  static constexpr std::size_t kMaxSamples = 100;
  static constexpr std::size_t kMaxTextBytes = 256;  ///< of each text in a sample

  struct Settings {
    IpcTrust ipc_trust;
    Clock clock = system_now;
    StrictModes strict_modes = StrictModes::kOn;
  };

  /// \param topics_file  empty: the topic rules of `live` are asked about the candidate's users
  /// \return kNotFound  there is no such file; else what AuthFile::load, TopicsFile::load and
  ///         PolicySnapshot::compile return
  VIPAUTH_EXPORT static Result<std::shared_ptr<ShadowPolicy>> load(std::shared_ptr<const LivePolicy> live,
                                                                   const std::filesystem::path& auth_file,
                                                                   const std::filesystem::path& topics_file,
                                                                   Settings settings);
  VIPAUTH_EXPORT ~ShadowPolicy() override;

  VIPAUTH_EXPORT void on_authentication(const ZapAuthenticator::Event& event) noexcept;
  VIPAUTH_EXPORT void on_decision(const Session& session, const Question& question,
                                  const Decision& decision) noexcept override;

  /// Compiles the candidate again where a record has begun or ended.
  /// \return how long until one does
  VIPAUTH_EXPORT std::optional<std::chrono::milliseconds> keep_in_time();

  VIPAUTH_EXPORT ShadowReport report() const;

 private:
  struct Impl;
  explicit ShadowPolicy(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vipauth
