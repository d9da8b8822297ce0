#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <vipauth/curve_key.hpp>
#include <vipauth/known_hosts.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>
#include <vipauth/vip_address.hpp>

namespace vipauth {

/// What a peer needs to connect to a bus by CURVE.
struct ClientKeys {
  std::string endpoint;  ///< for zmq_connect
  CurveKey server_key;
  CurveKeyPair own;
  std::optional<bool> ipv6;
  std::optional<std::string> identity;  ///< the routing id, where the address or the caller gives one
};

/// What a bus needs to listen by CURVE.
struct ServerKeys {
  std::string endpoint;  ///< for zmq_bind
  CurveKeyPair own;
  std::string domain;  ///< the ZAP domain, "vip" unless the address says otherwise
  std::optional<bool> ipv6;
};

/// Finds what a client of `address` needs, and touches no socket. The server key: the one of the address,
/// which known_hosts must not contradict, else that of known_hosts. The client's own keys: those of the
/// address, else those of the key store of `identity` (by default the address's) in the home. Nothing is made
/// or written.
/// \return kConflict         known_hosts holds another server key; both fingerprints, and what to type
/// \return kNotFound         no server key is known; the agent has no key store
/// \return kInvalidArgument  the address's public key is not that of the secret key; no identity to look up
/// \return kUnsupported      the address asks for PLAIN or NULL
/// \return what KnownHosts::find and KeyStore::load return
/// Source: VOLTTRON vip/agent/core.py, _set_public_and_secret_keys, _set_server_key.
VIPAUTH_EXPORT Result<ClientKeys> find_client_keys(const std::filesystem::path& home,
                                                   const VipAddress& address,
                                                   std::optional<std::string_view> identity = std::nullopt,
                                                   StrictModes strict_modes = StrictModes::kOn);

/// Finds what a server that binds `address` needs: the secret key of the address, else that of the home's
/// `keystore`, which is made where there is none.
/// \return kInvalidArgument  a key of the address is not that of the secret key
/// \return kUnsupported      the address asks for PLAIN or NULL
/// \return what KeyStore::load_or_create returns
VIPAUTH_EXPORT Result<ServerKeys> find_server_keys(const std::filesystem::path& home,
                                                   const VipAddress& address,
                                                   StrictModes strict_modes = StrictModes::kOn);

/// The command that makes known_hosts hold that key for that address, ready for a shell.
/// \param home  of the known_hosts; empty: the one that vctl finds where the command is typed
VIPAUTH_EXPORT std::string add_known_host_command(std::string_view host, const CurveKey& key,
                                                  const std::filesystem::path& home = {});

}  // namespace vipauth
