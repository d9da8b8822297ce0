#pragma once

#include <filesystem>
#include <utility>

#include <vipauth/certificate_key.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// The private key of a certificate in its file, PEM, mode 0600: `private/<name>.pem`.
class CertificateKeyFile {
 public:
  explicit CertificateKeyFile(std::filesystem::path path, StrictModes strict_modes = StrictModes::kOn)
      : path_(std::move(path)), strict_modes_(strict_modes) {}

  const std::filesystem::path& path() const noexcept { return path_; }

  /// \return kNotFound; kPermissionDenied  also where others may read it; what CertificateKey::parse returns
  VIPAUTH_EXPORT Result<CertificateKey> load() const;
  /// Makes a key where there is no file. One that cannot be read is an error, and stays. The folder must
  /// exist.
  VIPAUTH_EXPORT Result<CertificateKey> load_or_create() const;
  /// Puts a key in the place of the one that is there. The caller sees to it that nobody else does.
  VIPAUTH_EXPORT Result<void> replace(const CertificateKey& key) const;

 private:
  std::filesystem::path path_;
  StrictModes strict_modes_;
};

}  // namespace vipauth
