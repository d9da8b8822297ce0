// The worst that a peer or a file may ask: time must grow no faster than the input.

#include <re2/re2.h>
#include <re2/set.h>

#include "engine_bench.hpp"

namespace bench {
namespace {

using vipauth::CallArguments;
using vipauth::CallRequest;
using vipauth::Json;
using vipauth::Pattern;

/// A bus of one user, agent.0, who may call `last` with a `value` that the pattern accepts.
std::shared_ptr<Bus> bus_with_pattern(const std::string& pattern) {
  return std::make_shared<Bus>([&](const fs::path& home) {
    const Json record = Json::Object{
        {"user_id", "agent.0"},
        {"identity", "agent.0"},
        {"credentials", key_of(0).to_base64url()},
        {"capabilities", Json::Object{{"can_set", Json::Object{{"value", '/' + pattern + '/'}}}}},
        {"rpc_method_authorizations", Json::Object{{"last", Json::Array{"can_set"}}}}};
    const Json version = Json::Object{{"major", 1}, {"minor", 4}};
    write_file(home / "auth.json",
               Json(Json::Object{{"allow", Json::Array{record}}, {"version", version}}).dump());
  });
}

/// Asks whether `value` is accepted, which it is not.
auto refused(const std::string& pattern, const std::string& value) {
  return [bus = bus_with_pattern(pattern),
          arguments = CallArguments(Json::Object{{"value", Json(value)}})](std::size_t) {
    const auto decision = bus->snapshot().authorize_call(kCallee, CallRequest{kCallee, "last", arguments});
    if (decision.reason() != vipauth::Reason::kRestricted) give_up(decision.message());
    return decision.reason();
  };
}

auto refused_by_re2(const std::string& pattern, const std::string& value) {
  return [re2 = std::make_shared<re2::RE2>(pattern), value](std::size_t) {
    if (re2::RE2::FullMatch(value, *re2)) give_up("RE2 accepts");
    return value.size();
  };
}

/// An expression as long as a file may have: alternatives that begin alike.
std::string longest_pattern() {
  std::string out = "(";
  while (out.size() + 12 < Pattern::kMaxBytes - 2) out += "a[a-f]*" + std::to_string(out.size()) + '|';
  return out + "b)+";
}

/// A topic of 4 KiB that no rule foresees: it begins what rules end with again and again, and is covered by
/// one.
std::string topic_of_4096(std::size_t rules, std::size_t number) {
  static std::size_t asked = 0;
  Numbers numbers(++asked);
  const std::string end = "/suffix" + std::to_string(number % rules);
  std::string out;
  while (out.size() + 40 < 4096) out += "suffix" + std::to_string(numbers.below(rules)) + '.';
  return out + end;
}

auto longest_topics(std::size_t rules) {
  const auto bus = std::make_shared<Bus>([&](const fs::path& home) {
    write_policy(home, 10);
    write_topics(home, Shape::kLeading, rules);
  });
  return [session = session_of(bus->service, 1), bus, rules](std::size_t i) mutable {
    const auto decision = session.authorize_publish(topic_of_4096(rules, i));
    if (!decision) give_up("a topic is refused");
    return decision.reason();
  };
}

auto longest_topics_by_set(std::size_t rules) {
  re2::RE2::Options options;
  options.set_max_mem(std::int64_t{1} << 28);
  const auto set = std::make_shared<re2::RE2::Set>(options, re2::RE2::ANCHOR_BOTH);
  for (std::size_t i = 0; i < rules; ++i) set->Add(rule_text(Shape::kLeading, i), nullptr);
  if (!set->Compile()) give_up("RE2 does not compile a set");
  return [set, rules, found = std::vector<int>()](std::size_t i) mutable {
    found.clear();
    return set->Match(topic_of_4096(rules, i), &found);
  };
}

/// `{"params": ...}` of a call, some bytes long: small objects, as many as it takes.
std::string document_of(std::size_t bytes) {
  std::string out = R"({"identity":"agent.1","values":[)";
  while (out.size() + 64 < bytes) out += R"({"point":"setpoint","value":[1,2.5,true,null]},)";
  return out + "0]}";
}

auto whole_call(std::size_t bytes) {
  return [session = session_of(bus_of(1000).service, 1), text = document_of(bytes)](std::size_t) mutable {
    const Json params = must(Json::parse(text));
    const auto decision = session.authorize_call(vipauth::UnboundCall{kCallee, kExactMethod, params});
    if (!decision) give_up("a call is refused");
    return decision.reason();
  };
}

auto parse_alone(std::size_t bytes) {
  return [text = document_of(bytes)](std::size_t) { return must(Json::parse(text)).is_object(); };
}

}  // namespace

void add_worst(const Arguments& arguments) {
  for (const std::size_t bytes : {std::size_t{32}, std::size_t{1024}, std::size_t{32} * 1024}) {
    const std::string evil = std::string(bytes, 'a') + '!';
    add("worst_nested", "re2", bytes, [=] { return refused_by_re2("(a+)+$", evil); });
    add("worst_nested", "ours", bytes, [=] { return refused("(a+)+$", evil); });
    add("worst_longest_pattern", "re2", bytes, [=] { return refused_by_re2(longest_pattern(), evil); });
    add("worst_longest_pattern", "ours", bytes, [=] { return refused(longest_pattern(), evil); });
  }
  for (const std::size_t rules : arguments.pick(Sizes{100, 1000, 10'000}, Sizes{1000}, Sizes{10})) {
    add("worst_topic_4096", "re2_set", rules, [=] { return longest_topics_by_set(rules); });
    add("worst_topic_4096", "ours", rules, [=] { return longest_topics(rules); });
  }
  for (const std::size_t bytes : {std::size_t{1} << 10U, std::size_t{1} << 20U}) {
    add("worst_document", "parse", bytes, [=] { return parse_alone(bytes); });
    add("worst_document", "ours", bytes, [=] { return whole_call(bytes); });
  }
}

}  // namespace bench
