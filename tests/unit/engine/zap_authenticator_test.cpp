#include <vipauth/zap_authenticator.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

std::shared_ptr<LivePolicy> live(const std::string& text) {
  auto compiled = PolicySnapshot::compile(policy(text), TopicProtector(), kNow);
  REQUIRE(compiled);
  return std::make_shared<LivePolicy>(std::move(*compiled));
}

const std::string kRawKeyA(32, '\0');
const std::string kRawKeyZ(32, 'z');

ZapReply ask(const ZapAuthenticator& zap, std::vector<std::string_view> frames) { return zap.handle(frames); }

ZapReply ask_curve(const ZapAuthenticator& zap, std::string_view raw_key) {
  return ask(zap, {"1.0", "id", "vip", "127.0.0.1", "server", "CURVE", raw_key});
}

std::map<std::string, std::string> metadata(const ZapReply& reply) {
  return {reply.metadata.begin(), reply.metadata.end()};
}

}  // namespace

TEST_CASE("ZapAuthenticator: an accepted peer gets 200, its user_id, and what a session needs") {
  const ZapAuthenticator zap(
      live("{'allow':[{'user_id':'a','identity':'agent.a','credentials':'" + kKeyA + "'}]}"));
  const ZapReply reply = ask_curve(zap, kRawKeyA);
  CHECK(reply.status_code == "200");
  CHECK(reply.request_id == "id");
  CHECK(reply.user_id == "a");
  CHECK(metadata(reply) == std::map<std::string, std::string>{{"X-Vip-Identity", "agent.a"},
                                                              {"X-Vip-Mechanism", "CURVE"},
                                                              {"X-Vip-Credentials", kKeyA},
                                                              {"X-Vip-Domain", "vip"}});
}

TEST_CASE("ZapAuthenticator: what a PLAIN peer gets stands for its password, in a session to come") {
  const auto stands = [](const std::string& stored_then, const ZapReply& reply) {
    const auto sent = metadata(reply);
    return live("{'allow':[{'user_id':'u','mechanism':'PLAIN','credentials':'" + stored_then + "'}]}")
        ->current()
        .snapshot->authenticator
        .reauthenticate({std::string(reply.user_id), Mechanism::kPlain, sent.at("X-Vip-Credentials"),
                         sent.at("X-Vip-Domain"), "127.0.0.1"})
        .decision.allowed();
  };
  const ZapAuthenticator zap(live("{'allow':[{'user_id':'u','mechanism':'PLAIN','credentials':'pw'}]}"));
  const ZapReply reply = ask(zap, {"1.0", "id", "vip", "127.0.0.1", "", "PLAIN", "u", "pw"});
  CHECK(reply.status_code == "200");
  CHECK(stands("pw", reply));
  CHECK_FALSE(stands("other", reply));
}

TEST_CASE("ZapAuthenticator: a property without value is sent all the same, lest the peer sets it") {
  const ZapAuthenticator zap(live("{'allow':[{'user_id':'n','mechanism':'NULL'}]}"));
  const auto sent = metadata(ask(zap, {"1.0", "id", "", "127.0.0.1", "", "NULL"}));
  CHECK(sent.size() == 4);
  CHECK(sent.at("X-Vip-Identity").empty());
  CHECK(sent.at("X-Vip-Credentials").empty());
}

TEST_CASE("ZapAuthenticator: a reply that is used again holds nothing of the one before") {
  const ZapAuthenticator zap(live("{'allow':[{'user_id':'a','identity':'agent.a','credentials':'" + kKeyA +
                                  "'},{'user_id':'n','mechanism':'NULL'}]}"));
  const std::vector<std::vector<std::string_view>> requests{
      {"1.0", "a much longer id than others have", "vip", "127.0.0.1", "", "CURVE", kRawKeyA},
      {"1.0", "2", "vip", "127.0.0.1", "", "CURVE", kRawKeyZ},
      {"1.0", "3", "", "127.0.0.1", "", "NULL"},
      {"2.0", "4"},
      {},
      {"1.0", "5", "vip", "127.0.0.1", "", "CURVE", kRawKeyA}};
  ZapReply again;
  for (const auto& request : requests) {
    zap.handle(request, again);
    CHECK(again.serialize() == zap.handle(request).serialize());
  }
  CHECK(again.user_id == "a");
}

TEST_CASE("ZapAuthenticator: who may be let in later gets 300, who may not 400") {
  const ZapAuthenticator zap(live("{'allow':[{'user_id':'a','credentials':'" + kKeyA +
                                  "','enabled':false}],'deny':[{'credentials':'" +
                                  CurveKey::from_bytes(kRawKeyZ)->to_base64url() + "'}]}"));
  CHECK(ask_curve(zap, std::string(32, 's')).status_code == "300");  // a stranger
  CHECK(ask_curve(zap, kRawKeyA).status_code == "300");              // disabled
  CHECK(ask_curve(zap, kRawKeyZ).status_code == "400");              // denied
  CHECK(ask(zap, {"1.0", "id", "vip", "127.0.0.1", "", "NULL"}).status_code == "400");
  CHECK(ask(zap, {"1.0", "id", "vip", "127.0.0.1", "", "PLAIN", "u", "p"}).status_code == "400");
  CHECK(ask_curve(zap, kRawKeyZ).user_id.empty());
  CHECK(ask_curve(zap, kRawKeyZ).metadata.empty());
}

TEST_CASE("ZapAuthenticator: nobody is let in, or turned away for good, before a policy is loaded") {
  auto policy = live("{'allow':[{'user_id':'a','credentials':'" + kKeyA + "'}]}");
  PolicySnapshot blank = *policy->current().snapshot;
  blank.loaded = false;
  policy->publish(std::move(blank));
  CHECK(ask_curve(ZapAuthenticator(policy), kRawKeyA).status_code == "300");
}

TEST_CASE("ZapAuthenticator: answers malformed requests with 400 and their request id") {
  const ZapAuthenticator zap(live("{'allow':[{'user_id':'a','credentials':'/.*/'}]}"));
  CHECK(ask_curve(zap, kRawKeyA).status_code == "200");
  const std::string long_text(256, 'x');
  const std::vector<std::vector<std::string_view>> malformed = {
      {"1.0", "id"},
      {"2.0", "id", "vip", "127.0.0.1", "", "CURVE", kRawKeyA},
      {"1.0", "id", "vip", "127.0.0.1", "", "CURVE"},
      {"1.0", "id", "vip", "127.0.0.1", "", "CURVE", ""},
      {"1.0", "id", "vip", "127.0.0.1", "", "CURVE", std::string_view(kRawKeyA).substr(1)},
      {"1.0", "id", "vip", "127.0.0.1", "", "CURVE", kRawKeyA, kRawKeyA},
      {"1.0", "id", "vip", "127.0.0.1", "", "curve", kRawKeyA},
      {"1.0", "id", "vip", "127.0.0.1", "", "GSSAPI", "principal"},
      {"1.0", "id", "vip", "127.0.0.1", "", "PLAIN", "user"},
      {"1.0", "id", "vip", "127.0.0.1", "", "NULL", "x"},
      {"1.0", "id", "\xff", "127.0.0.1", "", "CURVE", kRawKeyA},
      {"1.0", "id", "vip", "\xc3\x28", "", "CURVE", kRawKeyA},
      {"1.0", "id", long_text, "127.0.0.1", "", "CURVE", kRawKeyA},
  };
  for (const auto& frames : malformed) {
    const ZapReply reply = ask(zap, frames);
    CHECK(reply.status_code == "400");
    CHECK(reply.request_id == "id");
  }
  CHECK(ask(zap, {}).status_code == "400");
  CHECK(ask(zap, std::vector<std::string_view>(1000, "x")).status_code == "400");
}

TEST_CASE("ZapAuthenticator: looks at no frame that a short request does not have") {
  const ZapAuthenticator zap(live("{}"));
  const std::vector<std::string_view> whole = {"1.0", "id", "vip", "127.0.0.1", "", "PLAIN", "u", "p"};
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    const std::vector<std::string_view> frames(whole.begin(), whole.begin() + static_cast<long>(size));
    CHECK(zap.handle(frames).request_id == (size > 1 ? "id" : ""));
    CHECK(zap.handle(frames).status_code == "400");
    CHECK(ZapAuthenticator::is_slow(frames) == (size > 5));
  }
}

TEST_CASE("ZapAuthenticator: tells its observer each decision, and never a password") {
  std::vector<std::string> seen;
  const ZapAuthenticator zap(live("{}"), [&](const ZapAuthenticator::Event& event) {
    seen.push_back(std::string(event.request.mechanism) + " " + std::string(event.credentials) + " " +
                   std::string(to_string(event.authentication.decision.reason())));
  });
  ask_curve(zap, kRawKeyA);
  ask(zap, {"1.0", "id", "vip", "127.0.0.1", "", "PLAIN", "user", "hunter2"});
  ask(zap, {"1.0", "id", "vip", "127.0.0.1", "", "PLAIN"});  // malformed: nothing was decided
  CHECK(seen == std::vector<std::string>{"CURVE " + kKeyA + " unknown", "PLAIN user unknown"});
}

TEST_CASE("ZapAuthenticator: knows which requests take the time of a password hash") {
  const std::vector<std::string_view> plain = {"1.0", "id", "vip", "127.0.0.1", "", "PLAIN", "u", "p"};
  const std::vector<std::string_view> curve = {"1.0", "id", "vip", "127.0.0.1", "", "CURVE", kRawKeyA};
  CHECK(ZapAuthenticator::is_slow(plain));
  CHECK_FALSE(ZapAuthenticator::is_slow(curve));
  CHECK_FALSE(ZapAuthenticator::is_slow({}));
  CHECK(ZapAuthenticator::busy(plain).status_code == "300");
  CHECK(ZapAuthenticator::busy(plain).request_id == "id");
}

namespace {

std::string raw_key(int i) {
  std::string out(32, 'k');
  out.replace(0, 4, {static_cast<char>(i), static_cast<char>(i >> 8), static_cast<char>(i >> 16), 'n'});
  return out;
}

ZapReply ask_from(const ZapAuthenticator& zap, std::string_view address, std::string_view raw) {
  return ask(zap, {"1.0", "id", "vip", address, "", "CURVE", raw});
}

/// A policy with penalties, and what the observer saw.
struct Guarded {
  explicit Guarded(const std::string& text)
      : policy(live(text)),
        penalties(std::make_shared<AddressPenalties>(std::move(*AddressPenalties::create({})))),
        zap(policy,
            [this](const ZapAuthenticator::Event& event) {
              ++(event.penalised ? penalised : plain);
              started += event.penalty_started ? 1 : 0;
            },
            {penalties, [this] { return now; }, {}}) {}

  std::shared_ptr<LivePolicy> policy;
  std::shared_ptr<AddressPenalties> penalties;
  Timestamp now = kNow;
  int plain = 0;
  int penalised = 0;
  int started = 0;
  ZapAuthenticator zap;
};

const std::string kAllowsA = "{'allow':[{'user_id':'a','credentials':'" + kKeyA +
                             "'},{'user_id':'p','mechanism':'PLAIN','credentials':'pw'}]," +
                             "'deny':[{'credentials':'" + CurveKey::from_bytes(kRawKeyZ)->to_base64url() +
                             "'}]}";

}  // namespace

TEST_CASE("ZapAuthenticator: a known peer gets in from an address that is penalised for others") {
  Guarded guarded(kAllowsA);
  for (int i = 0; i < 1000; ++i) {
    CHECK(ask_from(guarded.zap, "10.0.0.1", raw_key(i)).status_code == "300");
    REQUIRE(ask_from(guarded.zap, "10.0.0.1", kRawKeyA).status_code == "200");
  }
  CHECK(ask_from(guarded.zap, "10.0.0.1", raw_key(1)).status_text == "try again later");
  CHECK(ask_from(guarded.zap, "10.0.0.2", raw_key(1)).status_text == "waiting for approval");
  CHECK(guarded.started == 1);
  CHECK(guarded.plain == 1000 + 17 + 1);
  CHECK(guarded.penalised == 1001 - 17);
  // A PLAIN user too; and a wrong password is told the same as any other.
  CHECK(ask(guarded.zap, {"1.0", "i", "", "10.0.0.1", "", "PLAIN", "p", "pw"}).status_code == "200");
  CHECK(ask(guarded.zap, {"1.0", "i", "", "10.0.0.1", "", "PLAIN", "p", "no"}).status_code == "300");
  CHECK(ask(guarded.zap, {"1.0", "i", "", "10.0.0.2", "", "PLAIN", "p", "no"}).status_code == "400");
}

TEST_CASE("ZapAuthenticator: a denied key gets 400, and 300 once its address is penalised") {
  Guarded guarded(kAllowsA);
  std::string codes;
  for (int i = 0; i < 6; ++i) codes += ask_from(guarded.zap, "10.0.0.1", kRawKeyZ).status_code + " ";
  CHECK(codes == "400 400 400 400 300 300 ");
  CHECK(guarded.zap.is_penalised(std::vector<std::string_view>{"1.0", "id", "vip", "10.0.0.1"}));
  CHECK_FALSE(guarded.zap.is_penalised(std::vector<std::string_view>{"1.0", "id", "vip", "10.0.0.2"}));
  CHECK_FALSE(guarded.zap.is_penalised({}));
  CHECK_FALSE(guarded.zap.is_penalised(std::vector<std::string_view>{"1.0", "id", "vip"}));
  guarded.now += std::chrono::minutes(11);
  CHECK(ask_from(guarded.zap, "10.0.0.1", kRawKeyZ).status_code == "400");
}

TEST_CASE("ZapAuthenticator: who has no key to be approved weighs as one who is denied") {
  for (const bool has_name : {false, true}) {
    Guarded guarded(kAllowsA);
    std::string codes;
    for (int i = 0; i < 5; ++i) {
      const ZapReply reply = has_name ? ask(guarded.zap, {"1.0", "i", "", "10.0.0.1", "", "PLAIN", "p", "no"})
                                      : ask(guarded.zap, {"1.0", "i", "", "10.0.0.1", "", "NULL"});
      codes += reply.status_code + " ";
    }
    CHECK(codes == "400 400 400 400 300 ");
  }
}

TEST_CASE("ZapAuthenticator: a disabled key weighs as one that waits for approval") {
  Guarded guarded("{'allow':[{'user_id':'a','enabled':false,'credentials':'" + kKeyA + "'}]}");
  for (int i = 0; i < 6; ++i) {
    CHECK(ask_from(guarded.zap, "10.0.0.1", kRawKeyA).status_text == "waiting for approval");
  }
}

TEST_CASE(
    "ZapAuthenticator: by a policy that is too old only trusted IPC peers get in, and nobody is blamed") {
  auto compiled = PolicySnapshot::compile(
      policy("{'allow':[{'user_id':'a','credentials':'" + kKeyA +
             "'},{'user_id':'p','mechanism':'PLAIN','credentials':'pw'},{'user_id':'n','mechanism':'NULL',"
             "'address':'10.0.0.1'}]}"),
      TopicProtector(), kNow, {true, 1000});
  REQUIRE(compiled);
  const auto stale = std::make_shared<std::atomic<bool>>(false);
  const auto penalties = std::make_shared<AddressPenalties>(std::move(*AddressPenalties::create({})));
  const ZapAuthenticator zap(std::make_shared<LivePolicy>(std::move(*compiled)), {},
                             {penalties, [] { return kNow; }, {}, stale});
  const std::vector<std::vector<std::string_view>> accepted = {
      {"1.0", "i", "", "10.0.0.1", "", "CURVE", kRawKeyA},
      {"1.0", "i", "", "10.0.0.1", "", "PLAIN", "p", "pw"},
      {"1.0", "i", "", "10.0.0.1", "", "NULL"}};
  const std::vector<std::vector<std::string_view>> others = {
      {"1.0", "i", "", "10.0.0.2", "", "CURVE", kRawKeyZ},
      {"1.0", "i", "", "10.0.0.2", "", "PLAIN", "p", "no"},
      {"1.0", "i", "", "10.0.0.2", "", "NULL"},
      {"1.0", "i", "", "localhost:1001:1:1", "", "NULL"}};
  for (const auto& frames : accepted) CHECK(zap.handle(frames).status_code == "200");
  stale->store(true);
  for (const auto& list : {accepted, others}) {
    for (const auto& frames : list) {
      CHECK(zap.handle(frames).status_code == "300");
      CHECK(zap.handle(frames).status_text == "the policy is too old");
    }
  }
  CHECK(ask(zap, {"1.0", "i", "", "localhost:1000:1:1", "", "NULL"}).status_code == "200");
  CHECK(penalties->counters(kNow).sources == 0);
}

TEST_CASE("ZapAuthenticator: nobody is penalised for what is our own trouble, or before a policy is loaded") {
  Guarded guarded("{}");
  auto nothing = *guarded.policy->current().snapshot;
  nothing.loaded = false;
  guarded.policy->publish(nothing);
  for (int i = 0; i < 100; ++i) CHECK(ask_from(guarded.zap, "10.0.0.1", raw_key(i)).status_code == "300");
  for (int i = 0; i < 100; ++i) CHECK(ask_from(guarded.zap, "10.0.0.1", "short").status_code == "400");
  CHECK(guarded.penalties->counters(kNow).sources == 0);
}

TEST_CASE("ZapAuthenticator: who is admitted is judged again, and gets in only by the policy") {
  const auto policy = live(kAllowsA);
  int asked = 0;
  bool is_recorded = false;
  const auto admit = [&](const ZapRequest&, const CurveKey& key) {
    ++asked;
    if (!is_recorded) return true;
    policy->publish(*live("{'allow':[{'user_id':'new','credentials':'" + key.to_base64url() + "'}]}")
                         ->current()
                         .snapshot);
    return true;
  };
  const ZapAuthenticator zap(policy, {}, {nullptr, [] { return kNow; }, admit});
  CHECK(ask_curve(zap, kRawKeyA).status_code == "200");
  CHECK(ask_curve(zap, kRawKeyZ).status_code == "400");  // denied
  CHECK(ask(zap, {"1.0", "i", "", "1.1.1.1", "", "NULL"}).status_code == "400");
  CHECK(asked == 0);
  CHECK(ask_curve(zap, raw_key(1)).status_code == "300");
  CHECK(asked == 1);
  is_recorded = true;
  CHECK(ask_curve(zap, raw_key(1)).user_id == "new");
}

TEST_CASE("ZapAuthenticator: nobody is admitted from a penalised address") {
  int asked = 0;
  const auto penalties = std::make_shared<AddressPenalties>(std::move(*AddressPenalties::create({})));
  const ZapAuthenticator zap(live("{}"), {},
                             {penalties, [] { return kNow; },
                              [&](const ZapRequest&, const CurveKey&) {
                                ++asked;
                                return false;
                              }});
  for (int i = 0; i < 100; ++i) ask_from(zap, "10.0.0.1", raw_key(i));
  CHECK(asked == 17);
  ask_from(zap, "10.0.0.2", raw_key(1));
  CHECK(asked == 18);
}

TEST_CASE(
    "ZapAuthenticator: a hundred thousand unknown keys of a thousand addresses keep no known peer out") {
  Guarded guarded(kAllowsA);
  int known_in = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string address = "10.0." + std::to_string(i % 1000 / 250) + "." + std::to_string(i % 250);
    if (ask_from(guarded.zap, address, raw_key(i)).status_code != "300") FAIL("let in");
    if (i % 10 == 0) known_in += ask_from(guarded.zap, address, kRawKeyA).status_code == "200" ? 1 : 0;
    if (i % 1000 == 999) guarded.now += std::chrono::milliseconds(10);
  }
  CHECK(known_in == 10'000);
  const auto counters = guarded.penalties->counters(guarded.now);
  CHECK(counters.sources == 1000);
  CHECK(counters.penalised == 1000);
  CHECK(counters.suppressed == 100'000 - 17 * 1000);
}
