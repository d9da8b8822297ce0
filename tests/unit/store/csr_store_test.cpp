#include <vipauth/csr_store.hpp>

#include <atomic>
#include <fstream>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <sys/stat.h>
#include <thread>

#include <vipauth/audit_trail.hpp>

#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/child_process.hpp"

using namespace vipauth;
using namespace vipauth::test;
using namespace std::chrono_literals;
using Catch::Contains;

namespace fs = std::filesystem;

namespace {

const std::string kName = "oracle1.remote.agent";
const std::string kAddress = "10.0.0.7";
const std::string kRequests = "certificates/pending_csr/";
const std::string kRemote = "certificates/remote_certs/oracle1.remote.agent.crt";
const std::string kLedger = "certificates/ca_db/oracle1-root-ca-ledger.json";
const std::string kList = "certificates/crls/oracle1-root-ca.crl.pem";

/// A home with an authority and a store of requests.
class Desk {
 public:
  explicit Desk(CsrStore::Options options = {}) : store(authority_in(home, time), std::move(options)) {}

  TempHome home;
  TestClock time;
  CsrStore store;

  Result<CsrEntry> ask(const Asker& asker, std::string_view address = kAddress) {
    return store.request(asker.request.pem(), address);
  }
  CsrEntry get(std::string_view name = kName) const {
    auto entry = store.get(name_of(name));
    REQUIRE(entry);
    return *entry;
  }
  CsrStatus status(std::string_view name = kName) const { return get(name).status; }
  CertificateAuthority authority() const { return store.authority(); }

  /// Whether `openssl verify` accepts a certificate against the revocation list on the disk.
  bool openssl_accepts(const std::string& pem) const {
    home.write("shown.pem", pem);
    int exit_code = 0;
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(time.now->time_since_epoch()).count();
    const std::string out = openssl(
        home / "certificates",
        "verify -x509_strict -purpose sslclient -crl_check -CAfile certs/oracle1-root-ca.crt -CRLfile "
        "crls/oracle1-root-ca.crl.pem -attime " +
            std::to_string(seconds) + " ../shown.pem",
        &exit_code);
    UNSCOPED_INFO(out);
    return exit_code == 0;
  }

  /// How many certificates were issued to a name, and how many of them are good.
  std::pair<std::size_t, std::size_t> issued(std::string_view name = kName) const {
    const auto list = authority().list();
    REQUIRE(list);
    std::pair<std::size_t, std::size_t> out{0, 0};
    for (const IssuedCertificate& item : *list) {
      if (item.certificate.common_name != name) continue;
      ++out.first;
      if (!item.revoked_at) ++out.second;
    }
    return out;
  }
};

ErrorCode code_of(const Result<CsrEntry>& entry) {
  REQUIRE_FALSE(entry);
  CHECK_FALSE(entry.error().message.empty());
  return entry.error().code;
}

/// Every path below a folder, but for locks.
std::set<std::string> paths_in(const fs::path& folder) {
  std::set<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".lock") out.insert(entry.path().lexically_relative(folder));
  }
  return out;
}

/// Remembers what a broker would have been told.
class RecordedUsers : public CertificateUsers {
 public:
  Result<void> admit(const CommonName& name) override { return change(name, true); }
  Result<void> expel(const CommonName& name) override { return change(name, false); }
  Result<void> admit_only(const std::vector<CommonName>& names) override {
    if (const auto once = std::exchange(meanwhile, {})) once();
    const std::lock_guard lock(mutex_);
    if (fails) return broken();
    users_.clear();
    for (const CommonName& name : names) users_.insert(name.text());
    return {};
  }
  std::set<std::string> users() const {
    const std::lock_guard lock(mutex_);
    return users_;
  }

  std::atomic<bool> fails = false;
  std::function<void()> meanwhile;  // called once, before the next change

 private:
  static Error broken() { return Error{ErrorCode::kIoError, "the broker does not answer", ""}; }
  Result<void> change(const CommonName& name, bool is_in) {
    if (const auto once = std::exchange(meanwhile, {})) once();
    const std::lock_guard lock(mutex_);
    if (fails) return broken();
    if (is_in) users_.insert(name.text());
    if (!is_in) users_.erase(name.text());
    return {};
  }

  mutable std::mutex mutex_;
  std::set<std::string> users_;
};

}  // namespace

TEST_CASE("CsrStore: a request waits until it is approved and then has its certificate") {
  Desk desk;
  const Asker asker(kName);
  const auto first = desk.ask(asker);
  REQUIRE(first);
  CHECK(first->status == CsrStatus::kPending);
  CHECK(first->address == kAddress);
  CHECK(first->key_fingerprint == asker.key.fingerprint());
  CHECK(first->key_kind == "P-256");
  CHECK(first->first_seen == kNow);
  CHECK_FALSE(first->certificate);
  CHECK(desk.ask(asker)->status == CsrStatus::kPending);

  const auto decision = desk.store.approve(name_of(kName));
  REQUIRE(decision);
  CHECK(decision->entry.status == CsrStatus::kApproved);
  CHECK_FALSE(decision->broker_problem);
  const auto answer = desk.ask(asker);
  REQUIRE(answer);
  CHECK(answer->status == CsrStatus::kApproved);
  REQUIRE(answer->certificate);
  CHECK(answer->certificate->common_name == kName);
  CHECK(answer->certificate->key_fingerprint == asker.key.fingerprint());
  CHECK(answer->certificate->not_after == kNow + std::chrono::days(365));
  CHECK(desk.home.read(kRemote) == answer->certificate->pem);
  CHECK(desk.openssl_accepts(answer->certificate->pem));
  CHECK(desk.authority().verify(answer->certificate->pem));
}

TEST_CASE("CsrStore: writes what VOLTTRON reads") {
  Desk desk;
  const Asker asker(kName);
  REQUIRE(desk.ask(asker));
  const auto json = Json::parse(desk.home.read(kRequests + kName + ".json"));
  REQUIRE(json);
  CHECK(*json->find("status") == Json("PENDING"));
  CHECK(*json->find("remote_ip_address") == Json(kAddress));
  CHECK(*json->find("identity") == Json(kName));
  CHECK(*json->find("csr") == Json(asker.request.pem()));
  CHECK(desk.home.read(kRequests + kName + ".csr") == asker.request.pem());
  REQUIRE(desk.store.approve(name_of(kName)));
  CHECK(*Json::parse(desk.home.read(kRequests + kName + ".json"))->find("status") == Json("APPROVED"));
  REQUIRE(desk.store.deny(name_of(kName)));
  CHECK(*Json::parse(desk.home.read(kRequests + kName + ".json"))->find("status") == Json("DENIED"));
  CHECK_FALSE(desk.home.has(kRemote));
}

TEST_CASE("CsrStore: approving twice signs once") {
  Desk desk;
  const Asker asker(kName);
  REQUIRE(desk.ask(asker));
  const auto first = desk.store.approve(name_of(kName));
  const auto second = desk.store.approve(name_of(kName));
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->entry.certificate->serial == second->entry.certificate->serial);
  CHECK(desk.issued() == std::pair<std::size_t, std::size_t>(1, 1));
}

TEST_CASE("CsrStore: denying or deleting an approved one revokes its certificate") {
  for (const bool is_removed : {false, true}) {
    INFO(is_removed);
    Desk desk;
    const Asker asker(kName);
    REQUIRE(desk.ask(asker));
    const std::string pem = desk.store.approve(name_of(kName))->entry.certificate->pem;
    CHECK(desk.openssl_accepts(pem));
    CHECK(desk.authority().verify(pem));
    REQUIRE((is_removed ? desk.store.remove(name_of(kName)) : desk.store.deny(name_of(kName))).has_value());
    CHECK_FALSE(desk.openssl_accepts(pem));
    CHECK_FALSE(desk.authority().verify(pem));
    CHECK_FALSE(desk.home.has(kRemote));
    CHECK(desk.issued() == std::pair<std::size_t, std::size_t>(1, 0));
    const auto again = desk.ask(asker);
    REQUIRE(again);
    CHECK(again->status == (is_removed ? CsrStatus::kPending : CsrStatus::kDenied));
    CHECK_FALSE(again->certificate);
  }
}

TEST_CASE("CsrStore: a denied one may be approved after all with another certificate") {
  Desk desk;
  const Asker asker(kName);
  REQUIRE(desk.ask(asker));
  REQUIRE(desk.store.deny(name_of(kName)));
  CHECK(desk.status() == CsrStatus::kDenied);
  CHECK(desk.issued().first == 0);
  const std::string first = desk.store.approve(name_of(kName))->entry.certificate->pem;
  REQUIRE(desk.store.deny(name_of(kName)));
  const std::string second = desk.store.approve(name_of(kName))->entry.certificate->pem;
  CHECK_FALSE(desk.openssl_accepts(first));
  CHECK(desk.openssl_accepts(second));
  CHECK(desk.issued() == std::pair<std::size_t, std::size_t>(2, 1));
}

TEST_CASE("CsrStore: who is not there cannot be decided about") {
  Desk desk;
  const CommonName nobody = name_of("oracle1.no.body");
  CHECK(desk.store.get(nobody).error().code == ErrorCode::kNotFound);
  CHECK(desk.store.approve(nobody).error().code == ErrorCode::kNotFound);
  CHECK(desk.store.deny(nobody).error().code == ErrorCode::kNotFound);
  CHECK(desk.store.remove(nobody).error().code == ErrorCode::kNotFound);
  CHECK(desk.store.list()->empty());
}

TEST_CASE("CsrStore: the same name with another key is refused until it is deleted") {
  Desk desk;
  const Asker first(kName);
  const Asker second(kName);
  REQUIRE(desk.ask(first));
  CHECK(code_of(desk.ask(second)) == ErrorCode::kConflict);
  REQUIRE(desk.store.approve(name_of(kName)));
  CHECK(code_of(desk.ask(second)) == ErrorCode::kConflict);
  REQUIRE(desk.store.deny(name_of(kName)));
  CHECK(code_of(desk.ask(second)) == ErrorCode::kConflict);
  CHECK(desk.ask(first));
  REQUIRE(desk.store.remove(name_of(kName)));
  CHECK(desk.ask(second)->status == CsrStatus::kPending);
  CHECK(code_of(desk.ask(first)) == ErrorCode::kConflict);
}

TEST_CASE("CsrStore: the key that was compared is approved, and no other") {
  Desk desk;
  const Asker seen(kName);
  const std::string compared = desk.ask(seen)->key_fingerprint;
  REQUIRE(desk.store.remove(name_of(kName)));
  const Asker another(kName);
  const std::string present = desk.ask(another)->key_fingerprint;
  CHECK(desk.store.approve(name_of(kName), {}, compared).error().code == ErrorCode::kConflict);
  CHECK(desk.store.get(name_of(kName))->status == CsrStatus::kPending);
  std::string without_colons = present;
  std::erase(without_colons, ':');
  CHECK(desk.store.approve(name_of(kName), {}, without_colons));
  CHECK(desk.ask(another)->certificate);
}

TEST_CASE("CsrStore: nothing hostile is filed") {
  Desk desk;
  const std::set<std::string> before = paths_in(desk.home.path());
  const TempHome work;
  const auto refusal = [&](const std::string& pem) { return code_of(desk.store.request(pem, kAddress)); };
  CHECK(refusal(odd_request({{"oracle1.../../evil"}})) == ErrorCode::kInvalidArgument);
  CHECK(refusal(odd_request({{"../../evil"}})) == ErrorCode::kInvalidArgument);
  CHECK(refusal(odd_request({{std::string("oracle1.a\0.b", 12)}})) == ErrorCode::kInvalidArgument);
  CHECK(refusal(odd_request({{"oracle1." + std::string(57, 'n')}})) == ErrorCode::kInvalidArgument);
  CHECK(refusal(odd_request({{"other.remote.agent"}})) == ErrorCode::kInvalidArgument);
  CHECK(refusal(odd_request({{"oracle1"}})) == ErrorCode::kInvalidArgument);
  CHECK(refusal(odd_request({{"oracle1-root-ca"}})) == ErrorCode::kInvalidArgument);
  CHECK(refusal(odd_request({{"oracle12.remote.agent"}})) == ErrorCode::kInvalidArgument);
  CHECK(refusal(odd_request({{kName}}, true)) == ErrorCode::kInvalidArgument);
  CHECK(refusal(odd_request({{kName}, {kName}})) == ErrorCode::kParseError);
  CHECK(refusal(foreign_request(work, kName, "rsa:1024")) == ErrorCode::kUnsupported);
  CHECK(refusal(std::string(1 << 20, 'A')) == ErrorCode::kLimitExceeded);
  CHECK(paths_in(desk.home.path()) == before);
  CHECK(desk.store.request(odd_request({{kName}}), kAddress));
}

TEST_CASE("CsrStore: what a request wants beside its name is not signed") {
  Desk desk;
  const TempHome work;
  const std::string pem = foreign_request(work, kName, "rsa:2048",
                                          "-addext basicConstraints=critical,CA:TRUE -addext "
                                          "subjectAltName=DNS:bank.example -addext keyUsage=keyCertSign");
  REQUIRE(desk.store.request(pem, kAddress));
  const auto decision = desk.store.approve(name_of(kName));
  REQUIRE(decision);
  CHECK(decision->entry.certificate->hosts.empty());
  CHECK_FALSE(decision->entry.certificate->is_authority);
  const std::string text =
      openssl(desk.home / "certificates", "x509 -in remote_certs/oracle1.remote.agent.crt -noout -text");
  CHECK_THAT(text, Contains("CA:FALSE") && !Contains("bank.example") && !Contains("Certificate Sign") &&
                       Contains("Key Encipherment") && Contains("TLS Web Client Authentication"));
  CHECK(desk.openssl_accepts(decision->entry.certificate->pem));
}

TEST_CASE("CsrStore: each kind of key gets a certificate that openssl accepts") {
  Desk desk;
  const TempHome work;
  for (const char* key : {"rsa:4096", "ec -pkeyopt ec_paramgen_curve:P-384",
                          "ec -pkeyopt ec_paramgen_curve:P-521", "ed25519"}) {
    INFO(key);
    REQUIRE(desk.store.request(foreign_request(work, kName, key), kAddress));
    const auto decision = desk.store.approve(name_of(kName));
    REQUIRE(decision);
    CHECK(desk.openssl_accepts(decision->entry.certificate->pem));
    REQUIRE(desk.store.remove(name_of(kName)));
  }
}

TEST_CASE("CsrStore: a name that is taken cannot be asked for nor approved") {
  bool is_taken = false;
  CsrStore::Options options;
  options.taken = [&](std::string_view rest) -> std::optional<std::string> {
    if (is_taken && rest == "remote.agent") return "it is ours";
    return std::nullopt;
  };
  Desk desk(options);
  const Asker asker(kName);
  is_taken = true;
  CHECK(code_of(desk.ask(asker)) == ErrorCode::kPermissionDenied);
  is_taken = false;
  CHECK(desk.ask(asker));
  is_taken = true;
  CHECK(desk.store.approve(name_of(kName)).error().code == ErrorCode::kPermissionDenied);
  CHECK(desk.status() == CsrStatus::kPending);
  is_taken = false;
  CHECK(desk.store.approve(name_of(kName)));

  CertificateAuthority authority = desk.authority();
  REQUIRE(authority.client_certificate(name_of("oracle1.local.agent")));
  CHECK(code_of(desk.ask(Asker("oracle1.local.agent"))) == ErrorCode::kPermissionDenied);
  CHECK(authority.client_certificate(name_of(kName)).error().code == ErrorCode::kAlreadyExists);
  desk.home.write("certificates/certs/oracle1.older.agent.crt", "by VOLTTRON");
  CHECK(code_of(desk.ask(Asker("oracle1.older.agent"))) == ErrorCode::kPermissionDenied);
}

TEST_CASE("CsrStore: one address asks for few new names") {
  Desk desk;
  int answered = 0;
  const std::vector<Asker> many = [] {
    std::vector<Asker> out;
    for (int i = 0; i < 30; ++i) out.emplace_back("oracle1.remote.agent" + std::to_string(i));
    return out;
  }();
  for (int i = 0; i < 10'000; ++i) {
    if (desk.ask(many[static_cast<std::size_t>(i) % many.size()])) ++answered;
  }
  CHECK(desk.store.list()->size() == 10);
  CHECK(answered > 3000);  // those that are filed are answered each time
  CHECK(code_of(desk.ask(many[20])) == ErrorCode::kBusy);
  CHECK(desk.ask(many[20], "10.0.0.8"));
  CHECK(desk.ask(many[21], "2001:db8::1"));
  *desk.time.now += 6s;
  CHECK(desk.ask(many[22]));
  CHECK(code_of(desk.ask(many[23])) == ErrorCode::kBusy);
  *desk.time.now -= 24h;  // a clock that is set back
  CHECK(code_of(desk.ask(many[23])) == ErrorCode::kBusy);
  *desk.time.now += 60s;
  CHECK(desk.ask(many[23]));
}

TEST_CASE("CsrStore: no more wait than may") {
  CsrStore::Options options;
  options.pending = 3;
  Desk desk(options);
  for (int i = 0; i < 3; ++i) CHECK(desk.ask(Asker("oracle1.remote.agent" + std::to_string(i))));
  const Asker fourth("oracle1.remote.fourth");
  CHECK(code_of(desk.ask(fourth)) == ErrorCode::kLimitExceeded);
  REQUIRE(desk.store.deny(name_of("oracle1.remote.agent0")));
  CHECK(desk.ask(fourth));
  CHECK(code_of(desk.ask(Asker("oracle1.remote.fifth"))) == ErrorCode::kLimitExceeded);
}

TEST_CASE("CsrStore: counts who asks again in memory and writes it when told") {
  Desk desk;
  const Asker asker(kName);
  REQUIRE(desk.ask(asker));
  const std::set<std::string> files = paths_in(desk.home.path());
  const std::string json = desk.home.read(kRequests + kName + ".json");
  *desk.time.now += 30s;
  CHECK(desk.ask(asker)->retries == 2);
  *desk.time.now += 30s;
  CHECK(desk.ask(asker)->retries == 3);
  CHECK(paths_in(desk.home.path()) == files);
  CHECK(desk.home.read(kRequests + kName + ".json") == json);
  CHECK(desk.get().retries == 3);
  CHECK(desk.get().last_seen == kNow + 60s);
  REQUIRE(desk.store.flush());

  CsrStore other(desk.authority(), {});
  CHECK(other.get(name_of(kName))->retries == 3);
  CHECK(other.get(name_of(kName))->first_seen == kNow);
  CHECK(other.get(name_of(kName))->last_seen == kNow + 60s);
  REQUIRE(other.request(asker.request.pem(), kAddress));
  REQUIRE(other.flush());
  CHECK(desk.get().retries == 4);
  REQUIRE(desk.store.remove(name_of(kName)));
  CHECK(desk.ask(asker)->retries == 1);
}

TEST_CASE("CsrStore: counts that cannot be read are not written over") {
  Desk desk;
  const Asker asker(kName);
  REQUIRE(desk.ask(asker));
  const std::string seen = "certificates/csr_seen.json";
  for (const std::string bad : {"{", "{}", R"({"version": 2, "seen": {}})", R"({"version": 1, "seen": []})",
                                R"({"version": 1, "seen": {"oracle1.remote.agent": {"retries": "many"}}})"}) {
    INFO(bad);
    desk.home.write(seen, bad);
    CHECK(desk.ask(asker));
    CHECK_FALSE(desk.store.flush());
    CHECK(desk.home.read(seen) == bad);
  }
}

TEST_CASE("CsrStore: a damaged file hides no other and can be deleted") {
  Desk desk;
  REQUIRE(desk.ask(Asker("oracle1.remote.good")));
  const Asker asker(kName);
  const std::string json = kRequests + kName + ".json";
  const std::string csr = kRequests + kName + ".csr";
  REQUIRE(desk.ask(asker));
  const std::string good_json = desk.home.read(json);
  const std::string good_csr = desk.home.read(csr);
  struct Damage {
    std::string file;
    std::string content;
  };
  std::string maybe = good_json;
  maybe.replace(maybe.find("PENDING"), 7, "MAYBE");
  const std::string of_another = desk.home.read(kRequests + "oracle1.remote.good.json");
  for (const Damage& damage :
       {Damage{json, ""}, Damage{json, "{"}, Damage{json, "[]"}, Damage{json, "{}"}, Damage{json, maybe},
        Damage{json, of_another}, Damage{csr, ""}, Damage{csr, Asker(kName).request.pem()}}) {
    INFO(damage.file << ": " << damage.content);
    desk.home.write(json, good_json);
    desk.home.write(csr, good_csr);
    desk.home.write(damage.file, damage.content);
    std::vector<std::string> warnings;
    const auto list = desk.store.list(&warnings);
    REQUIRE(list);
    CHECK(list->size() == 1);
    REQUIRE(warnings.size() == 1);
    CHECK_THAT(warnings.front(), Contains(kName));
    CHECK(desk.store.get(name_of(kName)).error().code == ErrorCode::kParseError);
    CHECK(desk.store.approve(name_of(kName)).error().code == ErrorCode::kParseError);
    CHECK(desk.store.deny(name_of(kName)).error().code == ErrorCode::kParseError);
    CHECK(code_of(desk.ask(asker)) == ErrorCode::kConflict);
    CHECK(desk.home.read(damage.file) == damage.content);
  }
  REQUIRE(desk.store.remove(name_of(kName)));
  CHECK_FALSE(desk.home.has(json));
  CHECK_FALSE(desk.home.has(csr));
  CHECK(desk.ask(asker));
  desk.home.write(kRequests + "..json", "{}");
  std::vector<std::string> warnings;
  REQUIRE(desk.store.list(&warnings));
  CHECK(warnings.size() == 1);
}

TEST_CASE("CsrStore: deleting a damaged one revokes its certificate all the same") {
  Desk desk;
  REQUIRE(desk.ask(Asker(kName)));
  const std::string pem = desk.store.approve(name_of(kName))->entry.certificate->pem;
  desk.home.write(kRequests + kName + ".json", "{");
  REQUIRE(desk.store.remove(name_of(kName)));
  CHECK_FALSE(desk.openssl_accepts(pem));
}

TEST_CASE("CsrStore: a status that was edited by hand gives no certificate") {
  Desk desk;
  const Asker asker(kName);
  REQUIRE(desk.ask(asker));
  std::string json = desk.home.read(kRequests + kName + ".json");
  json.replace(json.find("PENDING"), 7, "APPROVED");
  desk.home.write(kRequests + kName + ".json", json);
  CHECK(desk.ask(asker)->status == CsrStatus::kPending);
  CHECK_FALSE(desk.ask(asker)->certificate);
  std::vector<std::string> warnings;
  REQUIRE(desk.store.list(&warnings));
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings.front(), Contains("APPROVED") && Contains("no good certificate"));

  // Nor does a certificate for another key, or of another authority, beside it.
  const TempHome elsewhere;
  CsrStore other(authority_in(elsewhere, desk.time), {});
  REQUIRE(other.request(asker.request.pem(), kAddress));
  desk.home.write(kRemote, other.approve(name_of(kName))->entry.certificate->pem);
  CHECK(desk.ask(asker)->status == CsrStatus::kPending);
  CHECK(desk.store.approve(name_of(kName)).error().code == ErrorCode::kConflict);
  fs::remove(desk.home / kRemote);

  CHECK(desk.store.approve(name_of(kName)));
  CHECK(desk.ask(asker)->status == CsrStatus::kApproved);
}

TEST_CASE("CsrStore: a status that was edited by hand takes no certificate away, and is told") {
  Desk desk;
  const Asker asker(kName);
  REQUIRE(desk.ask(asker));
  const std::string pem = desk.store.approve(name_of(kName))->entry.certificate->pem;
  const std::string json = desk.home.read(kRequests + kName + ".json");
  for (const auto& [word, status] :
       {std::pair{"DENIED", CsrStatus::kDenied}, std::pair{"PENDING", CsrStatus::kPending}}) {
    INFO(word);
    std::string edited = json;
    edited.replace(edited.find("APPROVED"), 8, word);
    desk.home.write(kRequests + kName + ".json", edited);
    const auto answer = desk.ask(asker);
    REQUIRE(answer);
    CHECK(answer->status == status);
    CHECK_FALSE(answer->certificate);
    std::vector<std::string> warnings;
    REQUIRE(desk.store.list(&warnings));
    REQUIRE(warnings.size() == 1);
    CHECK_THAT(warnings.front(), Contains(word) && Contains("is not revoked"));
    CHECK(desk.openssl_accepts(pem));
  }
  REQUIRE(desk.store.deny(name_of(kName)));
  CHECK_FALSE(desk.openssl_accepts(pem));
  std::vector<std::string> warnings;
  REQUIRE(desk.store.list(&warnings));
  CHECK(warnings.empty());
}

TEST_CASE("CsrStore: what VOLTTRON approved counts and can be revoked") {
  Desk desk;
  const TempHome work;
  const std::string pem = foreign_request(work, kName, "rsa:2048");
  openssl(work.path(), "x509 -req -in foreign.csr -CA '" +
                           (desk.home / "certificates/certs/oracle1-root-ca.crt").string() + "' -CAkey '" +
                           (desk.home / "certificates/private/oracle1-root-ca.pem").string() +
                           "' -days 365 -out issued.crt");
  *desk.time.now = system_now();
  REQUIRE(desk.store.request(pem, kAddress));
  std::string json = desk.home.read(kRequests + kName + ".json");
  json.replace(json.find("PENDING"), 7, "APPROVED");
  desk.home.write(kRequests + kName + ".json", json);
  desk.home.write(kRemote, work.read("issued.crt"));
  const auto entry = desk.store.request(pem, kAddress);
  REQUIRE(entry);
  CHECK(entry->status == CsrStatus::kApproved);
  REQUIRE(entry->certificate);
  CHECK(entry->certificate->pem == work.read("issued.crt"));
  REQUIRE(desk.store.deny(name_of(kName)));
  CHECK_FALSE(desk.authority().verify(work.read("issued.crt")));
  CHECK(desk.status() == CsrStatus::kDenied);
  desk.home.write(kRemote, work.read("issued.crt"));  // put back by hand
  desk.home.write(kRequests + kName + ".json", json);
  CHECK(desk.status() == CsrStatus::kDenied);
}

TEST_CASE("CsrStore: a certificate that is revoked elsewhere denies its request") {
  Desk desk;
  const Asker asker(kName);
  REQUIRE(desk.ask(asker));
  REQUIRE(desk.store.approve(name_of(kName)));
  CertificateAuthority authority = desk.authority();
  REQUIRE(authority.revoke(name_of(kName)));
  CHECK(desk.ask(asker)->status == CsrStatus::kDenied);
}

TEST_CASE("CsrStore: a renewed certificate is given out") {
  Desk desk;
  const Asker asker(kName);
  REQUIRE(desk.ask(asker));
  const std::string first = desk.store.approve(name_of(kName))->entry.certificate->serial;
  *desk.time.now += std::chrono::days(300);
  CertificateAuthority authority = desk.authority();
  CHECK(authority.renew(name_of(kName), CertificateAuthority::Key::kNew).error().code ==
        ErrorCode::kConflict);
  const auto renewed = authority.renew(name_of(kName), CertificateAuthority::Key::kKeep);
  REQUIRE(renewed);
  const auto answer = desk.ask(asker);
  CHECK(answer->certificate->serial == renewed->certificate.serial);
  CHECK(answer->certificate->serial != first);
  REQUIRE(desk.store.deny(name_of(kName)));
  CHECK(desk.issued() == std::pair<std::size_t, std::size_t>(2, 0));
  CHECK(authority.renew(name_of(kName), CertificateAuthority::Key::kKeep).error().code ==
        ErrorCode::kConflict);
}

TEST_CASE("CsrStore: tells the broker what is decided") {
  const auto users = std::make_shared<RecordedUsers>();
  CsrStore::Options options;
  options.users = users;
  Desk desk(options);
  const Asker asker(kName);
  REQUIRE(desk.ask(asker));
  CHECK(users->users().empty());
  REQUIRE(desk.store.approve(name_of(kName)));
  CHECK(users->users() == std::set<std::string>{kName});
  REQUIRE(desk.store.deny(name_of(kName)));
  CHECK(users->users().empty());
  REQUIRE(desk.store.approve(name_of(kName)));
  REQUIRE(desk.store.remove(name_of(kName)));
  CHECK(users->users().empty());
}

TEST_CASE("CsrStore: a decision holds though the broker does not answer") {
  const auto users = std::make_shared<RecordedUsers>();
  CsrStore::Options options;
  options.users = users;
  Desk desk(options);
  REQUIRE(desk.ask(Asker(kName)));
  users->fails = true;
  const auto decision = desk.store.approve(name_of(kName));
  REQUIRE(decision);
  REQUIRE(decision->broker_problem);
  CHECK_THAT(decision->broker_problem->message, Contains("does not answer"));
  CHECK(desk.status() == CsrStatus::kApproved);
  CHECK_FALSE(desk.store.reconcile());
  users->fails = false;
  REQUIRE(desk.store.reconcile());
  CHECK(users->users() == std::set<std::string>{kName});
  users->fails = true;
  CHECK(desk.store.deny(name_of(kName))->broker_problem);
  users->fails = false;
  REQUIRE(desk.store.reconcile());
  CHECK(users->users().empty());
}

TEST_CASE("CsrStore: the broker ends with what was decided last") {
  const auto users = std::make_shared<RecordedUsers>();
  CsrStore::Options options;
  options.users = users;
  Desk desk(options);
  REQUIRE(desk.ask(Asker(kName)));
  CsrStore other(desk.authority(), {});  // of a process without a broker
  users->meanwhile = [&] { REQUIRE(other.deny(name_of(kName))); };
  REQUIRE(desk.store.approve(name_of(kName)));
  CHECK(desk.status() == CsrStatus::kDenied);
  CHECK(users->users().empty());
}

TEST_CASE("CsrStore: where others decide again and again the broker is not told for ever") {
  const auto users = std::make_shared<RecordedUsers>();
  CsrStore::Options options;
  options.users = users;
  Desk desk(options);
  REQUIRE(desk.ask(Asker(kName)));
  CsrStore other(desk.authority(), {});  // of a process without a broker
  int left = 0;
  std::function<void()> turn = [&] {
    const bool is_in = other.get(name_of(kName))->status == CsrStatus::kApproved;
    REQUIRE((is_in ? other.deny(name_of(kName)) : other.approve(name_of(kName))).has_value());
    if (--left > 0) users->meanwhile = turn;
  };

  left = 100;
  users->meanwhile = turn;
  const auto decision = desk.store.approve(name_of(kName));
  REQUIRE(decision);
  REQUIRE(decision->broker_problem);
  CHECK(decision->broker_problem->code == ErrorCode::kBusy);
  CHECK(left == 90);
  CHECK(desk.store.reconcile().error().code == ErrorCode::kBusy);
  CHECK(left == 80);

  left = 5;
  CHECK(desk.store.reconcile());
  CHECK(left == 0);
  const bool is_in = desk.status() == CsrStatus::kApproved;
  CHECK(users->users() == (is_in ? std::set<std::string>{kName} : std::set<std::string>{}));
}

TEST_CASE("CsrStore: a request that others file meanwhile is answered as theirs") {
  std::function<void()> meanwhile;
  CsrStore::Options options;
  options.taken = [&](std::string_view) -> std::optional<std::string> {
    if (const auto once = std::exchange(meanwhile, {})) once();
    return std::nullopt;
  };
  Desk desk(options);
  CsrStore other(desk.authority(), {});
  const Asker asker(kName);
  meanwhile = [&] { REQUIRE(other.request(asker.request.pem(), "10.0.0.1")); };
  const auto entry = desk.ask(asker);
  REQUIRE(entry);
  CHECK(entry->address == "10.0.0.1");
  CHECK(entry->retries == 2);
  CHECK(desk.store.list()->size() == 1);

  // Where theirs is of another key, it is a conflict as later.
  const std::string another = "oracle1.remote.other";
  meanwhile = [&] { REQUIRE(other.request(Asker(another).request.pem(), "10.0.0.1")); };
  CHECK(code_of(desk.ask(Asker(another))) == ErrorCode::kConflict);
}

TEST_CASE("CsrStore: who is deleted is gone though its counts cannot be written") {
  Desk desk;
  const Asker asker(kName);
  REQUIRE(desk.ask(asker));
  REQUIRE(desk.ask(asker));
  REQUIRE(desk.store.flush());
  const std::string in_the_way = "certificates/csr_seen.json.tmp";
  desk.home.make_folder(in_the_way);
  const auto removed = desk.store.remove(name_of(kName));
  REQUIRE(removed);
  REQUIRE(removed->warnings.size() == 1);
  CHECK_THAT(removed->warnings.front(), Contains("csr_seen.json"));
  CHECK(desk.store.get(name_of(kName)).error().code == ErrorCode::kNotFound);
  fs::remove(desk.home / in_the_way);
  REQUIRE(desk.ask(asker));
  CHECK(desk.store.remove(name_of(kName))->warnings.empty());
}

TEST_CASE("CsrStore: goes on where it is moved to") {
  Desk desk;
  const TempHome elsewhere;
  const Asker asker(kName);
  REQUIRE(desk.ask(asker));
  CsrStore other(authority_in(elsewhere, desk.time), {});
  CHECK(other.list()->empty());
  other = std::move(desk.store);
  CHECK(other.get(name_of(kName))->status == CsrStatus::kPending);
  desk.store = std::move(other);
  CHECK(desk.status() == CsrStatus::kPending);
}

TEST_CASE("CsrStore: each decision is a line of the audit log") {
  Desk desk;
  desk.home.make_folder("audit");
  REQUIRE(desk.ask(Asker(kName)));
  const std::string serial =
      desk.store.approve(name_of(kName), {"alice", "auth remote approve"})->entry.certificate->serial;
  REQUIRE(desk.store.approve(name_of(kName), {"alice", "auth remote approve"}));  // changes nothing
  REQUIRE(desk.store.deny(name_of(kName), {"bob", "auth remote deny"}));
  REQUIRE(desk.store.remove(name_of(kName), {"carol", "auth remote delete"}));
  std::vector<Json> lines;
  for (const auto& file : fs::directory_iterator(desk.home / "audit")) {
    if (file.path().extension() != ".jsonl") continue;
    std::istringstream text(desk.home.read("audit/" + file.path().filename().string()));
    for (std::string line; std::getline(text, line);) lines.push_back(*Json::parse(line));
  }
  REQUIRE(lines.size() == 3);
  CHECK(*lines[0].find("who") == Json("alice"));
  CHECK(*lines[0].find("before")->find("csr")->find("status") == Json("PENDING"));
  CHECK(*lines[0].find("after")->find("csr")->find("status") == Json("APPROVED"));
  CHECK(*lines[0].find("after")->find("csr")->find("serial") == Json(serial));
  CHECK(*lines[1].find("who") == Json("bob"));
  CHECK(*lines[1].find("after")->find("csr")->find("status") == Json("DENIED"));
  CHECK(*lines[2].find("command") == Json("auth remote delete"));
}

TEST_CASE("CsrStore: what was begun is finished by the next operation") {
  // A folder stands where a file must go: what follows from the decision fails, the decision does not.
  struct Case {
    std::string in_the_way;
    std::function<Result<CsrDecision>(CsrStore&)> decide;
    CsrStatus then;
    std::size_t good;
  };
  const auto approve = [](CsrStore& store) { return store.approve(name_of(kName)); };
  const auto deny = [](CsrStore& store) { return store.deny(name_of(kName)); };
  for (const Case& of :
       {Case{kRemote + ".tmp", approve, CsrStatus::kApproved, 1},
        Case{kRequests + kName + ".json.tmp", approve, CsrStatus::kApproved, 1},
        Case{kRequests + kName + ".json.tmp", deny, CsrStatus::kDenied, 0},
        Case{"certificates/crls/oracle1-root-ca.crl.pem.tmp", deny, CsrStatus::kDenied, 0}}) {
    INFO(of.in_the_way);
    Desk desk;
    const Asker asker(kName);
    REQUIRE(desk.ask(asker));
    if (of.then == CsrStatus::kDenied) REQUIRE(approve(desk.store));
    desk.home.make_folder(of.in_the_way);
    CHECK_FALSE(of.decide(desk.store));
    CHECK_FALSE(desk.store.get(name_of(kName)));  // nobody is told half of it
    CHECK_FALSE(desk.ask(asker));
    fs::remove(desk.home / of.in_the_way);
    CsrStore later(desk.authority(), {});
    CHECK(later.get(name_of(kName))->status == of.then);
    CHECK(desk.issued() == std::pair<std::size_t, std::size_t>(1, of.good));
    CHECK(desk.home.has(kRemote) == (of.then == CsrStatus::kApproved));
    CHECK_FALSE(Json::parse(desk.home.read(kLedger))->find("in_progress"));
  }
}

TEST_CASE("CsrStore: processes that approve at once sign once") {
  Desk desk;
  const Asker asker(kName);
  REQUIRE(desk.ask(asker));
  std::vector<ChildProcess> children;
  for (int i = 0; i < 8; ++i) {
    children.emplace_back([&] { return desk.store.approve(name_of(kName)) ? 0 : 1; });
  }
  for (ChildProcess& child : children) CHECK(child.wait() == 0);
  CHECK(desk.issued() == std::pair<std::size_t, std::size_t>(1, 1));
  CHECK(desk.ask(asker)->certificate);
}

TEST_CASE("CsrStore: processes and threads that ask at once file one request") {
  Desk desk;
  const Asker asker(kName);
  std::vector<ChildProcess> children;
  for (int i = 0; i < 4; ++i) children.emplace_back([&] { return desk.ask(asker) ? 0 : 1; });
  for (ChildProcess& child : children) CHECK(child.wait() == 0);
  std::atomic<int> answered = 0;
  {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { answered += desk.ask(asker) ? 1 : 0; });
    for (std::thread& thread : threads) thread.join();
  }
  CHECK(answered == 4);
  CHECK(desk.store.list()->size() == 1);
}

TEST_CASE("CsrStore: a kill at any moment leaves a request whole") {
  Desk desk;
  const Asker asker(kName);
  REQUIRE(desk.ask(asker));
  std::mt19937 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same moments each time
  // How long each of these takes here, so that the kills fall into them.
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(desk.store.approve(name_of(kName)));
  const auto one =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  std::uniform_int_distribution<std::int64_t> moment(0, one.count() * 6);
  std::set<std::string> revoked;
  for (int round = 0; round < 60; ++round) {
    {
      ChildProcess child([&] {
        CsrStore store(desk.authority(), {});
        CertificateAuthority authority = desk.authority();
        for (;;) {
          static_cast<void>(store.approve(name_of(kName)));
          static_cast<void>(authority.renew(name_of(kName), CertificateAuthority::Key::kKeep));
          static_cast<void>(store.deny(name_of(kName)));
          static_cast<void>(store.approve(name_of(kName)));
          static_cast<void>(store.remove(name_of(kName)));
          static_cast<void>(store.request(asker.request.pem(), kAddress));
        }
        return 0;
      });
      std::this_thread::sleep_for(std::chrono::microseconds(moment(random)));
      child.kill();
    }
    CsrStore store(desk.authority(), {});
    const auto entry = store.request(asker.request.pem(), "10.1.0." + std::to_string(round));
    REQUIRE(entry);
    CHECK((entry->status == CsrStatus::kApproved) == entry->certificate.has_value());
    std::vector<std::string> warnings;
    REQUIRE(store.list(&warnings));
    CHECK(warnings.empty());
    const auto list = desk.authority().list();
    REQUIRE(list);
    CertificateAuthority authority = desk.authority();
    const auto crl = authority.revocation_list();
    REQUIRE(crl);
    for (const IssuedCertificate& item : *list) {
      if (item.certificate.common_name != kName) continue;
      // Good is only what an approved request has; nothing that was revoked comes back.
      if (!item.revoked_at) CHECK(entry->status == CsrStatus::kApproved);
      if (item.revoked_at) revoked.insert(item.certificate.serial);
      if (!item.revoked_at) CHECK_FALSE(revoked.contains(item.certificate.serial));
    }
  }
  CHECK(revoked.size() > 10);
  const std::string text =
      openssl(desk.home / "certificates", "crl -in crls/oracle1-root-ca.crl.pem -noout -text");
  for (const std::string& serial : revoked) CHECK_THAT(text, Contains(serial));
  // Beside the files that belong there, one temporary of each kind at most.
  CHECK(paths_in(desk.home / "certificates").size() < 30);
}

TEST_CASE("CsrStore: a ledger older than the revocation list takes no revocation back") {
  for (const bool is_missing : {false, true}) {
    INFO(is_missing);
    Desk desk;
    const std::string other = "oracle1.remote.other";
    REQUIRE(desk.ask(Asker(kName)));
    REQUIRE(desk.ask(Asker(other)));
    const std::string pem = desk.store.approve(name_of(kName))->entry.certificate->pem;
    REQUIRE(desk.store.approve(name_of(other)));
    const std::string older = desk.home.read(kLedger);
    REQUIRE(desk.store.deny(name_of(kName)));
    const std::string newest = desk.home.read(kLedger);
    const std::string list = desk.home.read(kList);
    if (is_missing) fs::remove(desk.home / kLedger);
    if (!is_missing) desk.home.write(kLedger, older);

    CertificateAuthority authority = desk.authority();
    const auto verified = authority.verify(pem);
    REQUIRE_FALSE(verified);
    CHECK(verified.error().code == ErrorCode::kConflict);
    CHECK_THAT(verified.error().message, Contains("older than the revocation list") && Contains("restore"));
    CHECK(authority.revocation_list().error().code == ErrorCode::kConflict);
    CHECK(desk.store.deny(name_of(other)).error().code == ErrorCode::kConflict);
    CHECK(CertificateAuthority::open(desk.home / "certificates", "oracle1", {}).error().code ==
          ErrorCode::kConflict);
    CHECK(desk.home.read(kList) == list);
    CHECK_FALSE(desk.openssl_accepts(pem));

    desk.home.write(kLedger, newest);
    REQUIRE(desk.store.deny(name_of(other)));
    CHECK_FALSE(desk.openssl_accepts(pem));
    CHECK(authority.verify(pem).error().code == ErrorCode::kPermissionDenied);
  }
}

TEST_CASE("CsrStore: a revocation list that lacks a revoked one is made anew whatever its number") {
  Desk desk;
  REQUIRE(desk.ask(Asker(kName)));
  const std::string pem = desk.store.approve(name_of(kName))->entry.certificate->pem;
  const std::string older = desk.home.read(kLedger);
  CertificateAuthority authority = desk.authority();
  *desk.time.now += 25h;
  REQUIRE(authority.revocation_list());
  const std::string list = desk.home.read(kList);  // of the number that the next revocation has
  desk.home.write(kLedger, older);
  fs::remove(desk.home / kList);
  REQUIRE(desk.store.deny(name_of(kName)));
  desk.home.write(kList, list);
  CHECK(desk.openssl_accepts(pem));
  REQUIRE(authority.revocation_list());
  CHECK_FALSE(desk.openssl_accepts(pem));
}

TEST_CASE("CsrStore: a request keeps no local agent from its certificate") {
  Desk desk;
  REQUIRE(desk.ask(Asker("oracle1.local.listener")));
  CertificateAuthority authority = desk.authority();
  CHECK(authority.client_certificate(name_of("oracle1.local.listener")));
  CHECK(desk.store.approve(name_of("oracle1.local.listener")).error().code == ErrorCode::kPermissionDenied);
  REQUIRE(desk.ask(Asker(kName)));
  REQUIRE(desk.store.approve(name_of(kName)));
  CHECK(authority.client_certificate(name_of(kName)).error().code == ErrorCode::kAlreadyExists);

  // What has one part only behind the instance is the name of a local agent.
  CHECK(code_of(desk.ask(Asker("oracle1.listener"))) == ErrorCode::kInvalidArgument);
  CHECK(authority.client_certificate(name_of("oracle1.listener")));
}

TEST_CASE("CsrStore: the whole name of a record can be neither asked for nor approved") {
  bool is_taken = true;
  CsrStore::Options options;
  options.taken = [&](std::string_view name) -> std::optional<std::string> {
    if (is_taken && name == kName) return "it is a record's";
    return std::nullopt;
  };
  Desk desk(options);
  const Asker asker(kName);
  CHECK(code_of(desk.ask(asker)) == ErrorCode::kPermissionDenied);
  is_taken = false;
  REQUIRE(desk.ask(asker));
  is_taken = true;
  const auto refused = desk.store.approve(name_of(kName));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kPermissionDenied);
  CHECK_THAT(refused.error().message, Contains("remove the record"));
  CHECK(desk.status() == CsrStatus::kPending);

  // A record for who is approved already gives it rights, and takes nothing.
  is_taken = false;
  REQUIRE(desk.store.approve(name_of(kName)));
  is_taken = true;
  CHECK(desk.ask(asker)->status == CsrStatus::kApproved);
  CHECK(desk.store.approve(name_of(kName)));
  *desk.time.now += std::chrono::days(400);
  CHECK(desk.store.approve(name_of(kName)));
  REQUIRE(desk.store.deny(name_of(kName)));
  CHECK(desk.store.approve(name_of(kName)).error().code == ErrorCode::kPermissionDenied);
}

TEST_CASE("CsrStore: one whose certificate has ended waits until it is approved again") {
  const auto users = std::make_shared<RecordedUsers>();
  CsrStore::Options options;
  options.users = users;
  Desk desk(options);
  const Asker asker(kName);
  REQUIRE(desk.ask(asker));
  const std::string first = desk.store.approve(name_of(kName))->entry.certificate->serial;
  *desk.time.now += std::chrono::days(364);
  CHECK(desk.ask(asker)->status == CsrStatus::kApproved);
  *desk.time.now += std::chrono::days(1);
  const auto answer = desk.ask(asker);
  REQUIRE(answer);
  CHECK(answer->status == CsrStatus::kPending);
  CHECK_FALSE(answer->certificate);
  std::vector<std::string> warnings;
  REQUIRE(desk.store.list(&warnings));
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings.front(), Contains("has ended") && Contains("approve it again"));
  REQUIRE(desk.store.reconcile());
  CHECK(users->users().empty());

  const auto again = desk.store.approve(name_of(kName));
  REQUIRE(again);
  CHECK(again->entry.certificate->serial != first);
  CHECK(again->entry.certificate->key_fingerprint == asker.key.fingerprint());
  CHECK(desk.ask(asker)->certificate->is_valid_at(*desk.time.now));
  CHECK(users->users() == std::set<std::string>{kName});
}

TEST_CASE("CsrStore: the broker hears of a decision whoever finishes it") {
  const std::string in_the_way = "certificates/crls/oracle1-root-ca.crl.pem.tmp";
  for (const bool is_left_to_others : {false, true}) {
    INFO(is_left_to_others);
    const auto users = std::make_shared<RecordedUsers>();
    CsrStore::Options options;
    options.users = users;
    Desk desk(options);
    REQUIRE(desk.ask(Asker(kName)));
    REQUIRE(desk.store.approve(name_of(kName)));
    CHECK(users->users() == std::set<std::string>{kName});
    desk.home.make_folder(in_the_way);
    users->fails = is_left_to_others;
    CHECK_FALSE(desk.store.deny(name_of(kName)));
    users->fails = false;
    if (!is_left_to_others) CHECK(users->users().empty());
    fs::remove(desk.home / in_the_way);
    REQUIRE(desk.ask(Asker("oracle1.remote.other")));
    CHECK(users->users().empty());
  }
}

TEST_CASE("CsrStore: the broker keeps who is approved where its files cannot be read just now") {
  const auto users = std::make_shared<RecordedUsers>();
  CsrStore::Options options;
  options.users = users;
  Desk desk(options);
  const std::string other = "oracle1.remote.other";
  REQUIRE(desk.ask(Asker(kName)));
  REQUIRE(desk.ask(Asker(other)));
  REQUIRE(desk.store.approve(name_of(other)));
  const std::string json = kRequests + kName + ".json";
  bool is_asked = false;
  users->meanwhile = [&] {
    is_asked = true;
    desk.home.set_mode(json, 0666);
  };
  const auto decision = desk.store.approve(name_of(kName));
  REQUIRE(decision);
  CHECK(is_asked);
  REQUIRE(decision->broker_problem);
  CHECK(decision->broker_problem->code == ErrorCode::kPermissionDenied);
  CHECK(users->users() == std::set<std::string>{kName, other});

  // One file is no reason to leave the others as they are.
  REQUIRE(desk.store.reconcile());
  CHECK(users->users() == std::set<std::string>{other});
  desk.home.set_mode(json, 0600);
  REQUIRE(desk.store.reconcile());
  CHECK(users->users() == std::set<std::string>{kName, other});
  desk.home.write(kLedger, "{");
  CHECK_FALSE(desk.store.reconcile());
  CHECK(users->users() == std::set<std::string>{kName, other});
}

TEST_CASE("CsrStore: a certificate file that cannot be read keeps nobody from denying") {
  for (const bool is_folder : {false, true}) {
    INFO(is_folder);
    Desk desk;
    REQUIRE(desk.ask(Asker(kName)));
    const std::string pem = desk.store.approve(name_of(kName))->entry.certificate->pem;
    if (is_folder) {
      fs::remove(desk.home / kRemote);
      desk.home.make_folder(kRemote);
    } else {
      desk.home.set_mode(kRemote, 0666);
    }
    const auto denied = desk.store.deny(name_of(kName));
    REQUIRE(denied);
    REQUIRE_FALSE(denied->warnings.empty());
    CHECK_THAT(denied->warnings.front(), Contains("oracle1.remote.agent.crt"));
    CHECK_FALSE(desk.openssl_accepts(pem));
    CHECK(desk.home.has(kRemote) == is_folder);
    CHECK_FALSE(Json::parse(desk.home.read(kLedger))->find("in_progress"));
  }
}

TEST_CASE("CsrStore: a folder in the place of a request is refused and stops nothing") {
  Desk desk;
  desk.home.make_folder(kRequests + kName + ".json");
  CHECK(desk.store.remove(name_of(kName)).error().code == ErrorCode::kConflict);
  CertificateAuthority authority = desk.authority();
  CHECK(authority.client_certificate(name_of("oracle1.other")));
  CHECK(authority.revocation_list());
}

TEST_CASE("CsrStore: a revoked certificate stays on the list for one more after it has ended") {
  Desk desk;
  REQUIRE(desk.ask(Asker(kName)));
  const std::string serial = desk.store.approve(name_of(kName))->entry.certificate->serial;
  REQUIRE(desk.store.deny(name_of(kName)));
  CertificateAuthority authority = desk.authority();
  const auto listed = [&] {
    REQUIRE(authority.revocation_list());
    return openssl(desk.home / "certificates", "crl -in crls/oracle1-root-ca.crl.pem -noout -text");
  };
  *desk.time.now += std::chrono::days(365 + 29);
  CHECK_THAT(listed(), Contains(serial));
  *desk.time.now += std::chrono::days(2);
  CHECK_THAT(listed(), !Contains(serial));
}
