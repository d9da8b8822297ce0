#pragma once

#include <filesystem>

#include <vipauth/result.hpp>
#include <vipauth/topic_rules.hpp>

namespace vipauth {

/// protected_topics.json on disk. Comments are accepted, as in auth.json.
class TopicsFile {
 public:
  explicit TopicsFile(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const noexcept { return path_; }

  /// An empty file is an error: it is what a write leaves that was cut off, and must not unprotect anything.
  /// \return kNotFound      there is no such file
  /// \return kParseError    `location` is "protected_topics.json:LINE:COLUMN"
  /// \return what TopicRules::parse returns; kPermissionDenied, kIoError
  VIPAUTH_EXPORT Result<TopicRules> load() const;

 private:
  std::filesystem::path path_;
};

}  // namespace vipauth
