#pragma once

#include <memory>
#include <optional>
#include <string>

#include <vipauth/certificate_authority.hpp>
#include <vipauth/certificate_users.hpp>
#include <vipauth/csr_store.hpp>
#include <vipauth/platform_config.hpp>
#include <vipauth/result.hpp>

#include "home.hpp"

namespace vipauth::vctl::auth {

/// The name of the instance, by the home's configuration.
/// \return kNotFound  it has none: the message says what to write
Result<std::string> instance_name(const Home& home);

/// The authority of the home's instance.
/// \return what CertificateAuthority::open and instance_name return; of a home without one, kNotFound with what to
///         type
Result<CertificateAuthority> open_authority(const Home& home);
/// That of the home that is asked for.
Result<CertificateAuthority> open_authority(const Context& context);
/// The same, made where there is none.
Result<CertificateAuthority> open_or_create_authority(const Home& home);

/// The users of the RabbitMQ that the configuration names; null where it names none. Where they cannot be
/// reached because of a mistake in it, each question to them is answered so.
std::shared_ptr<CertificateUsers> broker_users(const Home& home, const PlatformConfig& config);

/// Whether there are requests for certificates, or may be some that cannot be read.
bool has_requests(const Home& home);

/// Their requests.
/// \return what open_authority returns
Result<CsrStore> open_requests(const Home& home, CsrStore::Taken taken);

}  // namespace vipauth::vctl::auth
