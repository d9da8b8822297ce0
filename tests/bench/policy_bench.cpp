// What a policy costs as a whole: reading it, in time and memory, beside a bare pass of RapidJSON over the
// same bytes; editing it, beside RapidJSON's writing it again; a million topics; and what calls notice while
// a policy is replaced. Each case in a process of its own. usage: policy_bench [--quick | --moment] [--out
// FILE]

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <rapidjson/filereadstream.h>
#include <rapidjson/filewritestream.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/reader.h>

#include <vipauth/auth_file.hpp>

#include "homes.hpp"
#include "support.hpp"

namespace {

using namespace bench;
using namespace vipauth;

constexpr std::size_t kStreamBytes = std::size_t{64} * 1024;
constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag |
                            rapidjson::kParseNumbersAsStringsFlag;

/// Hears everything, and keeps nothing.
struct Nothing : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Nothing> {};

class File {
 public:
  File(const fs::path& path, const char* mode) : file_(std::fopen(path.c_str(), mode)) {
    if (file_ == nullptr) give_up("cannot open " + path.string());
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { static_cast<void>(std::fclose(file_)); }
  std::FILE* get() const { return file_; }

 private:
  std::FILE* file_;
};

template <typename Handler>
void read_by_rapidjson(const fs::path& path, Handler& handler) {
  const File file(path, "rb");
  std::vector<char> buffer(kStreamBytes);
  rapidjson::FileReadStream stream(file.get(), buffer.data(), buffer.size());
  rapidjson::Reader reader;
  if (!reader.Parse<kFlags>(stream, handler)) give_up("RapidJSON does not read " + path.string());
}

void rewrite_by_rapidjson(const fs::path& from, const fs::path& to) {
  const File file(to, "wb");
  std::vector<char> buffer(kStreamBytes);
  rapidjson::FileWriteStream stream(file.get(), buffer.data(), buffer.size());
  rapidjson::PrettyWriter<rapidjson::FileWriteStream> writer(stream);
  writer.SetIndent(' ', 2);
  read_by_rapidjson(from, writer);
  if (std::fflush(file.get()) != 0 || fsync(fileno(file.get())) != 0) give_up("cannot write " + to.string());
}

/// Seconds, kilobytes more at the end, and at most meanwhile.
struct Cost {
  double seconds = 0;
  double kept = 0;
  double peak = 0;
};

/// \param work  returns what is kept until the memory has been looked at
template <typename Work>
Cost cost_of(const Work& work) {
  const std::vector<double> numbers = in_a_process([&]() -> std::vector<double> {
    const auto before = static_cast<double>(resident_kilobytes("VmRSS:"));
    const auto begin = SteadyClock::now();
    const auto kept = work();
    const double seconds = std::chrono::duration<double>(SteadyClock::now() - begin).count();
    static_cast<void>(kept);
    return {seconds, static_cast<double>(resident_kilobytes("VmRSS:")) - before,
            static_cast<double>(resident_kilobytes("VmHWM:")) - before};
  });
  return {numbers.at(0), numbers.at(1), numbers.at(2)};
}

/// Several runs of one thing.
struct Costs {
  std::vector<double> seconds;
  std::vector<double> kept;
  std::vector<double> peak;

  void add(const Cost& cost) {
    seconds.push_back(cost.seconds);
    kept.push_back(cost.kept);
    peak.push_back(cost.peak);
  }
};

std::vector<double> times(std::vector<double> values, double factor) {
  for (double& value : values) value *= factor;
  return values;
}

Result<void> add_one(Policy& policy, std::size_t number) {
  const auto record = Json::parse(record_text(number));
  if (!record) return record.error();
  const auto added = policy.add_allow(*record);
  if (!added) return added.error();
  return {};
}

void measure_reading(std::size_t records, std::size_t rounds, Results& results) {
  const TempFolder home;
  const fs::path file = home.path() / "auth.json";
  write_policy(home.path(), records);
  const auto megabytes = static_cast<double>(fs::file_size(file)) / 1e6;
  const std::string size = std::to_string(records);
  Costs bare;
  Costs open;
  Costs audited;
  Costs load;
  Costs rewrite;
  Costs edit;
  for (std::size_t round = 0; round < rounds; ++round) {
    bare.add(cost_of([&] {
      Nothing nothing;
      read_by_rapidjson(file, nothing);
      return 0;
    }));
    open.add(cost_of([&] { return begin_service(home.path()); }));
    audited.add(cost_of([&] { return open_service(home.path()); }));
    load.add(cost_of([&] { return must(AuthFile(file).load()); }));
    rewrite.add(cost_of([&] {
      rewrite_by_rapidjson(file, home.path() / "copy");
      return 0;
    }));
    fs::remove(home.path() / "copy");
    edit.add(cost_of([&] {
      return must(AuthFile(file).edit([&](Policy& policy) { return add_one(policy, records + round); }));
    }));
    fs::remove_all(home.path() / "history");
    write_policy(home.path(), records);
  }
  const auto rate = [&](const Costs& costs) {
    std::vector<double> out;
    out.reserve(costs.seconds.size());
    for (const double seconds : costs.seconds) out.push_back(megabytes / seconds);
    return out;
  };
  const double yardstick = median(bare.seconds);
  results.add("load/rapidjson/" + size, rate(bare), "MB/s", 1);
  results.add("load/ours/" + size, rate(open), "MB/s", yardstick / median(open.seconds));
  results.add("load_audited/ours/" + size, rate(audited), "MB/s", yardstick / median(audited.seconds));
  results.add("load_document/ours/" + size, rate(load), "MB/s", yardstick / median(load.seconds));
  const double per_record = 1024.0 / static_cast<double>(records);
  results.add("memory/rapidjson/" + size, times(bare.peak, per_record), "bytes/record");
  results.add("memory/ours/" + size, times(audited.kept, per_record), "bytes/record");
  results.add("memory_peak/ours/" + size, times(audited.peak, per_record), "bytes/record");
  results.add("memory_document/ours/" + size, times(load.kept, per_record), "bytes/record");
  results.add("save/rapidjson/" + size, rate(rewrite), "MB/s", 1);
  results.add("save/ours/" + size, rate(edit), "MB/s", median(rewrite.seconds) / median(edit.seconds));
  std::vector<double> beyond;
  beyond.reserve(edit.peak.size());
  for (const double peak : edit.peak) beyond.push_back((peak - median(load.kept)) / 1024);
  results.add("save_memory/ours/" + size, beyond, "MB");
}

// ---- Calls while the policy is replaced ----

constexpr std::size_t kCallsPerSecond = 100'000;
constexpr auto kGlance = std::chrono::milliseconds(1);
constexpr auto kRelease = std::chrono::seconds(2);  // until the old policy is let go
constexpr auto kSuspicious = std::chrono::microseconds(5);
constexpr auto kTick = std::chrono::nanoseconds(1'000'000'000 / kCallsPerSecond);

/// How often the system has taken the processor from this thread, for others.
long preemptions() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

/// Asks so often, and notes how long each answer took, until it is stopped. Answers during which the thread
/// lost its processor tell nothing about us, and are left out; waiting for a lock is no such loss.
class Caller {
 public:
  explicit Caller(const AuthService& service)
      : session_(session_of(service, 1)),
        arguments_(must(CallArguments::parse(R"({"identity":"agent.1"})"))) {
    nanoseconds_.reserve(kCallsPerSecond * 120);
  }

  void run(const std::atomic<bool>& stopping) {
    const CallRequest call{kCallee, kExactMethod, arguments_};
    auto next = SteadyClock::now();
    while (!stopping.load(std::memory_order_relaxed) && nanoseconds_.size() < nanoseconds_.capacity()) {
      while (SteadyClock::now() < next) {
      }
      const long before = preemptions();
      const auto begin = SteadyClock::now();
      if (!session_.authorize_call(call)) give_up("a call is refused");
      const auto end = SteadyClock::now();
      if (end - begin < kSuspicious || preemptions() == before) {
        nanoseconds_.push_back(static_cast<double>((end - begin).count()));
      }
      // What was missed while the machine did something else is not made up for: that would be a burst.
      next = std::max(next + kTick, end);
    }
  }

  const std::vector<double>& nanoseconds() const { return nanoseconds_; }

 private:
  Session session_;
  CallArguments arguments_;
  std::vector<double> nanoseconds_;
};

void append_quantiles(const std::vector<double>& values, std::vector<double>& out) {
  for (const double share : {0.5, 0.99, 0.999, 1.0}) out.push_back(quantile(values, share));
}

/// p50, p99, p99.9 and the most while nothing is reloaded, the same while it is; then kilobytes of one
/// policy, and the most that a reload took; then the seconds that it took.
std::vector<double> calls_during_reload(const fs::path& home, std::size_t records, double quiet_seconds) {
  const auto before = static_cast<double>(resident_kilobytes("VmRSS:"));
  AuthService service = open_service(home, true);
  const auto one = static_cast<double>(resident_kilobytes("VmRSS:")) - before;
  std::vector<double> out;
  double seconds = 0;
  double peak = 0;
  for (const bool with_reload : {false, true}) {
    const TempFolder next;
    if (with_reload) write_policy(next.path(), records + 1);
    Caller caller(service);
    std::atomic<bool> stopping = false;
    std::thread thread([&] { caller.run(stopping); });
    if (with_reload) {
      seconds = seconds_of([&] {
        const std::uint64_t at_first = service.policy()->generation();
        fs::rename(next.path() / "auth.json", home / "auth.json");
        while (service.policy()->generation() == at_first) std::this_thread::sleep_for(kGlance);
      });
      must(service.flush());  // the audit goes on behind the reload
      std::this_thread::sleep_for(kRelease);
    } else {
      std::this_thread::sleep_for(std::chrono::duration<double>(quiet_seconds));
    }
    stopping = true;
    thread.join();
    const auto noted =
        static_cast<double>(caller.nanoseconds().size() * sizeof(double)) / 1024;  // not the policy's
    peak = static_cast<double>(resident_kilobytes("VmHWM:")) - before - noted;
    append_quantiles(caller.nanoseconds(), out);
  }
  out.push_back(one);
  out.push_back(peak);
  out.push_back(seconds);
  return out;
}

void measure_reload(std::size_t records, std::size_t rounds, double quiet_seconds, Results& results) {
  const TempFolder home;
  std::vector<std::vector<double>> columns;
  for (std::size_t round = 0; round < rounds; ++round) {
    write_policy(home.path(), records);
    const auto numbers =
        in_a_process([&] { return calls_during_reload(home.path(), records, quiet_seconds); });
    columns.resize(numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) columns[i].push_back(numbers[i]);
  }
  const std::string size = '/' + std::to_string(records);
  const char* const names[] = {"p50", "p99", "p999", "longest"};
  for (std::size_t i = 0; i < 4; ++i) {
    const std::string name = std::string("reload_") + names[i];
    results.add(name + "/quiet" + size, columns.at(i), "ns", 1);
    results.add(name + "/ours" + size, columns.at(4 + i), "ns",
                median(columns.at(4 + i)) / median(columns.at(i)));
  }
  results.add("reload_memory/one_policy" + size, times(columns.at(8), 1.0 / 1024), "MB", 1);
  results.add("reload_memory/ours" + size, times(columns.at(9), 1.0 / 1024), "MB",
              median(columns.at(9)) / median(columns.at(8)));
  results.add("reload/ours" + size, columns.at(10), "s");
}

// ---- Memory that peers could make grow ----

/// Kilobytes more after so many distinct topics.
std::vector<double> memory_of_topics(const fs::path& home, std::size_t topics) {
  const AuthService service = open_service(home);
  Session session = session_of(service, 1);
  const auto ask = [&](std::size_t i) {
    if (!session.authorize_publish(topic_text(Shape::kMixed, i % 1000, i))) give_up("a topic is refused");
  };
  for (std::size_t i = 0; i < 10'000; ++i) ask(i);
  const auto before = static_cast<double>(resident_kilobytes("VmRSS:"));
  for (std::size_t i = 0; i < topics; ++i) ask(10'000 + i);
  return {static_cast<double>(resident_kilobytes("VmRSS:")) - before};
}

void measure_topics(std::size_t topics, Results& results) {
  const TempFolder home;
  write_policy(home.path(), 10);
  write_topics(home.path(), Shape::kMixed, 1000);
  const auto grown = in_a_process([&] { return memory_of_topics(home.path(), topics); });
  results.add("worst_topics_memory/ours/" + std::to_string(topics), times(grown, 1.0 / 1024), "MB");
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments(argc, argv);
  using Sizes = std::vector<std::size_t>;
  Results results;
  for (const std::size_t records :
       arguments.pick(Sizes{1000, 10'000, 100'000, 1'000'000}, Sizes{1000, 100'000}, Sizes{1000})) {
    measure_reading(records, arguments.pick<std::size_t>(records < 1'000'000 ? 5 : 2, 2, 1), results);
  }
  const auto records = arguments.pick<std::size_t>(1'000'000, 100'000, 1000);
  measure_reload(records, arguments.pick<std::size_t>(2, 1, 1), arguments.pick(5.0, 1.0, 0.1), results);
  measure_topics(arguments.pick<std::size_t>(1'000'000, 100'000, 10'000), results);
  results.write(arguments.out);
}
