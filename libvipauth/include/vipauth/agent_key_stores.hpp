#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/key_store.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// The key stores of a home's agents: `keystores/<identity>/keystore.json`.
/// Source: VOLTTRON keystore.py, KeyStore.get_agent_keystore_path.
class AgentKeyStores {
 public:
  static constexpr std::size_t kMaxIdentityBytes = 255;  ///< of a file name, and of a VIP identity

  explicit AgentKeyStores(const std::filesystem::path& home, StrictModes strict_modes = StrictModes::kOn)
      : folder_(home / "keystores"), strict_modes_(strict_modes) {}

  /// Where that agent's key store is, or would be.
  /// \return kInvalidArgument   the identity cannot be a folder's name, or holds a control character
  /// \return kPermissionDenied  others may change the folders that the key stores are in
  VIPAUTH_EXPORT Result<KeyStore> find(std::string_view identity) const;

  /// The agent's key pair, made with its folders (0700) where there is none.
  /// \return what find() and KeyStore::load_or_create() return
  VIPAUTH_EXPORT Result<CurveKeyPair> load_or_create(std::string_view identity) const;

  /// Removes the key store of an agent for good, if it holds the pair with this public key. The folder stays.
  /// \return what find() and KeyStore::load() return; kBusy
  /// \return kConflict  it holds another pair
  VIPAUTH_EXPORT Result<void> remove(std::string_view identity, const CurveKey& public_key) const;

  /// The agents that have a key store, sorted; a home without `keystores` has none.
  /// \return kNotFound  it is no folder; kPermissionDenied, kIoError
  VIPAUTH_EXPORT Result<std::vector<std::string>> identities() const;

 private:
  Result<void> check_folders() const;

  std::filesystem::path folder_;
  StrictModes strict_modes_;
};

}  // namespace vipauth
