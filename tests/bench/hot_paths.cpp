// Does one thing over and over, for a program that counts instructions: check_instructions.py has callgrind
// count those of `hot_path` alone. usage: hot_paths NAME TIMES

#include <charconv>
#include <functional>
#include <iostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homes.hpp"
#include "support.hpp"

namespace {

using namespace bench;
using namespace vipauth;

constexpr std::size_t kRecords = 1000;
constexpr std::size_t kRules = 1000;
constexpr std::size_t kWarming = 2000;

using Once = std::function<void(std::size_t number)>;

void require(const Decision& decision) {
  if (!decision) give_up(decision.message());
}

Once authenticate(const AuthService& service) {
  std::vector<CurveKey> keys;
  keys.reserve(kRecords);
  for (std::size_t i = 0; i < kRecords; ++i) keys.push_back(key_of(i));
  return [keys = std::move(keys), snapshot = service.policy()->current().snapshot](std::size_t i) {
    require(snapshot->authenticator.authenticate(request_of(keys[i % kRecords])).decision);
  };
}

Once handle(const AuthService& service) {
  std::vector<CurveKey> keys;
  keys.reserve(kRecords);
  for (std::size_t i = 0; i < kRecords; ++i) keys.push_back(key_of(i));
  return [zap = service.zap_authenticator(), keys = std::move(keys)](std::size_t i) {
    const CurveKey& key = keys[i % kRecords];
    const std::string_view raw(reinterpret_cast<const char*>(key.bytes().data()), key.bytes().size());
    const std::string_view frames[] = {"1.0", "1", "vip", "127.0.0.1", "", "CURVE", raw};
    if (zap.handle(frames).status_code != "200") give_up("a peer is not let in");
  };
}

Once call(const AuthService& service) {
  return [session = session_of(service, 1),
          arguments = CallArguments(Json::Object{{"identity", user_of(1)}})](std::size_t) mutable {
    require(session.authorize_call(CallRequest{kCallee, kExactMethod, arguments}));
  };
}

Once call_of_text(const AuthService& service) {
  return [session = session_of(service, 1)](std::size_t) mutable {
    const Json params = must(Json::parse(R"({"identity": "agent.1", "values": [1, 2.5, true, null]})"));
    require(session.authorize_call(UnboundCall{kCallee, kExactMethod, params}));
  };
}

Once publish(const AuthService& service) {
  std::vector<std::string> topics;
  topics.reserve(64);
  for (std::size_t i = 0; i < 64; ++i) topics.push_back(topic_text(Shape::kMixed, i, i));
  return [session = session_of(service, 1), topics = std::move(topics)](std::size_t i) mutable {
    require(session.authorize_publish(topics[i % topics.size()]));
  };
}

const std::vector<std::pair<std::string_view, Once (*)(const AuthService&)>> kPaths{
    {"authenticate", authenticate},
    {"zap_handle", handle},
    {"authorize_call", call},
    {"authorize_call_of_text", call_of_text},
    {"authorize_publish_seen", publish}};

}  // namespace

/// What is counted: not static, and not inlined, so that callgrind knows it by name.
extern "C" [[gnu::noinline]] void hot_path(const Once& once, std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) once(i);
}

int main(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  if (words.size() != 2) {
    for (const auto& [name, make] : kPaths) std::cout << name << '\n';
    return words.empty() ? 0 : 64;
  }
  std::size_t times = 0;
  if (std::from_chars(words[1].data(), words[1].data() + words[1].size(), times).ec != std::errc{}) return 64;
  const TempFolder home;
  write_policy(home.path(), kRecords);
  write_topics(home.path(), Shape::kMixed, kRules);
  const AuthService service = open_service(home.path());
  for (const auto& [name, make] : kPaths) {
    if (name != words[0]) continue;
    const Once once = make(service);
    for (std::size_t i = 0; i < kWarming; ++i) once(i);
    hot_path(once, times);
    return 0;
  }
  give_up("no such path: " + std::string(words[0]));
}
