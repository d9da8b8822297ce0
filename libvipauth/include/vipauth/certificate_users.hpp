#pragma once

#include <vector>

#include <vipauth/common_name.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// The users that a broker has for the names of certificates, so that who is approved can work there, and who
/// is not is gone at once: RabbitMqUsers, or an embedder's own.
///
/// Called from any thread, after the decision is on the disk, and again where it is not certain that the
/// broker was told: everything here may be done twice.
class CertificateUsers {
 public:
  CertificateUsers() = default;
  CertificateUsers(const CertificateUsers&) = delete;
  CertificateUsers& operator=(const CertificateUsers&) = delete;
  virtual ~CertificateUsers() = default;

  /// Makes the user, with what it may do.
  virtual Result<void> admit(const CommonName& name) = 0;
  /// Removes the user, and ends its connections before it returns.
  virtual Result<void> expel(const CommonName& name) = 0;
  /// Does both for all that admit() ever made: afterwards there are these and no other.
  virtual Result<void> admit_only(const std::vector<CommonName>& names) = 0;
  /// The program is about to end: whatever waits for the broker, now or later, should fail at once. Called
  /// from any thread.
  virtual void stop() noexcept {}
};

}  // namespace vipauth
