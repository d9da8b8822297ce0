#include "store/file_version.hpp"

#include <ctime>
#include <sys/stat.h>

namespace vipauth {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

}  // namespace

std::optional<FileVersion> FileVersion::of(const std::filesystem::path& file) {
  struct stat status{};
  if (::lstat(file.c_str(), &status) != 0) return std::nullopt;
  return FileVersion{status.st_dev, status.st_ino, status.st_size,
                     status.st_ctim.tv_sec * kSecond + status.st_ctim.tv_nsec};
}

bool FileVersion::is_settled() const {
  std::timespec now{};
  static_cast<void>(::clock_gettime(CLOCK_REALTIME, &now));
  return changed < now.tv_sec * kSecond + now.tv_nsec - kSecond;
}

}  // namespace vipauth
