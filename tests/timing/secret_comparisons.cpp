// Compares secrets under valgrind, which takes their bytes for bytes that were never set: a branch or an
// address that depends on one is reported, and valgrind's exit code tells. usage: secret_comparisons
// equal|naive

#include <cstring>
#include <iostream>
#include <string>
#include <string_view>

#include <valgrind/memcheck.h>

#include "base/equal_secrets.hpp"
#include "base/hash.hpp"
#include "transport/acceptance_proof.hpp"

#ifdef TIMING_WITH_WEB
#include "web/web_sessions.hpp"
#endif

namespace {

using Compare = bool (*)(std::string_view, std::string_view);

bool naive(std::string_view left, std::string_view right) { return left == right; }

/// How often a claim counted as equal: once, for one of them is.
int compare_all(Compare compare, const std::string& secret) {
  std::string poisoned = secret;
  VALGRIND_MAKE_MEM_UNDEFINED(poisoned.data(), poisoned.size());
  int equal = 0;
  for (std::size_t different = 0; different <= secret.size(); ++different) {
    std::string claim = secret;  // differs at one place, or, last, nowhere
    if (different < claim.size()) claim[different] = static_cast<char>(claim[different] ^ 1);
    bool is_equal = compare(claim, poisoned);
    VALGRIND_MAKE_MEM_DEFINED(&is_equal, sizeof is_equal);  // that much may be known
    equal += is_equal ? 1 : 0;
  }
  return equal;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc == 2 ? argv[1] : "";
  const std::string& proof = vipauth::acceptance_proof();
  const std::string fingerprint = vipauth::secret_fingerprint("secret");
  int equal = 0;
  if (mode == "equal") {
    equal =
        compare_all(vipauth::are_equal_secrets, proof) + compare_all(vipauth::are_equal_secrets, fingerprint);
#ifdef TIMING_WITH_WEB
    const std::string token = vipauth::web::WebSessions::csrf_token_of("token");
    equal += compare_all(vipauth::web::are_equal_secrets, token) - 1;
#endif
  } else if (mode == "naive") {
    equal = compare_all(naive, proof) + compare_all(naive, fingerprint);
  } else {
    std::cerr << "usage: secret_comparisons equal|naive\n";
    return 64;
  }
  return equal == 2 ? 0 : 1;
}
