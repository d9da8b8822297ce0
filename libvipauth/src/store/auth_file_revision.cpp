#include "store/auth_file_revision.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#include <utility>

#include "model/policy_stream.hpp"
#include "store/loaded_policy.hpp"

namespace vipauth {
namespace {

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

}  // namespace

Result<AuthFileRevision> AuthFileRevision::open(std::filesystem::path path, StrictModes strict_modes) {
  auto file = open_file(path, strict_modes);
  if (!file) return file.error();
  AuthFileRevision revision(std::move(path), *std::move(file));
  if (revision.file_.size <= kSmallBytes) {
    auto text = read_open_file(revision.file_, revision.path_);
    if (!text) return text.error();
    revision.text_ = *std::move(text);
  }
  return revision;
}

Result<void> AuthFileRevision::load_parts(const std::function<PolicySink&()>& make_sink) const {
  std::size_t offset = 0;
  const ReadBytes read = [&](char* buffer, std::size_t size) -> std::ptrdiff_t {
    if (offset >= kMaxFileBytes) return -1;  // load() says that it is too large
    const ssize_t got =
        text_ ? copy_at(*text_, buffer, size, offset) : read_at(file_.fd.get(), buffer, size, offset);
    if (got > 0) offset += static_cast<std::size_t>(got);
    return got;
  };
  if (stream_policy(read, make_sink())) return {};
  const auto policy = load();
  if (!policy) return policy.error();
  read_parts(*policy, make_sink());
  return {};
}

Result<Policy> AuthFileRevision::load() const {
  auto text = text_ ? Result<std::string>(*text_) : read_open_file(file_, path_);
  if (!text) return text.error();
  auto loaded = understand_text(*text, path_);
  if (!loaded) return loaded.error();
  return std::move(loaded->policy);
}

bool AuthFileRevision::is_as_opened() const {
  if (text_) return true;
  struct stat now{};
  return ::fstat(file_.fd.get(), &now) == 0 && now.st_mtim.tv_sec == file_.modified.tv_sec &&
         now.st_mtim.tv_nsec == file_.modified.tv_nsec && static_cast<std::size_t>(now.st_size) == file_.size;
}

}  // namespace vipauth
