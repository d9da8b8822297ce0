#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <vipauth/address_penalties.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/result.hpp>
#include <vipauth/web_users.hpp>

namespace vipauth::web {

/// Stands before the check of a password: guessing is slow, and cannot eat the machine.
///
/// An address that fails too often is penalised, as AddressPenalties tells; but from where its owner has
/// logged in lately, an account may be tried wrongly kKnownBurst times, and then once in kKnownRefill, all
/// the same, so that nobody behind the same address locks the owner out. An account may be tried wrongly
/// kBurst times at once and then once in kRefill, from wherever; addresses from which its owner has logged in
/// lately are not counted there, so that no stranger locks the owner out. At most `hashes` passwords are
/// checked at once, and `waiting` wait for that, one of them only from where it is known. Names that do not
/// exist are treated alike. Memory is bounded. May be used from any thread.
class LoginGate {
 public:
  static constexpr double kBurst = 20;
  static constexpr std::chrono::milliseconds kRefill{6000};
  static constexpr double kKnownBurst = 4;
  static constexpr std::chrono::milliseconds kKnownRefill{30'000};

  struct Limits {
    std::size_t hashes = 2;  ///< each takes 64 MiB
    std::size_t waiting = 16;
  };

  LoginGate(WebUsers users, AddressPenalties penalties, Limits limits)
      : users_(std::move(users)), penalties_(std::move(penalties)), limits_(limits) {}

  /// \return kPermissionDenied  no such user, not the password, or no administrator: one message
  /// \return kBusy              too many failures, or too many at once: ask again later
  /// \return what WebUsers::verify returns
  Result<WebUsers::User> check(std::string_view name, std::string_view password, std::string_view address,
                               Timestamp now);

 private:
  /// Failures, which time takes away again.
  struct Failures {
    double count = 0;
    Timestamp counted;
    void forget(Timestamp now, std::chrono::milliseconds each);
  };
  /// From where its owner has logged in.
  struct Place {
    std::string digest;  ///< of name and address
    Failures failures;
  };
  /// Failures of the accounts that share a bucket by the hash of their names: collisions do no harm.
  struct Account {
    Failures failures;
    std::deque<Place> known;  ///< the latest last
    std::deque<Place>::iterator find(const std::string& digest);
  };
  static constexpr std::size_t kAccounts = 512;
  static constexpr std::size_t kKnownAddresses = 16;

  /// One of the few checks that may run at once.
  class Turn;

  Account& account_of(std::string_view name);
  /// \return whether the account was logged in to from there
  Result<bool> admit(std::string_view name, std::string_view address, Timestamp now);
  void note(bool succeeded, std::string_view name, std::string_view address, Timestamp now);

  const WebUsers users_;
  AddressPenalties penalties_;
  const Limits limits_;
  std::mutex mutex_;
  std::condition_variable turn_is_free_;
  std::size_t running_ = 0;
  std::size_t waiting_ = 0;
  std::array<Account, kAccounts> accounts_;
};

}  // namespace vipauth::web
