#include <vipauth/audit_trail.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "base/sha256.hpp"
#include "store/atomic_file.hpp"
#include "store/audit_folder.hpp"
#include "store/audit_line.hpp"

namespace vipauth {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHashDigits = 64;

bool is_hash(std::string_view text) {
  return text.size() == kHashDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// A file, as long as it was when it was opened.
struct OpenFile {
  std::uint64_t first_seq = 0;
  std::string name;
  UniqueFd fd;
  std::uintmax_t bytes = 0;
};

/// All files at one moment: between two lines where a writer is at work, in so far as its lock can be had.
Result<std::vector<OpenFile>> open_files(const fs::path& folder, StrictModes strict_modes) {
  constexpr std::chrono::seconds kPatience{5};
  const fs::path stem = AuditFolder::lock_stem(folder);
  std::error_code ignored;
  const bool has_writers = fs::exists(with_suffix(stem, ".lock"), ignored);
  const auto lock = has_writers ? FileLock::acquire(stem, kPatience)
                                : Result<FileLock>(Error{ErrorCode::kNotFound, "no lock", ""});
  if (auto good = check_folder_at(folder, strict_modes); !good) return good.error();
  const auto numbers = AuditFolder::list(folder);
  if (!numbers) return numbers.error();
  if (numbers->empty()) {
    return Error{ErrorCode::kNotFound, "there are no audit files in \"" + folder.string() + "\"", ""};
  }
  std::vector<OpenFile> out;
  for (const std::uint64_t first_seq : *numbers) {
    OpenFile file{first_seq, audit_file_name(first_seq), {}, 0};
    const fs::path path = folder / file.name;
    file.fd = UniqueFd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat status{};
    if (!file.fd || ::fstat(file.fd.get(), &status) != 0) return file_error("read", path, errno);
    if (!S_ISREG(status.st_mode)) {
      return Error{ErrorCode::kIoError, "cannot read \"" + path.string() + "\": it is not a regular file",
                   ""};
    }
    struct stat folder_status{};
    if (strict_modes == StrictModes::kOn && ::stat(folder.c_str(), &folder_status) == 0) {
      auto checked = check_file_modes(status, path, Sensitivity::kPublic, folder_status.st_uid, ::geteuid(),
                                      has_private_group(status));
      if (!checked) return checked.error();
    }
    file.bytes = static_cast<std::uintmax_t>(status.st_size);
    out.push_back(std::move(file));
  }
  return out;
}

/// Pieces of a file between newlines.
class Pieces {
 public:
  Pieces(const OpenFile& file, fs::path path) : file_(file), path_(std::move(path)) {}

  /// The next one; of one that is too long its beginning. False at the end of the file.
  Result<bool> next(std::string& piece, bool& has_newline) {
    piece.clear();
    has_newline = false;
    bool is_any = false;
    while (true) {
      if (at_ == block_.size()) {
        auto filled = fill();
        if (!filled) return filled.error();
        if (!*filled) return is_any;
      }
      is_any = true;
      const std::size_t newline = block_.find('\n', at_);
      const std::size_t stop = std::min(newline, block_.size());
      const std::size_t room = kMaxAuditLine + 1 - std::min(piece.size(), kMaxAuditLine + 1);
      piece.append(block_, at_, std::min(stop - at_, room));
      at_ = stop;
      if (newline == std::string::npos) continue;
      ++at_;
      has_newline = true;
      return true;
    }
  }

 private:
  Result<bool> fill() {
    constexpr std::uintmax_t kBlock = 1 << 16;
    const std::uintmax_t left = file_.bytes - std::min(file_.bytes, offset_);
    block_.resize(static_cast<std::size_t>(std::min(left, kBlock)));
    at_ = 0;
    if (block_.empty()) return false;
    ssize_t count = 0;
    do {
      count = ::pread(file_.fd.get(), block_.data(), block_.size(), static_cast<off_t>(offset_));
    } while (count < 0 && errno == EINTR);
    if (count < 0) return file_error("read", path_, errno);
    block_.resize(static_cast<std::size_t>(count));
    offset_ += static_cast<std::uintmax_t>(count);
    return count > 0;
  }

  const OpenFile& file_;
  fs::path path_;
  std::string block_;
  std::size_t at_ = 0;
  std::uintmax_t offset_ = 0;
};

std::uint64_t number_at(const Json& document, std::string_view name) {
  const Json* number = document.find(name);
  if (number == nullptr || !number->is_number()) return 0;
  const std::string& digits = number->as_number().digits;
  const bool is_whole = digits.size() < 20 && digits.find_first_not_of("0123456789") == std::string::npos;
  return is_whole ? std::stoull(digits) : 0;
}

/// Follows the chain line by line.
class Verifier {
 public:
  explicit Verifier(std::optional<AuditAnchor> anchor) : anchor_(std::move(anchor)) {}

  void begin_file(const OpenFile& file) {
    file_ = &file;
    line_ = 0;
    is_first_of_file_ = true;
  }

  void take(const std::string& piece, bool has_newline) {
    ++line_;
    is_cut_off_ = !has_newline;
    if (const auto line = parse_audit_line(piece)) {
      take_line(*line);
    } else {
      take_damage(piece);
    }
  }

  void end_file() {
    if (damage_.lines == 0) return;
    if (damage_.looks_torn && is_cut_off_) {
      at_end_ = damage_;  // a killed writer's, if this is the last file
    } else {
      report_damage();
    }
    damage_ = {};
  }

  AuditReport finish() && {
    if (at_end_.lines > 0) report_torn(at_end_);
    if (first_seq_ > 1 && first_seq_ > removed_through_ + 1) {
      problem({first_file_, 1,
               "begins with line " + std::to_string(first_seq_) +
                   ", and no later line tells that those before were rotated away"});
    }
    if (report_.lines == 0) problem({first_file_, 0, "holds no whole line"});
    if (anchor_ && !is_anchor_found_) {
      problem({file_->name, 0,
               "line " + std::to_string(anchor_->seq) +
                   (is_anchor_changed_          ? " is another than the one that was noted"
                    : anchor_->seq < first_seq_ ? ", which was noted, has been rotated away"
                                                : ", which was noted, is missing")});
    }
    if (anchor_ && first_seq_ > 1 && first_seq_ > removed_by_anchor_ + 1) {
      report_.unproven_through = first_seq_ - 1;
    }
    report_.first_seq = first_seq_;
    report_.head = {last_.seq, last_.hash};
    return std::move(report_);
  }

 private:
  struct Damage {
    std::string file;
    std::uint64_t line = 0;  // the first
    std::uint64_t lines = 0;
    std::string bytes;
    bool looks_torn = true;
  };

  void take_line(const AuditLine& line) {
    if (at_end_.lines > 0) {  // whole lines come behind: it was not the end
      damage_ = std::exchange(at_end_, {});
      report_damage();
      damage_ = {};
    }
    if (damage_.lines > 0) settle_damage(line);
    const bool is_first = report_.lines == 0;
    if (is_first) {
      first_seq_ = line.seq;
      first_file_ = file_->name;
      if (line.seq == 1 && line.prev != AuditLink{}.hash) {
        problem(here("line 1 claims that lines were before it"));
      }
    } else if (changed_lines_ > 0 && line.seq == last_.seq + changed_lines_ + 1) {
      // The lines between are reported as changed.
    } else if (line.seq != last_.seq + 1) {
      problem(here(line.seq > last_.seq ? "lines " + std::to_string(last_.seq + 1) + " to " +
                                              std::to_string(line.seq - 1) + " are missing before this one"
                                        : "line " + std::to_string(line.seq) + " stands behind line " +
                                              std::to_string(last_.seq)));
    } else if (line.prev != last_.hash) {
      problem(here("line " + std::to_string(last_.seq) + " before it is another than the one it followed"));
    }
    if (is_first_of_file_ && line.seq != file_->first_seq) {
      problem(here("the file's name says that it begins with line " + std::to_string(file_->first_seq)));
    }
    take_rotation(line);
    is_first_of_file_ = false;
    changed_lines_ = 0;
    ++report_.lines;
    last_ = line.link();
    if (anchor_ && line.seq == anchor_->seq) {
      is_anchor_found_ = is_anchor_found_ || line.hash == anchor_->hash;
      is_anchor_changed_ = !is_anchor_found_;
    }
  }

  /// A writer tells of a rotation in the first line of the file that it begins, and nowhere else.
  void take_rotation(const AuditLine& line) {
    if (!is_first_of_file_ || line.document.text_at("kind") != "rotation") return;
    const std::uint64_t through = number_at(line.document, "removed_through");
    if (through >= line.seq) return;
    removed_through_ = std::max(removed_through_, through);
    if (anchor_ && line.seq <= anchor_->seq) removed_by_anchor_ = std::max(removed_by_anchor_, through);
  }

  void take_damage(const std::string& piece) {
    if (damage_.lines == 0) damage_ = {file_->name, line_, 0, {}, true};
    if (damage_.lines > 0) damage_.bytes += '\n';
    ++damage_.lines;
    const bool is_too_much = damage_.bytes.size() + piece.size() > 2 * kMaxAuditLine;
    if (!is_too_much) damage_.bytes += piece;
    damage_.looks_torn = damage_.looks_torn && !is_too_much && !ends_as_audit_line(piece);
  }

  /// A whole line comes behind damage: of a killed writer's it tells.
  void settle_damage(const AuditLine& line) {
    const bool is_told = line.document.text_at("kind") == "recovery" &&
                         number_at(line.document, "torn_bytes") == damage_.bytes.size() &&
                         line.document.text_at("sha256") == sha256_hex(damage_.bytes);
    if (is_told && damage_.looks_torn) {
      report_torn(damage_);
    } else {
      report_damage();
    }
    damage_ = {};
  }

  void report_torn(const Damage& damage) {
    if (report_.torn.size() >= AuditTrail::kMostFindings) return;
    report_.torn.push_back({damage.file, damage.line,
                            "a line was cut off: its writer was killed; all before is whole (" +
                                std::to_string(damage.bytes.size()) + " bytes)"});
  }

  void report_damage() {
    changed_lines_ = damage_.lines;
    problem({damage_.file, damage_.line,
             damage_.lines == 1 ? "the line was changed, or is none of the log"
                                : "this line and the " + std::to_string(damage_.lines - 1) +
                                      " after it were changed, or are none of the log"});
  }

  AuditReport::Finding here(std::string message) const { return {file_->name, line_, std::move(message)}; }
  void problem(AuditReport::Finding finding) {
    if (report_.problems.size() < AuditTrail::kMostFindings) report_.problems.push_back(std::move(finding));
  }

  std::optional<AuditAnchor> anchor_;
  bool is_anchor_found_ = false;
  bool is_anchor_changed_ = false;
  const OpenFile* file_ = nullptr;
  std::uint64_t line_ = 0;
  bool is_first_of_file_ = true;
  bool is_cut_off_ = false;          // the last piece has no newline
  std::uint64_t changed_lines_ = 0;  // before the line that comes next
  std::uint64_t first_seq_ = 0;
  std::string first_file_;
  std::uint64_t removed_through_ = 0;
  std::uint64_t removed_by_anchor_ = 0;  // as lines up to the anchor tell
  AuditLink last_;
  Damage damage_;
  Damage at_end_;
  AuditReport report_;
};

}  // namespace

Result<AuditAnchor> AuditAnchor::parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view digits = text.substr(0, colon);
  const bool is_number = !digits.empty() && digits.size() < 19 &&
                         digits.find_first_not_of("0123456789") == std::string_view::npos;
  if (colon == std::string_view::npos || !is_number || !is_hash(text.substr(colon + 1))) {
    return Error{ErrorCode::kParseError,
                 "must be SEQ:HASH as audit verify prints it, with a hash of 64 hexadecimal digits", ""};
  }
  return AuditAnchor{std::stoull(std::string(digits)), std::string(text.substr(colon + 1))};
}

std::string AuditAnchor::to_string() const { return std::to_string(seq) + ":" + hash; }

Result<AuditReport> AuditTrail::verify(const std::optional<AuditAnchor>& anchor) const {
  const auto files = open_files(folder_, strict_modes_);
  if (!files) return files.error();
  Verifier verifier(anchor);
  std::string piece;
  bool has_newline = false;
  for (const OpenFile& file : *files) {
    Pieces pieces(file, folder_ / file.name);
    verifier.begin_file(file);
    while (true) {
      const auto more = pieces.next(piece, has_newline);
      if (!more) return more.error();
      if (!*more) break;
      verifier.take(piece, has_newline);
    }
    verifier.end_file();
  }
  return std::move(verifier).finish();
}

Result<std::uint64_t> AuditTrail::read(const std::function<void(const Json& line)>& take) const {
  const auto files = open_files(folder_, strict_modes_);
  if (!files) return files.error();
  std::uint64_t left_out = 0;
  std::string piece;
  bool has_newline = false;
  for (const OpenFile& file : *files) {
    Pieces pieces(file, folder_ / file.name);
    while (true) {
      const auto more = pieces.next(piece, has_newline);
      if (!more) return more.error();
      if (!*more) break;
      if (const auto line = parse_audit_line(piece)) {
        take(line->document);
      } else {
        ++left_out;
      }
    }
  }
  return left_out;
}

}  // namespace vipauth
