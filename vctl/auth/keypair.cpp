#include "auth/keypair.hpp"

#include <ostream>

#include <string.h>

#include <vipauth/curve_key.hpp>

namespace vipauth::vctl::auth {

int keypair(const KeyOptions& options, const Context& context) {
  const CurveKeyPair pair = CurveKeyPair::generate();
  const std::string public_text = options.as_z85 ? pair.public_key.to_z85() : pair.public_key.to_base64url();
  std::string secret_text = options.as_z85 ? reveal_z85(pair.secret_key) : reveal_base64url(pair.secret_key);
  // Neither form holds a character that JSON would escape; by way of a Json there would be more copies to
  // wipe.
  context.env.out << "{\n  \"public\": \"" << public_text << "\",\n  \"secret\": \"" << secret_text
                  << "\"\n}\n";
  explicit_bzero(secret_text.data(), secret_text.size());
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
