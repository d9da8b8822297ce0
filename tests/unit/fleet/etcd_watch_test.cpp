#include "fleet/etcd_watch.hpp"

#include <limits>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "web/base64.hpp"

using namespace vipauth;
using namespace vipauth::fleet;
using Catch::Contains;

namespace {

std::string line(std::int64_t revision, const std::string& members) {
  return R"({"result":{"header":{"revision":")" + std::to_string(revision) + "\"}" +
         (members.empty() ? "" : ",") + members + "}}\n";
}

std::string event(const std::string& key, std::int64_t revision, const std::string& value = "v") {
  return R"({"kv":{"key":")" + web::to_base64(key) + R"(","mod_revision":")" + std::to_string(revision) +
         R"(","value":")" + web::to_base64(value) + "\"}}";
}

std::string events(const std::vector<std::string>& all, bool is_fragment = false) {
  std::string out = is_fragment ? R"("fragment":true,"events":[)" : R"("events":[)";
  for (std::size_t i = 0; i < all.size(); ++i) out += (i > 0 ? "," : "") + all[i];
  return out + "]";
}

/// A watch of "a/" from revision 5 on, and what it was told: "REVISION: KEY@REVISION ...".
class Watched {
 public:
  explicit Watched(std::int64_t start = 5) : reader_(WatchPlan{"a/", "a0", start, &on_events_}) {}

  bool take(const std::string& text) { return reader_.take(text); }
  Watched& standing(std::int64_t revision = 9) {
    REQUIRE(take(line(revision, "\"created\":true")));
    told.clear();
    return *this;
  }
  const WatchEnd& end() const {
    REQUIRE(reader_.end());
    return *reader_.end();
  }
  WatchReader& reader() { return reader_; }

  std::vector<std::string> told;
  bool is_wanted = true;

 private:
  std::function<bool(const WatchEvents&)> on_events_ = [this](const WatchEvents& all) {
    std::string text = std::to_string(all.revision) + ":";
    for (std::size_t i = 0; i < all.events.size(); ++i) {
      text += " " + all.events[i].key + "@" + std::to_string(all.revisions[i]);
    }
    told.push_back(text);
    return is_wanted;
  };
  WatchReader reader_;
};

using Told = std::vector<std::string>;

}  // namespace

TEST_CASE("WatchReader: tells at once that it stands, and of the past only what has been told") {
  Watched past(5);
  CHECK(past.take(line(9, "\"created\":true")));
  CHECK(past.told == Told{"4:"});  // 5 to 9 may follow
  Watched now(0);
  CHECK(now.take(line(9, "\"created\":true")));
  CHECK(now.told == Told{"9:"});
  CHECK_FALSE(now.take(line(9, "\"created\":true")));
  CHECK(now.end().error.code == ErrorCode::kParseError);
}

TEST_CASE("WatchReader: tells transactions, and revisions only as far as all is told") {
  Watched watch;
  watch.standing();
  CHECK(watch.take(line(9, events({event("a/x", 5), event("a/y", 5), event("a/x", 7)}))));
  CHECK(watch.take(line(12, events({event("a/x", 12)}))));
  CHECK(watch.take(line(20, "")));  // progress
  CHECK(watch.take(line(15, "")));  // of the past: nothing new
  CHECK(watch.told == Told{"7: a/x@5 a/y@5 a/x@7", "12: a/x@12", "20:"});
  CHECK(watch.reader().answers() == 5);
}

TEST_CASE("WatchReader: lines may come in any pieces") {
  const std::string text = line(9, "\"created\":true") + line(9, events({event("a/x", 5)})) + line(12, "");
  for (std::size_t size = 1; size < 40; ++size) {
    Watched watch;
    for (std::size_t at = 0; at < text.size(); at += size) REQUIRE(watch.take(text.substr(at, size)));
    CHECK(watch.told == Told{"4:", "5: a/x@5", "12:"});
  }
}

TEST_CASE("WatchReader: keeps back a transaction that comes in parts until it is whole") {
  Watched watch;
  watch.standing();
  CHECK(watch.take(line(9, events({event("a/1", 5), event("a/2", 6), event("a/3", 6)}, true))));
  CHECK(watch.told == Told{"5: a/1@5"});
  CHECK(watch.take(line(9, events({event("a/4", 6)}, true))));
  CHECK(watch.told.size() == 1);
  CHECK(watch.take(line(9, events({event("a/5", 6), event("a/1", 8)}))));
  CHECK(watch.told == Told{"5: a/1@5", "8: a/2@6 a/3@6 a/4@6 a/5@6 a/1@8"});

  CHECK(watch.take(line(9, events({event("a/1", 9)}, true))));
  CHECK_FALSE(watch.take(line(10, "")));  // without its end
  CHECK(watch.end().error.code == ErrorCode::kParseError);
}

TEST_CASE("WatchReader: a transaction without end is refused") {
  Watched watch;
  watch.standing();
  const std::string part = line(9, events({event("a/1", 5, std::string(5'000'000, 'x'))}, true));
  bool is_good = true;
  for (int i = 0; is_good && i < 20; ++i) is_good = watch.take(part);
  REQUIRE_FALSE(is_good);
  CHECK(watch.end().error.code == ErrorCode::kLimitExceeded);
  CHECK_THAT(watch.end().error.message, Contains("must be read"));
  CHECK(watch.told.empty());
}

TEST_CASE("WatchReader: a line without end is refused") {
  Watched watch;
  watch.standing();
  const std::string part(std::size_t{1} << 20U, ' ');
  bool is_good = true;
  for (int i = 0; is_good && i < 17; ++i) is_good = watch.take(part);
  REQUIRE_FALSE(is_good);
  CHECK(watch.end().error.code == ErrorCode::kLimitExceeded);
}

TEST_CASE("WatchReader: a line that is cut off at the end is not told") {
  Watched watch;
  watch.standing();
  const std::string text = line(9, events({event("a/x", 5)}));
  CHECK(watch.take(text.substr(0, text.size() - 5)));
  watch.reader().finish();
  CHECK(watch.end().error.code == ErrorCode::kParseError);
  CHECK(watch.told.empty());
  Watched whole;
  whole.standing();
  CHECK(whole.take(text));
  whole.reader().finish();
  CHECK_FALSE(whole.reader().end());
}

TEST_CASE("WatchReader: ends where it is told that it is enough") {
  Watched watch;
  watch.standing();
  watch.is_wanted = false;
  CHECK_FALSE(watch.take(line(9, events({event("a/1", 5)})) + line(9, events({event("a/1", 6)}))));
  CHECK(watch.end().why == WatchEnd::Why::kStopped);
  CHECK(watch.told == Told{"5: a/1@5"});
}

TEST_CASE("WatchReader: says why a watch is refused") {
  Watched compacted;
  CHECK_FALSE(compacted.standing().take(
      R"({"result":{"header":{"raft_term":"2"},"canceled":true,"compact_revision":"7"}})"
      "\n"));
  CHECK(compacted.end().why == WatchEnd::Why::kCompacted);
  CHECK(compacted.end().compact_revision == 7);
  CHECK(compacted.end().error.code == ErrorCode::kConflict);

  Watched denied;
  CHECK_FALSE(denied.take(
      line(9, R"("created":true,"canceled":true,"cancel_reason":"etcdserver: permission denied")")));
  CHECK(denied.end().why == WatchEnd::Why::kFailed);
  CHECK(denied.end().error.code == ErrorCode::kPermissionDenied);
  CHECK_FALSE(denied.reader().is_standing());
  CHECK_FALSE(denied.reader().is_unauthenticated());

  Watched expired;
  CHECK_FALSE(expired.take(
      line(9, R"("created":true,"canceled":true,"cancel_reason":"etcdserver: invalid auth token")")));
  CHECK(expired.reader().is_unauthenticated());

  Watched lost;  // the last line has no end
  CHECK(lost.standing().take(R"({"error":{"grpc_code":14,"message":"etcdserver: no leader"}})"));
  lost.reader().finish();
  CHECK(lost.end().error.code == ErrorCode::kBusy);
  CHECK(lost.told.empty());
}

TEST_CASE("WatchReader: a revision that has no next one is refused") {
  Watched watch;
  watch.standing();
  CHECK_FALSE(watch.take(line(std::numeric_limits<std::int64_t>::max(), "")));
  CHECK(watch.end().error.code == ErrorCode::kParseError);
  CHECK(watch.told.empty());
  Watched last;
  last.standing();
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max() - 1;
  CHECK(last.take(line(kLast, "")));
  CHECK_FALSE(last.take(line(kLast, events({event("a/b", kLast)}))));
  CHECK_THAT(last.end().error.message, Contains("told already"));
}

TEST_CASE("WatchReader: what etcd does not tell ends it") {
  const std::vector<std::string> bad{
      "x\n",
      "\n",
      line(9, events({event("b", 5)})),                                       // a key that is not watched
      line(9, events({event("a0", 5)})),                                      //
      line(9, events({event("a/", 4)})),                                      // before the start
      line(9, events({event("a/", 6), event("a/", 5)})),                      // backwards
      line(9, events({event("a/", 6)})) + line(9, events({event("a/", 6)})),  // twice
      line(9, R"("created":true,)" + events({event("a/", 6)})),
  };
  for (const std::string& text : bad) {
    INFO(text);
    Watched watch;
    CHECK_FALSE(watch.standing().take(text));
    CHECK(watch.end().why == WatchEnd::Why::kFailed);
    CHECK(watch.end().error.code == ErrorCode::kParseError);
  }
  Watched early;
  CHECK_FALSE(early.take(line(9, events({event("a/", 6)}))));
  CHECK(early.told.empty());
}
