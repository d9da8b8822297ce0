#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include <vipauth/policy.hpp>
#include <vipauth/policy_sink.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

#include "store/atomic_file.hpp"

namespace vipauth {

/// One version of auth.json: when another has taken its name, it can still be read. A small one is kept in
/// memory, a large one is held open.
class AuthFileRevision {
 public:
  static constexpr std::size_t kSmallBytes = std::size_t{1} << 20;

  /// \return what open_file and read_open_file return
  static Result<AuthFileRevision> open(std::filesystem::path path, StrictModes strict_modes);

  /// See AuthFile::load_parts. \return what AuthFile::load returns
  Result<void> load_parts(const std::function<PolicySink&()>& make_sink) const;
  /// The same, as a whole.
  Result<Policy> load() const;

  /// False where somebody has written into a large one since it was opened, rather than replace it.
  bool is_as_opened() const;

 private:
  AuthFileRevision(std::filesystem::path path, OpenedFile file)
      : path_(std::move(path)), file_(std::move(file)) {}

  std::filesystem::path path_;
  OpenedFile file_;
  std::optional<std::string> text_;  // of a small one
};

}  // namespace vipauth
