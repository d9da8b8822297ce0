#pragma once

#include <vipauth/certificate_key.hpp>
#include <vipauth/result.hpp>

#include "pki/secret_text.hpp"

namespace vipauth {

/// The private key as PEM (PKCS #8), not encrypted: for its file.
Result<SecretText> private_key_text(const CertificateKey& key);

}  // namespace vipauth
