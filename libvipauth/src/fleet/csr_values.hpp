#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/clock.hpp>
#include <vipauth/common_name.hpp>
#include <vipauth/csr_store.hpp>
#include <vipauth/result.hpp>

/// The values below "certificates/". Whoever reads one takes it for a stranger's, whatever etcd lets others
/// write: see docs/fleet.md for their members.
namespace vipauth::fleet {

// The longest that are read.
inline constexpr std::size_t kMaxCsrBytes = std::size_t{64} * 1024;
inline constexpr std::size_t kMaxCsrDecisionBytes = 4096;
inline constexpr std::size_t kMaxCsrAnswerBytes = std::size_t{32} * 1024;

// Each parse function: \return kParseError, kLimitExceeded  no JSON, or too long; kUnsupported  of another
// version; kInvalidArgument  a member is missing or has a wrong form: `location` is a JSON Pointer

// ---- How a request stands ----

std::string csr_value(const CsrEntry& entry);
/// Key and name are the CSR's own, which proves that its sender has the key; a certificate must be for both.
/// \return also what CertificateRequest::parse and Certificate::parse return
Result<CsrEntry> parse_csr_value(const CommonName& name, std::string_view text);

/// Whether the store is to be told of this in the place of `told`. That it was seen again is no such reason
/// until minutes have passed: those who wait ask every few seconds.
bool is_news(std::string_view told, const CsrEntry& entry);

// ---- What is asked ----

enum class CsrVerb { kApprove, kDeny, kDelete };
std::string_view to_string(CsrVerb verb) noexcept;  ///< "approve", ...

/// What an administrator asks a site to do.
struct CsrAsked {
  std::string id;  ///< a random one, by which the answer is known
  CsrVerb verb = CsrVerb::kDeny;
  std::string key_fingerprint;           ///< of the key that the administrator saw: "AB:CD:..."
  CsrStatus seen = CsrStatus::kPending;  ///< how the request stood then
  std::string who;
  std::string command;
  Timestamp time;
};
std::string asked_value(const CsrAsked& asked);
Result<CsrAsked> parse_asked(std::string_view text);

// ---- What became of it ----

struct CsrAnswer {
  std::string id;
  CsrVerb verb = CsrVerb::kDeny;
  std::string who;                      ///< asked
  Timestamp time;                       ///< of the answer
  std::optional<Error> problem;         ///< why it was not done
  std::optional<Error> broker_problem;  ///< it was done, but the site's broker does not know
  std::vector<std::string> warnings;
};
std::string answer_value(const CsrAnswer& answer);
Result<CsrAnswer> parse_answer(std::string_view text);

}  // namespace vipauth::fleet
