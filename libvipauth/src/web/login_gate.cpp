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
  static std::optional<Turn> take(LoginGate& gate, bool is_known) {
    std::unique_lock lock(gate.mutex_);
    if (gate.running_ >= gate.limits_.hashes) {
      const std::size_t kept = is_known ? 0 : 1;
      if (gate.waiting_ + kept >= gate.limits_.waiting) return std::nullopt;
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

void LoginGate::Failures::forget(Timestamp now, std::chrono::milliseconds each) {
  if (now > counted) {
    count = std::max(0.0, count - static_cast<double>((now - counted).count()) /
                                      static_cast<double>(Timestamp::duration(each).count()));
  }
  counted = now;
}

std::deque<LoginGate::Place>::iterator LoginGate::Account::find(const std::string& digest) {
  return std::find_if(known.begin(), known.end(), [&](const Place& place) { return place.digest == digest; });
}

Result<bool> LoginGate::admit(std::string_view name, std::string_view address, Timestamp now) {
  const std::lock_guard lock(mutex_);
  Account& account = account_of(name);
  account.failures.forget(now, kRefill);
  const auto place = account.find(place_of(name, address));
  const bool is_known = place != account.known.end();
  if (is_known) place->failures.forget(now, kKnownRefill);
  const bool is_trusted = is_known && place->failures.count < kKnownBurst;
  if (!is_trusted && penalties_.is_penalised(address, now)) {
    return busy("too many logins have failed from this address: wait a minute");
  }
  if (!is_known && account.failures.count >= kBurst) {
    return busy("too many logins to this account have failed: wait a minute");
  }
  return is_known;
}

void LoginGate::note(bool succeeded, std::string_view name, std::string_view address, Timestamp now) {
  std::string digest = place_of(name, address);
  {
    const std::lock_guard lock(mutex_);
    Account& account = account_of(name);
    auto& known = account.known;
    const auto found = account.find(digest);
    if (succeeded) {
      if (found != known.end()) known.erase(found);
      known.push_back({std::move(digest), {0, now}});
      if (known.size() > kKnownAddresses) known.pop_front();
    } else {
      Failures& failures = found == known.end() ? account.failures : found->failures;
      failures.count = std::min(failures.count + 1, found == known.end() ? kBurst : kKnownBurst);
    }
  }
  if (!succeeded) {
    static_cast<void>(penalties_.count(address, AddressPenalties::Failure::kRefusal, name, now));
  }
}

Result<WebUsers::User> LoginGate::check(std::string_view name, std::string_view password,
                                        std::string_view address, Timestamp now) {
  const auto admitted = admit(name, address, now);
  if (!admitted) return admitted.error();
  Result<WebUsers::User> user = busy("too many log in at once: ask again in a moment");
  {
    const auto turn = Turn::take(*this, *admitted);
    if (!turn) return user;
    // Whom others made fail meanwhile is not checked any more: a batch in the queue is no way around.
    if (auto still = admit(name, address, now); !still) return still.error();
    user = users_.verify(name, password);
  }
  if (user && !user->is_admin()) {
    user = Error{ErrorCode::kPermissionDenied, "the user name or the password is wrong", ""};
  }
  if (user || user.error().code == ErrorCode::kPermissionDenied) note(user.has_value(), name, address, now);
  return user;
}

}  // namespace vipauth::web
