#include "auth/certificate_home.hpp"

#include <system_error>
#include <utility>

#ifdef VCTL_WITH_WEB
#include <vipauth/rabbitmq_users.hpp>
#endif

namespace vipauth::vctl::auth {
namespace {

/// Users of a broker that cannot be asked, and why not.
class UnreachableUsers final : public CertificateUsers {
 public:
  explicit UnreachableUsers(Error why) : why_(std::move(why)) {}

  Result<void> admit(const CommonName&) override { return why_; }
  Result<void> expel(const CommonName&) override { return why_; }
  Result<void> admit_only(const std::vector<CommonName>&) override { return why_; }

 private:
  Error why_;
};

CertificateAuthority::Options authority_options(const Home& home) {
  CertificateAuthority::Options options;
  options.patience = home.patience();
  options.strict_modes = home.strict_modes();
  options.clock = home.context().env.clock;
  return options;
}

}  // namespace

Result<std::string> instance_name(const Home& home) {
  const auto config = home.load_config();
  if (!config) return config.error();
  const auto name = config->instance_name();
  if (name && !name->empty()) return *name;
  return Error{ErrorCode::kNotFound,
               "the instance has no name: write \"instance-name = NAME\" below \"[volttron]\" into \"" +
                   (home.path() / "config").string() + "\"",
               ""};
}

Result<CertificateAuthority> open_authority(const Home& home) {
  const auto name = instance_name(home);
  if (!name) return name.error();
  auto authority = CertificateAuthority::open(home.certificates_path(), *name, authority_options(home));
  if (authority || authority.error().code != ErrorCode::kNotFound) return authority;
  return Error{ErrorCode::kNotFound,
               authority.error().message + "; a new instance gets one by: vctl auth certs init",
               authority.error().location};
}

Result<CertificateAuthority> open_authority(const Context& context) {
  const auto home = Home::open(context);
  if (!home) return home.error();
  return open_authority(*home);
}

Result<CertificateAuthority> open_or_create_authority(const Home& home) {
  const auto name = instance_name(home);
  if (!name) return name.error();
  return CertificateAuthority::open_or_create(home.certificates_path(), *name, authority_options(home));
}

std::shared_ptr<CertificateUsers> broker_users([[maybe_unused]] const Home& home,
                                               const PlatformConfig& config) {
#ifdef VCTL_WITH_WEB
  auto settings = RabbitMqUsers::settings(config, home.path());
  if (!settings) return std::make_shared<UnreachableUsers>(settings.error());
  if (!*settings) return nullptr;
  (*settings)->strict_modes = home.strict_modes();
  auto users = RabbitMqUsers::create(**std::move(settings));
  if (!users) return std::make_shared<UnreachableUsers>(users.error());
  return *std::move(users);
#else
  if (!config.get("rmq-management-url")) return nullptr;
  return std::make_shared<UnreachableUsers>(
      Error{ErrorCode::kUnavailable, "this vctl was built without RabbitMQ", ""});
#endif
}

bool has_requests(const Home& home) {
  std::error_code error;
  const std::filesystem::directory_iterator first(home.certificates_path() / "pending_csr", error);
  // What cannot be read is for who opens it to report.
  if (error) return error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory;
  return first != std::filesystem::directory_iterator();
}

Result<CsrStore> open_requests(const Home& home, CsrStore::Taken taken) {
  const auto config = home.load_config();
  if (!config) return config.error();
  auto authority = open_authority(home);
  if (!authority) return authority.error();
  CsrStore::Options options;
  options.taken = std::move(taken);
  options.users = broker_users(home, *config);
  return CsrStore(*std::move(authority), std::move(options));
}

}  // namespace vipauth::vctl::auth
