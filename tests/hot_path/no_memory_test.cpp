// What stays true where memory is refused, at each allocation one by one.

#include <memory>
#include <string>
#include <vector>

#include "hot_path/allocations.hpp"
#include "service/force_auditor.hpp"
#include "service/policy_keeper.hpp"
#include "store/auth_file_revision.hpp"
#include "support/catch.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

namespace vipauth::test {
namespace {

constexpr PolicyKeeper::Files kBoth{true, true};
constexpr PolicyKeeper::Files kOnlyTopics{false, true};

struct Keeper {
  TempHome home;
  PolicyKeeper keeper{AuthFile(home / "auth.json"),
                      TopicsFile(home / "protected_topics.json"),
                      {{}, [] { return kNow; }, {}, true}};

  void allow(const std::string& user_id) const {
    home.write("auth.json", R"({"allow": [{"user_id": ")" + user_id + R"(", "credentials": ")" + kKeyA +
                                R"("}], "version": {"major": 1, "minor": 4}})");
  }
  void protect(const std::string& topic) const {
    home.write("protected_topics.json",
               R"({"write-protect": [{"topic": ")" + topic + R"(", "capabilities": ["c"]}]})");
  }
  bool knows(std::string_view user_id) const {
    return keeper.live()->current().snapshot->capabilities.knows(user_id);
  }
  bool may_publish(std::string_view topic) const {
    return keeper.live()->current().snapshot->authorize_publish("alice", topic).allowed();
  }
};

std::unique_ptr<Keeper> keeper() {
  auto out = std::make_unique<Keeper>();
  out->allow("alice");
  out->protect("old");
  REQUIRE(out->keeper.reload(kBoth).change);
  return out;
}

}  // namespace

TEST_CASE("memory: topics that could not be put in force are so by the next reading") {
  const auto prepare = [] {
    auto out = keeper();
    out->protect("new");
    return out;
  };
  with_each_allocation_failing(
      prepare, [](Keeper& k) { k.keeper.reload(kOnlyTopics); },
      [](Keeper& k, std::size_t number, bool has_ended) {
        CAPTURE(number);
        CHECK(k.may_publish("old") == has_ended);
        CHECK(k.may_publish("new") != has_ended);
        k.keeper.reload(kOnlyTopics);
        CHECK_FALSE(k.may_publish("new"));
        CHECK(k.may_publish("old"));
      });
}

TEST_CASE(
    "memory: of first topics that are not understood, nothing may be published from the next reading on") {
  const auto prepare = [] {
    auto out = std::make_unique<Keeper>();
    out->allow("alice");
    REQUIRE(out->keeper.reload(kBoth).change);
    REQUIRE(out->may_publish("any"));
    out->home.write("protected_topics.json", "{");
    return out;
  };
  with_each_allocation_failing(
      prepare, [](Keeper& k) { k.keeper.reload(kOnlyTopics); },
      [](Keeper& k, std::size_t number, bool /*has_ended*/) {
        CAPTURE(number);
        k.keeper.reload(kOnlyTopics);
        CHECK_FALSE(k.may_publish("any"));
      });
}

TEST_CASE("memory: a policy that could not be put in force is so by the next reading") {
  const auto prepare = [] {
    auto out = keeper();
    out->allow("bob");
    return out;
  };
  with_each_allocation_failing(
      prepare, [](Keeper& k) { k.keeper.reload(kBoth); },
      [](Keeper& k, std::size_t number, bool has_ended) {
        CAPTURE(number);
        CHECK(k.knows("alice") != has_ended);  // what is in force has been told
        CHECK(k.knows("bob") == has_ended);
        const auto outcome = k.keeper.reload(kBoth);
        REQUIRE(outcome.change);
        CHECK_FALSE(outcome.problem);
        const auto told = audited_change(outcome.before.auth.get(), outcome.after.auth.get());
        REQUIRE(told);
        CHECK(told->after.is_null() == has_ended);
        CHECK(k.knows("bob"));
        CHECK_FALSE(k.knows("alice"));
      });
}

TEST_CASE("memory: a policy in force is told to the audit, or counted as lost") {
  struct Counter final : AuditSink {
    void write(const AuditEvent& /*event*/) noexcept override { ++told; }
    std::size_t told = 0;
  };
  struct World {
    std::unique_ptr<Keeper> files = keeper();
    PolicyKeeper::Outcome outcome;
    std::shared_ptr<Counter> sink = std::make_shared<Counter>();
    std::shared_ptr<AuditRecorder> recorder = std::make_shared<AuditRecorder>(
        std::vector<std::shared_ptr<AuditSink>>{sink}, nullptr, [] { return kNow; });
    ForceAuditor auditor{recorder};
  };
  const auto prepare = [] {
    auto out = std::make_unique<World>();
    out->files->allow("bob");
    out->files->home.write("protected_topics.json", "[");
    out->outcome = out->files->keeper.reload(kBoth);
    REQUIRE(out->outcome.change);
    REQUIRE(out->outcome.problem);
    return out;
  };
  with_each_allocation_failing(
      prepare, [](World& world) { world.auditor.on_outcome(world.outcome, true); },
      [](World& world, std::size_t number, bool /*has_ended*/) {
        CAPTURE(number);
        CHECK(world.sink->told + world.recorder->lost() >= 1);  // of each file that was read
      });
}

}  // namespace vipauth::test
