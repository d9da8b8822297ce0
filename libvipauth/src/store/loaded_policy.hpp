#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <vipauth/policy.hpp>
#include <vipauth/result.hpp>

#include "store/file_content.hpp"

namespace vipauth {

/// A file that has been read, and what it means.
struct LoadedPolicy {
  Policy policy;
  std::string from;  ///< the version that the file has, if older than the present one
  std::vector<std::string> warnings;
  bool had_comments = false;
};

/// What an auth.json means, of whatever version it is. One of the present version is read by blocks.
/// \param path  for errors
/// \return what Json::parse, Policy::parse and upgrade_document return; kUnsupported  a newer version; what
///         FileContent::text returns
Result<LoadedPolicy> understand(const FileContent& content, const std::filesystem::path& path);

}  // namespace vipauth
