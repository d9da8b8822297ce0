#include "fleet/fleet_layout.hpp"

#include "support/catch.hpp"

namespace vipauth::test {

using fleet::FleetKey;
using fleet::FleetLayout;
using fleet::Scope;
using Kind = FleetKey::Kind;

namespace {

const FleetLayout kBerlin("vipauth/acme", "berlin");

}  // namespace

TEST_CASE("FleetLayout: writes each kind of key in one form, and reads it") {
  const std::pair<FleetKey, std::string> keys[] = {
      {{Scope::kFleet, Kind::kAllow, 0x100000, {}, false}, "/vipauth/acme/fleet/allow/0000000000100000"},
      {{Scope::kSite, Kind::kDeny, ~std::uint64_t{0}, {}, false},
       "/vipauth/acme/sites/berlin/deny/ffffffffffffffff"},
      {{Scope::kFleet, Kind::kRole, 0, "a b/\xc3\xa9.", false}, "/vipauth/acme/fleet/roles/a%20b%2F%C3%A9."},
      {{Scope::kFleet, Kind::kRole, 0, "", false}, "/vipauth/acme/fleet/roles/"},
      {{Scope::kSite, Kind::kGroup, 0, "..", false}, "/vipauth/acme/sites/berlin/groups/%2E%2E"},
      {{Scope::kSite, Kind::kWriteProtect, 0, {}, false},
       "/vipauth/acme/sites/berlin/write-protect/0000000000000000"},
      {{Scope::kFleet, Kind::kReadProtect, 10, {}, false},
       "/vipauth/acme/fleet/read-protect/000000000000000a"},
      {{Scope::kFleet, Kind::kPolicyMembers, 0, {}, false}, "/vipauth/acme/fleet/policy"},
      {{Scope::kSite, Kind::kTopicsMembers, 0, {}, false}, "/vipauth/acme/sites/berlin/topics"},
      {{Scope::kFleet, Kind::kGuard, 0, {}, false}, "/vipauth/acme/fleet/guard"}};
  for (const auto& [key, text] : keys) {
    CAPTURE(text);
    CHECK(kBerlin.key(key) == text);
    const auto parsed = kBerlin.parse(text);
    REQUIRE(parsed);
    CHECK(*parsed == key);
  }
}

TEST_CASE("FleetLayout: a key of a list is told even where its rank is none") {
  for (const std::string rank : {"", "1", "000000000000000A", "00000000000000001", "0000000000000001/",
                                 " 00000000000001", "0x00000000000001", "\xff"}) {
    CAPTURE(rank);
    const std::string text = "/vipauth/acme/fleet/deny/" + rank;
    const auto parsed = kBerlin.parse(text);
    REQUIRE(parsed);
    CHECK(parsed->kind == Kind::kDeny);
    CHECK(parsed->is_malformed);
    CHECK(kBerlin.key(*parsed) == text);
  }
}

TEST_CASE("FleetLayout: is silent about what is of no kind, of another site or of another prefix") {
  for (const std::string key :
       {"", "/", "/vipauth/acme/fleet/", "/vipauth/acme/fleet/deny", "/vipauth/acme/fleet/guard/",
        "/vipauth/acme/fleet/guard/x", "/vipauth/acme/fleet/denies/0000000000000001",
        "/vipauth/acme/fleet/pending/x", "/vipauth/acme/fleetx/guard", "/vipauth/acme2/fleet/guard",
        "vipauth/acme/fleet/guard", "/vipauth/acme/sites/berlin2/guard",
        "/vipauth/acme/sites/paris/allow/0000000000000001", "/vipauth/acme/sites/berlin/pending/1"}) {
    CAPTURE(key);
    CHECK_FALSE(kBerlin.parse(key));
  }
}

TEST_CASE("FleetLayout: a second form of a name is no key") {
  for (const std::string name : {"%41", "a b", "%c3%a9", "%", "%4", "%zz", "a/b", ".", "%FF", "\xc3\xa9"}) {
    CAPTURE(name);
    CHECK_FALSE(kBerlin.parse("/vipauth/acme/fleet/roles/" + name));
    CHECK_FALSE(kBerlin.parse("/vipauth/acme/fleet/groups/" + name));
  }
  CHECK(kBerlin.parse("/vipauth/acme/fleet/roles/A"));
}

TEST_CASE("FleetLayout: without a site there are no keys of one") {
  const FleetLayout all("acme", "");
  CHECK(all.scope_prefix(Scope::kSite).empty());
  CHECK(all.scope_prefix(Scope::kFleet) == "/acme/fleet/");
  CHECK(all.parse("/acme/fleet/guard"));
  CHECK_FALSE(all.parse("/acme/sites/berlin/guard"));
  CHECK_FALSE(all.parse("/acme/sites//guard"));
  CHECK_FALSE(all.parse("guard"));
}

TEST_CASE("FleetLayout: names where strangers wait") {
  CHECK(kBerlin.pending_prefix() == "/vipauth/acme/pending/berlin/");
  CHECK(FleetLayout("acme", "").pending_prefix() == "/acme/pending/");
  const std::string waits = kBerlin.pending_key("paris", "CURVE:a/b");
  CHECK(waits == "/vipauth/acme/pending/paris/CURVE%3Aa%2Fb");
  CHECK_FALSE(kBerlin.site_of_pending(waits).has_value());
  CHECK(FleetLayout("vipauth/acme", "").site_of_pending(waits) == "paris");
  CHECK_FALSE(FleetLayout("vipauth/acme", "").site_of_pending("/vipauth/acme/pending/paris").has_value());
  CHECK(FleetLayout("vipauth/acme", "").site_of_pending(kBerlin.pending_key("", "CURVE:k")) == "");
  for (const std::string& site : {std::string("."), std::string(".."), std::string("a%20b"),
                                  std::string(256, 'a')}) {  // no address can name these
    CHECK_FALSE(FleetLayout("vipauth/acme", "").site_of_pending(kBerlin.pending_key(site, "CURVE:k")));
  }
  CHECK(kBerlin.pending_id(kBerlin.pending_key("berlin", "CURVE:k")) == "CURVE:k");
  CHECK_FALSE(kBerlin.pending_id("/vipauth/acme/pending/berlin/CURVE:k"));  // not in the one form
  CHECK_FALSE(kBerlin.pending_id(kBerlin.pending_key("paris", "CURVE:k")));
  CHECK(kBerlin.decided_key(Scope::kFleet, "CURVE:k") == "/vipauth/acme/fleet/decided/CURVE%3Ak");
  CHECK(kBerlin.decided_key(Scope::kSite, "CURVE:k") == "/vipauth/acme/sites/berlin/decided/CURVE%3Ak");
  CHECK(FleetLayout("vipauth/acme", "").decided_prefix(Scope::kSite).empty());
  CHECK(kBerlin.decided_id(Scope::kSite, "/vipauth/acme/sites/berlin/decided/CURVE%3Ak") == "CURVE:k");
  CHECK_FALSE(kBerlin.decided_id(Scope::kFleet, "/vipauth/acme/sites/berlin/decided/CURVE%3Ak"));
  CHECK_FALSE(kBerlin.parse(kBerlin.decided_key(Scope::kSite, "CURVE:k")));  // of no policy
}

TEST_CASE("FleetLayout: names where requests for certificates stand, and what is decided of them") {
  using fleet::CsrKey;
  const FleetLayout all("vipauth/acme", "");
  const CommonName name = *CommonName::parse("here.there.agent");
  CHECK(all.csr_prefix() == "/vipauth/acme/certificates/");
  CHECK(kBerlin.csr_prefix() == "/vipauth/acme/certificates/berlin/");
  CHECK(all.csr_prefix("paris") == "/vipauth/acme/certificates/paris/");
  const std::pair<CsrKey::Kind, std::string> kinds[] = {{CsrKey::Kind::kRequest, "requests/"},
                                                        {CsrKey::Kind::kDecision, "decisions/"},
                                                        {CsrKey::Kind::kAnswer, "answers/"}};
  for (const auto& [kind, text] : kinds) {
    const std::string prefix = "/vipauth/acme/certificates/paris/" + text;
    CHECK(all.csr_prefix("paris", kind) == prefix);
    const std::string key = all.csr_key("paris", kind, name);
    CHECK(key == prefix + "here.there.agent");
    const auto parsed = all.parse_csr(key);
    REQUIRE(parsed);
    CHECK(parsed->site == "paris");
    CHECK(parsed->kind == kind);
    CHECK(parsed->name == name);
    CHECK_FALSE(kBerlin.parse_csr(key));  // of another site
    CHECK(all.site_of_csr(key) == "paris");
    CHECK_FALSE(kBerlin.site_of_csr(key));
    for (const std::string odd : {"", "here..agent", "../x", "a/b", "a%2Eb", "\x1b[2J"}) {
      CAPTURE(odd);
      const auto malformed = all.parse_csr(prefix + odd);
      REQUIRE(malformed);
      CHECK_FALSE(malformed->name.has_value());
    }
  }
  for (const std::string key :
       {"", "/vipauth/acme/certificates/", "/vipauth/acme/certificates/paris",
        "/vipauth/acme/certificates/paris/", "/vipauth/acme/certificates/paris/requests",
        "/vipauth/acme/certificates/paris/request/a.b", "/vipauth/acme/certificates//requests/a.b",
        "/vipauth/acme/certificates/../requests/a.b", "/vipauth/acme/certificates/a b/requests/a.b",
        "/vipauth/acme/certificates/\x1b/requests/a.b", "/vipauth/acme2/certificates/paris/requests/a.b",
        "/vipauth/acme/sites/paris/requests/a.b"}) {
    CAPTURE(key);
    CHECK_FALSE(all.parse_csr(key));
  }
}

TEST_CASE("FleetLayout: knows whose a key is, whatever it holds") {
  const FleetLayout all("vipauth/acme", "");
  for (const std::string rest : {"", "x", "requests", "requests/a/b", "\x1b[2J", "//"}) {
    CHECK(all.site_of_csr("/vipauth/acme/certificates/paris/" + rest) == "paris");
  }
  for (const std::string key : {"", "paris", "//", "../x", "a b/x", "\x1b/x"}) {
    CHECK_FALSE(all.site_of_csr("/vipauth/acme/certificates/" + key));
  }
  CHECK_FALSE(all.site_of_csr("/vipauth/acme2/certificates/paris/x"));
}

TEST_CASE("FleetLayout: the name of a key that is shown holds nothing that a terminal obeys") {
  CHECK(fleet::display_name({Scope::kFleet, Kind::kAllow, 1, {}, false}) == "fleet/allow/0000000000000001");
  CHECK(fleet::display_name({Scope::kSite, Kind::kDeny, 0, "\x1b[2J\xff", true}) == "site/deny/%1B%5B2J%FF");
  CHECK(fleet::display_name({Scope::kSite, Kind::kRole, 0, "a\n", false}) == "site/roles/a%0A");
  CHECK(fleet::display_name({Scope::kSite, Kind::kDeny, 0, std::string(5000, 'x'), true}).size() < 300);
}

TEST_CASE("FleetLayout: reads back what path_part writes") {
  CHECK(fleet::from_path_part("a%00%FF") == std::string("a\0\xff", 3));
  CHECK(fleet::from_path_part("") == "");
  for (const std::string text : {"%", "%1", "%g0", "%0g", "%+1", "%-1", "% 1"})
    CHECK_FALSE(fleet::from_path_part(text));
}

}  // namespace vipauth::test
