#pragma once

#include <csignal>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <vipauth/vipauth.hpp>

namespace vip_agent {

/// An agent that stays on its bus: it waits until it is let in, says anew what it serves and wants where the
/// router may have forgotten it, and stops when the platform denies it. For one thread.
class Agent {
 public:
  using Tell = std::function<void(const std::string& line)>;
  using Run = vipauth::RpcDispatcher<vipauth::VipClient::Caller>::Run;
  using Take = std::function<void(const vipauth::VipClient::Publication&)>;

  /// \param tell  is given a line whenever there is something that the agent's user should know
  /// \param stop  becomes other than 0 when it is to end; must outlive it
  Agent(vipauth::VipClient client, std::string identity, Tell tell, const volatile std::sig_atomic_t& stop)
      : client_(std::move(client)), identity_(std::move(identity)), tell_(std::move(tell)), stop_(stop) {}

  // What it offers and wants. Before stay().

  /// \param capabilities  what a caller needs, all of them; none: anybody may call it
  void serve(std::string method, std::vector<std::string> capabilities,
             std::vector<vipauth::Parameter> parameters, Run run);
  void subscribe(std::string prefix) { prefixes_.push_back(std::move(prefix)); }

  /// Returns when the router welcomes this agent: at once, or after an administrator has approved its key; or
  /// when it is to end.
  /// \return kPermissionDenied  the platform denies this agent, for good
  /// \return kConflict, kUnsupported  another server key; no CURVE there
  vipauth::Result<void> connect();

  /// Serves and listens until it is to end. What the router says of itself is asked every kHeartbeat, so that
  /// an agent which is revoked learns of it even if it has nothing to say.
  /// \return what connect() returns
  vipauth::Result<void> stay(const Take& take);

  /// Takes a failed request for what it is: one that was not allowed; or the end of this agent.
  /// \return nothing  only this request failed
  std::optional<vipauth::Error> end_of(const vipauth::Error& failed);

  vipauth::VipClient& client() { return client_; }

 private:
  struct Method {
    std::string name;
    std::vector<std::string> capabilities;
    std::vector<vipauth::Parameter> parameters;
    Run run;
  };

  vipauth::Result<void> begin();
  void tell_once(const std::string& line);

  vipauth::VipClient client_;
  std::string identity_;
  Tell tell_;
  const volatile std::sig_atomic_t& stop_;
  std::string told_;
  std::vector<Method> methods_;
  std::vector<std::string> prefixes_;
  std::uint64_t begun_ = 0;  // over which connection
};

}  // namespace vip_agent
