#include "auth/csr_request.hpp"

#include <chrono>
#include <ostream>
#include <thread>
#include <utility>

#include "auth/certificate_home.hpp"
#include "output.hpp"

#ifdef VCTL_WITH_WEB
#include <vipauth/csr_client.hpp>
#endif

namespace vipauth::vctl::auth {

#ifdef VCTL_WITH_WEB

namespace {

constexpr std::chrono::seconds kBetweenQuestions{5};

Json document(const RemotePlatform& platform) {
  const bool is_approved = platform.status == CsrStatus::kApproved;
  return Json::Object{{"status", to_string(platform.status)},
                      {"common_name", platform.common_name.text()},
                      {"key_fingerprint", platform.key_fingerprint},
                      {"certificate", is_approved ? Json(platform.files.certificate.string()) : Json()},
                      {"key", platform.files.key.string()},
                      {"authority", is_approved ? Json(platform.files.authority.string()) : Json()},
                      {"message", platform.message},
                      {"reached", platform.is_from_server},
                      {"discovery", platform.discovery.to_json()}};
}

void print_text(std::ostream& out, const RemotePlatform& platform) {
  out << "status       " << to_string(platform.status) << '\n'
      << "name         " << printable(platform.common_name.text()) << '\n'
      << "fingerprint  " << printable(platform.key_fingerprint) << '\n'
      << "key          " << printable(platform.files.key.string()) << '\n';
  if (platform.status == CsrStatus::kApproved) {
    out << "certificate  " << printable(platform.files.certificate.string()) << '\n'
        << "authority    " << printable(platform.files.authority.string()) << '\n';
  }
  if (!platform.message.empty()) out << "message      " << printable(platform.message) << '\n';
}

Result<CsrClient> make_client(const CsrRequestOptions& options, const Home& home) {
  CsrClient::Options client;
  client.certificates = home.certificates_path();
  client.identity = options.identity;
  client.strict_modes = home.strict_modes();
  client.clock = home.context().env.clock;
  client.authorities = options.authorities.value_or("");
  client.fingerprint = options.fingerprint.value_or("");
  if (options.instance) {
    client.instance_name = *options.instance;
  } else {
    auto name = instance_name(home);
    if (!name) return Error{name.error().code, name.error().message + "; or give --instance NAME", ""};
    client.instance_name = *std::move(name);
  }
  return CsrClient::create(options.url, std::move(client));
}

int exit_code_of(CsrStatus status) {
  switch (status) {
    case CsrStatus::kApproved: return kExitDone;
    case CsrStatus::kDenied: return kExitDenied;
    case CsrStatus::kPending: break;
  }
  return kExitFailed;
}

}  // namespace

int csr_request(const CsrRequestOptions& options, const Context& context) {
  if (options.authorities.has_value() == options.fingerprint.has_value()) {
    return fail_usage(
        context, "give either --ca FILE or --fingerprint FINGERPRINT, to say which server is the right one");
  }
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  auto client = make_client(options, *home);
  if (!client) return fail(context, client.error());
  auto platform = client->connect_remote_platform();
  while (platform && platform->status == CsrStatus::kPending && options.waits) {
    std::this_thread::sleep_for(kBetweenQuestions);
    platform = client->connect_remote_platform();
  }
  if (!platform) return fail(context, platform.error());
  if (context.options.json) {
    print_document(context, document(*platform));
  } else {
    print_text(context.env.out, *platform);
  }
  if (!platform->is_from_server)
    warn(context, "the server cannot be reached: what is shown was saved before");
  return exit_code_of(platform->status);
}

#else

int csr_request(const CsrRequestOptions&, const Context& context) {
  return fail(context,
              Error{ErrorCode::kUnavailable, "this vctl was built without the web part of vipauth", ""});
}

#endif

}  // namespace vipauth::vctl::auth
