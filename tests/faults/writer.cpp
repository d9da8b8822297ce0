#include "writer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>
#include <sys/stat.h>
#include <system_error>
#include <vector>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/temp_home.hpp"
#include "system_calls.hpp"

namespace vipauth::test {
namespace {

namespace fs = std::filesystem;

using What = SystemCalls::Fault::What;
using Kind = SystemCalls::Kind;
using PowerCut = SystemCalls::PowerCut;

/// Told at the end of the program.
struct Totals {
  std::size_t operations = 0;
  std::size_t calls = 0;
  std::size_t failed = 0;
  std::size_t shortened = 0;
  std::size_t kills = 0;
  std::size_t power_cuts = 0;

  Totals() = default;
  Totals(const Totals&) = delete;
  Totals& operator=(const Totals&) = delete;
  ~Totals() {
    std::cout << "faults: " << operations << " operations of " << calls << " system calls; " << failed
              << " failures and " << shortened << " short reads and writes; " << kills << " kills and "
              << power_cuts << " power cuts survived\n";
  }
};

Totals& totals() {
  static Totals the_totals;
  return the_totals;
}

bool is_long_form() {
  const char* wanted = std::getenv("VIPAUTH_FAULTS");
  return wanted != nullptr && std::string(wanted) == "all";
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Those of certificates, which a broker of another user reads.
bool is_public_folder(const std::string& name) {
  return name == "certificates" || name == "certificates/certs" || name == "certificates/remote_certs" ||
         name == "certificates/crls";
}

const char* name_of(PowerCut cut) {
  switch (cut) {
    case PowerCut::kNone: return "a kill";
    case PowerCut::kLosesAll: return "a power cut that loses what is not synced";
    case PowerCut::kTearsData: return "a power cut that tears what is not synced";
    case PowerCut::kHalf: return "a power cut that loses half of the names";
  }
  return "";
}

/// An operation in its home, run again and again.
class Trial {
 public:
  explicit Trial(const Writer& writer) : writer_(writer) {
    fs::create_directory(template_folder());
    set_mode(template_folder(), 0700);
    reset_undo();
    prepare_home();
    old_state_ = writer_.state(home());
    for (const std::string& file : writer_.files) old_bytes_[file] = read_file(home() / file);
    SystemCalls::begin(home(), undo(), {});
    const auto written = writer_.write(home());
    calls_ = SystemCalls::count();
    SystemCalls::end();
    INFO((written ? std::string() : written.error().to_string()));
    REQUIRE(written);
    new_state_ = writer_.state(home());
    CHECK(new_state_ != old_state_);
    CHECK(SystemCalls::count_open() == 0);
    CHECK(SystemCalls::careless_open().empty());
    check_after("no fault", written);
  }

  std::size_t calls() const { return calls_; }

  /// False where the operation ends before that call, or there is no such error.
  SystemCalls::Hit fail(const SystemCalls::Fault& fault) {
    reset();
    SystemCalls::begin(home(), undo(), fault);
    const auto written = writer_.write(home());
    const SystemCalls::Hit hit = SystemCalls::end();
    if (!hit.happened || !hit.has_error) return hit;
    std::string what = hit.name + (fault.what == What::kDoesHalf ? " does half" : " fails");
    if (hit.error != 0) what += " with \"" + std::generic_category().message(hit.error) + "\"";
    if (fault.what == What::kFailsOn) what += " and goes on failing";
    if (SystemCalls::count_open() != 0) blame(what, "a file stays open");
    check_outcome(what, hit, written);
    check_after(what, written, hit.kind == Kind::kUnlink || fault.what == What::kFailsOn);
    return hit;
  }

  /// Ends the process at a call, or after its work where there is none of that number.
  void kill(const SystemCalls::Fault& fault, PowerCut cut) {
    reset();
    ChildProcess child([&] {
      SystemCalls::begin(home(), undo(), fault, cut);
      const auto written = writer_.write(home());
      const SystemCalls::Hit hit = SystemCalls::end();
      if (hit.happened && !hit.has_error) return kNotApplicable;
      if (cut != PowerCut::kNone) SystemCalls::cut_power();
      return written ? 0 : 1;
    });
    const int code = child.wait();
    if (code == kNotApplicable) return;
    const std::string what =
        std::string(name_of(cut)) +
        (code == SystemCalls::kKilled
             ? (fault.what == What::kKillsHalfway ? " in the midst of call " : " before call ") +
                   std::to_string(fault.at)
             : " after the end");
    if (code != 0 && code != SystemCalls::kKilled) {
      blame(what, "the process ended with " + std::to_string(code));
      return;
    }
    ++(cut == PowerCut::kNone ? totals().kills : totals().power_cuts);
    const Result<void> acknowledged =
        code == 0 ? Result<void>() : Error{ErrorCode::kUnavailable, "killed", ""};
    check_after(what, acknowledged);
  }

  void tell() const {
    for (const auto& [problem, example] : problems_) UNSCOPED_INFO(example << ": " << problem);
    CHECK(problems_.empty());
  }

 private:
  static constexpr int kNotApplicable = 98;

  fs::path home() const { return folder_ / "home"; }
  fs::path undo() const { return folder_ / "undo"; }
  fs::path template_folder() const { return folder_ / "template"; }

  static void set_mode(const fs::path& path, unsigned mode) {
    fs::permissions(path, static_cast<fs::perms>(mode));
  }

  void reset_undo() const {
    fs::remove_all(undo());
    fs::create_directory(undo());
  }

  /// Prepared at the place where it is used, since files may hold their path.
  void prepare_home() {
    fs::create_directory(home());
    set_mode(home(), 0700);
    writer_.prepare(home());
    fs::remove_all(template_folder());
    copy(home(), template_folder());
  }

  static void copy(const fs::path& from, const fs::path& to) {
    fs::copy(from, to, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    set_mode(to, 0700);
  }

  void reset() const {
    fs::remove_all(home());
    copy(template_folder(), home());
    reset_undo();
  }

  void blame(const std::string& what, const std::string& problem) {
    constexpr std::size_t kShown = 300;
    problems_.try_emplace(problem.substr(0, kShown), what);
  }

  /// What is returned fits what happened.
  void check_outcome(const std::string& what, const SystemCalls::Hit& hit, const Result<void>& written) {
    if (written) return;
    const std::string message = written.error().to_string();
    if (hit.error == EINTR || hit.error == 0) {
      blame(what, "is no failure, but: " + message);
      return;
    }
    // What cannot be asked for is taken to be there, which refuses: that is said then.
    if (hit.kind == Kind::kLook) return;
    const std::string reason = std::generic_category().message(hit.error);
    if (message.find(reason) == std::string::npos) {
      blame(what, "the reason \"" + reason + "\" is not in: " + message);
    }
    if (message.find(home().string()) == std::string::npos) blame(what, "no file is named: " + message);
  }

  /// \param may_leave  a temporary file, which could not be removed
  void check_after(const std::string& what, const Result<void>& written, bool may_leave = false) {
    const std::string state = writer_.state(home());
    const bool is_old = state == old_state_;
    const bool is_new = state == new_state_;
    const bool is_between = writer_.is_between && writer_.is_between(state);
    if (!is_old && !is_new && !is_between)
      blame(what, "the state is neither the old nor the new one: " + state);
    if (written && !is_new) blame(what, "acknowledged, but the state is: " + state);
    for (const std::string& file : writer_.files) {
      if (is_old && !is_new && read_file(home() / file) != old_bytes_.at(file)) {
        blame(what, "\"" + file + "\" was written, and nothing is new in it");
      }
    }
    check_modes(what);

    const auto next = writer_.next(home());
    if (!next) {
      blame(what, "the next edit fails: " + next.error().to_string());
      return;
    }
    for (const auto& entry : fs::recursive_directory_iterator(home())) {
      if (entry.path().extension() == ".tmp" && !may_leave) {
        blame(what, "\"" + entry.path().filename().string() + "\" is there after the next edit");
      }
    }
    check_modes(what + ", and after the next edit");
  }

  void check_modes(const std::string& what) {
    for (const auto& entry : fs::recursive_directory_iterator(home())) {
      struct stat status{};
      if (::lstat(entry.path().c_str(), &status) != 0) continue;
      const std::string name = entry.path().lexically_relative(home());
      if (S_ISDIR(status.st_mode) && (status.st_mode & 07777U) != (is_public_folder(name) ? 0755U : 0700U)) {
        blame(what, "the folder \"" + name + "\" has another mode");
      }
      if (!S_ISREG(status.st_mode)) continue;
      const bool is_public = std::any_of(writer_.public_files.begin(), writer_.public_files.end(),
                                         [&](const std::string& file) { return name == file; });
      const bool is_temporary = entry.path().extension() == ".tmp";
      const mode_t mode = status.st_mode & 07777U;
      if (mode != (is_public ? 0644U : 0600U) && (!is_temporary || mode != 0644U)) {
        blame(what, "\"" + name + "\" has another mode");
      }
    }
  }

  const Writer& writer_;
  TempHome folder_;
  std::string old_state_;
  std::string new_state_;
  std::map<std::string, std::string> old_bytes_;
  std::size_t calls_ = 0;
  std::map<std::string, std::string> problems_;  // each with the first that showed it
};

/// Whether the short form tries this: some ways at each call, each way at some calls.
bool is_tried(const Writer& writer, std::size_t at, std::size_t way) {
  constexpr std::size_t kWays = 12;
  const std::size_t tried = writer.is_slow ? 1 : 4;
  return is_long_form() || (at + way) % kWays < tried;
}

/// The first number of a call of the slow ones that ends the count: they skip many.
bool is_beyond(const Trial& trial, std::size_t at) { return at > trial.calls() * 2 + 50; }

}  // namespace

void check_faults(const Writer& writer) {
  INFO(writer.name);
  Trial trial(writer);
  ++totals().operations;
  totals().calls += trial.calls();

  for (const What what : {What::kFails, What::kFailsOn, What::kDoesHalf}) {
    bool goes_on = true;
    for (std::size_t at = 1; goes_on && !is_beyond(trial, at); ++at) {
      // The short form gives some calls one error, and another one to the next of them.
      const bool gives_one = !is_long_form() && (writer.is_slow || what == What::kFailsOn);
      if (gives_one && what != What::kFails && !is_tried(writer, at, 0)) continue;
      if (gives_one && what == What::kFails && at % 3 != 1) continue;
      for (std::size_t error = gives_one ? at % 2 : 0;; ++error) {
        const auto hit = trial.fail({what, at, error});
        goes_on = hit.happened;
        if (!hit.happened || !hit.has_error) break;
        ++(what == What::kDoesHalf ? totals().shortened : totals().failed);
        if (what == What::kDoesHalf || gives_one) break;
      }
    }
  }
  std::size_t way = 0;
  for (const PowerCut cut : {PowerCut::kNone, PowerCut::kLosesAll, PowerCut::kTearsData, PowerCut::kHalf}) {
    ++way;
    for (const What what : {What::kKills, What::kKillsHalfway}) {
      for (std::size_t at = 1; at <= trial.calls() + 1; ++at) {
        const bool is_end = at == trial.calls() + 1;
        const bool is_cheap = cut == PowerCut::kNone && !writer.is_slow;
        if (is_end || is_cheap || is_tried(writer, at, 2 * way)) trial.kill({what, at, 0}, cut);
      }
    }
  }
  trial.tell();
}

}  // namespace vipauth::test
