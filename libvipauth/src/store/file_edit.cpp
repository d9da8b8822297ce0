#include "store/file_edit.hpp"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <optional>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <pwd.h>

#include "store/audit_change.hpp"
#include "store/history_folder.hpp"

namespace vipauth {
namespace {

namespace fs = std::filesystem;

/// Comments cannot survive a rewrite: the first one keeps the original.
Result<void> keep_comments(const fs::path& file, const FileContent& content,
                           std::vector<std::string>& warnings) {
  const fs::path backup = with_suffix(file, ".commented.bak");
  if (may_be_there(backup)) return {};
  if (auto kept = replace_file(backup, content.writer()); !kept) return kept.error();
  warnings.push_back("comments do not survive this change: the original is kept as " + backup.string());
  return {};
}

/// The process of a VOLTTRON that runs on this folder. Source: VOLTTRON main.py, start_volttron_process,
/// which writes its process id there.
std::optional<pid_t> running_volttron(const fs::path& folder) {
  const auto text = read_file(folder / "VOLTTRON_PID", StrictModes::kOff);
  if (!text) return std::nullopt;
  const char* begin = text->data();
  const char* end = begin + text->size();
  pid_t process = 0;
  const auto [stop, error] = std::from_chars(begin, end, process);
  const bool is_number =
      error == std::errc() &&
      text->find_first_not_of(" \t\r\n", static_cast<std::size_t>(stop - begin)) == std::string::npos;
  if (!is_number || process <= 0) return std::nullopt;
  if (::kill(process, 0) != 0 && errno != EPERM) return std::nullopt;
  return process;
}

}  // namespace

std::string editor_of(const EditNote& note) {
  if (!note.who.empty()) return note.who;
  const uid_t user = ::geteuid();
  passwd entry{};
  passwd* found = nullptr;
  char buffer[4096];
  if (::getpwuid_r(user, &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return "uid " + std::to_string(user);
}

Result<EditTransaction> EditTransaction::begin(fs::path file, const EditOptions& options,
                                               StrictModes strict_modes) {
  auto lock = FileLock::acquire(file, options.patience);
  if (!lock) return lock.error();
  return EditTransaction(std::move(*lock), std::move(file), options, strict_modes);
}

Result<EditReport> EditTransaction::commit(
    const PresentFile& present, const FileWriter& next,
    const std::function<Result<void>(const FileContent&)>& check) const {
  auto temporary = NextFile::write(file_, next);
  if (!temporary) return temporary.error();
  const auto written = FileContent::open(temporary->path(), StrictModes::kOff);
  if (!written) return written.error();
  if (check) {
    if (auto good = check(*written); !good) return good.error();
  }
  EditReport report;
  if (present.had_comments) {
    if (auto kept = keep_comments(file_, present.content, report.warnings); !kept) return kept.error();
  }

  auto history = HistoryFolder::open_or_make(file_, strict_modes_);
  auto number = history ? history->keep(present.content, *written, options_->note, options_->clock())
                        : Result<std::uint64_t>(history.error());
  if (!number) {
    report.warnings.push_back("this change is not in the history, and cannot be undone by it: " +
                              number.error().to_string());
  }
  const fs::path backup = present.exists ? with_suffix(file_, ".bak") : fs::path();
  auto placed = present.content.check_as_opened();
  if (placed) placed = temporary->place(backup);
  if (!placed) {
    if (number) history->discard(*number);
    return placed.error();
  }
  if (number) {
    for (std::string& warning : history->settle(*number)) report.warnings.push_back(std::move(warning));
  }
  if (auto warning = audit_change(file_, present.content, *written, *options_, strict_modes_)) {
    report.warnings.push_back(std::move(*warning));
  }
  if (auto synced = sync_replaced(file_); !synced) return synced.error();

  if (const auto process = running_volttron(folder_of(file_))) {
    report.warnings.push_back(
        "VOLTTRON runs on this home (process " + std::to_string(*process) +
        ") and does not notice a file that is replaced: restart it; the next time, stop "
        "it before you edit");
  }
  report.written = true;
  return report;
}

Result<fs::path> keep_original(const fs::path& stem, const FileContent& content) {
  constexpr int kMostTries = 100;
  for (int i = 1; i <= kMostTries; ++i) {
    const fs::path backup = with_suffix(stem, (i == 1 ? "" : "." + std::to_string(i)) + ".bak");
    const auto created = create_file(backup, content.writer());
    if (created) return backup;
    if (created.error().code != ErrorCode::kAlreadyExists) return created.error();
    const auto present = FileContent::open(backup, StrictModes::kOff);
    if (present && present->is_same_as(content)) return backup;
  }
  return Error{ErrorCode::kAlreadyExists,
               "\"" + with_suffix(stem, ".bak").string() + "\" and " + std::to_string(kMostTries - 1) +
                   " more are there already: move them away",
               ""};
}

}  // namespace vipauth
