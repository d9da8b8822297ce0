#include "fleet/csr_listing.hpp"

#include "fleet/csr_copy.hpp"
#include "support/catch.hpp"
#include "support/certificates.hpp"

namespace vipauth::test {

using fleet::CsrCopy;
using fleet::CsrKey;
using fleet::CsrListing;
using fleet::FleetLayout;
using Kind = CsrKey::Kind;

namespace {

const FleetLayout kAll("p", "");
const FleetLayout kBerlin("p", "berlin");
const std::string kName = "here.there.agent";

const std::string& value() {
  static const std::string out = [] {
    const Asker asker(kName);
    return fleet::csr_value({name_of(kName), CsrStatus::kPending, "10.0.0.1", asker.request.pem(),
                             asker.request.key_fingerprint(), asker.request.key_kind(), kNow, kNow, 1,
                             std::nullopt});
  }();
  return out;
}

std::string key(const std::string& site, Kind kind, const std::string& name) {
  return kAll.csr_prefix(site, kind) + name;
}

}  // namespace

TEST_CASE("CsrListing: what one site has there hides nothing of the next one's") {
  CsrListing listing(kAll);
  std::optional<std::string> next;
  std::size_t taken = 0;
  for (; !next && taken < 20'000; ++taken) {
    next = listing.take({key("a", Kind::kRequest, std::to_string(taken)), "x", 1, 1}, taken % 2 == 0);
  }
  REQUIRE(next);
  CHECK(taken == 10'001);
  CHECK(*next > key("a", Kind::kRequest, "z"));
  CHECK(*next < key("b", Kind::kAnswer, ""));
  CHECK_FALSE(listing.take({key("b", Kind::kRequest, kName), value(), 1, 1}, false));
  CHECK(listing.warnings().size() ==
        10 + 2);  // the first ones, that there are more, and that not all is read
  const auto entries = std::move(listing).entries();
  REQUIRE(entries.size() == 1);
  CHECK(entries.front().site == "b");
}

TEST_CASE("CsrListing: a request is told of its own name and site alone") {
  CsrListing listing(kBerlin);
  for (const std::string& at :
       {key("berlin", Kind::kRequest, "another.name"), key("berlin", Kind::kRequest, ".."),
        key("berlin", Kind::kRequest, kName + "/x"), key("paris", Kind::kRequest, kName),
        key("berlin", Kind::kAnswer, kName), key("berlin", Kind::kDecision, kName)}) {
    CHECK_FALSE(listing.take({at, value(), 1, 1}, false));
  }
  CHECK(listing.warnings().size() == 3);
  const auto of_others = std::move(listing).entries();
  CHECK(of_others.empty());
  CsrListing own(kBerlin);
  CHECK_FALSE(own.take({key("berlin", Kind::kRequest, kName), value(), 1, 1}, false));
  const auto entries = std::move(own).entries();
  CHECK(entries.size() == 1);
}

TEST_CASE("CsrCopy: knows the newest of the site's keys, and of no others") {
  CsrCopy copy(kBerlin);
  const std::string at = key("berlin", Kind::kDecision, kName);
  copy.take({at, "read", 1, 5});
  copy.apply({at, "older", {}}, 4);
  copy.apply({at, std::nullopt, {}}, 5);
  CHECK(copy.of(Kind::kDecision) == CsrCopy::HeldKeys{{at, {"read", 5}}});
  CHECK(copy.of(Kind::kRequest).empty());
  copy.apply({at, "newer", {}}, 6);
  CHECK(copy.has(at, 6));
  copy.apply({at, std::nullopt, {}}, 7);
  CHECK(copy.of(Kind::kDecision).empty());
  copy.apply({key("paris", Kind::kDecision, kName), "x", {}}, 8);
  copy.apply({"/p/fleet/guard", "x", {}}, 8);
  CHECK(copy.of(Kind::kDecision).empty());
  copy.apply({at, std::string(fleet::kMaxCsrBytes + 1, 'x'), {}}, 9);
  CHECK(copy.of(Kind::kDecision).at(at).value.empty());
}

TEST_CASE("CsrCopy: says when others have put more there than is kept") {
  CsrCopy copy(kBerlin);
  for (int i = 0; i < 20'000; ++i) copy.take({key("berlin", Kind::kAnswer, std::to_string(i)), "", 1, 1});
  CHECK_FALSE(copy.is_too_large());
  copy.take({key("berlin", Kind::kAnswer, "more"), "", 1, 1});
  CHECK(copy.is_too_large());
}

}  // namespace vipauth::test
