#include <vipauth/audit_trail.hpp>

#include <algorithm>
#include <filesystem>
#include <sys/stat.h>

#include "base/sha256.hpp"
#include "store/audit_folder.hpp"
#include "store/audit_line.hpp"
#include "support/catch.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

namespace vipauth::test {

using Catch::Contains;

namespace {

constexpr std::chrono::milliseconds kPatience{10'000};
const std::string kFirst = "audit/" + audit_file_name(1);

Json event(const std::string& subject) { return Json::Object{{"kind", "refusal"}, {"subject", subject}}; }

/// A home with an audit log.
class AuditHome : public TempHome {
 public:
  explicit AuditHome(AuditFolder::Limits limits = {}) : limits_(limits) {}

  AuditFolder open() const {
    auto folder = AuditFolder::open_or_make(path() / "audit", limits_, StrictModes::kOn);
    REQUIRE(folder);
    return *std::move(folder);
  }

  /// Appends by an object of its own, as a process that has just started.
  void append(const std::vector<std::string>& subjects) const {
    auto folder = open();
    append(folder, subjects);
  }
  static void append(AuditFolder& folder, const std::vector<std::string>& subjects) {
    std::vector<Json> events;
    events.reserve(subjects.size());
    for (const std::string& subject : subjects) events.push_back(event(subject));
    const auto appended = folder.append(events, kNow, kPatience);
    INFO((appended ? std::string() : appended.error().to_string()));
    REQUIRE(appended);
    REQUIRE(folder.sync());
  }

  AuditReport verify(const std::optional<AuditAnchor>& anchor = std::nullopt) const {
    auto report = AuditTrail(path() / "audit").verify(anchor);
    REQUIRE(report);
    return *std::move(report);
  }

  std::vector<std::string> lines(const std::string& file = kFirst) const {
    std::vector<std::string> out;
    std::istringstream text(read(file));
    for (std::string line; std::getline(text, line);) out.push_back(line);
    return out;
  }
  void write_lines(const std::vector<std::string>& lines, const std::string& file = kFirst) const {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    write(file, text);
  }

  std::vector<std::string> subjects() const {
    std::vector<std::string> out;
    const auto read = AuditTrail(path() / "audit").read([&](const Json& line) {
      if (const Json* subject = line.find("subject")) out.push_back(subject->as_string());
    });
    REQUIRE(read);
    return out;
  }

 private:
  AuditFolder::Limits limits_;
};

std::string told(const AuditReport& report) {
  std::string out;
  for (const auto& list : {report.problems, report.torn}) {
    for (const auto& finding : list)
      out += finding.file + ":" + std::to_string(finding.line) + ": " + finding.message + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("AuditFolder: lines are chained as the formats page says") {
  const AuditHome home;
  home.append({"one", "two"});
  const auto lines = home.lines();
  REQUIRE(lines.size() == 2);
  const std::string hash =
      ",\"hash\":\"" + sha256_hex(lines[0].substr(0, lines[0].find(",\"hash\":"))) + "\"}";
  CHECK(lines[0] == "{\"seq\":1,\"prev\":\"" + std::string(64, '0') +
                        "\",\"kind\":\"refusal\",\"subject\":\"one\"" + hash);
  CHECK_THAT(lines[1], Contains("\"seq\":2,\"prev\":\"" + hash.substr(9, 64) + "\""));
  const AuditReport report = home.verify();
  CHECK(report.is_whole());
  CHECK(report.lines == 2);
  CHECK(report.first_seq == 1);
  CHECK(report.head.seq == 2);
  struct stat status{};
  REQUIRE(::stat((home / kFirst).c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600);
  REQUIRE(::stat((home / "audit").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0700);
}

TEST_CASE("AuditFolder: the chain goes on with each process, and between two at once") {
  const AuditHome home;
  home.append({"a"});
  home.append({"b"});
  auto one = home.open();
  auto two = home.open();
  AuditHome::append(one, {"c"});
  AuditHome::append(two, {"d", "e"});
  AuditHome::append(one, {"f"});
  AuditHome::append(two, {"g"});
  CHECK(home.subjects() == std::vector<std::string>{"a", "b", "c", "d", "e", "f", "g"});
  CHECK(told(home.verify()).empty());
  CHECK(home.verify().head.seq == 7);
}

TEST_CASE("AuditTrail: finds each kind of tampering") {
  const AuditHome home;
  home.append({"1", "2", "3", "4", "5"});
  auto lines = home.lines();
  const auto check = [&](const std::string& expected) {
    home.write_lines(lines);
    const AuditReport report = home.verify();
    INFO(told(report));
    CHECK_FALSE(report.is_whole());
    CHECK_THAT(told(report), Contains(expected));
  };
  const auto rehash = [](const std::string& line) {
    const std::string body = line.substr(0, line.find(",\"hash\":"));
    return body + ",\"hash\":\"" + sha256_hex(body) + "\"}";
  };

  SECTION("an edited line") {
    lines[2].replace(lines[2].find("\"3\""), 3, "\"x\"");
    check(":3: the line was changed, or is none of the log");
  }
  SECTION("an edited line with a hash that fits") {
    lines[2] = rehash(lines[2].replace(lines[2].find("\"3\""), 3, "\"x\""));
    check(":4: line 3 before it is another than the one it followed");
  }
  SECTION("an edited last line") {
    lines[4].replace(lines[4].find("\"5\""), 3, "\"x\"");
    check(":5: the line was changed");
  }
  SECTION("an edited first line") {
    lines[0].replace(lines[0].find("\"1\""), 3, "\"x\"");
    check(":1: the line was changed");
  }
  SECTION("a removed line") {
    lines.erase(lines.begin() + 1);
    check(":2: lines 2 to 2 are missing before this one");
  }
  SECTION("a removed first line") {
    lines.erase(lines.begin());
    check("begins with line 2");
  }
  SECTION("lines that are swapped") {
    std::swap(lines[1], lines[2]);
    check("are missing before this one");
  }
  SECTION("a line that is there twice") {
    lines.insert(lines.begin() + 2, lines[1]);
    check(":3: line 2 stands behind line 2");
  }
  SECTION("an inserted line of the right form") {
    AuditLink link{2, parse_audit_line(lines[1])->hash};
    lines.insert(lines.begin() + 2, format_audit_line(event("x"), link));
    check(":4: line 3 stands behind line 3");
  }
  SECTION("an inserted line of another form") {
    lines.insert(lines.begin() + 2, "anything");
    check(":3: the line was changed, or is none of the log");
  }
  SECTION("an empty line") {
    lines.insert(lines.begin() + 2, "");
    check(":3: the line was changed, or is none of the log");
  }
  SECTION("garbage at the end, with a newline") {
    lines.emplace_back("garbage");
    check(":6: the line was changed, or is none of the log");
  }
  SECTION("a chain that begins anew") {
    AuditLink link;
    lines[0] = format_audit_line(event("x"), link);
    check(":2: line 1 before it is another");
  }
}

TEST_CASE("AuditTrail: lines that are missing at the end show by an anchor") {
  const AuditHome home;
  home.append({"1", "2", "3"});
  const AuditAnchor head = home.verify().head;
  CHECK(home.verify(head).is_whole());
  CHECK(AuditAnchor::parse(head.to_string()).value() == head);
  home.append({"4"});
  CHECK(home.verify(head).is_whole());

  auto lines = home.lines();
  lines.resize(2);
  home.write_lines(lines);
  CHECK(home.verify().is_whole());  // the files alone do not tell
  CHECK_THAT(told(home.verify(head)), Contains("line 3, which was noted, is missing"));

  AuditLink link{2, parse_audit_line(lines[1])->hash};
  lines.push_back(format_audit_line(event("x"), link));
  home.write_lines(lines);
  CHECK(home.verify().is_whole());
  CHECK_THAT(told(home.verify(head)), Contains("line 3 is another than the one that was noted"));

  for (const char* text : {"", "3", "3:", ":abc", "x:y", "3:0000"}) {
    CAPTURE(text);
    CHECK(AuditAnchor::parse(text).error().code == ErrorCode::kParseError);
  }
}

TEST_CASE("AuditTrail: what is missing before an anchor is proven by lines up to it alone") {
  const AuditHome home;
  home.append({"1", "2", "3", "4", "5"});
  const AuditAnchor head = home.verify().head;
  CHECK(home.verify(head).unproven_through == 0);
  // All before the anchor is removed, and a rotation is claimed behind it.
  const std::string anchored = home.lines().back();
  AuditLink link{head.seq, head.hash};
  const std::string claim =
      format_audit_line(Json(Json::Object{{"kind", "rotation"}, {"removed_through", 4}}), link);
  std::filesystem::remove(home / kFirst);
  const std::string fifth = "audit/" + audit_file_name(5);
  const std::string sixth = "audit/" + audit_file_name(6);
  SECTION("within a file, where no writer puts it") {
    home.write(fifth, anchored + "\n" + claim + "\n");
    home.set_mode(fifth, 0600);
    CHECK_THAT(told(home.verify(head)), Contains("no later line tells that those before were rotated away"));
    CHECK_FALSE(home.verify().is_whole());
  }
  SECTION("in a file of its own") {
    home.write(fifth, anchored + "\n");
    home.write(sixth, claim + "\n");
    home.set_mode(fifth, 0600);
    home.set_mode(sixth, 0600);
    CHECK(home.verify(head).unproven_through == 4);
    CHECK(home.verify(AuditAnchor{link.seq, link.hash}).unproven_through == 0);  // noted with the claim
  }
}

TEST_CASE("AuditTrail: a rotation before the anchor proves what is missing") {
  const AuditHome home({.file_bytes = 1000, .files = 3});
  auto folder = home.open();
  for (int i = 0; i < 40; ++i) AuditHome::append(folder, {std::to_string(i)});
  const AuditAnchor head = home.verify().head;
  REQUIRE(home.verify(head).first_seq > 1);
  CHECK(home.verify(head).is_whole());
  CHECK(home.verify(head).unproven_through == 0);
  // One rotation more: the anchor is there yet.
  const std::uint64_t first = home.verify().first_seq;
  for (int i = 0; i < 20 && home.verify().first_seq == first; ++i) AuditHome::append(folder, {"more"});
  CHECK(home.verify(head).is_whole());
  CHECK(home.verify(head).unproven_through == home.verify(head).first_seq - 1);
}

TEST_CASE("AuditFolder: what a killed writer left is ended, told, and no tampering") {
  const AuditHome home;
  home.append({"1", "2", "3"});
  const std::string text = home.read(kFirst);
  const std::size_t third = text.rfind('\n', text.size() - 2) + 1;
  // Each place where the last line can be cut.
  for (std::size_t cut = third; cut < text.size(); cut += cut + 20 < text.size() ? 20U : 1U) {
    CAPTURE(cut, text.size());
    home.write(kFirst, text.substr(0, cut));
    const AuditReport before = home.verify();
    INFO(told(before));
    CHECK(before.is_whole());
    const bool is_torn = cut > third && cut + 1 < text.size();
    CHECK(before.torn.size() == (is_torn ? 1U : 0U));
    CHECK(before.lines == (cut + 1 < text.size() ? 2 : 3));

    home.append({"after"});
    const AuditReport report = home.verify();
    INFO(told(report));
    CHECK(report.is_whole());
    CHECK(report.torn.size() == (is_torn ? 1U : 0U));
    CHECK(home.subjects().back() == "after");
  }
}

TEST_CASE("AuditFolder: a writer that is killed while it mends leaves nothing worse") {
  const AuditHome home;
  home.append({"1"});
  const std::string first = home.read(kFirst);
  home.write(kFirst, first + "{\"seq\":2,");
  home.append({"2"});
  const std::string mended = home.read(kFirst);
  for (std::size_t cut = first.size() + 9; cut < mended.size(); cut += 7) {
    CAPTURE(cut);
    home.write(kFirst, mended.substr(0, cut));
    CHECK(home.verify().problems.size() == (mended[cut - 1] == '\n' && cut < first.size() + 12 ? 1U : 0U));
    home.append({"3"});
    INFO(told(home.verify()));
    CHECK(home.verify().is_whole());
    CHECK(home.subjects().back() == "3");
  }
}

TEST_CASE("AuditFolder: an edited last line is not taken for one that was cut off") {
  const AuditHome home;
  home.append({"1", "2"});
  auto lines = home.lines();
  lines[1].replace(lines[1].find("\"2\""), 3, "\"x\"");
  home.write_lines(lines);
  home.append({"3"});
  CHECK_FALSE(home.verify().is_whole());
  CHECK_THAT(told(home.verify()), Contains(":2: the line was changed"));
}

TEST_CASE("AuditFolder: files are rotated by size, the oldest goes, and the chain goes on") {
  const AuditHome home({.file_bytes = 1000, .files = 3});
  auto folder = home.open();
  for (int i = 0; i < 40; ++i) AuditHome::append(folder, {std::to_string(i)});
  const auto files = AuditFolder::list(home / "audit").value();
  CHECK(files.size() == 3);
  CHECK(files.front() > 1);
  const AuditReport report = home.verify();
  INFO(told(report));
  CHECK(report.is_whole());
  CHECK(report.first_seq == files.front());
  CHECK(home.subjects().back() == "39");

  SECTION("a file that is missing between is found") {
    std::filesystem::remove(home / ("audit/" + audit_file_name(files[1])));
    CHECK_THAT(told(home.verify()), Contains("are missing before this one"));
  }
  SECTION("a first file that is missing is found") {
    std::filesystem::remove(home / ("audit/" + audit_file_name(files[0])));
    CHECK_THAT(told(home.verify()), Contains("no later line tells that those before were rotated away"));
  }
  SECTION("lines missing at the beginning of the first file are found") {
    const std::string name = "audit/" + audit_file_name(files[0]);
    auto lines = home.lines(name);
    lines.erase(lines.begin());
    home.write_lines(lines, name);
    CHECK_FALSE(home.verify().is_whole());
  }
  SECTION("a file of another name is found") {
    std::filesystem::rename(home / ("audit/" + audit_file_name(files[2])),
                            home / ("audit/" + audit_file_name(files[2] + 1)));
    CHECK_THAT(told(home.verify()), Contains("the file's name says"));
  }
  SECTION("an anchor that was rotated away is told") {
    CHECK_THAT(told(home.verify(AuditAnchor{1, std::string(64, 'a')})), Contains("has been rotated away"));
  }
  SECTION("without a number of files none goes") {
    auto keeping =
        AuditFolder::open(home / "audit", {.file_bytes = 1000, .files = 0}, StrictModes::kOn).value();
    for (int i = 0; i < 40; ++i) AuditHome::append(keeping, {"more"});
    CHECK(AuditFolder::list(home / "audit").value().front() == files.front());
    CHECK(home.verify().is_whole());
  }
}

TEST_CASE("AuditFolder: a kill between beginning a file and writing to it does no harm") {
  const AuditHome home;
  home.append({"1", "2"});
  home.write("audit/" + audit_file_name(3), "");
  CHECK(home.verify().is_whole());
  home.append({"3"});
  CHECK(home.verify().is_whole());
  CHECK(home.lines("audit/" + audit_file_name(3)).size() == 1);
}

TEST_CASE("AuditFolder: a writer goes on from what it wrote, so that what somebody took away shows") {
  const AuditHome home;
  auto folder = home.open();
  AuditHome::append(folder, {"1", "2", "3"});
  SECTION("the end of the file") {
    auto lines = home.lines();
    lines.resize(1);
    home.write_lines(lines);
    AuditHome::append(folder, {"4"});
    CHECK_THAT(told(home.verify()), Contains("lines 2 to 3 are missing before this one"));
  }
  SECTION("all files") {
    std::filesystem::remove(home / kFirst);
    AuditHome::append(folder, {"4"});
    CHECK_THAT(told(home.verify()), Contains("begins with line 4"));
  }
  SECTION("the end, with other lines in its place") {
    auto lines = home.lines();
    lines.resize(1);
    home.write_lines(lines);
    home.append({"x", "y"});
    AuditHome::append(folder, {"4"});
    CHECK_THAT(told(home.verify()), Contains("line 3 before it is another"));
  }
  CHECK(home.subjects().back() == "4");
}

TEST_CASE("AuditFolder: what others could change, or what is another file, is refused") {
  const AuditHome home;
  home.append({"1"});
  SECTION("the folder") {
    home.set_mode("audit", 0777);
    CHECK(AuditFolder::open(home / "audit", {}, StrictModes::kOn).error().code ==
          ErrorCode::kPermissionDenied);
    CHECK(AuditFolder::open(home / "audit", {}, StrictModes::kOff));
    CHECK(AuditTrail(home / "audit").verify().error().code == ErrorCode::kPermissionDenied);
  }
  SECTION("a file") {
    home.set_mode(kFirst, 0666);
    auto folder = home.open();
    CHECK(folder.append({event("2")}, kNow, kPatience).error().code == ErrorCode::kPermissionDenied);
    CHECK(AuditTrail(home / "audit").verify().error().code == ErrorCode::kPermissionDenied);
    CHECK(AuditTrail(home / "audit", StrictModes::kOff).verify());
  }
  SECTION("a symbolic link as folder") {
    std::filesystem::rename(home / "audit", home / "elsewhere");
    std::filesystem::create_directory_symlink(home / "elsewhere", home / "audit");
    CHECK(AuditFolder::open_or_make(home / "audit", {}, StrictModes::kOn).error().code ==
          ErrorCode::kPermissionDenied);
  }
  SECTION("a symbolic link as file") {
    std::filesystem::rename(home / kFirst, home / "elsewhere");
    std::filesystem::create_symlink(home / "elsewhere", home / kFirst);
    auto folder = home.open();
    CHECK(folder.append({event("2")}, kNow, kPatience).error().code == ErrorCode::kPermissionDenied);
  }
  SECTION("a second name of another file") {
    std::filesystem::create_hard_link(home / kFirst, home / "second");
    auto folder = home.open();
    CHECK(folder.append({event("2")}, kNow, kPatience).error().code == ErrorCode::kPermissionDenied);
  }
}

TEST_CASE("AuditTrail: what is no file in the place of one is told") {
  const AuditHome home;
  home.append({"1"});
  const std::string other = "audit/" + audit_file_name(2);
  home.make_folder(other);
  const auto refused = AuditTrail(home / "audit").verify();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kIoError);
  CHECK_THAT(refused.error().message, Contains(audit_file_name(2)) && Contains("not a regular file"));
  std::filesystem::remove(home / other);
  CHECK(home.verify().is_whole());
}

TEST_CASE("AuditTrail: the first line of all follows none") {
  const AuditHome home;
  home.make_folder("audit");
  AuditLink before{0, sha256_hex("lines that nobody shall see")};
  home.write_lines({format_audit_line(event("one"), before)});
  CHECK_THAT(told(home.verify()), Contains("line 1 claims that lines were before it"));
  AuditLink none;
  home.write_lines({format_audit_line(event("one"), none)});
  CHECK(home.verify().is_whole());
}

TEST_CASE("AuditTrail: a line that is cut off at the end of a file before the last one was cut by somebody") {
  const AuditHome home;
  home.append({"one"});
  const std::string whole = home.read(kFirst);
  const std::string torn = R"({"seq":2,"prev":"0)";
  home.write(kFirst, whole + torn);
  CHECK(home.verify().is_whole());
  AuditLink last = parse_audit_line(whole.substr(0, whole.size() - 1))->link();
  const std::string second = "audit/" + audit_file_name(2);
  home.write_lines({format_audit_line(event("two"), last)}, second);
  const AuditReport report = home.verify();
  CHECK_FALSE(report.is_whole());
  CHECK(report.torn.empty());
  CHECK_THAT(told(report), Contains(audit_file_name(1) + ":2:"));
  home.write(kFirst, whole);
  CHECK(home.verify().is_whole());
}

TEST_CASE("AuditFolder: a file of more than 1 GiB without a line is not searched for one") {
  const AuditHome home;
  home.append({"1"});
  const std::string whole = home.read(kFirst);
  std::filesystem::resize_file(home / kFirst, (std::uintmax_t{1} << 30) + 1);  // without room on the disk
  auto folder = home.open();
  const auto refused = folder.append({event("2")}, kNow, kPatience);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLimitExceeded);
  CHECK_THAT(refused.error().message, Contains(audit_file_name(1)));
  std::filesystem::resize_file(home / kFirst, whole.size());
  CHECK(folder.append({event("2")}, kNow, kPatience));
  CHECK(home.subjects() == std::vector<std::string>{"1", "2"});
}

TEST_CASE("AuditTrail: no folder, or nothing in it, is an error") {
  const TempHome home;
  CHECK(AuditTrail(home / "audit").verify().error().code == ErrorCode::kNotFound);
  home.make_folder("audit");
  CHECK(AuditTrail(home / "audit").verify().error().code == ErrorCode::kNotFound);
  home.write(kFirst, "");
  const auto report = AuditTrail(home / "audit").verify();
  REQUIRE(report);
  CHECK_FALSE(report->is_whole());
}

TEST_CASE("AuditTrail: hostile files are read in bounded memory") {
  const AuditHome home;
  home.append({"1"});
  home.write(kFirst, home.read(kFirst) + std::string(5'000'000, 'x') + "\n" + std::string(100'000, '\n'));
  const AuditReport report = home.verify();
  CHECK_FALSE(report.is_whole());
  CHECK(report.lines == 1);
  CHECK(report.problems.size() <= AuditTrail::kMostFindings);
  home.append({"2"});
  CHECK(home.subjects().back() == "2");
}

}  // namespace vipauth::test
