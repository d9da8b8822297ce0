#include "support/certificates.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <vipauth/certificate_key_file.hpp>
#include <vipauth/csr_store.hpp>
#include <vipauth/remote_certificate_files.hpp>

#include "pki/certificate_issuer.hpp"
#include "support/catch.hpp"
#include "writer.hpp"

namespace vipauth::test {

namespace {

namespace fs = std::filesystem;

using Purpose = IssuedCertificate::Purpose;

const std::string kRoot = "certificates/certs/oracle1-root-ca.crt";
const std::string kLedger = "certificates/ca_db/oracle1-root-ca-ledger.json";
const std::string kList = "certificates/crls/oracle1-root-ca.crl.pem";
const std::string kAgent = "oracle1.agent";
const std::string kRemote = "oracle1.remote.agent";
const std::vector<std::string> kPublic{kRoot,
                                       kList,
                                       "certificates/certs/oracle1.agent.crt",
                                       "certificates/certs/oracle1.other.crt",
                                       "certificates/remote_certs/oracle1.remote.agent.crt",
                                       "certificates/remote_certs/v1_ca.crt",
                                       "certificates/remote_certs/v1.v2.platform.agent.crt",
                                       "certificates/remote_certs/v1.v2.platform.agent.json"};

template <typename T>
Result<void> without_value(const Result<T>& result) {
  return result ? Result<void>() : result.error();
}

void must(const Result<void>& result) {
  if (!result) throw std::runtime_error(result.error().to_string());
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

CertificateAuthority::Options options_at(Timestamp now) {
  CertificateAuthority::Options options;
  options.clock = [now] { return now; };
  return options;
}

Result<CertificateAuthority> authority_of(const fs::path& home, Timestamp now = kNow) {
  return CertificateAuthority::open_or_create(home / "certificates", "oracle1", options_at(now));
}

Result<void> issue(const fs::path& home, const std::string& name) {
  auto authority = authority_of(home);
  return authority ? without_value(authority->client_certificate(name_of(name))) : authority.error();
}

Result<CsrStore> store_of(const fs::path& home) {
  auto authority = authority_of(home);
  if (!authority) return authority.error();
  return CsrStore(*std::move(authority), {});
}

const std::string& request_pem() {
  static const std::string pem = Asker(kRemote).request.pem();
  return pem;
}

Result<void> ask(const fs::path& home) {
  auto store = store_of(home);
  return store ? without_value(store->request(request_pem(), "10.0.0.7")) : store.error();
}

/// What the ledger and the files say; "unfinished" where the next operation has something to finish.
std::string authority_state(const fs::path& home) {
  const auto authority = CertificateAuthority::open(home / "certificates", "oracle1", options_at(kNow));
  if (!authority) return std::string(to_string(authority.error().code));
  std::vector<std::string> warnings;
  const auto list = authority->list(&warnings);
  if (!list) return list.error().to_string();
  std::string out;
  for (const std::string& warning : warnings) {
    if (warning.find("is not finished") == std::string::npos) return warning;
    out = "unfinished: ";
  }
  std::size_t revoked = 0;
  for (const IssuedCertificate& item : *list) {
    if (item.revoked_at) ++revoked;
    out += item.certificate.common_name + (item.is_current ? " current" : "") +
           (item.revoked_at ? " revoked" : "") + ", ";
    if (!item.is_current || item.purpose == Purpose::kRoot || !warnings.empty()) continue;
    const bool is_remote = item.purpose == Purpose::kRequested;
    const fs::path folder = home / "certificates" / (is_remote ? "remote_certs" : "certs");
    if (read_file(folder / (item.certificate.common_name + ".crt")) != item.certificate.pem)
      return "the file is another certificate";
    const auto key =
        CertificateKeyFile(home / "certificates/private" / (item.certificate.common_name + ".pem")).load();
    if (!is_remote && (!key || key->fingerprint() != item.certificate.key_fingerprint))
      return "the file is another key";
  }
  if (revoked > 0 && warnings.empty()) {
    const auto facts = read_revocation_list(read_file(home / kList));
    if (!facts || facts->serials.size() != revoked) return "the revocation list lacks one";
  }
  const auto store = store_of(home);
  if (!store) return store.error().to_string();
  const auto requests = store->list(&warnings);
  if (!requests) return requests.error().to_string();
  for (const CsrEntry& entry : *requests) {
    out += entry.common_name.text() + "=" + std::string(to_string(entry.status)) +
           (entry.certificate ? " certified, " : ", ");
  }
  return out;
}

/// Issues to another name, which finishes what was begun.
Result<void> finish(const fs::path& home) {
  if (auto issued = issue(home, "oracle1.other"); !issued) return issued;
  const std::string state = authority_state(home);
  if (state.starts_with("unfinished") || state.find("oracle1.other") == std::string::npos) {
    return Error{ErrorCode::kUnavailable, "after that: " + state, ""};
  }
  return {};
}

Writer authority_writer(std::string name) {
  Writer out;
  out.name = std::move(name);
  out.is_slow = true;
  out.prepare = [](const fs::path& home) { must(without_value(authority_of(home))); };
  out.state = authority_state;
  out.is_between = [](const std::string& state) { return state.starts_with("unfinished"); };
  out.next = finish;
  out.files = {kLedger};
  out.public_files = kPublic;
  return out;
}

std::function<Result<void>(const fs::path&)> deciding(
    const std::function<Result<CsrDecision>(CsrStore&, const CommonName&)>& decide) {
  return [decide](const fs::path& home) -> Result<void> {
    auto store = store_of(home);
    return store ? without_value(decide(*store, name_of(kRemote))) : store.error();
  };
}

}  // namespace

TEST_CASE("faults: an authority is made") {
  Writer writer = authority_writer("an authority is made");
  writer.prepare = [](const fs::path&) {};
  writer.write = [](const fs::path& home) { return without_value(authority_of(home)); };
  writer.files = {kRoot};
  check_faults(writer);
}

TEST_CASE("faults: a certificate is issued") {
  Writer writer = authority_writer("a certificate is issued");
  writer.write = [](const fs::path& home) { return issue(home, kAgent); };
  writer.next = [](const fs::path& home) -> Result<void> {
    auto issued = issue(home, kAgent);
    return issued ? finish(home) : issued;
  };
  check_faults(writer);
}

TEST_CASE("faults: a certificate is renewed with a new key") {
  Writer writer = authority_writer("a certificate is renewed");
  writer.prepare = [](const fs::path& home) { must(issue(home, kAgent)); };
  writer.write = [](const fs::path& home) -> Result<void> {
    auto authority = authority_of(home);
    if (!authority) return authority.error();
    return without_value(authority->renew(name_of(kAgent), CertificateAuthority::Key::kNew));
  };
  writer.next = [renew = writer.write](const fs::path& home) -> Result<void> {
    auto renewed = renew(home);
    return renewed ? finish(home) : renewed;
  };
  check_faults(writer);
}

TEST_CASE("faults: a certificate is revoked") {
  Writer writer = authority_writer("a certificate is revoked");
  writer.prepare = [](const fs::path& home) {
    fs::create_directory(home / "audit");
    fs::permissions(home / "audit", static_cast<fs::perms>(0700));
    must(issue(home, kAgent));
  };
  writer.write = [](const fs::path& home) -> Result<void> {
    auto authority = authority_of(home);
    return authority ? authority->revoke(name_of(kAgent)) : authority.error();
  };
  check_faults(writer);
}

TEST_CASE("faults: a revocation list is made anew") {
  Writer writer = authority_writer("a revocation list is made anew");
  writer.prepare = [](const fs::path& home) {
    must(issue(home, kAgent));
    must(authority_of(home)->revoke(name_of(kAgent)));
  };
  writer.write = [](const fs::path& home) -> Result<void> {
    auto authority = authority_of(home, kNow + std::chrono::days(2));
    return authority ? without_value(authority->revocation_list()) : authority.error();
  };
  writer.state = [](const fs::path& home) {
    const auto facts = read_revocation_list(read_file(home / kList));
    return facts
               ? "number " + std::to_string(facts->number) + " with " + std::to_string(facts->serials.size())
               : facts.error().to_string();
  };
  writer.is_between = {};
  writer.files = {kList};
  check_faults(writer);
}

TEST_CASE("faults: a request for a certificate is filed") {
  Writer writer = authority_writer("a request is filed");
  writer.write = ask;
  writer.files = {"certificates/pending_csr/oracle1.remote.agent.json"};
  // The same may be asked again.
  writer.next = [](const fs::path& home) -> Result<void> {
    if (auto asked = ask(home); !asked) return asked;
    return deciding([](CsrStore& store, const CommonName& name) { return store.approve(name); })(home);
  };
  check_faults(writer);
}

TEST_CASE("faults: a request is approved") {
  Writer writer = authority_writer("a request is approved");
  writer.prepare = [](const fs::path& home) { must(ask(home)); };
  writer.write = deciding([](CsrStore& store, const CommonName& name) { return store.approve(name); });
  check_faults(writer);
}

TEST_CASE("faults: what was approved is denied and deleted") {
  Writer writer = authority_writer("a request is denied");
  writer.prepare = [](const fs::path& home) {
    must(ask(home));
    must(deciding([](CsrStore& store, const CommonName& name) { return store.approve(name); })(home));
  };
  writer.write = deciding([](CsrStore& store, const CommonName& name) { return store.deny(name); });
  check_faults(writer);

  writer.name = "a request is deleted";
  writer.write = deciding([](CsrStore& store, const CommonName& name) { return store.remove(name); });
  check_faults(writer);
}

TEST_CASE("faults: the key of a certificate is made and replaced") {
  const auto file = [](const fs::path& home) { return CertificateKeyFile(home / "key.pem"); };
  Writer writer;
  writer.name = "a key is made";
  writer.prepare = [](const fs::path&) {};
  writer.write = [=](const fs::path& home) { return without_value(file(home).load_or_create()); };
  writer.state = [=](const fs::path& home) {
    const auto key = file(home).load();
    return key ? std::string("a key") : key.error().to_string();
  };
  writer.next = writer.write;
  writer.files = {"key.pem"};
  check_faults(writer);

  static const CertificateKey other = *CertificateKey::generate();
  writer.name = "a key is replaced";
  writer.prepare = [=](const fs::path& home) { must(without_value(file(home).load_or_create())); };
  writer.write = [=](const fs::path& home) { return file(home).replace(other); };
  writer.next = writer.write;
  writer.state = [=](const fs::path& home) {
    const auto key = file(home).load();
    return key ? key->fingerprint() : key.error().to_string();
  };
  check_faults(writer);
}

TEST_CASE("faults: a certificate of another platform is saved and forgotten") {
  const std::string address = "https://v1:8443";
  static const std::string pem = [] {
    const TempHome home;
    return CertificateAuthority::open_or_create(home / "other", "v1", {})->root().pem;
  }();
  const auto files = [](const fs::path& home) {
    return RemoteCertificateFiles(home / "certificates", name_of("v2.platform.agent"));
  };
  const auto save = [=](const fs::path& home) -> Result<void> {
    const auto certificate = Certificate::parse(pem);
    if (!certificate) return certificate.error();
    return files(home).save(name_of("v1.v2.platform.agent"), *certificate, pem, address,
                            Json(Json::Object()));
  };
  Writer writer;
  writer.name = "a certificate is saved";
  writer.prepare = [](const fs::path&) {};
  writer.write = save;
  writer.state = [=](const fs::path& home) {
    const auto found = files(home).find(address);
    if (!found) return found.error().to_string();
    return std::string(found->has_value() ? "saved" : "none");
  };
  writer.next = save;
  writer.files = {"certificates/remote_certs/v1.v2.platform.agent.json"};
  writer.public_files = kPublic;
  check_faults(writer);

  writer.name = "a certificate is forgotten";
  writer.prepare = [=](const fs::path& home) { must(save(home)); };
  writer.write = [=](const fs::path& home) {
    return files(home).forget(name_of("v1.v2.platform.agent"), address);
  };
  check_faults(writer);
}

}  // namespace vipauth::test
