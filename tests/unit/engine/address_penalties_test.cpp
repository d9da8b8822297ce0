#include <vipauth/address_penalties.hpp>

#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;
using namespace std::chrono_literals;

namespace {

using Failure = AddressPenalties::Failure;
using Settings = AddressPenalties::Settings;

AddressPenalties make(Settings settings = {}) {
  auto made = AddressPenalties::create(std::move(settings));
  REQUIRE(made);
  return std::move(*made);
}

/// So many keys that are new, at once. \return what the last one got
AddressPenalties::Verdict strangers(AddressPenalties& penalties, const std::string& address, int count,
                                    Timestamp now, const std::string& name = "key") {
  AddressPenalties::Verdict last;
  for (int i = 0; i < count; ++i) {
    last = penalties.count(address, Failure::kStranger, name + std::to_string(i), now);
  }
  return last;
}

std::string address_of(int i) {
  return "10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".1";
}

}  // namespace

TEST_CASE("AddressPenalties: many new keys of one address are too many, a few are not") {
  AddressPenalties penalties = make();
  CHECK_FALSE(strangers(penalties, "10.0.0.1", 16, kNow).started);
  CHECK_FALSE(penalties.is_penalised("10.0.0.1", kNow));
  const auto seventeenth = penalties.count("10.0.0.1", Failure::kStranger, "one more", kNow);
  CHECK(seventeenth.started);
  CHECK_FALSE(seventeenth.penalised);  // it is the next that feels it
  CHECK(penalties.is_penalised("10.0.0.1", kNow));
  CHECK(penalties.count("10.0.0.1", Failure::kStranger, "and another", kNow).penalised);
  CHECK_FALSE(penalties.is_penalised("10.0.0.2", kNow));
}

TEST_CASE("AddressPenalties: a denied key or a wrong password weighs more, known or not") {
  AddressPenalties penalties = make();
  for (int i = 0; i < 3; ++i) CHECK_FALSE(penalties.count("10.0.0.1", Failure::kRefusal, "x", kNow).started);
  CHECK(penalties.count("10.0.0.1", Failure::kRefusal, "x", kNow).started);
}

TEST_CASE("AddressPenalties: a penalty ends when all of its time is over, and grows with each failure") {
  AddressPenalties penalties = make();
  strangers(penalties, "10.0.0.1", 17, kNow);
  CHECK(penalties.is_penalised("10.0.0.1", kNow + 16'999ms));
  CHECK_FALSE(penalties.is_penalised("10.0.0.1", kNow + 17s));
  strangers(penalties, "10.0.0.2", 100, kNow + 17s);
  CHECK(penalties.is_penalised("10.0.0.2", kNow + 116s));
  CHECK_FALSE(penalties.is_penalised("10.0.0.2", kNow + 117s));
}

TEST_CASE("AddressPenalties: a penalty of which little is left ends no sooner for another failure") {
  AddressPenalties penalties = make();
  strangers(penalties, "10.0.0.1", 17, kNow);
  CHECK(penalties.count("10.0.0.1", Failure::kStranger, "key0", kNow + 15s).penalised);
  CHECK(penalties.is_penalised("10.0.0.1", kNow + 17s));
  CHECK_FALSE(penalties.is_penalised("10.0.0.1", kNow + 17s + 50ms));
}

TEST_CASE("AddressPenalties: no penalty is longer than the longest") {
  AddressPenalties penalties = make();
  strangers(penalties, "10.0.0.1", 10'000, kNow);
  CHECK(penalties.is_penalised("10.0.0.1", kNow + 10min - 1ms));
  CHECK_FALSE(penalties.is_penalised("10.0.0.1", kNow + 10min));
}

TEST_CASE("AddressPenalties: slow failures are forgiven") {
  AddressPenalties penalties = make();
  Timestamp now = kNow;
  for (int i = 0; i < 1000; ++i, now += 1s) {
    REQUIRE_FALSE(penalties.count("10.0.0.1", Failure::kStranger, std::to_string(i), now).started);
  }
}

TEST_CASE("AddressPenalties: sixteen strangers who wait for approval are never penalised, at any interval") {
  for (const auto interval : {1000ms, 2000ms, 7000ms, 30'000ms, 90'000ms}) {
    AddressPenalties penalties = make();
    Timestamp now = kNow;
    for (int round = 0; round < 500; ++round, now += interval) {
      INFO(interval.count() << " ms, round " << round);
      REQUIRE_FALSE(strangers(penalties, "10.0.0.1", 16, now).started);
    }
    // Others of the same address who are not among them are.
    CHECK(strangers(penalties, "10.0.0.1", 40, now, "other").penalised);
  }
}

TEST_CASE("AddressPenalties: one key that tries without a pause is penalised") {
  AddressPenalties penalties = make();
  Timestamp now = kNow;
  bool penalised = false;
  for (int i = 0; i < 1000; ++i, now += 5ms) {
    penalised = penalised || penalties.count("10.0.0.1", Failure::kStranger, "key", now).started;
  }
  CHECK(penalised);
}

TEST_CASE("AddressPenalties: a denied peer that is told to try again gets out") {
  AddressPenalties penalties = make();
  Timestamp now = kNow;
  for (int i = 0; i < 4; ++i) penalties.count("10.0.0.1", Failure::kRefusal, "denied", now);
  int tries = 0;
  while (tries < 30 && penalties.count("10.0.0.1", Failure::kRefusal, "denied", now += 2s).penalised) ++tries;
  CHECK(tries < 15);
  // One that guesses does not.
  for (int i = 0; i < 30; ++i) penalties.count("10.0.0.1", Failure::kRefusal, std::to_string(i), now += 2s);
  CHECK(penalties.is_penalised("10.0.0.1", now));
}

TEST_CASE("AddressPenalties: a guess weighs as much where its address is penalised already") {
  AddressPenalties penalties = make({.refusal = 5s});
  for (int i = 0; i < 5; ++i) penalties.count("10.0.0.1", Failure::kRefusal, std::to_string(i), kNow);
  CHECK(penalties.is_penalised("10.0.0.1", kNow + 25s - 1ms));
  CHECK_FALSE(penalties.is_penalised("10.0.0.1", kNow + 25s));
}

TEST_CASE("AddressPenalties: the addresses of one IPv6 host, and the processes of one user, are one source") {
  AddressPenalties penalties = make();
  for (int i = 0; i < 17; ++i) {
    const std::string text = std::to_string(i);
    penalties.count("2001:db8::" + text, Failure::kStranger, text, kNow);
    penalties.count("localhost:1000:1000:" + text, Failure::kStranger, text, kNow);
  }
  CHECK(penalties.is_penalised("2001:db8::ffff", kNow));
  CHECK_FALSE(penalties.is_penalised("2001:db8:0:1::1", kNow));
  CHECK(penalties.is_penalised("localhost:1000:1000:99", kNow));
  CHECK_FALSE(penalties.is_penalised("localhost:1001:1000:99", kNow));
}

TEST_CASE("AddressPenalties: exempt networks are never penalised, others are") {
  AddressPenalties penalties = make({.exempt = {"10.0.0.0/24", "2001:db8::/32"}});
  for (const std::string address : {"10.0.0.5", "::ffff:10.0.0.5", "2001:db8::1"}) {
    INFO(address);
    CHECK_FALSE(strangers(penalties, address, 100, kNow).penalised);
    CHECK_FALSE(penalties.is_penalised(address, kNow));
  }
  CHECK(penalties.counters(kNow).sources == 0);
  CHECK(strangers(penalties, "10.0.1.5", 100, kNow).penalised);
  CHECK(strangers(penalties, "localhost:1000:1000:7", 100, kNow).penalised);
}

TEST_CASE("AddressPenalties: settings that make no sense are refused") {
  const auto refused = [](const Settings& settings) {
    const auto made = AddressPenalties::create(settings);
    return !made && made.error().code == ErrorCode::kInvalidArgument;
  };
  CHECK(refused({.stranger = -1ms}));
  CHECK(refused({.longest = 24h + 1ms}));
  CHECK_FALSE(refused({.longest = 24h}));
  CHECK(refused({.max_sources = 0}));
  CHECK(refused({.max_sources = (std::size_t{1} << 20) + 1}));
  CHECK_FALSE(refused({.max_sources = std::size_t{1} << 20}));
  CHECK(refused({.exempt = {"10.0.0.0/8", "10.0.0.0/99"}}));
  CHECK(AddressPenalties::create({.exempt = {"nonsense"}}).error().message.find("\"nonsense\"") !=
        std::string::npos);
  CHECK_FALSE(refused({.stranger = 0ms, .max_sources = 1}));
}

TEST_CASE("AddressPenalties: the table is bounded, and the worst stay in it") {
  AddressPenalties penalties = make({.max_sources = 100});
  strangers(penalties, "192.0.2.1", 500, kNow);
  for (int i = 0; i < 10'000; ++i) penalties.count(address_of(i), Failure::kStranger, "key", kNow);
  CHECK(penalties.counters(kNow).sources == 100);
  CHECK(penalties.is_penalised("192.0.2.1", kNow));
  CHECK(penalties.counters(kNow).penalised == 1);
}

TEST_CASE("AddressPenalties: where all are penalised, the one that ends first makes room") {
  AddressPenalties penalties = make({.max_sources = 3});
  strangers(penalties, "10.0.0.1", 50, kNow);
  strangers(penalties, "10.0.0.2", 20, kNow);
  strangers(penalties, "10.0.0.3", 60, kNow);
  for (int i = 0; i < 1000; ++i) penalties.count(address_of(i + 300), Failure::kStranger, "key", kNow);
  CHECK(penalties.is_penalised("10.0.0.1", kNow));
  CHECK_FALSE(penalties.is_penalised("10.0.0.2", kNow));
  CHECK(penalties.is_penalised("10.0.0.3", kNow));
  const auto report = penalties.take_report(kNow);
  CHECK(report.started_count == 3);
  CHECK(report.ended_count == 1);
  CHECK(report.penalised == 2);
}

TEST_CASE("AddressPenalties: what is over is forgotten") {
  AddressPenalties penalties = make();
  for (int i = 0; i < 1000; ++i) penalties.count(address_of(i), Failure::kStranger, "key", kNow);
  CHECK(penalties.counters(kNow).sources == 1000);
  CHECK(penalties.counters(kNow + 1h).sources == 0);
}

TEST_CASE("AddressPenalties: a clock that is set back makes no penalty longer, one set forward ends it") {
  AddressPenalties penalties = make();
  strangers(penalties, "10.0.0.1", 17, kNow);
  Timestamp now = kNow - 365 * 24h;
  CHECK(penalties.is_penalised("10.0.0.1", now));
  CHECK_FALSE(penalties.is_penalised("10.0.0.1", now + 17s));
  strangers(penalties, "10.0.0.1", 100, now);
  CHECK_FALSE(penalties.is_penalised("10.0.0.1", now + 365 * 24h));
}

TEST_CASE("AddressPenalties: reports what has begun and ended, and how much was not logged, by few names") {
  AddressPenalties penalties = make();
  CHECK(penalties.take_report(kNow).empty());
  for (int i = 0; i < 30; ++i) strangers(penalties, address_of(i), 19, kNow);
  auto report = penalties.take_report(kNow);
  CHECK(report.started_count == 30);
  CHECK(report.started.size() == AddressPenalties::kMaxNamed);
  CHECK(report.started.front().name == address_of(0));
  CHECK(report.ended_count == 0);
  CHECK(report.suppressed == 60);
  CHECK(report.penalised == 30);
  CHECK(penalties.take_report(kNow).empty());

  report = penalties.take_report(kNow + 1min);
  CHECK(report.started_count == 0);
  CHECK(report.ended_count == 30);
  CHECK(report.ended.size() == AddressPenalties::kMaxNamed);
  CHECK(report.ended.front().suppressed == 2);
  CHECK(report.penalised == 0);
  const auto counters = penalties.counters(kNow + 1min);
  CHECK(counters.penalties == 30);
  CHECK(counters.suppressed == 60);
}

TEST_CASE("AddressPenalties: other ones take the place of these, with their settings and all they count") {
  AddressPenalties penalties = make();
  strangers(penalties, "10.0.0.1", 100, kNow);
  REQUIRE(penalties.is_penalised("10.0.0.1", kNow));
  penalties = make({.max_sources = 1});
  CHECK_FALSE(penalties.is_penalised("10.0.0.1", kNow));
  penalties.count("10.0.0.2", Failure::kStranger, "key", kNow);
  penalties.count("10.0.0.3", Failure::kStranger, "key", kNow);
  CHECK(penalties.counters(kNow).sources == 1);
}

TEST_CASE("AddressPenalties: many threads may count, ask and report at once") {
  AddressPenalties penalties = make({.max_sources = 50});
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) {
        const Timestamp now = kNow + std::chrono::milliseconds(i);
        penalties.count(address_of(i % 100), Failure::kStranger, std::to_string(t * 10'000 + i), now);
        static_cast<void>(penalties.is_penalised(address_of(i % 100), now));
        if (i % 100 == 0) static_cast<void>(penalties.take_report(now));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(penalties.counters(kNow + 2s).sources == 50);
}

TEST_CASE("AddressPenalties: a source is remembered for two minutes after its time, and not longer") {
  AddressPenalties penalties = make();
  penalties.count("10.0.0.1", Failure::kStranger, "key", kNow);
  CHECK(penalties.counters(kNow + 1s + 2min - 1ms).sources == 1);
  CHECK(penalties.counters(kNow + 1s + 2min).sources == 0);
}

TEST_CASE("AddressPenalties: of very many keys of one address the first ones are forgotten") {
  AddressPenalties penalties = make({.retry = 0ms});
  const int count = AddressPenalties::kRemembered + 2;
  strangers(penalties, "10.0.0.1", count, kNow);
  const Timestamp end = kNow + std::chrono::seconds(count);
  penalties.count("10.0.0.1", Failure::kStranger, "key2", kNow);
  CHECK_FALSE(penalties.is_penalised("10.0.0.1", end));
  strangers(penalties, "10.0.0.2", count, end);
  penalties.count("10.0.0.2", Failure::kStranger, "key1", end);
  CHECK(penalties.is_penalised("10.0.0.2", end + std::chrono::seconds(count)));
}

TEST_CASE("AddressPenalties: a clock that goes back by a second at most is two threads that meet") {
  for (const auto& [back, ends] : {std::pair(1000ms, 17'000ms), std::pair(1001ms, 17'000ms - 1001ms)}) {
    AddressPenalties penalties = make();
    strangers(penalties, "10.0.0.1", 17, kNow);
    CHECK(penalties.is_penalised("10.0.0.1", kNow - back));
    CHECK(penalties.is_penalised("10.0.0.1", kNow + ends - 1ms));
    CHECK_FALSE(penalties.is_penalised("10.0.0.1", kNow + ends));
  }
}
