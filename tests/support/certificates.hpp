#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/certificate_authority.hpp>
#include <vipauth/certificate_key.hpp>
#include <vipauth/certificate_request.hpp>

#include "support/policies.hpp"
#include "support/temp_home.hpp"

namespace vipauth::test {

/// A name that must be good.
inline CommonName name_of(std::string_view text) {
  auto name = CommonName::parse(text);
  if (!name) throw std::runtime_error(name.error().to_string());
  return std::move(*name);
}

/// A key, and a request for a name with it.
struct Asker {
  explicit Asker(std::string_view name);
  CertificateKey key;
  CertificateRequest request;
};

/// One of several common names of a request, as any ASN.1 type: 0 is UTF8String.
struct OddName {
  std::string bytes;
  int type = 0;
};

/// A request that no honest program makes: with these common names, signed; with `spoiled`, not well.
std::string odd_request(const std::vector<OddName>& names, bool spoiled = false);

/// Runs the `openssl` program in a folder, and returns what it writes to both outputs. `exit_code` takes how
/// it ended.
std::string openssl(const std::filesystem::path& folder, const std::string& arguments,
                    int* exit_code = nullptr);

/// A key and a request that `openssl req` makes in `folder`; `key` is what stands behind -newkey.
std::string foreign_request(const TempHome& home, const std::string& common_name,
                            const std::string& key = "ec -pkeyopt ec_paramgen_curve:P-256",
                            const std::string& more = "");

/// The time of a test, which it may set.
struct TestClock {
  std::shared_ptr<Timestamp> now = std::make_shared<Timestamp>(kNow);
  Clock clock() const {
    return [now = now] { return *now; };
  }
};

/// An authority of the instance "oracle1" in `home`/certificates.
CertificateAuthority authority_in(const TempHome& home, const CertificateAuthority::Options& options);
CertificateAuthority authority_in(const TempHome& home, const TestClock& time = {});

/// Puts the root certificate that VOLTTRON made for "oracle1" in `home`/certificates.
void put_recorded_root(const TempHome& home);

}  // namespace vipauth::test
