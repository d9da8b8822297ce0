#include "store/file_version.hpp"

#include <ctime>
#include <fcntl.h>
#include <sys/stat.h>

namespace vipauth {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

FileVersion version_of(const struct stat& status) {
  return {status.st_dev, status.st_ino, status.st_size,
          status.st_ctim.tv_sec * kSecond + status.st_ctim.tv_nsec};
}

}  // namespace

std::optional<FileVersion> FileVersion::of(const std::filesystem::path& file) {
  struct stat status{};
  if (::lstat(file.c_str(), &status) != 0) return std::nullopt;
  return version_of(status);
}

bool FileVersion::is_settled() const {
  std::timespec now{};
  static_cast<void>(::clock_gettime(CLOCK_REALTIME, &now));
  return changed < now.tv_sec * kSecond + now.tv_nsec - kSecond;
}

HeldFile HeldFile::at(const std::filesystem::path& path) {
  HeldFile out;
  out.file_ = UniqueFd(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status{};
  if (out.file_.get() >= 0 && ::fstat(out.file_.get(), &status) == 0) {
    out.version_ = version_of(status);
  } else {
    out.version_ = FileVersion::of(path);
  }
  return out;
}

bool HeldFile::is_still_at(const std::filesystem::path& path) const {
  return FileVersion::of(path) == version_;
}

}  // namespace vipauth
