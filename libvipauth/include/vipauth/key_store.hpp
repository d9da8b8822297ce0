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

  // Changing the key: load_or_create() of next(), then let everybody know its public key, then
  // promote_next().

  /// The store of the pair that is to follow this one: `<path>.next`.
  KeyStore next() const { return KeyStore(path_.string() + ".next", strict_modes_); }
  /// The store of the pair before this one: `<path>.bak`.
  KeyStore previous() const { return KeyStore(path_.string() + ".bak", strict_modes_); }

  /// Puts the pair of next() in the place of this one, which is kept as previous(). Where `expected` is the
  /// present pair already, there is nothing to do, so that it may be called again after a crash.
  /// \return kNotFound  there is no next pair
  /// \return kConflict  the next pair is another one than `expected`: somebody else changes the key as well
  VIPAUTH_EXPORT Result<void> promote_next(const CurveKey& expected) const;

 private:
  std::filesystem::path path_;
  StrictModes strict_modes_;
};

}  // namespace vipauth
