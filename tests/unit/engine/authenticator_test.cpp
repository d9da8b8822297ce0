#include <vipauth/authenticator.hpp>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

Authenticator authenticator(std::string_view text, IpcTrust trust = {}) {
  auto created = Authenticator::create(policy(text), kNow, trust);
  REQUIRE(created);
  return *created;
}

Authentication ask(const Authenticator& a, const std::string& key_text,
                   std::string_view address = "127.0.0.1", std::string_view domain = "vip") {
  return a.authenticate({domain, address, key(key_text)});
}

Authentication ask_plain(const Authenticator& a, std::string_view username, std::string_view password) {
  return a.authenticate({"vip", "127.0.0.1", AuthenticationRequest::Plain{username, password}});
}

Authentication ask_null(const Authenticator& a, std::string_view address, std::string_view domain = "vip") {
  return a.authenticate({domain, address, std::monostate()});
}

const std::string kAllowA = "{'allow':[{'user_id':'a','identity':'agent.a','credentials':'" + kKeyA + "'}]}";

}  // namespace

TEST_CASE("Authenticator: a listed key is accepted, another is unknown") {
  const auto a = authenticator(kAllowA);
  const auto accepted = ask(a, kKeyA);
  CHECK(accepted.decision.reason() == Reason::kAccepted);
  CHECK(accepted.record() == "/allow/0");
  CHECK(accepted.user_id == "a");
  CHECK(accepted.acceptance().credentials == kKeyA);
  CHECK(accepted.identity == "agent.a");
  const auto unknown = ask(a, kKeyB);
  CHECK_FALSE(unknown.decision);
  CHECK(unknown.decision.reason() == Reason::kUnknown);
  CHECK(unknown.user_id.empty());
}

TEST_CASE(
    "Authenticator: a deny record beats every allow record, but only where its domain and address match") {
  const std::string allow = "'allow':[{'user_id':'a','credentials':'" + kKeyA + "'}]";
  CHECK(ask(authenticator("{" + allow + ",'deny':[{'credentials':'" + kKeyA + "'}]}"), kKeyA)
            .decision.reason() == Reason::kDenied);
  CHECK(ask(authenticator("{" + allow + ",'deny':[{'credentials':'/A+/'}]}"), kKeyA).decision.reason() ==
        Reason::kDenied);
  const auto by_address =
      authenticator("{" + allow + ",'deny':[{'credentials':'/.*/','address':'10.0.0.1'}]}");
  CHECK(ask(by_address, kKeyA, "10.0.0.1").decision.reason() == Reason::kDenied);
  CHECK(ask(by_address, kKeyA, "10.0.0.2").decision.allowed());
  const auto disabled =
      authenticator("{" + allow + ",'deny':[{'credentials':'" + kKeyA + "','enabled':false}]}");
  CHECK(ask(disabled, kKeyA).decision.allowed());
}

TEST_CASE("Authenticator: a deny record that is not understood fails the whole") {
  for (const std::string bad : {"'x'", "5", "null", "{'credentials':'short'}", "{'credentials':'/(/'}",
                                "{'credentials':'/.*/','address':7}"}) {
    INFO(bad);
    const auto created = Authenticator::create(policy("{'allow':[],'deny':[" + bad + "]}"), kNow);
    REQUIRE_FALSE(created);
    CHECK(created.error().location.starts_with("/deny/0"));
  }
}

TEST_CASE("Authenticator: an allow record that is not understood never matches and takes down no other") {
  for (const std::string bad : {"'domain':5", "'address':['127.0.0.1',5]", "'enabled':'true'", "'roles':'r'",
                                "'groups':5", "'capabilities':5", "'not_after':'tomorrow'", "'identity':5",
                                "'address':'/(/'", "'mechanism':'GSSAPI'"}) {
    INFO(bad);
    const auto a = authenticator("{'allow':[{'user_id':'bad','credentials':'" + kKeyA + "'," + bad +
                                 "},{'user_id':'good','credentials':'" + kKeyB + "'}]}");
    CHECK_FALSE(ask(a, kKeyA).decision);
    CHECK(ask(a, kKeyB).user_id == "good");
  }
}

TEST_CASE("Authenticator: a user_id has at most 255 bytes") {
  const auto with = [](std::size_t length) {
    return authenticator("{'allow':[{'user_id':'" + std::string(length, 'u') + "','credentials':'" + kKeyA +
                         "'}]}");
  };
  CHECK(ask(with(255), kKeyA).decision.allowed());
  CHECK_FALSE(ask(with(256), kKeyA).decision.allowed());
}

TEST_CASE("Authenticator: a user_id with a control character is not understood") {
  const auto with = [](const std::string& name) {
    return authenticator("{'allow':[{'user_id':'" + name + "','credentials':'" + kKeyA + "'}]}");
  };
  CHECK(ask(with("a b"), kKeyA).decision.allowed());
  CHECK_FALSE(ask(with("a\\u0007"), kKeyA).decision.allowed());
  CHECK_FALSE(ask(with("a\\u007f"), kKeyA).decision.allowed());
}

TEST_CASE("Authenticator: a key whose literal records are all inactive is not let in by a pattern") {
  const std::string any = "{'user_id':'any','credentials':'/.*/'}";
  const auto asleep =
      authenticator("{'allow':[{'user_id':'a','credentials':'" + kKeyA + "','enabled':false}," + any + "]}");
  CHECK(ask(asleep, kKeyA).decision.reason() == Reason::kInactive);
  CHECK(ask(asleep, kKeyB).user_id == "any");
  // One that is only elsewhere at home is active, and the pattern may apply.
  const auto elsewhere = authenticator("{'allow':[{'user_id':'a','credentials':'" + kKeyA +
                                       "','address':'10.0.0.1'}," + any + "]}");
  CHECK(ask(elsewhere, kKeyA, "127.0.0.1").user_id == "any");
}

TEST_CASE("Authenticator: a record counts from not_before to just before not_after") {
  const auto at = [](Timestamp now) {
    const auto created = Authenticator::create(
        policy("{'allow':[{'user_id':'a','credentials':'" + kKeyA +
               "','not_before':'2026-11-21T00:00:00Z','not_after':'2026-11-22T00:00:00Z'}]}"),
        now);
    REQUIRE(created);
    return *created;
  };
  using std::chrono::milliseconds;
  CHECK_FALSE(ask(at(kNow - milliseconds(1)), kKeyA).decision);
  CHECK(ask(at(kNow), kKeyA).decision.allowed());
  CHECK(ask(at(kNow + std::chrono::days(1) - milliseconds(1)), kKeyA).decision.allowed());
  CHECK(ask(at(kNow + std::chrono::days(1)), kKeyA).decision.reason() == Reason::kInactive);
  CHECK(at(kNow - milliseconds(1)).next_change() == kNow);
  CHECK(at(kNow).next_change() == kNow + std::chrono::days(1));
  CHECK(at(kNow + std::chrono::days(1)).next_change() == std::nullopt);
}

TEST_CASE("Authenticator: the next change is the first of all, whatever the order of the records") {
  const std::string late = "{'credentials':'" + kKeyA + "','not_after':'2026-12-01T00:00:00Z'}";
  const std::string soon = "{'credentials':'" + kKeyB +
                           "','not_before':'2026-11-23T00:00:00Z','not_after':'2026-11-24T00:00:00Z'}";
  for (const std::string& records : {late + "," + soon, soon + "," + late}) {
    const auto created = Authenticator::create(policy("{'allow':[" + records + "]}"), kNow);
    REQUIRE(created);
    CHECK(created->next_change() == kNow + std::chrono::days(2));
  }
}

TEST_CASE("Authenticator: an expired deny record denies no more") {
  const auto a =
      authenticator("{'allow':[{'user_id':'a','credentials':'" + kKeyA + "'}],'deny':[{'credentials':'" +
                    kKeyA + "','not_after':'2026-11-20T00:00:00Z'}]}");
  CHECK(ask(a, kKeyA).decision.allowed());
}

TEST_CASE("Authenticator: an IPv4-mapped address is the IPv4 address, on both sides") {
  const auto plain =
      authenticator("{'allow':[{'user_id':'a','credentials':'" + kKeyA + "','address':'10.0.0.1'}]}");
  CHECK(ask(plain, kKeyA, "::ffff:10.0.0.1").decision.allowed());
  CHECK(ask(plain, kKeyA, "::FFFF:0a00:0001").decision.allowed());
  CHECK_FALSE(ask(plain, kKeyA, "::ffff:10.0.0.2").decision.allowed());
  const auto mapped =
      authenticator("{'allow':[{'user_id':'a','credentials':'" + kKeyA + "','address':'::ffff:10.0.0.1'}]}");
  CHECK(ask(mapped, kKeyA, "10.0.0.1").decision.allowed());
  CHECK_FALSE(ask(mapped, kKeyA, "::1").decision.allowed());
}

TEST_CASE("Authenticator: text that is not UTF-8 is refused before anything matches") {
  const auto a = authenticator("{'allow':[{'user_id':'a','credentials':'/.*/'}]}");
  CHECK(ask(a, kKeyA).decision.allowed());
  CHECK(ask(a, kKeyA, "\xff").decision.reason() == Reason::kMalformed);
  CHECK(ask(a, kKeyA, "127.0.0.1", "\xc3").decision.reason() == Reason::kMalformed);
}

TEST_CASE("Authenticator: a PLAIN peer needs the record's user_id and its password") {
  const auto hash = hash_password("correct horse");
  REQUIRE(hash);
  const auto a = authenticator("{'allow':[{'user_id':'bob','mechanism':'PLAIN','credentials':'" + *hash +
                               "'},{'user_id':'old','mechanism':'PLAIN','credentials':'in the clear'},"
                               "{'user_id':'pattern','mechanism':'PLAIN','credentials':'/.*/'}]}");
  CHECK(ask_plain(a, "bob", "correct horse").user_id == "bob");
  CHECK_FALSE(ask_plain(a, "bob", "wrong").decision);
  CHECK_FALSE(ask_plain(a, "bob", *hash).decision);
  CHECK_FALSE(ask_plain(a, "eve", "correct horse").decision);
  CHECK(ask_plain(a, "old", "in the clear").decision.allowed());
  CHECK_FALSE(ask_plain(a, "old", "in the clea").decision);
  CHECK_FALSE(ask_plain(a, "pattern", "anything").decision);  // a password is never a pattern
  CHECK(ask_plain(a, "pattern", "/.*/").decision.allowed());
}

TEST_CASE("Authenticator: what is shown instead of a password is none") {
  const auto with = [](const std::string& stored) {
    return authenticator("{'allow':[{'user_id':'bob','mechanism':'PLAIN','credentials':'" + stored + "'}]}");
  };
  for (const std::string shown : {"(password)", "(neither a key nor a pattern: not shown)"}) {
    CHECK_FALSE(ask_plain(with(shown), "bob", shown).decision);
  }
  CHECK(ask_plain(with("(a password)"), "bob", "(a password)").decision.allowed());
}

TEST_CASE("Authenticator: a denied user name and password are kept out, where the record says so") {
  const auto denying = [](const std::string& rest) {
    return authenticator(
        "{'allow':[{'user_id':'bob','mechanism':'PLAIN','credentials':'pw'}],"
        "'deny':[{'user_id':'bob','mechanism':'PLAIN','credentials':'" +
        rest + "}]}");
  };
  const auto everywhere = denying("pw'");
  CHECK(ask_plain(everywhere, "bob", "pw").decision.reason() == Reason::kDenied);
  CHECK(ask_plain(everywhere, "bob", "pw").source() == std::vector<std::string>{"/deny/0"});
  CHECK(ask_plain(denying("pw','address':'127.0.0.1'"), "bob", "pw").decision.reason() == Reason::kDenied);
  CHECK(ask_plain(denying("pw','address':'10.0.0.1'"), "bob", "pw").decision.allowed());
  CHECK(ask_plain(denying("older'"), "bob", "pw").decision.allowed());
}

TEST_CASE("Authenticator: a NULL record matches on domain and address alone") {
  const auto a = authenticator("{'allow':[{'user_id':'n','mechanism':'NULL','address':'10.0.0.1'}]}");
  CHECK(ask_null(a, "10.0.0.1").user_id == "n");
  CHECK_FALSE(ask_null(a, "10.0.0.2").decision);
  CHECK_FALSE(ask(a, kKeyA, "10.0.0.1").decision);  // a CURVE peer is none
}

TEST_CASE(
    "Authenticator: IPC peers of our own user are accepted only where that is turned on, and never when "
    "denied") {
  const IpcTrust trust{true, 1000};
  const auto trusting = authenticator("{}", trust);
  CHECK(ask_null(trusting, "localhost:1000:100:7").user_id == "vip,localhost:1000:100:7,NULL");
  CHECK_FALSE(ask_null(trusting, "localhost:1001:100:7").decision);
  for (const std::string_view forged :
       {"localhost:", "localhost:1000", "localhost: 1000:1:1", "localhost:1_000:1:1", "localhost:-1:1:1",
        "10.0.0.1", "localhost:99999999999:1:1"}) {
    CHECK_FALSE(ask_null(trusting, forged).decision);
  }
  CHECK_FALSE(ask(trusting, kKeyA, "localhost:1000:100:7").decision);
  CHECK_FALSE(ask_null(authenticator("{}"), "localhost:1000:100:7").decision);
  CHECK(ask_null(authenticator("{'deny':[{'mechanism':'NULL'}]}", trust), "localhost:1000:100:7")
            .decision.reason() == Reason::kDenied);
}

TEST_CASE("Authenticator: a trusted IPC peer whose name would be longer than 255 bytes is not let in") {
  const auto trusting = authenticator("{}", {true, 1000});
  const auto with = [&](std::size_t length) {
    const std::string address = "localhost:1000:100:7";
    const std::string domain(length - (address + ",,NULL").size(), 'd');
    return std::string(ask_null(trusting, address, domain).user_id).size();
  };
  CHECK(with(255) == 255);
  CHECK(with(256) == 0);
}

TEST_CASE("Authenticator: a record without user_id has the same one in every process") {
  const auto a = authenticator("{'allow':[{'credentials':'" + kKeyA + "'}]}");
  const auto b =
      authenticator("{'allow':[{'mechanism':'CURVE','domain':null,'credentials':'" + kKeyA + "'}]}");
  CHECK(ask(a, kKeyA).user_id == ask(b, kKeyA).user_id);
  CHECK(ask(a, kKeyA).user_id == "db482575-39e7-5b84-a194-d30d775a69d8");
}

TEST_CASE("Authenticator: an acceptance stands while the same credentials yield the same user") {
  const auto accepted = ask(authenticator(kAllowA), kKeyA).acceptance();
  const auto again = [&](std::string_view text) { return authenticator(text).reauthenticate(accepted); };
  CHECK(again(kAllowA).decision.allowed());
  CHECK_FALSE(again("{'allow':[]}").decision);
  CHECK_FALSE(again("{'allow':[{'user_id':'a','credentials':'" + kKeyA + "','enabled':false}]}").decision);
  CHECK_FALSE(
      again("{'allow':[{'user_id':'a','credentials':'" + kKeyB + "'}]}").decision);  // key rotated away
  CHECK_FALSE(
      again("{'allow':[{'user_id':'a','credentials':'" + kKeyA + "','address':'10.9.9.9'}]}").decision);
  CHECK(again("{'allow':[{'user_id':'b','credentials':'" + kKeyA + "'}]}").user_id == "b");
}

TEST_CASE("Authenticator: a PLAIN acceptance stands until the stored password changes") {
  const auto record = [](const std::string& stored) {
    return "{'allow':[{'user_id':'bob','mechanism':'PLAIN','credentials':'" + stored + "'}]}";
  };
  const auto accepted = ask_plain(authenticator(record("first")), "bob", "first").acceptance();
  CHECK(accepted.credentials.find("first") == std::string::npos);
  CHECK(authenticator(record("first")).reauthenticate(accepted).decision.allowed());
  CHECK_FALSE(authenticator(record("second")).reauthenticate(accepted).decision);
}

TEST_CASE("Authenticator: who is unknown is refused also where nobody's password counts") {
  const auto a = authenticator(
      "{'allow':[{'user_id':'bob','mechanism':'PLAIN','domain':'other','credentials':'x'},"
      "{'user_id':'eve','mechanism':'PLAIN','enabled':false,'credentials':'y'}],"
      "'deny':[{'user_id':'dan','mechanism':'PLAIN','address':'10.9.9.9','credentials':'z'}]}");
  for (const std::string_view user : {"nobody", "bob", "eve", "dan"}) {
    CHECK(ask_plain(a, user, "x").decision.reason() == Reason::kUnknown);
  }
  CHECK(ask_plain(authenticator("{}"), "nobody", "x").decision.reason() == Reason::kUnknown);
}

namespace {

/// The time of the processor that this thread takes to refuse a wrong password, in seconds.
double time_of_refusal(const Authenticator& a, std::string_view username) {
  const auto now = [] {
    timespec time{};
    REQUIRE(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  };
  const double before = now();
  CHECK_FALSE(ask_plain(a, username, "wrong").decision);
  return now() - before;
}

/// Whether a refusal takes the time of so many hashes; asked again where something else may have taken time.
bool takes_hashes(const Authenticator& a, std::string_view username, long count) {
  static const Authenticator kOne = authenticator(
      "{'allow':[{'user_id':'bob','mechanism':'PLAIN','credentials':'" + *hash_password("right") + "'}]}");
  for (int i = 0; i < 10; ++i) {
    const double one = time_of_refusal(kOne, "bob");
    if (std::lround(time_of_refusal(a, username) / one) == count) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("Authenticator: whoever asks with a wrong password takes the time of somebody with one") {
  const std::string bob = "{'user_id':'bob','mechanism':'PLAIN','credentials':'" + *hash_password("x") + "'}";
  const auto once = authenticator("{'allow':[" + bob + "]}");
  CHECK(takes_hashes(once, "bob", 1));
  CHECK(takes_hashes(once, "nobody", 1));
  const auto twice = authenticator("{'allow':[" + bob + "," + bob + "]}");
  CHECK(takes_hashes(twice, "bob", 2));
  CHECK(takes_hashes(twice, "nobody", 2));
  const std::string eve = "{'user_id':'eve','mechanism':'PLAIN','credentials':'" + *hash_password("x") + "'}";
  CHECK(takes_hashes(authenticator("{'allow':[" + bob + "," + eve + "]}"), "nobody", 1));
  CHECK(takes_hashes(authenticator("{}"), "nobody", 1));
  CHECK(takes_hashes(authenticator("{'allow':[{'user_id':'a','credentials':'" + kKeyA + "'}]}"), "a", 1));
  CHECK(takes_hashes(authenticator("{'deny':[" + bob + "]}"), "nobody", 1));
}

TEST_CASE("Authenticator: a NULL acceptance stands while a record lets its place in") {
  const auto a = authenticator("{'allow':[{'mechanism':'NULL','user_id':'n','address':'10.0.0.1'}]}");
  const Acceptance accepted = ask_null(a, "10.0.0.1").acceptance();
  CHECK(a.reauthenticate(accepted).user_id == "n");
  Acceptance elsewhere = accepted;
  elsewhere.address = "10.0.0.2";
  CHECK(a.reauthenticate(elsewhere).decision.reason() == Reason::kUnknown);
  CHECK_FALSE(authenticator("{}").reauthenticate(accepted).decision);
}

TEST_CASE("Authenticator: a CURVE acceptance without a key is refused") {
  const auto a = authenticator("{'allow':[{'user_id':'a','credentials':'/.*/'}]}");
  Acceptance accepted = ask(a, kKeyA).acceptance();
  CHECK(a.reauthenticate(accepted).decision.allowed());
  for (const std::string& bad : {std::string(), std::string("short"), kKeyA + "A"}) {
    accepted.credentials = bad;
    CHECK(a.reauthenticate(accepted).decision.reason() == Reason::kMalformed);
  }
}
