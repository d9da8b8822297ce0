// --store: requests for certificates of a fleet's sites are listed and decided beside strangers.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli.hpp"
#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/memory_store.hpp"
#include "support/policies.hpp"

namespace vipauth::test {

using Catch::Contains;

namespace {

constexpr const char* kStore = "etcd://127.0.0.1:2379/fleet";

FleetCsr csr(const std::string& site, const std::string& name, CsrStatus status = CsrStatus::kPending) {
  const Asker asker(name);
  FleetCsr out{site,
               {name_of(name), status, "10.0.0.2", asker.request.pem(), asker.request.key_fingerprint(),
                asker.request.key_kind(), kNow, kNow, 1, std::nullopt},
               {},
               {}};
  return out;
}

/// A store whose sites answer at once.
class AnsweringSites final : public vctl::CsrDesk {
 public:
  Result<std::vector<FleetCsr>> list(std::vector<std::string>& warnings) override {
    if (failure) return *failure;
    warnings.insert(warnings.end(), told.begin(), told.end());
    return entries;
  }
  bool knows(const CommonName& name) override { return find(name) != entries.end(); }
  Result<FleetCsrDecision> approve(const CommonName& name, const std::string& key_fingerprint) override {
    compared = key_fingerprint;
    return decide(name, CsrStatus::kApproved);
  }
  Result<FleetCsrDecision> deny(const CommonName& name) override { return decide(name, CsrStatus::kDenied); }
  Result<FleetCsrDecision> remove(const CommonName& name) override {
    auto out = decide(name, CsrStatus::kPending);
    if (out) entries.erase(find(name));
    return out;
  }

  std::vector<FleetCsr> entries;
  std::vector<std::string> told;
  std::optional<Error> failure;  ///< of the list
  std::optional<Error> answer;   ///< of each decision
  std::optional<Error> broker_problem;
  std::string compared;

 private:
  std::vector<FleetCsr>::iterator find(const CommonName& name) {
    return std::find_if(entries.begin(), entries.end(),
                        [&](const FleetCsr& one) { return one.request.common_name == name; });
  }
  Result<FleetCsrDecision> decide(const CommonName& name, CsrStatus status) {
    if (answer) return *answer;
    const auto found = find(name);
    REQUIRE(found != entries.end());
    found->request.status = status;
    return FleetCsrDecision{found->site, {found->request, broker_problem, {"the site warns"}}};
  }
};

/// Somebody without a home, who works on a store.
class FleetDesk {
 public:
  FleetDesk() {
    cli.policy_store = store;
    cli.csr_desk = sites;
    cli.environment.clear();
    REQUIRE(store->edit_pending(
        [](PendingState& state) -> Result<void> {
          PendingRequest stranger;
          stranger.credentials = kAgentA;
          stranger.address = "10.0.0.1";
          stranger.user_id = "stranger";
          stranger.first_seen = stranger.last_seen = kNow;
          stranger.site = "paris";
          state.pending = {stranger};
          return {};
        },
        {}));
    sites->entries = {csr("berlin", "v1.there.agent"), csr("rome", "v1.there.done", CsrStatus::kDenied)};
  }

  Outcome remote(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"auth", "--store", kStore, "remote"});
    return cli.run(arguments);
  }

  Cli cli;
  std::shared_ptr<MemoryStore> store = std::make_shared<MemoryStore>();
  std::shared_ptr<AnsweringSites> sites = std::make_shared<AnsweringSites>();
};

}  // namespace

TEST_CASE("remote --store: requests for certificates of all sites are listed beside strangers") {
  FleetDesk desk;
  const Outcome outcome = desk.remote({"list"});
  CHECK(outcome.out ==
        std::string("USER_ID        ADDRESS  STATUS  CREDENTIALS                                 SITE\n") +
            "stranger       10.0.0.1 PENDING " + kAgentA +
            " paris\n"
            "v1.there.agent 10.0.0.2 PENDING -                                           berlin\n"
            "v1.there.done  10.0.0.2 DENIED  -                                           rome\n");
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.err.empty());
  CHECK_THAT(desk.remote({"list", "--status", "denied"}).out, Contains("rome") && !Contains("berlin"));
  const Json listed = json(desk.remote({"list", "--json"}).out);
  const Json::Array& all = listed.find("remote")->as_array();
  REQUIRE(all.size() == 3);
  CHECK(at(all[0], "kind") == Json("credentials"));
  CHECK(at(all[1], "kind") == Json("csr"));
  CHECK(at(all[1], "site") == Json("berlin"));
  CHECK(at(all[1], "key_fingerprint") == Json(desk.sites->entries[0].request.key_fingerprint));
  CHECK(all[1].find("asked") == nullptr);
  CHECK(all[1].find("failed") == nullptr);
}

TEST_CASE("remote --store: both kinds are decided by the same verbs") {
  FleetDesk desk;
  const std::string key = desk.sites->entries[0].request.key_fingerprint;
  const Outcome approved = desk.remote({"approve", "v1.there.agent", "--fingerprint", key});
  CHECK(approved.out == "approved v1.there.agent (address 10.0.0.2, key " + key + ", site berlin)\n");
  CHECK(approved.err == "warning: the site warns\n");
  CHECK(approved.exit_code == 0);
  CHECK(desk.sites->compared == key);
  CHECK(desk.remote({"approve", "stranger"}).out ==
        std::string("approved stranger (address 10.0.0.1, key ") + kAgentA + ")\n");
  CHECK(desk.remote({"approve", "nobody"}).exit_code == 1);
  CHECK(desk.remote({"approve", "v1.there.nobody"}).exit_code == 1);

  CHECK(desk.remote({"approve", "v1.there.agent", "--roles", "r"}).exit_code == 64);
  CHECK(desk.remote({"approve", "stranger", "--fingerprint", key}).exit_code == 64);
  const Outcome denied = desk.remote({"deny", "v1.there.agent", "--json"});
  CHECK(at(at(json(denied.out), "denied"), "status") == Json("DENIED"));
  CHECK(at(at(json(denied.out), "denied"), "site") == Json("berlin"));
  CHECK_THAT(desk.remote({"delete", "v1.there.agent"}).out, Contains("deleted v1.there.agent"));
  CHECK_THAT(desk.remote({"list"}).out, !Contains("v1.there.agent"));
}

TEST_CASE("remote --store: what the site says, and what it has not done yet, is told") {
  FleetDesk desk;
  desk.sites->answer = Error{ErrorCode::kBusy, "the site has not answered yet", "berlin"};
  const Outcome outcome = desk.remote({"approve", "v1.there.agent"});
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.err == "error: berlin: the site has not answered yet\n");
  CHECK(outcome.out.empty());
  desk.sites->answer.reset();

  FleetCsr& waiting = desk.sites->entries[0];
  waiting.asked = FleetCsr::Asked{"approve", "alice\x1b[2J", kNow};
  waiting.failed = FleetCsr::Failed{{"deny", "bob", kNow}, Error{ErrorCode::kBusy, "locked\x1b[2J", ""}};
  const Outcome listed = desk.remote({"list"});
  CHECK_THAT(listed.err, Contains("has asked to approve v1.there.agent, which the site has not done yet") &&
                             Contains("bob has asked to deny v1.there.agent, which failed: locked") &&
                             !Contains("\x1b"));
  CHECK(listed.exit_code == 0);
  CHECK(desk.remote({"list", "--status", "denied"}).err.empty());
  const Json document = json(desk.remote({"list", "--json"}).out);
  const Json& entry = document.find("remote")->as_array().at(1);
  CHECK(at(at(entry, "asked"), "decision") == Json("approve"));
  CHECK(at(at(entry, "failed"), "who") == Json("bob"));
  CHECK(entry.find("failed")->find("problem") != nullptr);

  desk.sites->broker_problem = Error{ErrorCode::kIoError, "nobody there", ""};
  const Outcome without_broker = desk.remote({"approve", "v1.there.agent"});
  CHECK(without_broker.exit_code == 1);
  CHECK_THAT(without_broker.err,
             Contains("the decision holds") && Contains("type at berlin: vctl auth remote sync"));
}

TEST_CASE("remote --store: strangers are decided where requests for certificates cannot be read") {
  FleetDesk desk;
  desk.sites->told = {"mallory: \"\x1b[2J\" is not understood"};
  const Outcome warned = desk.remote({"list"});
  CHECK(warned.exit_code == 0);
  CHECK_THAT(warned.err, Contains("mallory") && !Contains("\x1b"));

  desk.sites->failure = Error{ErrorCode::kPermissionDenied, "etcd refuses it", ""};
  const Outcome listed = desk.remote({"list"});
  CHECK(listed.exit_code == 1);
  CHECK_THAT(listed.out, Contains("stranger"));
  CHECK_THAT(listed.err, Contains("requests for certificates are not listed: etcd refuses it"));
  CHECK(desk.remote({"approve", "v1.there.agent"}).exit_code == 1);
  CHECK(desk.remote({"deny", "stranger", "--kind", "csr"}).exit_code == 1);
  CHECK(desk.remote({"approve", "stranger"}).exit_code == 0);
}

}  // namespace vipauth::test
