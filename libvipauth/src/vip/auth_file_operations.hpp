#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <vipauth/auth_file.hpp>
#include <vipauth/call_arguments.hpp>
#include <vipauth/call_binder.hpp>
#include <vipauth/policy.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// One of the methods `auth_file.*` that edit: what it takes, and what it does to a policy.
struct AuthFileOperation {
  std::string_view name;
  std::vector<Parameter> parameters;
  std::string_view doc;
  Result<void> (*apply)(Policy& policy, const CallArguments& arguments);
};

const std::vector<AuthFileOperation>& auth_file_operations();

/// Does a list of them, `[{"method": "auth_file.add", "params": {...}}, ...]`, each on what the one before
/// left.
/// \return kInvalidArgument  of another form; what the operation returns, `location` begins with "/INDEX"
Result<void> apply_operations(Policy& policy, const Json& operations);

/// What `auth_file.read` answers.
Json auth_file_content(const Policy& policy);

/// The records with these credentials, which are a public key or a pattern: nobody guesses passwords by
/// asking.
std::vector<std::size_t> records_with(const std::vector<Policy::Entry>& entries,
                                      std::string_view credentials);

/// Changes with the policy, passwords included, and tells nothing of it. Only within this process.
std::string policy_fingerprint(const Policy& policy);

}  // namespace vipauth
