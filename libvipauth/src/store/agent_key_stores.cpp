#include <vipauth/agent_key_stores.hpp>

#include <algorithm>
#include <chrono>
#include <system_error>

#include <vipauth/json.hpp>

#include "store/atomic_file.hpp"
#include "text/control_characters.hpp"

namespace vipauth {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFileName = "keystore.json";
constexpr std::chrono::seconds kPatience{60};

Result<void> check_identity(std::string_view identity) {
  const auto refused = [&](const char* why) {
    return Error{ErrorCode::kInvalidArgument,
                 "\"" + std::string(identity) + "\" cannot be the identity of an agent: " + why, ""};
  };
  if (identity.empty()) return refused("it is empty");
  if (identity.size() > AgentKeyStores::kMaxIdentityBytes) {
    return Error{ErrorCode::kInvalidArgument, "an identity has at most 255 bytes", ""};
  }
  if (!is_valid_utf8(identity)) return Error{ErrorCode::kInvalidArgument, "the identity is not UTF-8", ""};
  if (identity == "." || identity == "..") return refused("it means a folder");
  if (identity.find('/') != std::string_view::npos) return refused("it holds a slash");
  if (has_control_character(identity)) return refused("it holds a control character");
  return {};
}

}  // namespace

/// Whoever may change the folder, or the one it is in, could put one agent's keys in another's place.
Result<void> AgentKeyStores::check_folders() const {
  for (const fs::path& folder : {folder_.parent_path(), folder_}) {
    if (auto checked = check_folder_at(folder, strict_modes_); !checked) return checked;
  }
  return {};
}

Result<KeyStore> AgentKeyStores::find(std::string_view identity) const {
  if (auto checked = check_identity(identity); !checked) return checked.error();
  if (auto checked = check_folders(); !checked) return checked.error();
  return KeyStore(folder_ / std::string(identity) / kFileName, strict_modes_);
}

Result<CurveKeyPair> AgentKeyStores::load_or_create(std::string_view identity) const {
  const auto store = find(identity);
  if (!store) return store.error();
  if (auto made = make_private_folder(folder_); !made) return made.error();
  if (auto made = make_private_folder(store->path().parent_path()); !made) return made.error();
  return store->load_or_create();
}

Result<void> AgentKeyStores::remove(std::string_view identity, const CurveKey& public_key) const {
  const auto store = find(identity);
  if (!store) return store.error();
  const auto lock = FileLock::acquire(store->path(), kPatience);
  if (!lock) return lock.error();
  const auto pair = store->load();
  if (!pair) return pair.error();
  if (pair->public_key != public_key) {
    return Error{ErrorCode::kConflict,
                 "\"" + store->path().string() + "\" holds another key meanwhile: it is left there", ""};
  }
  return remove_file(store->path());
}

Result<std::vector<std::string>> AgentKeyStores::identities() const {
  if (auto checked = check_folders(); !checked) return checked.error();
  std::vector<std::string> out;
  std::error_code error;
  fs::directory_iterator entries = iterate(folder_, error);
  if (error == std::errc::no_such_file_or_directory) return out;
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    std::error_code ignored;
    std::string identity = entries->path().filename().string();
    if (check_identity(identity) && fs::exists(fs::symlink_status(entries->path() / kFileName, ignored))) {
      out.push_back(std::move(identity));
    }
  }
  if (error) return file_error("read", folder_, error.value());
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace vipauth
