#include "store/history_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <functional>
#include <optional>
#include <set>
#include <sys/stat.h>
#include <system_error>
#include <utility>

#include <vipauth/json.hpp>

#include "store/atomic_file.hpp"
#include "store/file_edit.hpp"
#include "text/utf8_prefix.hpp"

namespace vipauth {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDataEnd = ".json";
constexpr std::string_view kNoteEnd = ".note.json";
constexpr std::string_view kTemporaryEnd = ".tmp";
constexpr std::size_t kMaxNoteText = 255;
constexpr const char* kNext = "next";  // of an automatic edit: the hash of what it wrote

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
/// Text that is not ours, in a bounded form that can be written.
Json note_text(std::string_view text) {
  return Json(is_valid_utf8(text) ? utf8_prefix(text, kMaxNoteText) : std::string_view("(not UTF-8)"));
}

Error damaged(const fs::path& note, const Error& error) {
  return Error{ErrorCode::kParseError,
               "the note \"" + note.string() + "\" is damaged, and its version cannot be put back: " +
                   error.to_string() + "; mend the note, or remove it and the version",
               ""};
}

/// What is left for further generations.
struct Room {
  std::size_t count;
  std::uintmax_t bytes;

  bool take(const Generation& generation) {
    const bool fits = count > 0 && generation.bytes <= bytes;
    count = fits ? count - 1 : 0;
    bytes = fits ? bytes - generation.bytes : 0;
    return fits;
  }
};

}  // namespace

Result<HistoryFolder> HistoryFolder::open(const fs::path& file, StrictModes strict_modes) {
  const fs::path above = parent_folder(file);
  const fs::path folder = above / file.filename();
  for (const fs::path& checked : {above, folder}) {
    if (auto good = check_private_folder(checked, strict_modes); !good) return good.error();
  }
  return HistoryFolder(file, folder, strict_modes);
}

Result<HistoryFolder> HistoryFolder::open_or_make(const fs::path& file, StrictModes strict_modes) {
  auto present = open(file, strict_modes);
  if (present || present.error().code != ErrorCode::kNotFound) return present;
  const fs::path above = parent_folder(file);
  for (const fs::path& folder : {above, above / file.filename()}) {
    if (auto made = make_private_folder(folder); !made) return made.error();
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
  for (fs::directory_iterator entry = iterate(folder_, error), end; !error && entry != end;
       entry.increment(error)) {
    if (number_of(entry->path().filename().string())) out.push_back(entry->path().filename());
  }
  if (error) return file_error("read", folder_, error.value());
  return out;
}

bool HistoryFolder::holds(const Generation& generation, const FileContent& content) const {
  if (generation.bytes != content.size()) return false;
  const auto kept = FileContent::open(data_path(generation.number), StrictModes::kOff);
  return kept && kept->is_same_as(content);
}

Result<Generation> HistoryFolder::find(std::uint64_t number) const {
  const fs::path path = data_path(number);
  struct stat data{};
  if (::lstat(path.c_str(), &data) != 0) return file_error("read", path, errno);
  if (!S_ISREG(data.st_mode)) {
    return Error{ErrorCode::kIoError, "cannot read \"" + path.string() + "\": it is not a regular file", ""};
  }
  const fs::path noted = note_path(number);
  const auto text = read_file(noted, strict_modes_);
  if (!text) return text.error();
  const auto note = Json::parse(*text);
  if (!note) return damaged(noted, note.error());
  const auto time = parse_timestamp(note->text_at("time"));
  if (!time) return damaged(noted, time.error().at("/time"));
  return Generation{number, *time, note->text_at("user"), note->text_at("command"),
                    static_cast<std::uintmax_t>(data.st_size)};
}

Result<std::vector<Generation>> HistoryFolder::whole(std::vector<std::string>* warnings) const {
  const auto files = names();
  if (!files) return files.error();
  std::set<std::uint64_t, std::greater<>> numbers;
  for (const fs::path& name : *files) numbers.insert(*number_of(name.string()));
  std::vector<Generation> out;
  for (const std::uint64_t number : numbers) {
    auto generation = find(number);
    if (generation) {
      out.push_back(std::move(*generation));
    } else if (generation.error().code == ErrorCode::kParseError) {
      if (warnings != nullptr) warnings->push_back(generation.error().to_string());
    } else if (generation.error().code != ErrorCode::kNotFound) {
      return generation.error();
    }
  }
  return out;
}

Result<std::vector<Generation>> HistoryFolder::list(std::vector<std::string>* warnings) const {
  auto out = whole(warnings);
  struct stat status{};
  const bool exists = ::lstat(file_.c_str(), &status) == 0;
  if (!out || out->empty() || !exists || std::cmp_not_equal(status.st_size, out->front().bytes)) return out;
  const auto present = FileContent::open(file_, StrictModes::kOff);
  while (present && !out->empty() && holds(out->front(), *present)) out->erase(out->begin());
  return out;
}

Result<FileContent> HistoryFolder::read(std::uint64_t number) const {
  if (const auto generation = find(number); !generation) return generation.error();
  return FileContent::open(data_path(number), strict_modes_);
}

Result<std::uint64_t> HistoryFolder::keep(const FileContent& content, const FileContent& next,
                                          const EditNote& note, Timestamp now) const {
  const auto files = names();
  if (!files) return files.error();
  const auto before = whole();
  std::uint64_t number = 1;
  for (const fs::path& name : *files) number = std::max(number, *number_of(name.string()) + 1);

  const auto next_hash = note.is_automatic ? next.sha256() : Result<std::string>(std::string());
  if (!next_hash) return next_hash.error();
  if (auto copied = create_file(data_path(number), content.writer()); !copied) return copied.error();
  if (auto as_opened = content.check_as_opened(); !as_opened) {  // the copy may be of something between
    discard(number);
    return as_opened.error();
  }
  Json document(Json::Object{{"time", Json(format_timestamp(now))},
                             {"user", note_text(editor_of(note))},
                             {"command", note_text(note.command)}});
  if (note.is_automatic) document.set(kNext, *next_hash);
  if (auto noted = replace_file(note_path(number), document.dump_pretty() + "\n"); !noted) {
    discard(number);
    return noted.error();
  }
  if (before) {
    for (auto same = before->begin(); same != before->end() && holds(*same, content); ++same) {
      discard(same->number);
    }
  }
  return number;
}

void HistoryFolder::fold(std::uint64_t number) const {
  const auto present = whole();
  if (!present || present->size() < 2 || present->front().number != number) return;
  const std::uint64_t before = present->at(1).number;
  const auto note_of = [&](std::uint64_t owner) {
    const auto text = read_file(note_path(owner), strict_modes_);
    return text ? Json::parse(*text).value_or(Json()) : Json();
  };
  const Json last = note_of(number);
  Json note = note_of(before);
  const std::string next = last.text_at(kNext);
  if (next.empty() || !note.find(kNext)) return;
  const auto content = FileContent::open(data_path(number), strict_modes_);
  const auto hash = content ? content->sha256() : Result<std::string>(content.error());
  if (!hash || note.text_at(kNext) != *hash) return;
  for (const char* name : {"user", "command"}) {
    if (note.text_at(name) != last.text_at(name)) note.set(name, "several");
  }
  note.set(kNext, next);
  if (replace_file(note_path(before), note.dump_pretty() + "\n")) discard(number);
}

std::vector<std::string> HistoryFolder::settle(std::uint64_t number) const {
  fold(number);
  std::vector<std::string> warnings;
  const auto present = whole(&warnings);
  const auto files = present ? names() : Result<std::vector<fs::path>>(present.error());
  if (!files) return {"old versions in the history cannot be removed: " + files.error().to_string()};
  std::set<std::uint64_t> good;
  for (const Generation& generation : *present) good.insert(generation.number);
  const auto is_half = [&](std::uint64_t owner) {
    if (good.contains(owner)) return false;
    const auto generation = find(owner);
    return !generation && generation.error().code == ErrorCode::kNotFound;
  };
  for (const fs::path& name : *files) {
    const std::uint64_t owner = *number_of(name.string());
    if (owner > number) continue;
    if (name.string().ends_with(kTemporaryEnd) || is_half(owner)) ::unlink((folder_ / name).c_str());
  }
  Room all{FileHistory::kMaxGenerations, FileHistory::kMaxBytes};
  Room of_peers{FileHistory::kMaxGenerations / 2, FileHistory::kMaxBytes / 2};
  for (const Generation& generation : *present) {
    const bool is_newest = generation.number == present->front().number;
    const bool fits = !generation.who.starts_with(kPeerEditor) || of_peers.take(generation) || is_newest;
    if (!fits || (!all.take(generation) && !is_newest)) discard(generation.number);
  }
  return warnings;
}

void HistoryFolder::discard(std::uint64_t number) const {
  ::unlink(note_path(number).c_str());
  ::unlink(data_path(number).c_str());
}

}  // namespace vipauth
