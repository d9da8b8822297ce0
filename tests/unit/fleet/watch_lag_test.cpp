#include "fleet/watch_lag.hpp"

#include "support/catch.hpp"

namespace vipauth::test {

using fleet::WatchLag;
using std::chrono::milliseconds;

TEST_CASE("WatchLag: a watch that is behind and does not get on has lost something") {
  WatchLag lag;
  const WatchLag::Time begin{};
  CHECK_FALSE(lag.is_lost(true, 7, begin));
  CHECK_FALSE(lag.is_lost(true, 7, begin + WatchLag::kLongest));
  CHECK(lag.is_lost(true, 7, begin + WatchLag::kLongest + milliseconds(1)));
  CHECK_FALSE(lag.is_lost(true, 7, begin + WatchLag::kLongest + milliseconds(2)));  // said once
}

TEST_CASE("WatchLag: one that gets on, or was told all in between, has lost nothing") {
  WatchLag lag;
  WatchLag::Time now{};
  for (std::int64_t told = 1; told < 10; ++told, now += WatchLag::kLongest) {
    CHECK_FALSE(lag.is_lost(true, told, now));
  }
  CHECK_FALSE(lag.is_lost(false, 10, now));
  now += milliseconds(1);
  CHECK_FALSE(lag.is_lost(true, 10, now));
  CHECK_FALSE(lag.is_lost(true, 10, now + WatchLag::kLongest));
}

}  // namespace vipauth::test
