#pragma once

#include <memory>
#include <string>

#include <vipauth/remote_administration.hpp>
#include <vipauth/result.hpp>
#include <vipauth/vip_client.hpp>

#include "context.hpp"

namespace vipauth::vctl {

/// The identity under which VOLTTRON's vctl speaks, and whose key store in the home it uses.
inline constexpr std::string_view kControlIdentity = "control.connection";

/// A running platform that a verb works on, in the place of files: `--vip-address`.
class Platform {
 public:
  /// Connects to the address, with the keys that it holds or the home has, and says hello.
  /// \return what find_client_keys and VipClient::hello return
  static Result<std::shared_ptr<Platform>> connect(const Context& context, const std::string& address);

  VipClient& client() { return client_; }
  RemoteAdministration& administration() { return administration_; }

 private:
  Platform(VipClient client, VipClient::Patience patience)
      : client_(std::move(client)), administration_(client_, patience) {}

  VipClient client_;
  RemoteAdministration administration_;
};

/// What a client of that address needs, from the address and the home.
Result<ClientKeys> client_keys(const Context& context, const std::string& address);

}  // namespace vipauth::vctl
