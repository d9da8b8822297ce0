#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include <vipauth/file_edit.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>
#include <vipauth/topic_document.hpp>
#include <vipauth/topic_rules.hpp>

namespace vipauth {

/// protected_topics.json on disk. Comments are accepted, and edits are transactions with a history, as of
/// AuthFile.
class TopicsFile {
 public:
  using Change = std::function<Result<void>(TopicDocument&)>;
  /// Looks at what a restoration would replace, and by what.
  using Check = std::function<Result<void>(const TopicDocument& present, const TopicDocument& former)>;

  explicit TopicsFile(std::filesystem::path path, StrictModes strict_modes = StrictModes::kOn)
      : path_(std::move(path)), strict_modes_(strict_modes) {}

  const std::filesystem::path& path() const noexcept { return path_; }

  /// An empty file is an error: it is what a write leaves that was cut off, and must not unprotect anything.
  /// \return kNotFound      there is no such file
  /// \return kParseError    `location` is "protected_topics.json:LINE:COLUMN"
  /// \return kPermissionDenied  the file may not be read, or strict modes refuse it
  /// \return what TopicRules::parse returns; kIoError
  VIPAUTH_EXPORT Result<TopicRules> load() const;
  /// The same with everything that an edit keeps.
  VIPAUTH_EXPORT Result<TopicDocument> load_document() const;

  /// As AuthFile::edit. A file of which a rule is not understood is not edited.
  VIPAUTH_EXPORT Result<EditReport> edit(const Change& change, const EditOptions& options = {}) const;

  /// Makes the file `next`, and lets `write_policy` write the policy that comes with it. Each of the two
  /// files comes into force by itself: until the policy is there, the rules that were there count as well as
  /// the new ones, so that nothing opens in between that neither version opens.
  /// \return what edit() and `write_policy` return; of an error some of it may be written, which is stricter
  VIPAUTH_EXPORT Result<EditReport> replace_with(const TopicDocument& next,
                                                 const std::function<Result<EditReport>()>& write_policy,
                                                 const EditOptions& options = {}) const;

  /// As AuthFile::load_generation.
  VIPAUTH_EXPORT Result<TopicDocument> load_generation(std::uint64_t number) const;
  /// As AuthFile::restore.
  VIPAUTH_EXPORT Result<EditReport> restore(std::uint64_t number, const Check& check = {},
                                            const EditOptions& options = {}) const;

 private:
  std::filesystem::path path_;
  StrictModes strict_modes_;
};

}  // namespace vipauth
