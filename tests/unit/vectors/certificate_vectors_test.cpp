// Requests for certificates, against recorded behaviour of VOLTTRON's Certs class.

#include <algorithm>
#include <map>

#include <vipauth/certificate_authority.hpp>
#include <vipauth/csr_store.hpp>

#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/vectors.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

const std::string kIdentity = "oracle1.remote.agent1";

/// What this library has no counterpart of, or does on purpose in another way; each has tests of its own.
bool is_replayed(const Json& recorded) {
  static const std::map<std::string, std::string> kOthers = {
      {"CSR with RSA 1024", "refused when it is sent"},
      {"CSR without CN", "refused when it is sent"},
      {"identity with path traversal in status", "no such path can be asked for"},
      {"CSR empty", "refused when it is sent"},
      {"CSR as str instead of bytes", "there is one type of text"},
      {"no CA yet", "a store has an authority"},
      {"empty .json in pending is skipped", "is a warning"},
      {"corrupt .json in pending breaks the list", "is a warning"},
      {"status file without status", "is a warning"},
      {"status may be edited to APPROVED without a certificate", "counts as pending"},
      {"approve without the .csr file", "an error, as there"},
      {"deny without the .csr file", "an error, as there"}};
  const Json::Array& ops = at(recorded, "ops").as_array();
  const bool is_about_requests = std::all_of(ops.begin(), ops.end(), [](const Json& op) {
    static const std::vector<std::string> kKnown = {"save",           "approve",  "deny_csr", "delete_csr",
                                                    "get_csr_status", "get_cert", "pending",  "ca_db"};
    return std::find(kKnown.begin(), kKnown.end(), op.as_array()[0].as_string()) != kKnown.end();
  });
  return is_about_requests && !kOthers.contains(text_at(recorded, "name"));
}

/// One case on a home of its own.
class Replay {
 public:
  explicit Replay(const Json& recorded) : recorded_(recorded) {
    put_recorded_root(home_);
    store_.emplace(authority_in(home_, CertificateAuthority::Options()), CsrStore::Options());
  }

  const TempHome& home() const { return home_; }
  CsrStore& store() { return *store_; }

  Result<CsrEntry> save(const Json::Array& op) {
    return store_->request(text_at(at(recorded_, "csr_pem"), op[3].as_string()), op[1].as_string());
  }

  /// "UNKNOWN" where there is none, as VOLTTRON says.
  std::string status(const std::string& identity) const {
    const auto name = CommonName::parse(identity);
    if (!name) return "UNKNOWN";
    const auto entry = store_->get(*name);
    return entry ? std::string(to_string(entry->status)) : "UNKNOWN";
  }

 private:
  const Json& recorded_;
  TempHome home_;
  std::optional<CsrStore> store_;
};

/// A certificate as it is recorded: what of it is the same here.
void check_certificate(const Json& theirs, const Certificate& ours, const std::string& identity) {
  CHECK(ours.common_name == identity);
  const Json::Array& issuer = at(theirs, "issuer").as_array();
  CHECK(issuer.back() == Json(Json::Array{Json("CN"), Json(ours.issuer_name)}));
}

bool is_error(const Json& result) { return result.find("error") != nullptr; }

}  // namespace

TEST_CASE("CsrStore: requests go as they do in VOLTTRON but for named differences") {
  std::size_t compared = 0;
  std::size_t refused = 0;
  for (const Json& recorded : recorded_cases("certs.json")) {
    if (!is_replayed(recorded)) continue;
    INFO(text_at(recorded, "name"));
    Replay replay(recorded);
    const Json::Array& ops = at(recorded, "ops").as_array();
    const Json::Array& results = at(at(recorded, "upstream"), "results").as_array();
    for (std::size_t i = 0; i < ops.size(); ++i) {
      const Json::Array& op = ops[i].as_array();
      const std::string& verb = op[0].as_string();
      INFO(ops[i].dump());
      if (verb == "save") {
        // A name that is none, is not of this instance, or is not the CSR's; another key for a name.
        const auto entry = replay.save(op);
        const bool is_its_name = entry && entry->common_name.text() == op[2].as_string();
        if (!is_its_name) {
          ++refused;
          break;
        }
        ++compared;
        continue;
      }
      if (verb == "pending") {
        CHECK(replay.store().list()->size() == at(results[i], "ok").as_array().size());
      } else if (verb == "get_csr_status") {
        CHECK(replay.status(op[1].as_string()) == text_at(results[i], "ok"));
      } else if (verb == "get_cert") {
        const auto entry = replay.store().get(name_of(op[1].as_string()));
        CHECK_FALSE((entry && entry->certificate));
        CHECK(at(results[i], "ok").is_null());
      } else if (verb == "approve") {
        // VOLTTRON stumbles over subjects without country; what is signed here needs none.
        const auto decision = replay.store().approve(name_of(op[1].as_string()));
        REQUIRE(decision);
        if (is_error(results[i])) break;
        check_certificate(at(results[i], "ok"), *decision->entry.certificate, op[1].as_string());
      } else if (verb == "deny_csr") {
        const auto decision = replay.store().deny(name_of(op[1].as_string()));
        CHECK(decision.has_value() == !is_error(results[i]));
      } else if (verb == "delete_csr") {
        // Here it is an error that there is nothing to delete.
        const auto decision = replay.store().remove(name_of(op[1].as_string()));
        CHECK((decision || decision.error().code == ErrorCode::kNotFound));
      }
      ++compared;
    }
  }
  CHECK(compared > 30);
  CHECK(refused > 8);
}

TEST_CASE("CertificateAuthority: an agent's certificate says what VOLTTRON's does") {
  for (const Json& recorded : recorded_cases("certs.json")) {
    if (text_at(recorded, "name") != "create client certificate") continue;
    const TempHome home;
    put_recorded_root(home);
    CertificateAuthority authority = authority_in(home, CertificateAuthority::Options());
    const auto files = authority.client_certificate(name_of("oracle1.agent1"));
    REQUIRE(files);
    const Json::Array& results = at(at(recorded, "upstream"), "results").as_array();
    check_certificate(at(results[0], "ok"), authority.list()->back().certificate, "oracle1.agent1");
    for (const Json& file : at(at(recorded, "upstream"), "new_files").as_array()) {
      if (file.as_string().starts_with("ca_db/")) continue;  // a ledger of another form
      CHECK(home.has("certificates/" + file.as_string()));
    }
  }
}

TEST_CASE("CertificateAuthority: leaves what VOLTTRON keeps of its certificates alone") {
  const TempHome home;
  put_recorded_root(home);
  home.make_folder("certificates/ca_db");
  home.write("certificates/ca_db/oracle1-root-ca-cadb.json", "{\"x\": 1}");
  home.write("certificates/ca_db/oracle1-root-ca-serial", "17");
  CsrStore store(authority_in(home, CertificateAuthority::Options()), {});
  const Asker asker(kIdentity);
  REQUIRE(store.request(asker.request.pem(), "127.0.0.1"));
  REQUIRE(store.approve(name_of(kIdentity)));
  CHECK(home.read("certificates/ca_db/oracle1-root-ca-cadb.json") == "{\"x\": 1}");
  CHECK(home.read("certificates/ca_db/oracle1-root-ca-serial") == "17");
}
