// Many threads that ask one policy at once, each through a session of its own; and RE2 alone, which takes a
// lock.

#include <re2/re2.h>

#include "engine_bench.hpp"

namespace bench {
namespace {

using vipauth::CallArguments;
using vipauth::CallRequest;

constexpr std::size_t kRecords = 1000;

struct Threads {
  int most;
  double seconds;  // many threads take some time to be all there
};

/// \param make  called by each thread: returns what it does again and again
template <typename Make>
void add_threaded(const std::string& what, const std::string& who, const Threads& threads, const Make& make) {
  benchmark::RegisterBenchmark((what + '/' + who).c_str(),
                               [make](benchmark::State& state) {
                                 auto once = make(static_cast<std::size_t>(state.thread_index()));
                                 for (auto _ : state) benchmark::DoNotOptimize(once());
                               })
      ->ThreadRange(1, threads.most)
      ->MinTime(threads.seconds)
      ->UseRealTime();
}

auto call(std::size_t user, std::string_view method, std::string_view parameter, const std::string& value) {
  return [session = session_of(bus_of(kRecords).service, user), method,
          arguments = CallArguments(
              vipauth::Json::Object{{std::string(parameter), vipauth::Json(value)}})]() mutable {
    const auto decision = session.authorize_call(CallRequest{kCallee, method, arguments});
    if (!decision) give_up("a call is refused");
    return decision.reason();
  };
}

const Bus& bus_with_topics() {
  static const Bus bus([](const fs::path& home) {
    write_policy(home, kRecords);
    write_topics(home, Shape::kMixed, 1000);
  });
  return bus;
}

}  // namespace

void add_threads(const Arguments& arguments) {
  const Threads threads = arguments.pick(Threads{64, 0.2}, Threads{16, 0.02}, Threads{2, 0.0001});
  add_threaded("threads_exact", "ours", threads,
               [](std::size_t thread) { return call(thread, kExactMethod, "identity", user_of(thread)); });
  // All by one role, and so by one pattern.
  add_threaded("threads_pattern", "ours", threads,
               [](std::size_t) { return call(1, kPatternMethod, "point", point_of(1)); });
  add_threaded("threads_pattern", "re2", threads, [](std::size_t) {
    static const re2::RE2 pattern(R"(device1\.[a-z]+[0-9]*)");
    return [point = point_of(1)] { return re2::RE2::FullMatch(point, pattern); };
  });
  add_threaded("threads_publish", "ours", threads, [](std::size_t thread) {
    return [session = session_of(bus_with_topics().service, thread),
            topic = topic_text(Shape::kMixed, thread, 1)]() mutable {
      const auto decision = session.authorize_publish(topic);
      if (!decision) give_up("a topic is refused");
      return decision.reason();
    };
  });
}

}  // namespace bench
