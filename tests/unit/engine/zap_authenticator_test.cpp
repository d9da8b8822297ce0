#include <vipauth/zap_authenticator.hpp>

#include <map>

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

TEST_CASE("ZapAuthenticator: a property without value is sent all the same, lest the peer sets it") {
  const ZapAuthenticator zap(live("{'allow':[{'user_id':'n','mechanism':'NULL'}]}"));
  const auto sent = metadata(ask(zap, {"1.0", "id", "", "127.0.0.1", "", "NULL"}));
  CHECK(sent.size() == 4);
  CHECK(sent.at("X-Vip-Identity").empty());
  CHECK(sent.at("X-Vip-Credentials").empty());
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
