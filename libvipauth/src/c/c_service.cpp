#include <cstring>
#include <vector>

#include <vipauth/socket_security.hpp>

#include "c/c_handles.hpp"

namespace {

using vipauth::AuthService;
using vipauth::LogLevel;
using vipauth::StrictModes;
using vipauth::c::done;
using vipauth::c::fail;
using vipauth::c::guarded;
using vipauth::c::is_missing;

vipauth_log_level level_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return VIPAUTH_LOG_DEBUG;
    case LogLevel::kInfo: return VIPAUTH_LOG_INFO;
    case LogLevel::kWarning: return VIPAUTH_LOG_WARNING;
    case LogLevel::kError: return VIPAUTH_LOG_ERROR;
  }
  return VIPAUTH_LOG_ERROR;
}

AuthService::Options options_of(const vipauth_options& given) {
  AuthService::Options out;
  out.watch = given.watch != 0;
  out.trust_same_user_ipc = given.trust_same_user_ipc != 0;
  out.strict_modes = given.strict_modes != 0 ? StrictModes::kOn : StrictModes::kOff;
  if (given.audit != 0) out.audit = vipauth::AuditLog::Options{};
  if (given.log != nullptr) {
    out.log = [log = given.log, user = given.log_user](LogLevel level, const std::string& line) {
      log(user, level_of(level), line.c_str());
    };
  }
  return out;
}

}  // namespace

extern "C" {

vipauth_options vipauth_options_default(void) {
  vipauth_options out{};
  out.size = sizeof out;
  out.watch = 1;
  out.strict_modes = 1;
  return out;
}

vipauth_service* vipauth_service_open(const char* home, const vipauth_options* options) {
  return guarded<vipauth_service*>(nullptr, [&]() -> vipauth_service* {
    if (home == nullptr) return fail(nullptr, is_missing("home"));
    // A caller that was built against an earlier version knows fewer members; the others keep their defaults.
    vipauth_options known = vipauth_options_default();
    if (options != nullptr) {
      if (options->size < sizeof options->size || options->size > sizeof known) {
        return fail(nullptr,
                    {vipauth::ErrorCode::kInvalidArgument,
                     "begin with vipauth_options_default() of the library that is loaded", "options.size"});
      }
      std::memcpy(&known, options, options->size);
    }
    auto service = AuthService::open(home, options_of(known));
    if (!service) return fail(nullptr, service.error());
    return new vipauth_service{std::move(*service)};
  });
}

void vipauth_service_free(vipauth_service* service) { delete service; }

int vipauth_service_reload(vipauth_service* service) {
  return guarded(0, [&] {
    return service == nullptr ? fail(0, is_missing("service")) : done(service->service.reload());
  });
}

int vipauth_service_flush(vipauth_service* service) {
  return guarded(0, [&] {
    return service == nullptr ? fail(0, is_missing("service")) : done(service->service.flush());
  });
}

int vipauth_service_on_change(vipauth_service* service, vipauth_change_function function, void* user) {
  return guarded(0, [&] {
    if (service == nullptr) return fail(0, is_missing("service"));
    if (function == nullptr) return fail(0, is_missing("function"));
    service->service.on_change([function, user](const vipauth::PolicyChange& change) {
      std::vector<const char*> revoked;
      revoked.reserve(change.revoked.size());
      for (const std::string& name : change.revoked) revoked.push_back(name.c_str());
      function(user, change.generation, revoked.data(), revoked.size());
    });
    return 1;
  });
}

const char* vipauth_service_server_key(vipauth_service* service) {
  return guarded<const char*>(nullptr, [&]() -> const char* {
    if (service == nullptr) return fail(nullptr, is_missing("service"));
    const auto keys = service->service.server_keys();
    if (!keys) return fail(nullptr, keys.error());
    service->server_key = keys->public_key.to_base64url();
    return service->server_key.c_str();
  });
}

vipauth_zap* vipauth_zap_start(void* zmq_context, vipauth_service* service) {
  return guarded<vipauth_zap*>(nullptr, [&]() -> vipauth_zap* {
    if (zmq_context == nullptr) return fail(nullptr, is_missing("zmq_context"));
    if (service == nullptr) return fail(nullptr, is_missing("service"));
    auto server = vipauth::ZapServer::start(zmq_context, service->service);
    if (!server) return fail(nullptr, server.error());
    return new vipauth_zap{std::move(*server)};
  });
}

void vipauth_zap_free(vipauth_zap* zap) { delete zap; }

int vipauth_secure_server_socket(void* zmq_socket, vipauth_service* service, const char* domain) {
  return guarded(0, [&] {
    if (zmq_socket == nullptr) return fail(0, is_missing("zmq_socket"));
    if (service == nullptr) return fail(0, is_missing("service"));
    if (domain == nullptr) return fail(0, is_missing("domain"));
    const auto keys = service->service.server_keys();
    if (!keys) return fail(0, keys.error());
    return done(vipauth::secure_server_socket(zmq_socket, *keys, domain));
  });
}
}
