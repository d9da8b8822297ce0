#include "auth/probe.hpp"

#include <algorithm>
#include <ostream>
#include <utility>

#include <vipauth/connection_monitor.hpp>
#include <vipauth/vip_client.hpp>

#include "output.hpp"
#include "platform.hpp"
#include "working.hpp"

namespace vipauth::vctl::auth {
namespace {

/// A probe that is not let in after this time waits for somebody.
constexpr std::chrono::milliseconds kLongest{10'000};

/// What a client meets at an address.
struct Met {
  std::string_view state;
  int exit_code = kExitFailed;
  std::string advice;
  std::optional<VipClient::Welcome> welcome = {};
};

/// What a failed hello says, where the connection does not say it.
Met met(const Error& error, ConnectionState state) {
  switch (state) {
    case ConnectionState::kConnecting:
    case ConnectionState::kNobodyThere: return {"nobody_there", kExitFailed, error.message};
    case ConnectionState::kNotCurve: return {"no_curve", kExitFailed, error.message};
    case ConnectionState::kWrongServerKey: return {"wrong_server_key", kExitFailed, error.message};
    case ConnectionState::kWaiting: return {"pending", kExitDenied, error.message};
    case ConnectionState::kRefused: return {"denied", kExitDenied, error.message};
    case ConnectionState::kDisconnected: return {"disconnected", kExitFailed, error.message};
    case ConnectionState::kConnected: break;
  }
  const bool is_refused = error.code == ErrorCode::kPermissionDenied;
  return {is_refused ? "identity_refused" : "no_answer", is_refused ? kExitDenied : kExitFailed,
          error.message};
}

Met ask(VipClient& client, std::chrono::milliseconds patience) {
  auto welcome = client.hello(patience);
  if (!welcome) return met(welcome.error(), client.monitor().state());
  Met accepted{"accepted", kExitDone, {}, {}};
  accepted.welcome = *std::move(welcome);
  return accepted;
}

Json document(const Met& met) {
  Json out(Json::Object{{"state", met.state}});
  if (met.welcome) {
    out.set("user_id", met.welcome->user_id);
    out.set("identity", met.welcome->identity);
  } else {
    out.set("advice", met.advice);
  }
  return out;
}

}  // namespace

int probe(const ProbeOptions& options, const Context& context) {
  auto keys = client_keys(context, options.address);
  if (!keys) return fail(context, keys.error());
  const std::string server_key = keys->server_key.to_base64url();
  const std::string own_key = keys->own.public_key.to_base64url();
  auto client = VipClient::open(*std::move(keys));
  if (!client) return fail(context, client.error());
  const Met met = while_working(context, "connecting",
                                [&] { return ask(*client, std::min(context.options.timeout, kLongest)); });
  if (context.options.json) {
    print_document(context, document(met));
    return met.exit_code;
  }
  std::ostream& out = context.env.out;
  if (met.welcome) {
    out << "accepted: as user_id " << printable(met.welcome->user_id) << ", under the identity "
        << printable(met.welcome->identity) << '\n';
  } else {
    out << met.state << ": " << printable(met.advice) << '\n';
  }
  out << "  server key: " << server_key << "\n  own public key: " << own_key << '\n';
  return met.exit_code;
}

}  // namespace vipauth::vctl::auth
