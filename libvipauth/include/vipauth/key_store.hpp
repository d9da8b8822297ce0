#pragma once

#include <filesystem>

#include <vipauth/curve_key.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// A file that holds one CURVE key pair: `{"public": "...", "secret": "..."}`, base64url, mode 0600.
/// Source: VOLTTRON keystore.py, KeyStore.
class KeyStore {
 public:
  explicit KeyStore(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const noexcept { return path_; }

  /// \return kNotFound     there is no such file
  /// \return kParseError   not a key pair; its public key is not that of its secret key
  /// \return kPermissionDenied, kIoError
  VIPAUTH_EXPORT Result<CurveKeyPair> load() const;

  /// Loads the pair, or makes a new one where there is no file. A file that cannot be read is an error, never
  /// a reason for a new key.
  VIPAUTH_EXPORT Result<CurveKeyPair> load_or_create() const;

 private:
  std::filesystem::path path_;
};

}  // namespace vipauth
