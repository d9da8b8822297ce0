#include <fstream>

#include <vipauth/audit_log.hpp>
#include <vipauth/audit_trail.hpp>

#include "store/audit_folder.hpp"
#include "support/catch.hpp"
#include "support/policies.hpp"
#include "writer.hpp"

namespace vipauth::test {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kPatience{10'000};
const std::string kFirst = "audit/" + audit_file_name(1);

Result<void> append(const fs::path& home, const std::vector<std::string>& subjects,
                    AuditFolder::Limits limits = {}) {
  auto folder = AuditFolder::open_or_make(home / "audit", limits, StrictModes::kOn);
  if (!folder) return folder.error();
  std::vector<Json> events;
  events.reserve(subjects.size());
  for (const std::string& subject : subjects) {
    events.push_back(Json::Object{{"kind", "refusal"}, {"subject", subject}});
  }
  auto appended = folder->append(events, kNow, kPatience);
  return appended ? folder->sync() : appended;
}

void must(const Result<void>& result) {
  INFO((result ? std::string() : result.error().to_string()));
  REQUIRE(result);
}

/// The events in the trail, or what is broken in it.
std::string trail_state(const fs::path& home) {
  const AuditTrail trail(home / "audit");
  const auto report = trail.verify();
  if (!report && report.error().code == ErrorCode::kNotFound) return "nothing";
  if (!report) return report.error().to_string();
  if (!report->is_whole()) return "broken: " + report->problems.front().message;
  std::string out;
  const auto read = trail.read([&](const Json& line) {
    const std::string subject = line.text_at("subject");
    if (!subject.empty()) out += subject + " ";
  });
  return read ? out : read.error().to_string();
}

Writer appending(AuditFolder::Limits limits = {}) {
  Writer out;
  out.name = "lines are added";
  out.prepare = [=](const fs::path& home) { must(append(home, {"a"}, limits)); };
  out.write = [=](const fs::path& home) { return append(home, {"b", "c", "d"}, limits); };
  out.state = trail_state;
  // A kill in the midst of a write may leave the first of them.
  out.is_between = [](const std::string& state) { return state == "a b " || state == "a b c "; };
  out.next = [=](const fs::path& home) -> Result<void> {
    if (auto appended = append(home, {"e"}, limits); !appended) return appended;
    const std::string state = trail_state(home);
    if (state.ends_with("e ")) return {};
    return Error{ErrorCode::kUnavailable, "after that: " + state, ""};
  };
  // Not its bytes, though: a line that is cut off is ended by the next one.
  out.files = {};
  return out;
}

}  // namespace

TEST_CASE("faults: lines are added to an audit log") { check_faults(appending()); }

TEST_CASE("faults: lines are added before those that were added last are synced") {
  Writer writer = appending();
  writer.name = "lines are added twice";
  writer.write = [](const fs::path& home) -> Result<void> {
    auto folder = AuditFolder::open(home / "audit", {}, StrictModes::kOn);
    if (!folder) return folder.error();
    for (const char* subject : {"b", "c"}) {
      auto appended =
          folder->append({Json::Object{{"kind", "refusal"}, {"subject", subject}}}, kNow, kPatience);
      if (!appended) {
        // What could not be synced is told by the next sync.
        const auto synced = folder->sync();
        return synced ? appended : synced;
      }
    }
    return folder->sync();
  };
  writer.is_between = [](const std::string& state) { return state == "a b "; };
  check_faults(writer);
}

TEST_CASE("faults: the first lines of an audit log") {
  Writer writer = appending();
  writer.prepare = [](const fs::path&) {};
  writer.is_between = [](const std::string& state) {
    return state == "broken: holds no whole line" || state == "b " || state == "b c ";
  };
  check_faults(writer);
}

TEST_CASE("faults: a torn line of an audit log is mended") {
  Writer writer = appending();
  writer.prepare = [](const fs::path& home) {
    must(append(home, {"a"}));
    std::ofstream(home / kFirst, std::ios::app) << R"({"seq":2,"prev":"0)";
  };
  check_faults(writer);
}

TEST_CASE("faults: an audit log is rotated") {
  // Each file is full at once, and two stay.
  const AuditFolder::Limits limits{.file_bytes = 10, .files = 2};
  Writer writer = appending(limits);
  writer.prepare = [=](const fs::path& home) {
    must(append(home, {"x"}, limits));
    must(append(home, {"a"}, limits));
  };
  // What is removed may stay for once.
  writer.state = [](const fs::path& home) {
    const std::string state = trail_state(home);
    return state.starts_with("x ") ? state.substr(2) : state;
  };
  check_faults(writer);
}

TEST_CASE("faults: an audit log is written by its thread") {
  Writer writer = appending();
  writer.name = "an event is written by the log's thread";
  writer.write = [](const fs::path& home) -> Result<void> {
    const auto log = AuditLog::open(home / "audit", {});
    if (!log) return log.error();
    AuditEvent event;
    event.kind = AuditEvent::Kind::kRefusal;
    event.subject = "b";
    (*log)->write(event);
    return (*log)->flush();
  };
  writer.is_slow = true;
  check_faults(writer);
}

}  // namespace vipauth::test
