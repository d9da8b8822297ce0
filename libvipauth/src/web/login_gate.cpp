#include "web/login_gate.hpp"

#include <algorithm>
#include <functional>

#include "web/web_sessions.hpp"

namespace vipauth::web {
namespace {

Error busy(std::string_view message) { return Error{ErrorCode::kBusy, std::string(message), ""}; }

std::string place_of(std::string_view name, std::string_view address) {
  return digest_of(std::string(address) + " " + std::string(name));
}

}  // namespace

class LoginGate::Turn {
 public:
  static std::optional<Turn> take(LoginGate& gate) {
    std::unique_lock lock(gate.mutex_);
    if (gate.running_ >= gate.limits_.hashes) {
      if (gate.waiting_ >= gate.limits_.waiting) return std::nullopt;
      ++gate.waiting_;
      gate.turn_is_free_.wait(lock, [&] { return gate.running_ < gate.limits_.hashes; });
      --gate.waiting_;
    }
    ++gate.running_;
    return Turn(gate);
  }
  Turn(Turn&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  Turn& operator=(Turn&&) = delete;
  ~Turn() {
    if (gate_ == nullptr) return;
    {
      const std::lock_guard lock(gate_->mutex_);
      --gate_->running_;
    }
    gate_->turn_is_free_.notify_one();
  }

 private:
  explicit Turn(LoginGate& gate) : gate_(&gate) {}
  LoginGate* gate_;
};

LoginGate::Account& LoginGate::account_of(std::string_view name) {
  return accounts_[std::hash<std::string_view>()(name) % accounts_.size()];
}

Result<void> LoginGate::admit(std::string_view name, std::string_view address, Timestamp now) {
  if (penalties_.is_penalised(address, now)) {
    return busy("too many logins have failed from this address: wait a minute");
  }
  const std::lock_guard lock(mutex_);
  Account& account = account_of(name);
  if (now > account.counted) {
    account.failures = std::max(0.0, account.failures - static_cast<double>((now - account.counted).count()) /
                                                            static_cast<double>(kRefill.count()));
  }
  account.counted = now;
  const auto& known = account.known_addresses;
  const bool is_known = std::find(known.begin(), known.end(), place_of(name, address)) != known.end();
  if (!is_known && account.failures >= kBurst) {
    return busy("too many logins to this account have failed: wait a minute");
  }
  return {};
}

void LoginGate::note(bool succeeded, std::string_view name, std::string_view address, Timestamp now) {
  const std::string place = place_of(name, address);
  {
    const std::lock_guard lock(mutex_);
    Account& account = account_of(name);
    auto& known = account.known_addresses;
    const auto found = std::find(known.begin(), known.end(), place);
    if (succeeded) {
      if (found != known.end()) known.erase(found);
      known.push_back(place);
      if (known.size() > kKnownAddresses) known.pop_front();
    } else if (found == known.end()) {
      account.failures = std::min(account.failures + 1, kBurst);
    }
  }
  if (!succeeded) {
    static_cast<void>(penalties_.count(address, AddressPenalties::Failure::kRefusal, name, now));
  }
}

Result<WebUsers::User> LoginGate::check(std::string_view name, std::string_view password,
                                        std::string_view address, Timestamp now) {
  if (auto admitted = admit(name, address, now); !admitted) return admitted.error();
  Result<WebUsers::User> user = busy("too many log in at once: ask again in a moment");
  {
    const auto turn = Turn::take(*this);
    if (!turn) return user;
    // Whom others made fail meanwhile is not checked any more: a batch in the queue is no way around.
    if (auto admitted = admit(name, address, now); !admitted) return admitted.error();
    user = users_.verify(name, password);
  }
  if (user && !user->is_admin()) {
    user = Error{ErrorCode::kPermissionDenied, "the user name or the password is wrong", ""};
  }
  if (user || user.error().code == ErrorCode::kPermissionDenied) note(user.has_value(), name, address, now);
  return user;
}

}  // namespace vipauth::web
