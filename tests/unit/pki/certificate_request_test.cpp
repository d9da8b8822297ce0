#include <vipauth/certificate_request.hpp>

#include <openssl/asn1.h>

#include "support/catch.hpp"
#include "support/certificates.hpp"

using namespace vipauth;
using namespace vipauth::test;
using Catch::Contains;

namespace {

const std::string kName = "oracle1.remote.agent";

ErrorCode refusal_of(std::string_view pem) {
  const auto request = CertificateRequest::parse(pem);
  REQUIRE_FALSE(request);
  CHECK_FALSE(request.error().message.empty());
  return request.error().code;
}

}  // namespace

TEST_CASE("CommonName: what may name a file and nothing else") {
  for (const char* good : {"a", "volttron1.volttron2.platform.agent", "A-b_c.9", "-", "_._"}) {
    INFO(good);
    CHECK(CommonName::parse(good));
  }
  const std::string longest(64, 'n');
  CHECK(CommonName::parse(longest));
  CHECK(CommonName::parse(longest + "n").error().code == ErrorCode::kLimitExceeded);
  for (const std::string_view bad :
       {std::string_view(""), std::string_view("."), std::string_view(".."), std::string_view("a..b"),
        std::string_view(".a"), std::string_view("a."), std::string_view("../a"), std::string_view("a/b"),
        std::string_view("a b"), std::string_view("a\nb"), std::string_view("a\0b", 3),
        std::string_view("\xc3\xa9"), std::string_view("a,b"), std::string_view("a:b"),
        std::string_view("a\x1b[2J")}) {
    INFO(bad);
    const auto name = CommonName::parse(bad);
    REQUIRE_FALSE(name);
    CHECK(name.error().code == ErrorCode::kInvalidArgument);
    CHECK(name.error().message.find_first_of("\n\x1b") == std::string::npos);
  }
}

TEST_CASE("CommonName: what stands behind the instance") {
  const CommonName name = name_of("oracle1.remote.agent");
  CHECK(name.within("oracle1") == "remote.agent");
  CHECK(name.within("oracle1.remote") == "agent");
  CHECK_FALSE(name.within("oracle"));
  CHECK_FALSE(name.within("oracle1.remote.agent"));
  CHECK_FALSE(name.within("other"));
  CHECK_FALSE(name.within(""));
}

TEST_CASE("CertificateRequest: one that it made itself") {
  const Asker asker(kName);
  CHECK(asker.request.common_name().text() == kName);
  CHECK(asker.request.key_kind() == "P-256");
  CHECK(asker.request.key_fingerprint() == asker.key.fingerprint());
  const auto again = CertificateRequest::parse(asker.request.pem());
  REQUIRE(again);
  CHECK(again->pem() == asker.request.pem());
  CHECK(CertificateRequest::parse("\n " + asker.request.pem() + "\r\n\n"));
}

TEST_CASE("CertificateRequest: keys of each kind that openssl makes") {
  const TempHome home;
  struct Kind {
    std::string key;
    std::string kind;  // empty: refused
  };
  const std::vector<Kind> kinds = {{"rsa:2048", "RSA 2048"},
                                   {"rsa:3072", "RSA 3072"},
                                   {"ec -pkeyopt ec_paramgen_curve:P-256", "P-256"},
                                   {"ec -pkeyopt ec_paramgen_curve:P-384", "P-384"},
                                   {"ec -pkeyopt ec_paramgen_curve:P-521", "P-521"},
                                   {"ed25519", "Ed25519"},
                                   {"rsa:1024", ""},
                                   {"ec -pkeyopt ec_paramgen_curve:secp256k1", ""},
                                   {"ec -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit", ""},
                                   {"rsa-pss -pkeyopt rsa_keygen_bits:2048", ""},
                                   {"ed448", ""}};
  for (const Kind& kind : kinds) {
    INFO(kind.key);
    const std::string pem = foreign_request(home, kName, kind.key);
    if (kind.kind.empty()) {
      CHECK(refusal_of(pem) == ErrorCode::kUnsupported);
      continue;
    }
    const auto request = CertificateRequest::parse(pem);
    REQUIRE(request);
    CHECK(request->key_kind() == kind.kind);
  }
}

TEST_CASE("CertificateRequest: names that it must not have") {
  REQUIRE(CertificateRequest::parse(odd_request({{kName}})));  // the same, honestly
  for (const std::string& name :
       {std::string("oracle1.../../etc"), std::string("oracle1.a\0.b", 12), "oracle1." + std::string(57, 'n'),
        std::string("oracle1.a b"), std::string("oracle1.\x1b[2J"), std::string("oracle1.\xc3\xa9")}) {
    INFO(name);
    CHECK(refusal_of(odd_request({{name}})) == ErrorCode::kInvalidArgument);
  }
  CHECK(CertificateRequest::parse(odd_request({{"oracle1." + std::string(56, 'n')}})));
  CHECK(refusal_of(odd_request({{"oracle1.\xff"}})) == ErrorCode::kParseError);
  CHECK(refusal_of(odd_request({})) == ErrorCode::kParseError);
  CHECK(refusal_of(odd_request({{kName}, {kName}})) == ErrorCode::kParseError);
  CHECK(refusal_of(odd_request({{kName}, {"other"}})) == ErrorCode::kParseError);
}

TEST_CASE("CertificateRequest: a name in another form of text is the same name or none") {
  const std::string wide("\0o\0r\0a\0c\0l\0e\0001\0.\0a\0.\0b", 22);
  const auto request = CertificateRequest::parse(odd_request({{wide, V_ASN1_BMPSTRING}}));
  REQUIRE(request);
  CHECK(request->common_name().text() == "oracle1.a.b");
  const std::string cut("\0o\0r\0\0\0a", 8);
  CHECK(refusal_of(odd_request({{cut, V_ASN1_BMPSTRING}})) == ErrorCode::kInvalidArgument);
}

TEST_CASE("CertificateRequest: a signature by another key is refused") {
  CHECK(CertificateRequest::parse(odd_request({{kName}}, false)));
  CHECK(refusal_of(odd_request({{kName}}, true)) == ErrorCode::kInvalidArgument);
}

TEST_CASE("CertificateRequest: what is not one request and nothing else is refused") {
  const Asker asker(kName);
  const std::string& pem = asker.request.pem();
  CHECK(refusal_of("") == ErrorCode::kParseError);
  CHECK(refusal_of("  \n") == ErrorCode::kParseError);
  CHECK(refusal_of("hello") == ErrorCode::kParseError);
  CHECK(refusal_of(pem + pem) == ErrorCode::kParseError);
  CHECK(refusal_of(pem + "trailing") == ErrorCode::kParseError);
  CHECK(refusal_of("leading\n" + pem) == ErrorCode::kParseError);
  CHECK(refusal_of(pem + std::string(1, '\0')) == ErrorCode::kParseError);
  CHECK(refusal_of(pem.substr(0, pem.size() / 2)) == ErrorCode::kParseError);
  CHECK(refusal_of("-----BEGIN CERTIFICATE REQUEST-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,"
                   "00000000000000000000000000000000\n\nAAAA\n-----END CERTIFICATE REQUEST-----\n") ==
        ErrorCode::kParseError);
  CHECK(refusal_of(std::string(1 << 20, 'A')) == ErrorCode::kLimitExceeded);
  CHECK(refusal_of(pem + std::string(CertificateRequest::kMaxBytes, '\n')) == ErrorCode::kLimitExceeded);
}

TEST_CASE("CertificateRequest: each cut and each changed byte is refused or means the same") {
  const Asker asker(kName);
  const std::string& pem = asker.request.pem();
  for (std::size_t i = 0; i < pem.size(); ++i) {
    std::string changed = pem;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const auto request = CertificateRequest::parse(changed);
    if (request) CHECK(request->pem() == pem);
    const auto cut = CertificateRequest::parse(pem.substr(0, i));
    if (cut) CHECK(cut->pem() == pem);
  }
}
