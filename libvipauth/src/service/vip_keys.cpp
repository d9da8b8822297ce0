#include <vipauth/vip_keys.hpp>

#include <algorithm>
#include <utility>

#include <vipauth/agent_key_stores.hpp>
#include <vipauth/key_store.hpp>

namespace vipauth {
namespace {

namespace fs = std::filesystem;

constexpr const char* kKnownHosts = "known_hosts";
constexpr const char* kKeyStore = "keystore";
constexpr const char* kDefaultDomain = "vip";

/// `text` as one word of a POSIX shell.
std::string quoted_word(std::string_view text) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./:@,+=").find(c) != std::string_view::npos;
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string known_host_command(std::string_view host, std::string_view key, const fs::path& home) {
  return "vctl" + (home.empty() ? "" : " --home " + quoted_word(home.string())) +
         " auth add-known-host --host " + quoted_word(host) + " --serverkey " + std::string(key);
}

Result<void> require_curve_address(const VipAddress& address) {
  const bool asks_for_other = address.server && *address.server != VipAddress::Server::kCurve;
  if (!asks_for_other && !address.username && !address.password) return {};
  return Error{
      ErrorCode::kUnsupported,
      "\"" + address.to_string() + "\" asks for another mechanism than CURVE: set up such a socket yourself",
      ""};
}

/// The key pair of the address, if it has one.
Result<const CurveKeyPair*> pair_of(const VipAddress& address) {
  if (!address.secretkey) return nullptr;
  if (address.publickey && *address.publickey != address.secretkey->public_key) {
    return Error{ErrorCode::kInvalidArgument, "is not the public key of the address's secret key",
                 "publickey"};
  }
  return &*address.secretkey;
}

CurveKeyPair copy_of(const CurveKeyPair& pair) {
  return {pair.public_key, SecretKey(pair.secret_key.bytes())};
}

Result<CurveKey> find_server_key(const fs::path& home, const VipAddress& address, StrictModes strict_modes) {
  const KnownHosts known_hosts(home / kKnownHosts, strict_modes);
  const auto known = known_hosts.find(address.endpoint);
  if (!known) return known.error();
  if (!address.serverkey) {
    if (*known) return **known;
    return Error{ErrorCode::kNotFound,
                 "no server key is known for \"" + address.endpoint +
                     "\": ask whoever runs it what `vctl auth serverkey` prints there, and type: " +
                     known_host_command(address.endpoint, "KEY", home),
                 ""};
  }
  if (!*known || **known == *address.serverkey) return *address.serverkey;
  return Error{ErrorCode::kConflict,
               "the server key of \"" + address.endpoint + "\" is " + address.serverkey->fingerprint() +
                   " by the address, but " + (*known)->fingerprint() + " by \"" +
                   known_hosts.path().string() +
                   "\": somebody may stand between. If the server has changed its key, type: " +
                   add_known_host_command(address.endpoint, *address.serverkey, home),
               ""};
}

Result<CurveKeyPair> find_own_keys(const fs::path& home, const VipAddress& address,
                                   const std::optional<std::string>& identity, StrictModes strict_modes) {
  const auto given = pair_of(address);
  if (!given) return given.error();
  if (*given != nullptr) return copy_of(**given);
  if (!identity) {
    return Error{ErrorCode::kInvalidArgument,
                 "neither a secret key nor an identity is given: it is not known who connects", ""};
  }
  const auto store = AgentKeyStores(home, strict_modes).find(*identity);
  if (!store) return store.error();
  auto pair = store->load();
  if (!pair && pair.error().code == ErrorCode::kNotFound) {
    return Error{ErrorCode::kNotFound,
                 "\"" + *identity + "\" has no key store: make one by `vctl auth create " +
                     quoted_word(*identity) + "`",
                 ""};
  }
  if (pair && address.publickey && *address.publickey != pair->public_key) {
    return Error{ErrorCode::kInvalidArgument, "is not the public key of \"" + store->path().string() + "\"",
                 "publickey"};
  }
  return pair;
}

}  // namespace

Result<ClientKeys> find_client_keys(const fs::path& home, const VipAddress& address,
                                    std::optional<std::string_view> identity, StrictModes strict_modes) {
  if (auto curve = require_curve_address(address); !curve) return curve.error();
  auto server_key = find_server_key(home, address, strict_modes);
  if (!server_key) return server_key.error();
  std::optional<std::string> name;
  if (identity && !identity->empty()) {
    name = *identity;
  } else if (address.identity && !address.identity->empty()) {
    name = *address.identity;
  }
  auto own = find_own_keys(home, address, name, strict_modes);
  if (!own) return own.error();
  return ClientKeys{address.endpoint, *server_key, *std::move(own), address.ipv6, std::move(name)};
}

Result<ServerKeys> find_server_keys(const fs::path& home, const VipAddress& address,
                                    StrictModes strict_modes) {
  if (auto curve = require_curve_address(address); !curve) return curve.error();
  const auto given = pair_of(address);
  if (!given) return given.error();
  auto own = *given != nullptr ? Result<CurveKeyPair>(copy_of(**given))
                               : KeyStore(home / kKeyStore, strict_modes).load_or_create();
  if (!own) return own.error();
  const auto check = [&](const std::optional<CurveKey>& key, const char* name) -> Result<void> {
    if (!key || *key == own->public_key) return {};
    return Error{ErrorCode::kInvalidArgument, "is not the public key of this server", name};
  };
  if (auto checked = check(address.publickey, "publickey"); !checked) return checked.error();
  if (auto checked = check(address.serverkey, "serverkey"); !checked) return checked.error();
  return ServerKeys{address.endpoint, *std::move(own), address.domain.value_or(kDefaultDomain), address.ipv6};
}

std::string add_known_host_command(std::string_view host, const CurveKey& key, const fs::path& home) {
  return known_host_command(host, key.to_base64url(), home);
}

}  // namespace vipauth
