#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include <vipauth/address_penalties.hpp>
#include <vipauth/authenticator.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/live_policy.hpp>
#include <vipauth/zap.hpp>

namespace vipauth {

/// Answers ZAP requests by the policy in force: bytes in, reply out, no socket.
///
/// | decision                                            | status |
/// | accepted                                            | 200    |
/// | unknown or inactive CURVE peer (may change)          | 300    |
/// | no policy loaded yet, one too old, or too busy      | 300    |
/// | refused otherwise, and the address is penalised     | 300    |
/// | denied; unknown NULL or PLAIN peer; malformed       | 400    |
/// libzmq's client tries again after 300, and gives up after 400. The policy is asked first: whom it accepts,
/// no penalty keeps out. May be used from any thread.
class ZapAuthenticator {
 public:
  /// One decided request, for logs, pending lists and audits. Views live as long as the call.
  struct Event {
    const ZapRequest& request;
    const Authentication& authentication;
    std::string_view
        credentials;  ///< CURVE: the key as base64url; PLAIN: the user name; NULL: empty. Never a password
    bool penalised = false;  ///< refused, and the address was penalised before: not worth a line each time
    bool penalty_started = false;  ///< refused, and the address is penalised from now on
  };
  /// Called for each well-formed request, on the thread that called handle().
  using Observer = std::function<void(const Event&)>;

  /// What stands between the policy and a stranger.
  struct Guards {
    std::shared_ptr<AddressPenalties> penalties;  ///< counts what is refused; may be null
    Clock clock = system_now;                     ///< of the penalties
    /// Asked about a CURVE peer whom the policy does not know and whose address is not penalised, on the
    /// thread that called handle(): true where the policy may know it by now, and is to be asked again.
    std::function<bool(const ZapRequest&, const CurveKey&)> admit;
    /// True: the policy may be too old to let in anybody whom one of its records accepts; may be null.
    std::shared_ptr<const std::atomic<bool>> is_stale = {};
  };

  VIPAUTH_EXPORT explicit ZapAuthenticator(std::shared_ptr<const LivePolicy> policy, Observer observer = {});
  VIPAUTH_EXPORT ZapAuthenticator(std::shared_ptr<const LivePolicy> policy, Observer observer, Guards guards);

  /// Answers whatever the frames hold. Never throws, never fails.
  /// \param frames  what is behind the envelope and the delimiter
  VIPAUTH_EXPORT ZapReply handle(std::span<const std::string_view> frames) const;
  /// The same into a reply that is used again: one that lets in allocates nothing then.
  VIPAUTH_EXPORT void handle(std::span<const std::string_view> frames, ZapReply& out) const;

  /// True for a request that needs a password hash: tens of milliseconds, which are best spent on another
  /// thread.
  VIPAUTH_EXPORT static bool is_slow(std::span<const std::string_view> frames) noexcept;

  /// True where the request comes from an address that is penalised now.
  VIPAUTH_EXPORT bool is_penalised(std::span<const std::string_view> frames) const;

  /// The answer when there is no capacity for a slow request: 300.
  VIPAUTH_EXPORT static ZapReply busy(std::span<const std::string_view> frames);

 private:
  std::shared_ptr<const LivePolicy> policy_;
  Observer observer_;
  Guards guards_;
};

}  // namespace vipauth
