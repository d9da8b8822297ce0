#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>

#include <vipauth/policy.hpp>
#include <vipauth/policy_sink.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

#include "model/document_change.hpp"
#include "store/file_content.hpp"

namespace vipauth {

/// One version of auth.json: when another has taken its name, it can still be read. A small one is kept in
/// memory, a large one is held open.
class AuthFileRevision {
 public:
  static constexpr std::size_t kSmallBytes = FileContent::kSmallBytes;

  /// \return what FileContent::open returns
  static Result<AuthFileRevision> open(const std::filesystem::path& path, StrictModes strict_modes);

  /// See AuthFile::load_parts.
  /// \return what AuthFile::load returns; kBusy  somebody has written into a large one meanwhile: what was
  ///         read may be of two versions
  Result<void> load_parts(const std::function<PolicySink&()>& make_sink) const;
  /// The same, as a whole.
  Result<Policy> load() const;

  bool is_large() const { return content_.size() > kSmallBytes; }
  /// False where somebody has written into a large one since it was opened, rather than replace it.
  bool is_as_opened() const { return content_.check_as_opened().has_value(); }

  friend std::optional<AuditedChange> audited_change(const AuthFileRevision* before,
                                                     const AuthFileRevision* after);

 private:
  AuthFileRevision(std::filesystem::path path, FileContent content)
      : path_(std::move(path)), content_(std::move(content)) {}

  std::filesystem::path path_;
  FileContent content_;
};

/// What differs between the policies of two revisions; of one that is not there, which is null, there is
/// nothing, and so of a `before` that somebody has written into. Those of the present version are read part
/// by part.
/// \return nothing  somebody has written into `after`
std::optional<AuditedChange> audited_change(const AuthFileRevision* before, const AuthFileRevision* after);

}  // namespace vipauth
