#include "base/rate_limiter.hpp"

#include "support/catch.hpp"

using namespace vipauth;
using namespace std::chrono_literals;
using WhenFull = RateLimiter::WhenFull;

namespace {

const Timestamp kStart{1'000'000s};

/// Remembers as many sources as there is room for, "0" the first.
void fill(RateLimiter& limiter) {
  for (std::size_t i = 0; i < RateLimiter::kMostSources; ++i) {
    REQUIRE(limiter.take(std::to_string(i), kStart + (i == 0 ? 0s : 1s)));
  }
}

}  // namespace

TEST_CASE("RateLimiter: each source has so many at once, and one more after each interval") {
  RateLimiter limiter(3, 2s, WhenFull::kRefuse);
  for (int i = 0; i < 3; ++i) CHECK(limiter.take("alice", kStart));
  CHECK_FALSE(limiter.take("alice", kStart));
  CHECK(limiter.take("bob", kStart));
  CHECK_FALSE(limiter.take("alice", kStart + 1999ms));
  CHECK(limiter.take("alice", kStart + 2s));
  CHECK_FALSE(limiter.take("alice", kStart + 2s));
  for (int i = 0; i < 3; ++i) CHECK(limiter.take("alice", kStart + 10s));
  CHECK_FALSE(limiter.take("alice", kStart + 10s));
}

TEST_CASE("RateLimiter: a clock that is set back keeps nobody out for longer") {
  RateLimiter limiter(3, 2s, WhenFull::kRefuse);
  for (int i = 0; i < 3; ++i) CHECK(limiter.take("alice", kStart));
  CHECK_FALSE(limiter.take("alice", kStart - 24h));
  CHECK(limiter.take("alice", kStart - 24h + 2s));
}

TEST_CASE("RateLimiter: where too many are remembered, a new source is refused, or the soonest forgotten") {
  RateLimiter refusing(1, 60s, WhenFull::kRefuse);
  fill(refusing);
  CHECK_FALSE(refusing.take("new", kStart + 1s));
  CHECK_FALSE(refusing.take("0", kStart + 1s));
  CHECK(refusing.take("new", kStart + 60s));  // the time of "0" is over

  RateLimiter forgetting(1, 60s, WhenFull::kForgetSoonest);
  fill(forgetting);
  CHECK(forgetting.take("new", kStart + 1s));
  CHECK_FALSE(forgetting.take("new", kStart + 1s));
  CHECK_FALSE(forgetting.take("1", kStart + 1s));
  CHECK(forgetting.take("0", kStart + 1s));
}
