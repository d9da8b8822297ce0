#include <vipauth/csr_names.hpp>

#include <utility>

namespace vipauth {
namespace {

// No user has this user_id: it is not UTF-8, which every file of records is.
constexpr std::string_view kNobody = "\xff";

}  // namespace

CsrStore::Taken names_in(std::shared_ptr<const LivePolicy> policy) {
  return [policy = std::move(policy)](std::string_view name) -> std::optional<std::string> {
    const LivePolicy::Version version = policy->current();
    if (!version.snapshot->loaded) return "no policy is loaded that tells whose it is";
    if (version.snapshot->identities.verify(kNobody, "", name).allowed()) return std::nullopt;
    return "\"" + std::string(name) + "\" is a name of this platform or of one of its records";
  };
}

}  // namespace vipauth
