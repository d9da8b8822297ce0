#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <vipauth/audit_sink.hpp>
#include <vipauth/audit_trail.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// The audit log of a home: JSON Lines in files of one folder, each line chained to the one before by its
/// hash. AuditTrail checks and reads them; docs/formats.md tells their form.
///
/// write() puts the event in a queue and returns; a thread of its own writes. A queue that is full drops, and
/// a line says how many of what as soon as one can be written: what users are refused, who is let in and who
/// is not have a quarter of it each, so that none drives out the others, nor what no peer causes. What a peer
/// causes again and again is written some times in an interval, and then with its number. So nobody fills the
/// files at once, but what is there before does go with time: with the numbers below one user who is refused
/// under long names all the time can write some 0.6 MB a minute, and push 1 GiB out in a day; twenty of them
/// together in two hours. Who must keep more raises `files`, or has a sink elsewhere. Other processes may
/// append to the same files at once.
class AuditLog final : public AuditSink {
 public:
  /// Who is let in: texts as an AuditEvent has them.
  struct AcceptedPeer {
    std::string_view user_id;
    std::string_view mechanism;
    std::string_view credentials;
    std::optional<Reason> reason;
    Timestamp time;
  };

  struct Options {
    std::uintmax_t file_bytes = 67'108'864;             ///< a new file is begun when one has grown so large
    std::size_t files = 16;                             ///< the oldest goes when there are more; 0: none goes
    std::size_t queue = 32'768;                         ///< most events that wait for being written
    std::chrono::milliseconds sync_interval{1000};      ///< a power cut takes no more than that
    std::chrono::milliseconds repeat_interval{60'000};  ///< what repeats in it is counted, as these say
    /// Refused authentications written singly in that time: of denied keys, by password, and of others, so
    /// many each; further ones are counted.
    std::size_t strangers = 100;
    std::size_t strangers_per_address = 20;      ///< those of one source address
    std::size_t refusals = 1000;                 ///< the same of what known users were refused
    std::size_t refusals_per_user = 50;          ///< those of one user
    std::size_t accepted_per_key = 60;           ///< accepted authentications of one key
    std::size_t accepted = 10'000;               ///< those of all keys, beside the first of each
    std::size_t keys_per_user = 20;              ///< different keys of one user that are accepted
    std::chrono::milliseconds patience{10'000};  ///< for the lock, before a batch counts as dropped
    StrictModes strict_modes = StrictModes::kOn;
    Clock clock = system_now;  ///< of the lines that it adds itself
  };
  /// Told what keeps lines from being written, once for each different problem, on the writing thread.
  using OnProblem = std::function<void(const Error&)>;

  /// Makes the folder (0700) where there is none.
  /// \return kPermissionDenied  it is a symbolic link, or strict modes refuse it; kIoError
  VIPAUTH_EXPORT static Result<std::shared_ptr<AuditLog>> open(const std::filesystem::path& folder,
                                                               Options options, OnProblem on_problem = {});
  VIPAUTH_EXPORT ~AuditLog() override;  ///< as stop()

  VIPAUTH_EXPORT void write(const AuditEvent& event) noexcept override;

  /// Counts an accepted authentication that would not be written singly: what write() would do with its
  /// event, which who asks this first need not make.
  /// \return false  it is to be written
  VIPAUTH_EXPORT bool count_repeat(const AcceptedPeer& peer) noexcept;

  /// Waits until what was written before is on the disk, numbers of repeats included.
  /// \return what kept some of it from being written
  VIPAUTH_EXPORT Result<void> flush();

  /// The same, and takes no more.
  VIPAUTH_EXPORT void stop();

  VIPAUTH_EXPORT std::uint64_t written() const noexcept;  ///< lines
  VIPAUTH_EXPORT std::uint64_t dropped() const noexcept;  ///< events

 private:
  struct Impl;
  explicit AuditLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vipauth
