#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/clock.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// Which addresses have failed to authenticate too often of late: they are penalised for a while.
///
/// Each failure adds time to its source, and time takes it away again. A source with more than
/// `enforced_from` is penalised until all of it is gone. A source is an IPv4 address, the /64 of an IPv6
/// address, or the user of an IPC peer. Whom the policy accepts, nobody asks about here: a known peer is
/// never refused for what a stranger behind the same address did.
///
/// A stranger who waits for approval tries again and again with one key, and is no attacker: a key that this
/// source has shown lately costs `retry`, so that 20 tries a second never add up. Memory is bounded; where
/// the table is full, the source that is nearest to its end makes room, and so the worst stay. The time may
/// be set back without making a penalty longer. May be used from any thread.
/// Source: OpenSSH sshd_config(5), PerSourcePenalties; srclimit.c.
class AddressPenalties {
 public:
  struct Settings {
    std::chrono::milliseconds stranger{1000};  ///< for a CURVE key without record that is new of this source
    std::chrono::milliseconds retry{50};       ///< for one that is not
    std::chrono::milliseconds refusal{
        5000};  ///< for a denied key, a wrong password, a NULL peer without record
    /// A source with more than this is penalised: with more than the 16 strangers of whom pending.json takes
    /// note.
    std::chrono::milliseconds enforced_from{16'000};
    std::chrono::milliseconds longest{600'000};  ///< no source ever has more than this
    std::size_t max_sources = 65'536;            ///< each takes up to 400 bytes, some 26 MB in all
    std::vector<std::string> exempt;  ///< networks never penalised: "10.0.0.0/8", "2001:db8::/32", "10.0.0.7"
  };
  /// Keys and user names that are remembered of one source: twice what pending.json keeps of one address.
  static constexpr std::size_t kRemembered = 32;
  /// Sources that a Report names, of each sort.
  static constexpr std::size_t kMaxNamed = 10;

  enum class Failure {
    kStranger,  ///< may be approved later, and is told to try again
    kRefusal,   ///< is told not to try again
  };

  struct Verdict {
    bool penalised = false;  ///< the source was so before this failure: answer 300, do not log it
    bool started = false;    ///< it is so from now on
  };

  struct Counters {
    std::size_t sources = 0;       ///< in the table
    std::size_t penalised = 0;     ///< of these, now
    std::uint64_t penalties = 0;   ///< begun, in all
    std::uint64_t suppressed = 0;  ///< failures of penalised sources, in all
  };

  struct Source {
    std::string name;              ///< "10.0.0.7", "2001:db8::/64", "localhost:1000"
    std::uint64_t suppressed = 0;  ///< failures while it was penalised
  };

  /// What has happened since the report before.
  struct Report {
    std::vector<Source> started;  ///< at most kMaxNamed
    std::size_t started_count = 0;
    std::vector<Source> ended;  ///< at most kMaxNamed
    std::size_t ended_count = 0;
    std::uint64_t suppressed = 0;
    std::size_t penalised = 0;  ///< now

    bool empty() const noexcept { return started_count == 0 && ended_count == 0 && suppressed == 0; }
  };

  /// \return kInvalidArgument  a time below zero or above a day, no room for a source, a text that is no network
  VIPAUTH_EXPORT static Result<AddressPenalties> create(Settings settings);

  VIPAUTH_EXPORT AddressPenalties(AddressPenalties&&) noexcept;
  VIPAUTH_EXPORT AddressPenalties& operator=(AddressPenalties&&) noexcept;
  VIPAUTH_EXPORT ~AddressPenalties();

  /// Counts a failure.
  /// \param address      as ZAP gives it
  /// \param credentials  the key or the user name, never a password; only a hash of it is kept
  VIPAUTH_EXPORT Verdict count(std::string_view address, Failure failure, std::string_view credentials,
                               Timestamp now);
  VIPAUTH_EXPORT bool is_penalised(std::string_view address, Timestamp now) const;

  VIPAUTH_EXPORT Counters counters(Timestamp now) const;
  VIPAUTH_EXPORT Report take_report(Timestamp now);

 private:
  struct Impl;
  explicit AddressPenalties(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vipauth
