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
#include <vector>

#include <vipauth/auth_record.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// A stranger who asked to connect, keyed by (mechanism, credentials).
struct PendingRequest {
  Mechanism mechanism = Mechanism::kCurve;
  std::string credentials;  ///< the key as base64url
  std::string domain;
  std::string address;
  std::string user_id;  ///< a UUID, by which an administrator names it
  Timestamp first_seen{};
  Timestamp last_seen{};
  std::uint64_t retries = 0;  ///< how often it asked, the first time included
  std::string site = {};      ///< of a fleet, where it asked; empty: here
};

/// Where a peer that an administrator decided about may come from: a deny record does not say.
struct DecidedPeer {
  Mechanism mechanism = Mechanism::kCurve;
  std::string credentials;  ///< CURVE: the key as base64url; PLAIN: the user_id. Never a password
  Json domain;              ///< as the allow record had it: null, a pattern, or a list of them
  Json address;
  /// Who told this is not to be believed (a site of a fleet, that it may come from anywhere): the peer is not
  /// let in again by it.
  bool is_doubtful = false;
};

/// The content of pending.json.
struct PendingState {
  std::vector<PendingRequest> pending;
  std::vector<DecidedPeer> decided;

  VIPAUTH_EXPORT const DecidedPeer* find_decided(Mechanism mechanism, std::string_view credentials) const;
};

/// The strangers who wait for a decision: in memory, and in `pending.json`.
///
/// note() is what a flood of strangers reaches: it only touches bounded memory, and flush() writes what has
/// gathered in one go. Several processes share the file; each edit is one transaction (see AuthFile). May be
/// used from any thread.
class PendingStore {
 public:
  struct Limits {
    std::size_t total = 1000;      ///< beyond it the one not seen for longest goes
    std::size_t per_address = 16;  ///< the same among those of one address
  };

  /// True while a request is still to be decided; what is not is left out, and goes at the next write.
  using Filter = std::function<bool(const PendingRequest&)>;

  VIPAUTH_EXPORT PendingStore(std::filesystem::path path, Limits limits, Filter filter = {},
                              StrictModes strict_modes = StrictModes::kOn);
  VIPAUTH_EXPORT PendingStore(PendingStore&&) noexcept;
  VIPAUTH_EXPORT PendingStore& operator=(PendingStore&&) noexcept;
  VIPAUTH_EXPORT ~PendingStore();

  /// Remembers that a stranger asked. Memory only.
  /// \return true  nothing was unwritten before: somebody should call flush() in a while
  VIPAUTH_EXPORT bool note(Mechanism mechanism, std::string_view credentials, std::string_view domain,
                           std::string_view address, Timestamp now);
  /// True where note() was called since the last flush().
  VIPAUTH_EXPORT bool has_unwritten() const;
  /// Merges what was noted into the file.
  /// \return what load() returns; kBusy after `patience` without the file's lock: nothing is forgotten then
  VIPAUTH_EXPORT Result<void> flush(std::chrono::milliseconds patience = std::chrono::seconds(60));

  /// What the file holds, with what was noted since merged in. A missing file is empty.
  /// \return kParseError or kUnsupported  the file is not ours, or of a newer version
  VIPAUTH_EXPORT Result<PendingState> load() const;

  /// Flushes and edits the file in one transaction. `change` may note(), but not ask the store for more.
  /// \return what `change` and load() return; kBusy after `patience` without the file's lock
  VIPAUTH_EXPORT Result<void> edit(const std::function<Result<void>(PendingState&)>& change,
                                   std::chrono::milliseconds patience = std::chrono::seconds(60));

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vipauth
