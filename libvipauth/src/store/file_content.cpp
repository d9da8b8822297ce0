#include "store/file_content.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#include <utility>

#include "base/sha256.hpp"

namespace vipauth {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{64} * 1024;

ssize_t read_at(int fd, char* buffer, std::size_t size, std::size_t offset) {
  ssize_t got = -1;
  do {
    got = ::pread(fd, buffer, size, static_cast<off_t>(offset));
  } while (got < 0 && errno == EINTR);
  return got;
}

ssize_t copy_at(const std::string& text, char* buffer, std::size_t size, std::size_t offset) {
  return static_cast<ssize_t>(text.copy(buffer, size, std::min(offset, text.size())));
}

/// Fills a block as far as there is something. \return how much; negative: it cannot be read
std::ptrdiff_t fill(const ReadBytes& read, char* block) {
  std::size_t size = 0;
  while (size < kBlockBytes) {
    const std::ptrdiff_t got = read(block + size, kBlockBytes - size);
    if (got < 0) return got;
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  return static_cast<std::ptrdiff_t>(size);
}

/// Hands over block by block. \return false  it cannot be read
template <typename Take>
bool each_block(const ReadBytes& read, const Take& take) {
  const auto block = std::make_unique_for_overwrite<char[]>(kBlockBytes);
  while (true) {
    const std::ptrdiff_t got = fill(read, block.get());
    if (got <= 0) return got == 0;
    if (!take(std::string_view(block.get(), static_cast<std::size_t>(got)))) return true;
  }
}

}  // namespace

Result<FileContent> FileContent::open(std::filesystem::path path, StrictModes strict_modes) {
  auto file = open_file(path, strict_modes);
  if (!file) return file.error();
  FileContent content(std::move(path), *std::move(file));
  if (content.file_.size <= kSmallBytes) {
    auto text = read_open_file(content.file_, content.path_);
    if (!text) return text.error();
    content.text_ = *std::move(text);
  }
  return content;
}

FileContent FileContent::of(std::string text) {
  FileContent content({}, {});
  content.text_ = std::move(text);
  return content;
}

ReadBytes FileContent::reader() const {
  return [this, offset = std::size_t{0}](char* buffer, std::size_t size) mutable -> std::ptrdiff_t {
    if (offset > kMaxFileBytes) return -1;  // text() says that it is too large
    const ssize_t got =
        text_ ? copy_at(*text_, buffer, size, offset) : read_at(file_.fd.get(), buffer, size, offset);
    if (got > 0) offset += static_cast<std::size_t>(got);
    return got;
  };
}

Result<std::string> FileContent::text() const {
  if (text_) return *text_;
  return read_open_file(file_, path_);
}

FileWriter FileContent::writer() const {
  return [this](const WriteBytes& write) -> Result<void> {
    if (each_block(reader(), write)) return {};
    return file_error("read", path_, EIO);
  };
}

Result<std::string> FileContent::sha256() const {
  Sha256 hash;
  const bool is_read = each_block(reader(), [&](std::string_view block) {
    hash.add(block);
    return true;
  });
  if (!is_read) return file_error("read", path_, EIO);
  return hash.hex();
}

bool FileContent::is_same_as(const FileContent& other) const {
  const ReadBytes others = other.reader();
  const auto block = std::make_unique_for_overwrite<char[]>(kBlockBytes);
  bool is_same = true;
  const auto compare = [&](std::string_view mine) {
    const std::ptrdiff_t got = fill(others, block.get());
    is_same = got >= 0 && std::string_view(block.get(), static_cast<std::size_t>(got)) == mine;
    return is_same;
  };
  return each_block(reader(), compare) && is_same && others(block.get(), 1) == 0;
}

bool FileContent::is_as_opened() const {
  if (text_) return true;
  struct stat now{};
  return ::fstat(file_.fd.get(), &now) == 0 && now.st_mtim.tv_sec == file_.modified.tv_sec &&
         now.st_mtim.tv_nsec == file_.modified.tv_nsec && static_cast<std::size_t>(now.st_size) == file_.size;
}

}  // namespace vipauth
