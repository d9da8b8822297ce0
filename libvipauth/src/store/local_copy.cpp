#include <vipauth/local_copy.hpp>

#include <system_error>

#include "store/atomic_file.hpp"
#include "store/file_version.hpp"
#include "store/json_file.hpp"

namespace vipauth {
namespace {

constexpr int kVersion = 1;
constexpr std::chrono::seconds kPatience{10};

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

}  // namespace

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
