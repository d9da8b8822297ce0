#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <vipauth/policy.hpp>
#include <vipauth/result.hpp>

#include "text/json_check.hpp"

namespace vipauth {

/// A file that has been read, and what it means.
struct LoadedPolicy {
  Policy policy;
  JsonDigest digest{};  ///< of what would be written where nothing is changed
  std::string from;     ///< the version that the file has, if older than the present one
  std::vector<std::string> warnings;
};

/// What a policy is read for: only an edit asks later whether it has changed.
enum class Purpose { kReading, kEditing };

/// What the content of an auth.json means, of whatever version it is.
/// \param path  for errors
/// \return what Policy::parse and upgrade_document return; kUnsupported  a newer version
Result<LoadedPolicy> understand(Json document, const std::filesystem::path& path, Purpose purpose);
/// The same of a text.
Result<LoadedPolicy> understand_text(const std::string& text, const std::filesystem::path& path);

}  // namespace vipauth
