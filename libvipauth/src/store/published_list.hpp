#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>

#include <vipauth/result.hpp>

#include "pki/certificate_issuer.hpp"
#include "store/file_version.hpp"

namespace vipauth {

/// The revocation list on the disk, as a witness of what was decided: the ledger is written before it, and so
/// a ledger with a lower number is an older one.
///
/// number() keeps what it read until the file is another. May be used from any thread.
class PublishedList {
 public:
  explicit PublishedList(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const noexcept { return path_; }

  /// The number of the list; 0 where there is none, or none of this issuer. Whoever may change the file: its
  /// signature tells whose it is.
  /// \return kPermissionDenied, kIoError, kLimitExceeded  it cannot be read
  Result<std::uint64_t> number(const CertificateIssuer& issuer) const;

 private:
  std::filesystem::path path_;
  mutable std::mutex mutex_;
  mutable std::optional<FileVersion> version_;
  mutable std::uint64_t number_ = 0;
};

}  // namespace vipauth
