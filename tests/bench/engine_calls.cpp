// authorize_call, by user and through a session, beside a map from users to grants with the one comparison
// that has to be made.

#include <map>

#include <absl/container/flat_hash_map.h>
#include <re2/re2.h>

#include "engine_bench.hpp"

namespace bench {
namespace {

using vipauth::CallArguments;
using vipauth::CallRequest;
using vipauth::Json;

constexpr std::size_t kQuestions = std::size_t{1} << 14;
constexpr std::size_t kSessions = 1024;  // that a bus has at once

enum class Kind { kPlain, kExact, kPattern };

struct KindNames {
  std::string_view name, method, capability, parameter;
};
KindNames names_of(Kind kind) {
  switch (kind) {
    case Kind::kPlain: return {"plain", kPlainMethod, "can_read", "point"};
    case Kind::kExact: return {"exact", kExactMethod, "edit_config_store", "identity"};
    default: return {"pattern", kPatternMethod, "can_set", "point"};
  }
}

struct Question {
  std::string user;
  CallArguments arguments;
};

Question question_of(std::size_t user, Kind kind) {
  const std::string value = kind == Kind::kExact ? user_of(user) : point_of(user);
  return {user_of(user), CallArguments(Json::Object{{std::string(names_of(kind).parameter), Json(value)}})};
}

std::vector<Question> questions(std::size_t records, Kind kind) {
  std::vector<Question> out;
  out.reserve(kQuestions);
  for (const std::size_t user : users_out_of(records, kQuestions)) out.push_back(question_of(user, kind));
  return out;
}

auto by_user(std::size_t records, Kind kind) {
  return [&bus = bus_of(records), kind, asked = questions(records, kind)](std::size_t i) {
    const Question& question = asked[i % kQuestions];
    const CallRequest call{kCallee, names_of(kind).method, question.arguments};
    const auto decision = bus.snapshot().authorize_call(question.user, call);
    if (!decision) give_up("a call is refused");
    return decision.reason();
  };
}

auto by_session(std::size_t records, Kind kind) {
  std::vector<vipauth::Session> sessions;
  std::vector<CallArguments> arguments;
  for (const std::size_t user : users_out_of(records, kSessions)) {
    sessions.push_back(session_of(bus_of(records).service, user));
    arguments.push_back(question_of(user, kind).arguments);
  }
  return [kind, sessions = std::move(sessions), arguments = std::move(arguments)](std::size_t i) mutable {
    const std::size_t peer = i % kSessions;
    const CallRequest call{kCallee, names_of(kind).method, arguments[peer]};
    const auto decision = sessions[peer].authorize_call(call);
    if (!decision) give_up("a call is refused");
    return decision.reason();
  };
}

/// The yardstick: what anybody would write who had this one question to answer.
struct Grant {
  std::string_view capability;
  std::string_view parameter;  // empty: without restriction
  std::string value;
  const re2::RE2* pattern = nullptr;
};
using Grants = absl::flat_hash_map<std::string, std::vector<Grant>>;

const re2::RE2& pattern_of(std::size_t user) {
  static std::map<std::size_t, std::unique_ptr<re2::RE2>> patterns;
  std::unique_ptr<re2::RE2>& pattern = patterns[user % kRoles];
  if (!pattern) {
    pattern = std::make_unique<re2::RE2>("device" + std::to_string(user % kRoles) + R"(\.[a-z]+[0-9]*)");
  }
  return *pattern;
}

const Grants& grants_of(std::size_t records) {
  static std::map<std::size_t, Grants> kept;
  Grants& out = kept[records];
  if (!out.empty()) return out;
  out.reserve(records);
  for (std::size_t i = 0; i < records; ++i) {
    out.emplace(user_of(i), std::vector<Grant>{{"edit_config_store", "identity", user_of(i), nullptr},
                                               {"can_read", "", "", nullptr},
                                               {"can_set", "point", "", &pattern_of(i)}});
  }
  return out;
}

bool accepts(const Grant& grant, const CallArguments& arguments) {
  if (grant.parameter.empty()) return true;
  const Json* value = arguments.find(grant.parameter);
  if (value == nullptr || !value->is_string()) return false;
  return grant.pattern != nullptr ? re2::RE2::FullMatch(value->as_string(), *grant.pattern)
                                  : value->as_string() == grant.value;
}

auto by_hand(std::size_t records, Kind kind) {
  return [&users = grants_of(records), kind, asked = questions(records, kind)](std::size_t i) {
    const Question& question = asked[i % kQuestions];
    const auto user = users.find(question.user);
    if (user == users.end()) give_up("the map is wrong");
    for (const Grant& grant : user->second) {
      if (grant.capability == names_of(kind).capability && accepts(grant, question.arguments)) return true;
    }
    give_up("the map is wrong");
  };
}

auto with_roles(std::size_t roles) {
  const auto bus = std::make_shared<Bus>([&](const fs::path& home) { write_policy_of_roles(home, roles); });
  return [bus](std::size_t) {
    const CallArguments none;
    const auto decision = bus->snapshot().authorize_call(kCallee, CallRequest{kCallee, "last", none});
    if (!decision) give_up("a call is refused");
    return decision.reason();
  };
}

}  // namespace

void add_calls(const Arguments& arguments) {
  for (const Kind kind : {Kind::kPlain, Kind::kExact, Kind::kPattern}) {
    const std::string what = "call_" + std::string(names_of(kind).name);
    for (const std::size_t records :
         arguments.pick(Sizes{1000, 10'000, 100'000, 1'000'000}, Sizes{1000, 100'000}, Sizes{1000})) {
      add(what, "by_hand", records, [=] { return by_hand(records, kind); });
      add(what, "ours", records, [=] { return by_user(records, kind); });
      add(what, "session", records, [=] { return by_session(records, kind); });
    }
  }
  for (const std::size_t roles : arguments.pick(Sizes{1, 10, 100, 1000}, Sizes{1, 1000}, Sizes{10})) {
    add("call_roles", "ours", roles, [=] { return with_roles(roles); });
  }
}

}  // namespace bench
