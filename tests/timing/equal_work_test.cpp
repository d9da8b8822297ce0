// That a refusal costs the same work whether the name exists or not, by counting: each check of a password
// hash is seen here, with what it costs. The linker puts __wrap_crypto_pwhash_str_verify in place of
// libsodium's.

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/auth_service.hpp>
#include <vipauth/web_users.hpp>
#include <vipauth/zap_authenticator.hpp>

#include "base/password.hpp"
#include "support/catch.hpp"
#include "support/curve_peers.hpp"
#include "support/policies.hpp"

namespace {

std::mutex mutex;
std::vector<std::string> checked;  // "m=65536,t=2,p=1", one for each check

}  // namespace

extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names
int __real_crypto_pwhash_str_verify(const char* hash, const char* password, unsigned long long size);

int __wrap_crypto_pwhash_str_verify(const char* hash, const char* password, unsigned long long size) {
  std::string_view text(hash);
  for (int i = 0; i < 3; ++i) text.remove_prefix(std::min(text.find('$') + 1, text.size()));
  {
    const std::scoped_lock lock(mutex);
    checked.emplace_back(text.substr(0, text.find('$')));
  }
  return __real_crypto_pwhash_str_verify(hash, password, size);
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
}

namespace vipauth::test {
namespace {

using Work = std::vector<std::string>;  // the hashes that were checked

template <typename Action>
Work work_of(const Action& action) {
  {
    const std::scoped_lock lock(mutex);
    checked.clear();
  }
  action();
  const std::scoped_lock lock(mutex);
  return checked;
}

const std::string kOurs = "m=65536,t=2,p=1";
// Others, as somebody may have brought them along.
const std::string kCheap = "m=8192,t=1,p=1";
const std::string kDear = "m=8192,t=2,p=1";

/// An Argon2id string of these parameters that no password fits.
std::string hash_that_costs(const std::string& parameters) {
  return "$argon2id$v=19$" + parameters +
         "$wdVz49APQTZV65OWFHP0vw$XAB44UP8JCVbmSmsq9dbjlEpVR5O0geqx8NIwwW8Hr8";
}

Json plain_record(const std::string& user, const std::string& stored, const std::string& domain = "") {
  Json record = Json::Object{{"user_id", user}, {"mechanism", "PLAIN"}, {"credentials", stored}};
  if (!domain.empty()) record.set("domain", domain);
  return record;
}

Authenticator authenticator_of(const std::string& policy) {
  return must(Authenticator::create(must(Policy::parse(must(Json::parse(policy)))), kNow));
}

Work ask(const Authenticator& authenticator, std::string_view user, std::string_view password,
         bool accepted = false) {
  return work_of([&] {
    const AuthenticationRequest request{"vip", "127.0.0.1", AuthenticationRequest::Plain{user, password}};
    CHECK(authenticator.authenticate(request).decision.allowed() == accepted);
  });
}

}  // namespace

TEST_CASE("timing: a PLAIN password costs one hash, right or wrong, known user or unknown") {
  const auto hash = must(hash_of_password("correct horse"));
  const bool is_hashed = GENERATE(true, false);
  const Authenticator a =
      authenticator_of(auth_json({plain_record("bob", is_hashed ? hash : "correct horse"),
                                  curve_record("curve", CurveKeyPair::generate().public_key)}));
  const Work one{kOurs};
  CHECK(ask(a, "bob", "correct horse", true) == one);
  CHECK(ask(a, "bob", "xorrect horse") == one);
  CHECK(ask(a, "bob", "correct horsx") == one);
  CHECK(ask(a, "bob", "") == one);
  CHECK(ask(a, "bob", std::string(1000, 'x')) == one);
  CHECK(ask(a, "nobody", "correct horse") == one);
  CHECK(ask(a, "curve", "correct horse") == one);
  CHECK(ask(a, "", "correct horse") == one);
}

TEST_CASE("timing: a PLAIN password costs one hash where nobody has one") {
  const Authenticator a = authenticator_of(auth_json({}));
  CHECK(ask(a, "nobody", "secret") == Work{kOurs});
}

TEST_CASE("timing: a PLAIN user whose records do not count costs what a stranger does") {
  Json disabled = plain_record("disabled", hash_that_costs(kOurs));
  disabled.set("enabled", false);
  const Authenticator a =
      authenticator_of(auth_json({plain_record("bob", hash_that_costs(kOurs)), disabled,
                                  plain_record("elsewhere", hash_that_costs(kOurs), "field")}));
  for (const char* user : {"bob", "disabled", "elsewhere", "nobody"}) {
    CHECK(ask(a, user, "secret") == Work{kOurs});
  }
}

TEST_CASE("timing: strangers cost what users do, also where users differ") {
  // One with a cheap hash, one with a dear one, one with two, and one who is denied as well.
  const std::vector<Work> of_users{{kCheap}, {kDear}, {kCheap, kDear}, {kDear, kCheap}};
  const Authenticator a = authenticator_of(
      auth_json({plain_record("cheap", hash_that_costs(kCheap)), plain_record("dear", hash_that_costs(kDear)),
                 plain_record("two", hash_that_costs(kCheap)), plain_record("two", hash_that_costs(kDear)),
                 plain_record("denied", hash_that_costs(kCheap))},
                {plain_record("denied", hash_that_costs(kDear))}));
  CHECK(ask(a, "cheap", "wrong") == of_users[0]);
  CHECK(ask(a, "dear", "wrong") == of_users[1]);
  CHECK(ask(a, "two", "wrong") == of_users[2]);
  CHECK(ask(a, "denied", "wrong") == of_users[3]);

  std::set<Work> of_strangers;
  for (int i = 0; i < 60; ++i) {
    const std::string name = "stranger " + std::to_string(i);
    const Work work = ask(a, name, "wrong");
    if (i < 5) CHECK(ask(a, name, "another") == work);  // always the same
    of_strangers.insert(work);
  }
  CHECK(of_strangers == std::set<Work>(of_users.begin(), of_users.end()));
}

TEST_CASE("timing: a stranger is never let in by the password of whom it is taken for") {
  const Authenticator a =
      authenticator_of(auth_json({plain_record("bob", must(hash_of_password("secret")))}));
  CHECK(ask(a, "bob", "secret", true).size() == 1);
  for (int i = 0; i < 5; ++i) CHECK(ask(a, "stranger " + std::to_string(i), "secret").size() == 1);
}

TEST_CASE(
    "timing: the ZAP answer to a wrong password and to an unknown user is the same, for the same work") {
  const TempHome home;
  home.write("auth.json", auth_json({plain_record("bob", must(hash_of_password("secret")))}));
  const AuthService service = must(AuthService::open(home.path()));
  const ZapAuthenticator zap = service.zap_authenticator();
  const auto reply_to = [&](std::string_view user, std::string_view password) {
    const std::vector<std::string_view> frames{"1.0", "id", "vip", "127.0.0.1", "", "PLAIN", user, password};
    ZapReply reply;
    CHECK(work_of([&] { reply = zap.handle(frames); }) == Work{kOurs});
    return reply.serialize();
  };
  const auto wrong = reply_to("bob", "wrong");
  CHECK(wrong[2] == "400");
  CHECK(reply_to("nobody", "wrong") == wrong);
  CHECK(reply_to("nobody", "secret") == wrong);
  CHECK(reply_to("bob", "secret") != wrong);
}

TEST_CASE("timing: a CURVE peer costs no password's work, known or unknown") {
  const CurveKeyPair alice = CurveKeyPair::generate();
  const Authenticator a = authenticator_of(
      auth_json({curve_record("alice", alice.public_key), plain_record("bob", hash_that_costs(kOurs))}));
  for (const CurveKey& key : {alice.public_key, CurveKeyPair::generate().public_key}) {
    CHECK(work_of([&] { static_cast<void>(a.authenticate({"vip", "127.0.0.1", key})); }).empty());
  }
}

TEST_CASE("timing: the web service's users cost one hash, known or unknown") {
  const TempHome home;
  const WebUsers users(home / "web-users.json");
  const auto verify = [&](std::string_view name, std::string_view password) {
    return work_of([&] { static_cast<void>(users.verify(name, password)); });
  };
  CHECK(verify("nobody", "a wrong one") == Work{kOurs});
  must(users.add("root", "correct horse", {"admin"}, WebUsers::Existing::kRefuse));
  CHECK(verify("root", "correct horse") == Work{kOurs});
  CHECK(verify("root", "a wrong one") == Work{kOurs});
  CHECK(verify("nobody", "a wrong one") == Work{kOurs});
}

TEST_CASE("timing: strangers at the web service cost what its users do, also where users differ") {
  const TempHome home;
  const auto user = [](const std::string& cost) {
    return Json(
        Json::Object{{"hashed_password", hash_that_costs(cost)}, {"groups", Json::Array{Json("admin")}}});
  };
  home.write(
      "web-users.json",
      Json(Json::Object{{"cheap", user(kCheap)}, {"bad", Json("not understood")}, {"dear", user(kDear)}})
          .dump_pretty());
  const WebUsers users(home / "web-users.json");
  std::set<Work> of_strangers;
  for (int i = 0; i < 40; ++i) {
    const std::string name = "stranger" + std::to_string(i);
    of_strangers.insert(work_of([&] { CHECK_FALSE(users.verify(name, "a wrong one")); }));
  }
  CHECK(of_strangers == std::set<Work>{{kCheap}, {kDear}});
  CHECK(work_of([&] { CHECK_FALSE(users.verify("bad", "a wrong one")); }).size() == 1);
}

}  // namespace vipauth::test
