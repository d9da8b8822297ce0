#include <vipauth/local_copy.hpp>

#include <fstream>
#include <string>
#include <system_error>

#include "store/atomic_file.hpp"
#include "store/file_version.hpp"
#include "store/json_file.hpp"

namespace vipauth {
namespace {

constexpr int kVersion = 1;
constexpr std::chrono::seconds kPatience{10};
constexpr std::size_t kMostShownBytes = std::size_t{1}
                                        << 20U;  // of a file that is read only to name the store

/// Which files are there, as texts: numbers of a file system may be larger than those of JSON.
Json present_files(const std::filesystem::path& home) {
  Json out = Json::Object();
  for (const char* name : {"auth.json", "protected_topics.json"}) {
    const auto version = FileVersion::of(home / name);
    if (!version) continue;
    out.set(name, Json(std::to_string(version->device) + ":" + std::to_string(version->inode) + ":" +
                       std::to_string(version->size) + ":" + std::to_string(version->changed)));
  }
  return out;
}

/// The store that the file names, without what could be a password in it; empty where it does not tell.
std::string shown_store(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) return "";
  std::ifstream stream(file, std::ios::binary);
  std::string text(kMostShownBytes, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  const auto document = Json::parse(text);
  const std::string store = document ? document->text_at("store") : "";
  return store.find('@') == std::string::npos ? store : "";
}

}  // namespace

Result<void> LocalCopy::check_edited_here() const {
  std::error_code error;
  const bool is_there = std::filesystem::exists(std::filesystem::symlink_status(path(), error));
  if (!is_there && (!error || error == std::errc::no_such_file_or_directory)) return {};
  const std::string store = shown_store(path());
  return Error{ErrorCode::kConflict,
               "this home follows " + (store.empty() ? "a store" : store) +
                   ": edit there by --store, or end it by `vctl auth unfollow`",
               ""};
}

std::filesystem::path LocalCopy::path() const { return home_ / "fleet.json"; }

Result<std::optional<LocalCopy::Mark>> LocalCopy::load() const {
  auto file = read_json_file(path(), strict_modes_);
  if (!file && file.error().code == ErrorCode::kNotFound) return std::optional<Mark>();
  if (!file) return file.error();
  const Json* version = file->document.find("version");
  const Json* store = file->document.find("store");
  const Json* files = file->document.find("files");
  const Json* details = file->document.find("details");
  if (version == nullptr || *version != Json(kVersion)) {
    return in_file(
        Error{ErrorCode::kUnsupported, "this file is not of version 1: upgrade the program", "/version"},
        path());
  }
  if (store == nullptr || !store->is_string() || files == nullptr || details == nullptr) {
    return in_file(
        Error{ErrorCode::kInvalidArgument, "must have a text \"store\", and \"files\" and \"details\"", ""},
        path());
  }
  std::error_code error;
  const auto synced = std::filesystem::last_write_time(path(), error);
  if (error)
    return Error{ErrorCode::kIoError, "cannot be asked for its time: " + error.message(), path().string()};
  return std::optional(
      Mark{store->as_string(), *details, *files == present_files(home_),
           std::chrono::time_point_cast<Timestamp::duration>(std::chrono::file_clock::to_sys(synced))});
}

Result<void> LocalCopy::save(std::string_view store, const Json& details, Timestamp synced_at) const {
  const auto lock = FileLock::acquire(path(), kPatience);
  if (!lock) return lock.error();
  const Json document(Json::Object{{"version", Json(kVersion)},
                                   {"store", Json(std::string(store))},
                                   {"files", present_files(home_)},
                                   {"details", details}});
  if (auto replaced = replace_file(path(), document.dump() + "\n"); !replaced) return replaced;
  return note_synced(synced_at);
}

Result<void> LocalCopy::note_synced(Timestamp at) const {
  std::error_code error;
  std::filesystem::last_write_time(path(), std::chrono::file_clock::from_sys(at), error);
  if (error) return Error{ErrorCode::kIoError, "its time cannot be set: " + error.message(), path().string()};
  return {};
}

Result<bool> LocalCopy::remove() const {
  std::error_code error;
  const bool was_there = std::filesystem::remove(path(), error);
  if (error) return Error{ErrorCode::kIoError, "cannot remove it: " + error.message(), path().string()};
  return was_there;
}

}  // namespace vipauth
