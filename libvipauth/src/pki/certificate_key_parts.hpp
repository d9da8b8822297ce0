#pragma once

#include <vipauth/certificate_key.hpp>

#include "pki/openssl.hpp"
#include "pki/secret_text.hpp"

namespace vipauth {

struct CertificateKey::Impl {
  KeyPtr key;
};

}  // namespace vipauth
