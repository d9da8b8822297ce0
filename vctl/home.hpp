#pragma once

#include <filesystem>

#include <vipauth/auth_file.hpp>
#include <vipauth/policy.hpp>
#include <vipauth/result.hpp>
#include <vipauth/topic_rules.hpp>

#include "context.hpp"

namespace vipauth::vctl {

/// The home folder that a verb works on, and the files in it.
class Home {
 public:
  /// --home, else $VOLTTRON_HOME, else ~/.volttron.
  /// \return kNotFound  there is no such folder; the message says what to do
  static Result<Home> open(const Context& context);

  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path auth_path() const { return path_ / "auth.json"; }
  std::filesystem::path topics_path() const { return path_ / "protected_topics.json"; }

  /// auth.json; a missing file is an empty policy.
  /// \return what AuthFile::load returns but kNotFound
  Result<Policy> load_policy() const;

  /// protected_topics.json; a missing file protects nothing.
  /// \return what TopicsFile::load returns but kNotFound
  Result<TopicRules> load_topic_rules() const;

  /// One edit of auth.json, with the patience that the user has. The verb shows what it did, then the
  /// report's warnings.
  Result<AuthFile::EditReport> edit_policy(const AuthFile::Change& change) const;

 private:
  Home(std::filesystem::path path, const Context& context) : path_(std::move(path)), context_(&context) {}

  std::filesystem::path path_;
  const Context* context_;
};

}  // namespace vipauth::vctl
