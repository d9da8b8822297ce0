// That nobody waits while what is new in a large auth.json is found out for the audit.

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <vipauth/auth_service.hpp>

#include "store/file_content.hpp"
#include "support/catch.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

namespace vipauth::test {
namespace {

/// Writes events down; holds the one that tells of a policy until it is opened.
class Gate final : public AuditSink {
 public:
  void write(const AuditEvent& event) noexcept override {
    std::unique_lock lock(mutex_);
    if (event.kind == AuditEvent::Kind::kPolicy) {
      changed_.wait(lock, [&] { return is_open_; });
    }
    events_.push_back(event);
  }
  void open() {
    {
      const std::lock_guard lock(mutex_);
      is_open_ = true;
    }
    changed_.notify_all();
  }
  std::vector<AuditEvent> events() {
    const std::lock_guard lock(mutex_);
    return events_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = false;
  std::vector<AuditEvent> events_;
};

/// An auth.json that is kept open, not in memory.
std::string large_policy(const std::string& user_id) {
  Json record = json("{'credentials': '" + kKeyA + "'}");
  record.set("user_id", user_id);
  record.set("comments", std::string(FileContent::kSmallBytes, 'c'));
  Json document = json("{'version': {'major': 1, 'minor': 4}}");
  document.set("allow", Json::Array{record});
  return document.dump();
}

struct World {
  TempHome home;
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
  Timestamp time = kNow;

  AuthService open() {
    AuthService::Options options;
    options.watch = false;
    options.audit_sinks = {gate};
    options.clock = [this] { return time; };
    auto service = AuthService::open(home.path(), options);
    REQUIRE(service);
    return *std::move(service);
  }
};

std::vector<std::string> told(const std::vector<AuditEvent>& events) {
  std::vector<std::string> out;
  for (const AuditEvent& event : events) {
    if (event.kind != AuditEvent::Kind::kPolicy) continue;
    out.push_back(event.allowed == true ? std::to_string(event.generation) : "problem");
  }
  return out;
}

}  // namespace

TEST_CASE(
    "ForceAuditor: a large policy decides while it is not told yet, and is told in its time and order") {
  World world;
  world.home.write("auth.json", large_policy("alice"));
  AuthService service = world.open();  // would hang here
  const std::uint64_t first = service.policy()->generation();
  CHECK(service.policy()->current().snapshot->loaded);

  world.time += std::chrono::seconds(10);
  world.home.replace("auth.json", large_policy("bob"));
  CHECK(service.reload());
  world.home.replace("auth.json", "{");
  CHECK_FALSE(service.reload());
  CHECK(told(world.gate->events()).empty());

  world.gate->open();
  REQUIRE(service.flush());
  const auto events = world.gate->events();
  CHECK(told(events) ==
        std::vector<std::string>{std::to_string(first), std::to_string(first + 1), "problem"});
  CHECK(events.at(1).time == kNow);
  CHECK(events.at(2).time == world.time);
  CHECK(events.at(2).before.find("allow") != nullptr);
}

TEST_CASE("ForceAuditor: of a large policy that is overwritten before it is told, just that is told") {
  World world;
  world.home.replace("auth.json", large_policy("alice"));
  AuthService service = world.open();
  world.home.replace("auth.json", large_policy("bob"));
  CHECK(service.reload());
  world.home.write("auth.json", "{");
  world.gate->open();
  REQUIRE(service.flush());
  const auto events = world.gate->events();
  REQUIRE(told(events).size() == 2);
  CHECK(events.at(1).message.empty());
  CHECK(events.at(2).message == "its content was overwritten in place before it could be audited");
  CHECK(events.at(2).allowed == true);
}

TEST_CASE("ForceAuditor: a service that ends tells first what it has put in force") {
  World world;
  world.home.write("auth.json", large_policy("alice"));
  std::thread opener;
  {
    const AuthService service = world.open();
    opener = std::thread([&] { world.gate->open(); });
  }
  opener.join();
  const auto events = world.gate->events();
  REQUIRE(events.size() == 3);
  CHECK(events[1].kind == AuditEvent::Kind::kPolicy);
  CHECK(events[2].kind == AuditEvent::Kind::kStop);
}

TEST_CASE("ForceAuditor: what is small is told before a reading ends") {
  World world;
  world.gate->open();
  world.home.write("auth.json",
                   json("{'version': {'major': 1, 'minor': 4}, 'allow': [{'user_id': 'alice'}]}").dump());
  AuthService service = world.open();
  const std::string first = std::to_string(service.policy()->generation());
  CHECK(told(world.gate->events()) == std::vector<std::string>{first});
  world.home.write("auth.json", "{");
  CHECK_FALSE(service.reload());
  CHECK(told(world.gate->events()) == std::vector<std::string>{first, "problem"});
}

}  // namespace vipauth::test
