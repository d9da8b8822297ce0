#include <vipauth/audit_log.hpp>

#include <atomic>
#include <filesystem>
#include <map>
#include <thread>
#include <vector>

#include "store/atomic_file.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

namespace vipauth::test {

using Catch::Contains;

namespace {

AuditLog::Options options() {
  AuditLog::Options out;
  out.clock = [] { return kNow; };
  return out;
}

std::shared_ptr<AuditLog> open(const TempHome& home, AuditLog::Options with = options(),
                               AuditLog::OnProblem on_problem = {}) {
  auto log = AuditLog::open(home / "audit", std::move(with), std::move(on_problem));
  REQUIRE(log);
  return *std::move(log);
}

AuditEvent stranger(const std::string& key, Timestamp time = kNow) {
  AuditEvent event;
  event.time = time;
  event.allowed = false;
  event.reason = Reason::kUnknown;
  event.mechanism = "CURVE";
  event.credentials = key;
  event.address = "10.0.0.1";
  return event;
}

AuditEvent refusal(const std::string& user_id, const std::string& subject) {
  AuditEvent event;
  event.kind = AuditEvent::Kind::kRefusal;
  event.time = kNow;
  event.allowed = false;
  event.user_id = user_id;
  event.subject = subject;
  return event;
}

AuditEvent accepted(const std::string& user_id) {
  AuditEvent event;
  event.time = kNow;
  event.allowed = true;
  event.user_id = user_id;
  return event;
}

std::vector<Json> lines(const TempHome& home) {
  std::vector<Json> out;
  REQUIRE(AuditTrail(home / "audit").read([&](const Json& line) { out.push_back(line); }));
  return out;
}

std::uint64_t number_at(const Json& line, std::string_view name) {
  const Json* value = line.find(name);
  return value != nullptr && value->is_number() ? std::stoull(value->as_number().digits) : 0;
}

}  // namespace

TEST_CASE("AuditLog: what is written is on the disk after flush, whole and in order") {
  const TempHome home;
  const auto log = open(home);
  for (int i = 0; i < 1000; ++i) log->write(accepted("user" + std::to_string(i)));
  REQUIRE(log->flush());
  const auto written = lines(home);
  REQUIRE(written.size() == 1000);
  for (std::size_t i = 0; i < written.size(); ++i) {
    CHECK(written[i].text_at("user_id") == "user" + std::to_string(i));
  }
  CHECK(log->written() == 1000);
  CHECK(log->dropped() == 0);
  CHECK(AuditTrail(home / "audit").verify()->is_whole());
}

TEST_CASE("AuditLog: its end writes what waits, and later events are counted as dropped") {
  const TempHome home;
  const auto log = open(home);
  log->write(accepted("alice"));
  log->stop();
  CHECK(lines(home).size() == 1);
  log->write(accepted("late"));
  CHECK(log->dropped() == 1);
  CHECK(log->flush());
  log->stop();
  CHECK(lines(home).size() == 1);
}

TEST_CASE("AuditLog: a writer that is stuck blocks nobody, and what was dropped is told") {
  const TempHome home;
  AuditLog::Options small = options();
  small.queue = 10;
  const auto log = open(home, small);
  {
    const auto held = FileLock::acquire(home / "audit" / "audit", std::chrono::seconds(10));
    REQUIRE(held);
    for (int i = 0; i < 1000; ++i) log->write(accepted(std::to_string(i)));
    CHECK(log->dropped() >= 1000 - 10 - 256);  // besides what the writer holds
    CHECK(log->written() == 0);
  }
  REQUIRE(log->flush());
  log->write(accepted("last"));
  REQUIRE(log->flush());
  const auto written = lines(home);
  std::uint64_t dropped = 0;
  std::uint64_t others = 0;
  for (const Json& line : written) {
    if (line.text_at("kind") == "dropped") {
      dropped += number_at(line, "count");
    } else {
      ++others;
    }
  }
  CHECK(dropped == log->dropped());
  CHECK(dropped + others == 1001);
  CHECK(written.back().text_at("user_id") == "last");
}

TEST_CASE("AuditLog: its end waits once for a lock that somebody holds, and counts what is lost") {
  const TempHome home;
  AuditLog::Options impatient = options();
  impatient.patience = std::chrono::milliseconds(50);
  const auto log = open(home, impatient);
  const auto held = FileLock::acquire(home / "audit" / "audit", std::chrono::seconds(10));
  REQUIRE(held);
  for (int i = 0; i < 5000; ++i) log->write(accepted(std::to_string(i)));
  log->stop();
  CHECK(log->dropped() == 5000);
  CHECK_FALSE(log->flush());
}

TEST_CASE("AuditLog: what cannot be written is told once, counted, and over when it can") {
  const TempHome home;
  std::atomic<int> problems{0};
  AuditLog::Options quick = options();
  const auto log = open(home, quick, [&](const Error& error) {
    ++problems;
    CHECK(error.code == ErrorCode::kNotFound);
  });
  std::filesystem::rename(home / "audit", home / "away");
  log->write(accepted("lost"));
  CHECK_FALSE(log->flush());
  log->write(accepted("lost too"));
  CHECK_FALSE(log->flush());
  CHECK(problems == 1);
  CHECK(log->dropped() == 2);
  std::filesystem::rename(home / "away", home / "audit");
  log->write(accepted("found"));
  REQUIRE(log->flush());
  const auto written = lines(home);
  REQUIRE(written.size() == 2);
  CHECK(number_at(written[0], "count") == 2);
  CHECK(written[1].text_at("user_id") == "found");
}

TEST_CASE("AuditLog: two logs append to one folder at once") {
  const TempHome home;
  AuditLog::Options small = options();
  small.file_bytes = 20'000;
  small.files = 0;
  {
    const auto one = open(home, small);
    const auto two = open(home, small);
    const auto load = [](AuditLog& log, const std::string& name) {
      for (int i = 0; i < 500; ++i) {
        log.write(accepted(name + std::to_string(i)));
        if (i % 50 == 0) CHECK(log.flush());
      }
    };
    std::thread other([&] { load(*two, "two"); });
    load(*one, "one");
    other.join();
  }
  const auto report = AuditTrail(home / "audit").verify();
  REQUIRE(report);
  CHECK(report->is_whole());
  CHECK(report->torn.empty());
  std::map<std::string, int> seen;
  for (const Json& line : lines(home)) {
    if (line.text_at("kind") == "authentication") ++seen[line.text_at("user_id")];
  }
  CHECK(seen.size() == 1000);
}

TEST_CASE("AuditLog: a refusal that repeats is written once, and then with its number") {
  const TempHome home;
  const auto log = open(home);
  for (int i = 0; i < 5; ++i) log->write(stranger(kKeyA, kNow + std::chrono::seconds(i)));
  log->write(stranger(kKeyB));
  log->write(accepted("alice"));
  log->write(accepted("alice"));
  REQUIRE(log->flush());
  const auto written = lines(home);
  REQUIRE(written.size() == 5);
  CHECK(written[0].text_at("credentials") == kKeyA);
  CHECK(number_at(written[0], "repeats") == 0);
  CHECK(written[1].text_at("credentials") == kKeyB);
  CHECK(written[2].text_at("user_id") == "alice");  // what is allowed is written each time
  CHECK(written[4].text_at("credentials") == kKeyA);
  CHECK(number_at(written[4], "repeats") == 4);
  CHECK(written[4].text_at("since") == "2026-11-21T00:00:01Z");
  CHECK(written[4].text_at("time") == "2026-11-21T00:00:04Z");
}

TEST_CASE("AuditLog: a flood of strangers fills no disk, and hides no refusal of a user") {
  const TempHome home;
  AuditLog::Options few = options();
  few.strangers = 10;
  few.refusals = 3;
  few.queue = 100'000;
  const auto log = open(home, few);
  for (int i = 0; i < 10'000; ++i) log->write(stranger(std::to_string(i)));
  for (int i = 0; i < 5; ++i) log->write(refusal("mallory", std::to_string(i)));
  REQUIRE(log->flush());
  std::uint64_t strangers = 0;
  std::uint64_t refusals = 0;
  for (const Json& line : lines(home)) {
    const std::uint64_t count = std::max<std::uint64_t>(1, number_at(line, "repeats"));
    (line.text_at("kind") == "refusal" ? refusals : strangers) += count;
  }
  CHECK(lines(home).size() == 10 + 1 + 3 + 1);
  CHECK(strangers == 10'000);
  CHECK(refusals == 5);
}

TEST_CASE("AuditLog: one address hides no other peer, no denied key, and no wrong password") {
  const TempHome home;
  AuditLog::Options few = options();
  few.strangers = 12;
  few.strangers_per_address = 5;
  const auto log = open(home, few);
  for (int i = 0; i < 500; ++i) log->write(stranger("flood" + std::to_string(i)));
  AuditEvent other = stranger(kKeyA);
  other.address = "10.0.0.2";
  log->write(other);
  AuditEvent denied = stranger(kKeyB);
  denied.reason = Reason::kDenied;
  log->write(denied);
  AuditEvent password = stranger("alice");
  password.mechanism = "PLAIN";
  log->write(password);
  REQUIRE(log->flush());
  std::map<std::string, int> named;
  std::uint64_t counted = 0;
  for (const Json& line : lines(home)) {
    ++named[line.text_at("credentials")];
    if (number_at(line, "repeats") == 0) continue;
    counted += number_at(line, "repeats");
    CHECK(line.text_at("address") == "10.0.0.1");
    CHECK_THAT(line.text_at("message"), Contains("others of this address"));
  }
  CHECK(named[kKeyA] == 1);
  CHECK(named[kKeyB] == 1);
  CHECK(named["alice"] == 1);
  CHECK(counted == 495);
}

TEST_CASE("AuditLog: what many addresses are refused is counted by reason") {
  const TempHome home;
  const auto log = open(home);
  for (int i = 0; i < 1000; ++i) {
    AuditEvent event = stranger(std::to_string(i));
    event.address = "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250);
    event.reason = i % 4 == 0 ? Reason::kInactive : Reason::kUnknown;
    log->write(event);
  }
  REQUIRE(log->flush());
  std::map<std::string, std::uint64_t> counted;
  for (const Json& line : lines(home)) counted[line.text_at("reason")] += number_at(line, "repeats");
  CHECK(counted.size() == 2);
  CHECK(counted["inactive"] == 225);
  CHECK(counted["unknown"] == 675);
}

TEST_CASE("AuditLog: a refusal takes little room, whatever a peer names") {
  const TempHome home;
  const auto log = open(home);
  AuditEvent event = refusal("mallory", std::string(100'000, '\x01'));
  event.message = event.callee = event.domain = event.subject;
  log->write(event);
  AuditEvent change = refusal("", std::string(1000, 'a'));
  change.kind = AuditEvent::Kind::kChange;
  log->write(change);
  REQUIRE(log->flush());
  const auto written = lines(home);
  REQUIRE(written.size() == 2);
  CHECK(written[0].text_at("subject") == std::string(AuditEvent::kMaxRefusalTextBytes, '\x01') + "...");
  CHECK(written[0].dump().size() < 8192);
  CHECK(written[1].text_at("subject").size() == 1000);
}

TEST_CASE("AuditLog: one user can neither crowd out others nor push evidence away") {
  const TempHome home;
  const auto log = open(home);
  for (int i = 0; i < 5000; ++i) log->write(refusal("mallory", std::to_string(i)));
  log->write(refusal("alice", "topic"));
  for (int i = 0; i < 1000; ++i) log->write(accepted("mallory"));
  log->write(accepted("alice"));
  REQUIRE(log->flush());
  const auto written = lines(home);
  std::map<std::pair<std::string, std::string>, std::uint64_t> counts;
  for (const Json& line : written) {
    counts[{line.text_at("kind"), line.text_at("user_id")}] +=
        std::max<std::uint64_t>(1, number_at(line, "repeats"));
  }
  CHECK(written.size() == 50 + 1 + 1 + 60 + 1 + 1);
  CHECK(counts[{"refusal", "mallory"}] == 5000);
  CHECK(counts[{"refusal", "alice"}] == 1);
  CHECK(counts[{"authentication", "mallory"}] == 1000);
  CHECK(counts[{"authentication", "alice"}] == 1);
}

TEST_CASE("AuditLog: one user of many keys pushes no evidence away") {
  const TempHome home;
  const auto log = open(home);
  for (int i = 0; i < 5000; ++i) {
    AuditEvent event = accepted("mallory");
    event.credentials = std::to_string(i);
    log->write(event);
  }
  AuditEvent other = accepted("alice");
  other.credentials = "a key of hers";
  log->write(other);
  REQUIRE(log->flush());
  const auto written = lines(home);
  REQUIRE(written.size() == 20 + 1 + 1);
  CHECK(written[20].text_at("user_id") == "alice");
  CHECK(written[21].text_at("user_id") == "mallory");
  CHECK(number_at(written[21], "repeats") == 5000 - 20);
}

TEST_CASE("AuditLog: a peer that comes again and again needs no event to be counted") {
  const TempHome home;
  AuditLog::Options few = options();
  few.accepted_per_key = 2;
  const auto log = open(home, few);
  const AuditLog::AcceptedPeer alice{"alice", "CURVE", kKeyA, Reason::kAccepted, kNow};
  AuditEvent event = accepted("alice");
  event.mechanism = "CURVE";
  event.credentials = kKeyA;
  event.reason = Reason::kAccepted;
  event.address = "10.0.0.1";
  for (int i = 0; i < 2; ++i) {
    CHECK_FALSE(log->count_repeat(alice));  // it is to be written, and is counted when it is
    log->write(event);
  }
  for (int i = 0; i < 5; ++i) CHECK(log->count_repeat(alice));
  log->write(event);
  CHECK_FALSE(log->count_repeat({"alice", "CURVE", kKeyB, Reason::kAccepted, kNow}));
  CHECK_FALSE(log->count_repeat({"bob", "CURVE", kKeyA, Reason::kAccepted, kNow}));
  REQUIRE(log->flush());
  const auto written = lines(home);
  REQUIRE(written.size() == 3);
  CHECK(number_at(written[1], "repeats") == 0);
  CHECK(number_at(written[2], "repeats") == 6);
  CHECK(written[2].text_at("credentials") == kKeyA);
  CHECK(written[2].text_at("address") == "10.0.0.1");
  CHECK_FALSE(log->count_repeat(alice));  // another interval
  log->stop();
  CHECK_FALSE(log->count_repeat(alice));  // as dropped, by write()
}

TEST_CASE("AuditLog: many peers who come again fill no disk, and the first time of each is written") {
  const TempHome home;
  AuditLog::Options few = options();
  few.accepted = 10;
  const auto log = open(home, few);
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 50; ++i) log->write(accepted("user" + std::to_string(i)));
  }
  log->write(accepted("late"));
  REQUIRE(log->flush());
  std::map<std::string, std::uint64_t> counts;
  std::size_t singly = 0;
  for (const Json& line : lines(home)) {
    const std::uint64_t repeats = number_at(line, "repeats");
    singly += repeats == 0 ? 1U : 0U;
    counts[line.text_at("user_id")] += std::max<std::uint64_t>(1, repeats);
  }
  CHECK(singly == 50 + 10 + 1);
  CHECK(counts.size() == 51);
  for (int i = 0; i < 50; ++i) CHECK(counts["user" + std::to_string(i)] == 20);
  CHECK(counts["late"] == 1);
  CHECK(log->dropped() == 0);
}

TEST_CASE("AuditLog: repeats that several threads count at once are all told") {
  const TempHome home;
  const auto log = open(home);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        const AuditEvent event = accepted("user" + std::to_string(i % 3));
        if (!log->count_repeat({event.user_id, "", "", event.reason, event.time})) log->write(event);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  REQUIRE(log->flush());
  std::uint64_t count = 0;
  for (const Json& line : lines(home)) count += std::max<std::uint64_t>(1, number_at(line, "repeats"));
  CHECK(count + log->dropped() == 8000);
  CHECK(lines(home).size() == 3 * 60 + 3);
}

TEST_CASE("AuditLog: what users are refused keeps nothing else out of the queue") {
  const TempHome home;
  AuditLog::Options small = options();
  small.queue = 40;
  const auto log = open(home, small);
  {
    const auto held = FileLock::acquire(home / "audit" / "audit", std::chrono::seconds(10));
    REQUIRE(held);
    for (int i = 0; i < 1000; ++i) log->write(refusal("mallory", std::to_string(i)));
    log->write(stranger("a strange key"));
    log->write(accepted("alice"));
  }
  REQUIRE(log->flush());
  const std::uint64_t dropped = log->dropped();
  CHECK(dropped >= 1000 - 10 - 256);
  log->write(accepted("bob"));
  REQUIRE(log->flush());
  bool has_stranger = false;
  bool has_alice = false;
  std::uint64_t told = 0;
  for (const Json& line : lines(home)) {
    has_stranger = has_stranger || line.text_at("credentials") == "a strange key";
    has_alice = has_alice || line.text_at("user_id") == "alice";
    if (line.text_at("kind") == "dropped") {
      told += number_at(line, "count");
      CHECK(number_at(line, "refusals") == number_at(line, "count"));
    }
  }
  CHECK(has_stranger);
  CHECK(has_alice);
  CHECK(told == dropped);
}

TEST_CASE("AuditLog: repeats are written at the end of their interval without being asked") {
  const TempHome home;
  AuditLog::Options often = options();
  often.repeat_interval = std::chrono::milliseconds(1);
  const auto log = open(home, often);
  log->write(stranger(kKeyA));
  log->write(stranger(kKeyA));
  CHECK(eventually([&] { return log->written() >= 2; }));
}

TEST_CASE("AuditLog: a folder that cannot be used is an error") {
  const TempHome home;
  home.write("audit", "a file");
  CHECK_FALSE(AuditLog::open(home / "audit", options()));
  CHECK_FALSE(AuditLog::open(home / "none" / "audit", options()));
  home.make_folder("open");
  home.set_mode("open", 0777);
  CHECK(AuditLog::open(home / "open", options()).error().code == ErrorCode::kPermissionDenied);
}

}  // namespace vipauth::test
