// authorize_publish through a session, of topics seen before and of new ones, beside RE2 pattern by pattern,
// and beside a set of RE2.

#include <map>
#include <mutex>
#include <tuple>

#include <re2/re2.h>
#include <re2/set.h>

#include "engine_bench.hpp"

namespace bench {
namespace {

using vipauth::Session;

constexpr std::size_t kSeen = 64;  // topics that are asked again and again

const Bus& bus_of(Shape shape, std::size_t rules) {
  static std::map<std::pair<Shape, std::size_t>, std::unique_ptr<Bus>> buses;
  std::unique_ptr<Bus>& bus = buses[{shape, rules}];
  if (!bus) {
    bus = std::make_unique<Bus>([&](const fs::path& home) {
      write_policy(home, 10);
      write_topics(home, shape, rules);
    });
  }
  return *bus;
}

/// A topic under the rule of that number: one that nobody has asked about, as long as `number` counts up.
std::string new_topic(Shape shape, std::size_t rules, std::uint64_t number) {
  static std::uint64_t asked = 1'000'000;  // further than kSeen: by all benchmarks of this file together
  return topic_text(shape, (number * 7919) % rules, ++asked);
}

std::vector<std::string> seen_topics(Shape shape, std::size_t rules) {
  std::vector<std::string> out;
  out.reserve(kSeen);
  for (std::size_t i = 0; i < kSeen; ++i) out.push_back(topic_text(shape, (i * 7919) % rules, i));
  return out;
}

void publish(Session& session, const std::string& topic) {
  const auto decision = session.authorize_publish(topic);
  if (!decision || decision.reason() != vipauth::Reason::kAllowed)
    give_up("a topic is refused, or not protected");
}

auto seen(Shape shape, std::size_t rules) {
  return [session = session_of(bus_of(shape, rules).service, 1),
          topics = seen_topics(shape, rules)](std::size_t i) mutable {
    publish(session, topics[i % kSeen]);
    return i;
  };
}

auto never_seen(Shape shape, std::size_t rules) {
  return [session = session_of(bus_of(shape, rules).service, 1), shape, rules](std::size_t i) mutable {
    publish(session, new_topic(shape, rules, i));
    return i;
  };
}

/// The yardsticks cover a literal's topics by a pattern, too.
std::string as_pattern(Shape shape, std::size_t i) {
  const std::string text = rule_text(shape, i);
  return is_regex(shape, i) ? text : re2::RE2::QuoteMeta(text) + ".*";
}

auto pattern_by_pattern(Shape shape, std::size_t rules) {
  std::vector<std::unique_ptr<re2::RE2>> patterns;
  patterns.reserve(rules);
  for (std::size_t i = 0; i < rules; ++i)
    patterns.push_back(std::make_unique<re2::RE2>(as_pattern(shape, i)));
  return [patterns = std::move(patterns), shape, rules](std::size_t i) {
    const std::string topic = new_topic(shape, rules, i);
    std::size_t covering = 0;
    for (const auto& pattern : patterns) covering += re2::RE2::FullMatch(topic, *pattern) ? 1U : 0U;
    if (covering == 0) give_up("no pattern covers a topic");
    return covering;
  };
}

auto set_of_patterns(Shape shape, std::size_t rules) {
  re2::RE2::Options options;
  options.set_max_mem(std::int64_t{1} << 28);
  auto set = std::make_unique<re2::RE2::Set>(options, re2::RE2::ANCHOR_BOTH);
  for (std::size_t i = 0; i < rules; ++i) {
    if (set->Add(as_pattern(shape, i), nullptr) < 0) give_up("RE2 does not take a pattern");
  }
  if (!set->Compile()) give_up("RE2 does not compile a set");
  return [set = std::move(set), shape, rules, found = std::vector<int>()](std::size_t i) mutable {
    found.clear();
    return set->Match(new_topic(shape, rules, i), &found);
  };
}

}  // namespace

void add_topics(const Arguments& arguments) {
  for (const Shape shape :
       {Shape::kLiterals, Shape::kPrefixes, Shape::kClasses, Shape::kLeading, Shape::kMixed, Shape::kBare}) {
    const std::string name(name_of(shape));
    for (const std::size_t rules : arguments.pick(Sizes{10, 100, 1000, 10'000}, Sizes{10, 1000}, Sizes{10})) {
      if (shape == Shape::kBare && rules > 1000) continue;
      add("publish_seen_" + name, "ours", rules, [=] { return seen(shape, rules); });
      add("publish_new_" + name, "ours", rules, [=] { return never_seen(shape, rules); });
      add("publish_new_" + name, "re2", rules, [=] { return pattern_by_pattern(shape, rules); });
      add("publish_new_" + name, "re2_set", rules, [=] { return set_of_patterns(shape, rules); });
    }
  }
}

}  // namespace bench
