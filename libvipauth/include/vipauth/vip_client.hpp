#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/connection_monitor.hpp>
#include <vipauth/json.hpp>
#include <vipauth/result.hpp>
#include <vipauth/rpc_dispatcher.hpp>
#include <vipauth/vip_keys.hpp>

namespace vipauth {

/// A peer of a VIP bus: what an agent, or a tool, says to its router and to other peers.
///
/// It connects by CURVE, and goes on trying until it is let in; monitor() tells what it waits for. Each
/// request waits for its answer, and answers calls of others meanwhile, by methods(). When it is destroyed it
/// takes leave (`agentstop`). One thread at a time.
/// Source: VOLTTRON vip/agent/core.py and its subsystems.
class VipClient {
 public:
  using Patience = std::chrono::milliseconds;
  static constexpr Patience kPatience = std::chrono::seconds(60);

  /// What the router knows of this peer.
  struct Welcome {
    std::string user_id;
    std::string router_id;
    std::string identity;
    /// Counts the connections of this peer. The router has forgotten what was subscribed to and declared over
    /// an earlier one.
    std::uint64_t connection = 0;
  };
  /// Who calls a method of this peer.
  struct Caller {
    std::string identity;
    std::string user_id;
  };
  struct Publication {
    std::string topic;
    std::string sender;  ///< the publisher's identity
    Json headers;
    Json message;
  };

  /// Begins to connect.
  /// \param keys  as find_client_keys() finds them, with an identity
  /// \return kInvalidArgument  no identity, or one that is no routing id; what secure_client_socket returns
  VIPAUTH_EXPORT static Result<VipClient> open(ClientKeys keys);
  VIPAUTH_EXPORT VipClient(VipClient&&) noexcept;
  VIPAUTH_EXPORT VipClient& operator=(VipClient&&) noexcept;
  VIPAUTH_EXPORT ~VipClient();

  /// Of the present connection: hello() may begin another.
  VIPAUTH_EXPORT ConnectionMonitor& monitor();

  /// Says hello until the router answers. While somebody else is connected under this identity a router
  /// answers nobody: then it connects anew, again and again. Said again later, it tells whether the router
  /// still accepts this peer, and answers calls meanwhile.
  /// \return kPermissionDenied  the server refuses this key, for good; or this identity, to this user
  /// \return kConflict          another server key; kUnsupported  no CURVE there
  /// \return kUnavailable       nobody there, or no answer, in that time
  /// \return kBusy              the key waits for approval still. The message says what to do, in each case
  VIPAUTH_EXPORT Result<Welcome> hello(Patience patience = kPatience);

  // Requests, after hello(). \return kUnavailable  no answer in that time, or the connection was lost;
  // kNotFound  there is no such peer; what else a VipError says

  /// \param params  a list, an object, or null
  /// \return what RpcError::to_error returns
  VIPAUTH_EXPORT Result<Json> call(std::string_view peer, std::string_view method, const Json& params,
                                   Patience patience = kPatience);
  /// What the router says of itself: "serverkey", "addresses"; empty where it does not say.
  VIPAUTH_EXPORT Result<std::string> query(std::string_view name, Patience patience = kPatience);
  VIPAUTH_EXPORT Result<std::vector<std::string>> peers(Patience patience = kPatience);
  /// \return how many were sent it; kPermissionDenied  a protected topic
  VIPAUTH_EXPORT Result<std::size_t> publish(std::string_view topic, const Json& headers, const Json& message,
                                             Patience patience = kPatience);
  VIPAUTH_EXPORT Result<void> subscribe(std::string_view prefix, Patience patience = kPatience);
  VIPAUTH_EXPORT Result<void> unsubscribe(std::string_view prefix, Patience patience = kPatience);

  /// The methods that others may call. To have them protected, call `update_id_rpc_authorizations` of
  /// `platform.auth`.
  VIPAUTH_EXPORT RpcDispatcher<Caller>& methods();

  /// The next publication, if one comes in that time. At most a thousand wait; beyond that the oldest are
  /// lost.
  VIPAUTH_EXPORT std::optional<Publication> next_publication(Patience patience);

 private:
  struct Impl;
  explicit VipClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vipauth
