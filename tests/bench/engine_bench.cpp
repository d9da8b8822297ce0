// What one decision costs inside a process, beside the least that it could cost: maps of Abseil and RE2
// alone. usage: engine_bench [--quick | --moment] [--out FILE] [--benchmark_...]

#include "engine_bench.hpp"

#include <map>
#include <mutex>

namespace bench {

const Bus& bus_of(std::size_t records) {
  static std::mutex mutex;
  static std::map<std::size_t, std::unique_ptr<Bus>> buses;
  const std::lock_guard lock(mutex);
  std::unique_ptr<Bus>& bus = buses[records];
  if (!bus) bus = std::make_unique<Bus>([&](const fs::path& home) { write_policy(home, records); });
  return *bus;
}

std::vector<std::size_t> users_out_of(std::size_t records, std::size_t count) {
  Numbers numbers(records);
  std::vector<std::size_t> out(count);
  for (std::size_t& user : out) user = numbers.below(records);
  return out;
}

}  // namespace bench

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv);
  // All repetitions of all benchmarks take turns: what the machine does meanwhile is shared.
  std::vector<std::string> words{
      argv[0], "--benchmark_enable_random_interleaving=true",
      arguments.pick<std::string>("--benchmark_repetitions=5", "--benchmark_repetitions=3",
                                  "--benchmark_repetitions=1"),
      arguments.pick<std::string>("--benchmark_min_time=0.05", "--benchmark_min_time=0.01",
                                  "--benchmark_min_time=0.0001")};
  if (!arguments.out.empty()) words.push_back("--benchmark_out=" + arguments.out.string());
  words.insert(words.end(), arguments.words.begin(), arguments.words.end());
  std::vector<char*> pointers;
  pointers.reserve(words.size());
  for (std::string& word : words) pointers.push_back(word.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 64;
  bench::add_authentications(arguments);
  bench::add_calls(arguments);
  bench::add_topics(arguments);
  bench::add_threads(arguments);
  bench::add_worst(arguments);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::ClearRegisteredBenchmarks();  // with the homes that they hold
}
