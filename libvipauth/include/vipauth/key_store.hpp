#pragma once

#include <filesystem>

#include <vipauth/curve_key.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// A file that holds one CURVE key pair: `{"public": "...", "secret": "..."}`, base64url, mode 0600.
/// Source: VOLTTRON keystore.py, KeyStore.
class KeyStore {
 public:
  explicit KeyStore(std::filesystem::path path, StrictModes strict_modes = StrictModes::kOn)
      : path_(std::move(path)), strict_modes_(strict_modes) {}

  const std::filesystem::path& path() const noexcept { return path_; }

  /// \return kNotFound     there is no such file
  /// \return kParseError   not a key pair; its public key is not that of its secret key
  /// \return kPermissionDenied  the file may not be read, or others may read it too; kIoError
  VIPAUTH_EXPORT Result<CurveKeyPair> load() const;

  /// Loads the pair, or makes a new one where there is no file. A file that cannot be read is an error, never
  /// a reason for a new key.
  VIPAUTH_EXPORT Result<CurveKeyPair> load_or_create() const;

 private:
  std::filesystem::path path_;
  StrictModes strict_modes_;
};

}  // namespace vipauth
