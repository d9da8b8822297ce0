#include "store/history_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <pwd.h>

#include "store/atomic_file.hpp"
#include "store/json_file.hpp"

namespace vipauth {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kPrivateFile = 0600;
constexpr mode_t kPrivateFolder = 0700;
constexpr std::string_view kDataEnd = ".json";
constexpr std::string_view kNoteEnd = ".note.json";
constexpr std::string_view kTemporaryEnd = ".tmp";
constexpr std::size_t kMaxNoteText = 255;

fs::path parent_folder(const fs::path& file) { return folder_of(file) / "history"; }

/// The number of "17.json", "17.note.json" and the temporary names of both; nothing of any other name.
std::optional<std::uint64_t> number_of(std::string_view name) {
  constexpr std::ptrdiff_t kMostDigits = 15;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end - name.data() > kMostDigits) return std::nullopt;
  std::string_view rest = name.substr(static_cast<std::size_t>(end - name.data()));
  if (rest.ends_with(kTemporaryEnd)) rest.remove_suffix(kTemporaryEnd.size());
  if (rest != kDataEnd && rest != kNoteEnd) return std::nullopt;
  return number;
}

/// Checks one folder of the two, which is no symbolic link.
Result<void> check_folder(const fs::path& folder, StrictModes strict_modes) {
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status{};
  if (!fd || ::fstat(fd.get(), &status) != 0) {
    struct stat link{};
    const int error = errno;
    const bool is_link = ::lstat(folder.c_str(), &link) == 0 && S_ISLNK(link.st_mode);
    return file_error("open", folder, is_link ? ELOOP : error);
  }
  if (strict_modes == StrictModes::kOff) return {};
  return check_folder_modes(status, folder, ::geteuid(), has_private_group(status));
}

Result<void> make_folder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), kPrivateFolder) != 0) {
    if (errno == EEXIST) return {};
    return file_error("make", folder, errno);
  }
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return file_error("open", folder, errno);
  if (auto owned = keep_owner(fd.get(), folder_of(folder) / "."); !owned) return owned;
  const UniqueFd above(::open(folder_of(folder).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!above || ::fsync(above.get()) != 0) return file_error("sync", folder_of(folder), errno);
  return {};
}

std::string user_name() {
  const uid_t user = ::geteuid();
  passwd entry{};
  passwd* found = nullptr;
  char buffer[4096];
  if (::getpwuid_r(user, &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return "uid " + std::to_string(user);
}

/// Text that is not ours, in a bounded form that can be written.
Json note_text(std::string_view text) {
  text = text.substr(0, kMaxNoteText);
  return Json(is_valid_utf8(text) ? text : std::string_view("(not UTF-8)"));
}

std::string member_text(const Json& note, std::string_view name) {
  const Json* member = note.find(name);
  return member != nullptr && member->is_string() ? member->as_string() : std::string();
}

}  // namespace

Result<HistoryFolder> HistoryFolder::open(const fs::path& file, StrictModes strict_modes) {
  const fs::path above = parent_folder(file);
  const fs::path folder = above / file.filename();
  for (const fs::path& checked : {above, folder}) {
    if (auto good = check_folder(checked, strict_modes); !good) return good.error();
  }
  return HistoryFolder(file, folder, strict_modes);
}

Result<HistoryFolder> HistoryFolder::open_or_make(const fs::path& file, StrictModes strict_modes) {
  auto present = open(file, strict_modes);
  if (present || present.error().code != ErrorCode::kNotFound) return present;
  const fs::path above = parent_folder(file);
  for (const fs::path& folder : {above, above / file.filename()}) {
    if (auto made = make_folder(folder); !made) return made.error();
  }
  return open(file, strict_modes);
}

fs::path HistoryFolder::data_path(std::uint64_t number) const {
  return folder_ / (std::to_string(number) + std::string(kDataEnd));
}

fs::path HistoryFolder::note_path(std::uint64_t number) const {
  return folder_ / (std::to_string(number) + std::string(kNoteEnd));
}

Result<std::vector<fs::path>> HistoryFolder::names() const {
  std::vector<fs::path> out;
  std::error_code error;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) {
    if (number_of(entry->path().filename().string())) out.push_back(entry->path().filename());
  }
  if (error) return file_error("read", folder_, error.value());
  return out;
}

bool HistoryFolder::is_present_file(const fs::path& data) const {
  struct stat kept{};
  struct stat present{};
  return ::lstat(data.c_str(), &kept) == 0 && ::lstat(file_.c_str(), &present) == 0 &&
         kept.st_ino == present.st_ino && kept.st_dev == present.st_dev;
}

std::optional<Generation> HistoryFolder::find(std::uint64_t number) const {
  struct stat data{};
  if (::lstat(data_path(number).c_str(), &data) != 0 || !S_ISREG(data.st_mode)) return std::nullopt;
  if (is_present_file(data_path(number))) return std::nullopt;
  const auto note = read_json_file(note_path(number), strict_modes_);
  if (!note) return std::nullopt;
  const auto time = parse_timestamp(member_text(note->document, "time"));
  if (!time) return std::nullopt;
  return Generation{number, *time, member_text(note->document, "user"),
                    member_text(note->document, "command"), static_cast<std::uintmax_t>(data.st_size)};
}

Result<std::vector<Generation>> HistoryFolder::list() const {
  const auto files = names();
  if (!files) return files.error();
  std::vector<Generation> out;
  for (const fs::path& name : *files) {
    const std::uint64_t number = *number_of(name.string());
    if (name != note_path(number).filename()) continue;
    if (auto generation = find(number)) out.push_back(std::move(*generation));
  }
  std::sort(out.begin(), out.end(),
            [](const Generation& a, const Generation& b) { return a.number > b.number; });
  return out;
}

Result<std::string> HistoryFolder::read(std::uint64_t number) const {
  if (!find(number)) return Error{ErrorCode::kNotFound, "there is no such generation", ""};
  return read_file(data_path(number), strict_modes_);
}

Result<std::uint64_t> HistoryFolder::keep(std::string_view content, bool exists, const EditNote& note,
                                          Timestamp now) const {
  const auto files = names();
  if (!files) return files.error();
  std::uint64_t number = 1;
  for (const fs::path& name : *files) number = std::max(number, *number_of(name.string()) + 1);

  const fs::path data = data_path(number);
  if (!exists || ::link(file_.c_str(), data.c_str()) != 0) {
    // A file system without hard links, or a file of somebody else (protected_hardlinks in proc(5)).
    if (auto copied = create_file(data, content); !copied) return copied.error();
  }
  const Json document(Json::Object{{"time", Json(format_timestamp(now))},
                                   {"user", note_text(note.who.empty() ? user_name() : note.who)},
                                   {"command", note_text(note.command)}});
  if (auto noted = replace_file(note_path(number), document.dump_pretty() + "\n"); !noted) {
    discard(number);
    return noted.error();
  }
  return number;
}

void HistoryFolder::settle(std::uint64_t number) const {
  const UniqueFd data(::open(data_path(number).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (data) static_cast<void>(::fchmod(data.get(), kPrivateFile));

  const auto whole = list();
  const auto files = names();
  if (!whole || !files) return;
  std::vector<std::uint64_t> kept;
  std::uintmax_t bytes = 0;
  for (const Generation& generation : *whole) {
    bytes += generation.bytes;
    const bool fits = kept.size() < FileHistory::kMaxGenerations && bytes <= FileHistory::kMaxBytes;
    if (!kept.empty() && !fits) break;
    kept.push_back(generation.number);
  }
  for (const fs::path& name : *files) {
    const std::uint64_t owner = *number_of(name.string());
    const bool is_whole =
        std::find(kept.begin(), kept.end(), owner) != kept.end() && !name.string().ends_with(kTemporaryEnd);
    if (!is_whole && owner <= number) ::unlink((folder_ / name).c_str());
  }
}

void HistoryFolder::discard(std::uint64_t number) const {
  ::unlink(note_path(number).c_str());
  ::unlink(data_path(number).c_str());
}

}  // namespace vipauth
