#include "transport/acceptance_proof.hpp"

#include <vipauth/curve_key.hpp>

namespace vipauth {

const std::string& acceptance_proof() {
  static const std::string proof = CurveKeyPair::generate().public_key.to_base64url();
  return proof;
}

}  // namespace vipauth
