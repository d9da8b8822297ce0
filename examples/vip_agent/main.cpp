// vip_agent: an agent on a VIP bus, to copy from. It makes its key pair, finds the server's, waits until an
// administrator approves it, serves, subscribes, publishes and calls, and stops once it is denied.

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <signal.h>

#include <vipauth/python_repr.hpp>

#include "agent.hpp"

namespace {

using vip_agent::Agent;
using vipauth::CallArguments;
using vipauth::Error;
using vipauth::ErrorCode;
using vipauth::Json;
using vipauth::Result;
using vipauth::VipClient;

constexpr const char* kUsage =
    R"(usage: vip_agent [--home DIR] ADDRESS ACTION...

  ADDRESS                     of the router, with the agent's identity: 'tcp://127.0.0.1:22916#my.agent', and
                              ?serverkey=KEY where the known hosts of the home do not have it
  --home DIR                  where its key store and the known hosts are; else VOLTTRON_HOME

  --publish TOPIC TEXT
  --call PEER METHOD PARAMS   a list or an object: '{"temp": 70}'
  --subscribe PREFIX          print what is published
  --serve METHOD[=CAP,CAP]    answer calls by repeating their arguments; a caller needs these capabilities

Actions are done in this order. With --subscribe or --serve it stays, until Ctrl-C. Ends with 0 when all is
done, 1 when something failed, 2 when the platform denies this agent, 64 when it is used otherwise.
)";
constexpr int kDenied = 2;
constexpr int kWrongUsage = 64;

volatile std::sig_atomic_t stop = 0;

/// What others say may hold what a terminal would obey.
std::string clean(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

void tell(const std::string& line) { std::cerr << "vip_agent: " + clean(line) + "\n"; }

/// Out of the bus it can publish no alert, as agents do of other troubles: it gives it where it was started.
int fail(const Error& error) {
  const bool is_denied = error.code == ErrorCode::kPermissionDenied;
  tell(is_denied ? "ALERT: the platform denies this agent, so it stops: " + error.message
                 : error.to_string());
  return is_denied ? kDenied : EXIT_FAILURE;
}

// ---- What to do ----

struct Actions {
  using Words = std::vector<std::string>;

  std::optional<std::string> home;
  std::optional<std::string> address;
  std::vector<Words> publish;
  std::vector<Words> call;
  std::vector<Words> subscribe;
  std::vector<Words> serve;

  /// Nothing, where the words are otherwise than the usage says.
  static std::optional<Actions> read(const Words& words) {
    Actions out;
    std::vector<Words> homes;
    const auto list = [&](const std::string& word) -> std::pair<std::vector<Words>*, std::size_t> {
      if (word == "--home") return {&homes, 1};
      if (word == "--publish") return {&out.publish, 2};
      if (word == "--call") return {&out.call, 3};
      if (word == "--subscribe") return {&out.subscribe, 1};
      if (word == "--serve") return {&out.serve, 1};
      return {nullptr, 0};
    };
    for (auto word = words.begin(); word != words.end(); ++word) {
      const auto [actions, count] = list(*word);
      if (actions == nullptr) {
        if (word->starts_with("-") || out.address) return std::nullopt;
        out.address = *word;
        continue;
      }
      if (static_cast<std::size_t>(words.end() - word) <= count) return std::nullopt;
      const auto last = word + static_cast<std::ptrdiff_t>(count);
      actions->emplace_back(word + 1, last + 1);
      word = last;
    }
    const char* of_environment =
        std::getenv("VOLTTRON_HOME");  // NOLINT(concurrency-mt-unsafe): no thread yet
    if (!homes.empty()) {
      out.home = homes.back().front();
    } else if (of_environment != nullptr) {
      out.home = of_environment;
    }
    const bool has_any =
        !out.publish.empty() || !out.call.empty() || !out.subscribe.empty() || !out.serve.empty();
    if (!out.home || !out.address || !has_any) return std::nullopt;
    return out;
  }
};

/// The agent's own keys, made where it has none yet, and the server's.
Result<vipauth::ClientKeys> find_keys(const std::string& home, const std::string& text) {
  const auto address = vipauth::VipAddress::parse(text);
  if (!address) return address.error().at("ADDRESS");
  if (!address->identity) return Error{ErrorCode::kInvalidArgument, "needs an identity: '#NAME'", "ADDRESS"};
  if (!address->secretkey) {
    const auto own = vipauth::AgentKeyStores(home).load_or_create(*address->identity);
    if (!own) return own.error();
    tell("my public key is " + own->public_key.to_base64url());
  }
  return vipauth::find_client_keys(home, *address);
}

void add_method(Agent& agent, const std::string& text) {
  const std::size_t end_of_name = std::min(text.find('='), text.size());
  std::vector<std::string> capabilities;
  for (std::size_t at = end_of_name; at < text.size();) {
    const std::size_t next = std::min(text.find(',', at + 1), text.size());
    capabilities.push_back(text.substr(at + 1, next - at - 1));
    at = next;
  }
  const std::string name = text.substr(0, end_of_name);
  using Kind = vipauth::Parameter::Kind;
  agent.serve(name, std::move(capabilities),
              {{"args", Kind::kVarPositional, std::nullopt}, {"kwargs", Kind::kVarKeyword, std::nullopt}},
              [name](const VipClient::Caller& caller, const CallArguments& arguments) -> Result<Json> {
                std::cout << python_repr(Json(caller.identity)) << ", user "
                          << python_repr(Json(caller.user_id)) << ", calls " << name << ": "
                          << python_repr(Json(arguments.all())) << '\n';
                return Json(arguments.all());
              });
}

// ---- Doing it ----

/// Prints an answer. What is not allowed is a failure; being denied altogether is the end.
int report(Agent& agent, const std::string& what, const Result<Json>& answer) {
  if (answer) {
    std::cout << what << ": " << python_repr(*answer) << '\n';
    return EXIT_SUCCESS;
  }
  if (const auto end = agent.end_of(answer.error())) return fail(*end);
  const bool is_refused = answer.error().code == ErrorCode::kPermissionDenied;
  tell(what + (is_refused ? ": refused: " : ": failed: ") + answer.error().message);
  return EXIT_FAILURE;
}

int act(Agent& agent, const Actions& actions) {
  if (auto connected = agent.connect(); !connected) return fail(connected.error());
  int worst = EXIT_SUCCESS;
  for (const auto& words : actions.publish) {
    if (stop != 0) return worst;
    const auto count = agent.client().publish(words[0], Json(), words[1]);
    const Result<Json> answer =
        count ? Result<Json>(Json(static_cast<std::int64_t>(*count))) : Result<Json>(count.error());
    worst = std::max(worst, report(agent, "published to " + clean(words[0]), answer));
    if (worst == kDenied) return worst;
  }
  for (const auto& words : actions.call) {
    if (stop != 0) return worst;
    const auto params = Json::parse(words[2]);
    if (!params) return fail(params.error().at("PARAMS"));
    const auto answer = agent.client().call(words[0], words[1], *params);
    worst = std::max(worst, report(agent, clean(words[0] + "." + words[1]), answer));
    if (worst == kDenied) return worst;
  }
  if (actions.subscribe.empty() && actions.serve.empty()) return worst;
  const auto stayed = agent.stay([](const VipClient::Publication& publication) {
    std::cout << python_repr(Json(publication.sender)) << " on " << python_repr(Json(publication.topic))
              << ": " << python_repr(publication.message) << '\n';
  });
  return stayed ? worst : fail(stayed.error());
}

int run(const std::vector<std::string>& words) {
  const auto actions = Actions::read(words);
  if (!actions) {
    std::cerr << kUsage;
    return kWrongUsage;
  }
  auto keys = find_keys(*actions->home, *actions->address);
  if (!keys) return fail(keys.error());
  const std::string identity = *keys->identity;
  auto client = VipClient::open(*std::move(keys));
  if (!client) return fail(client.error());
  Agent agent(*std::move(client), identity, tell, stop);
  for (const auto& words_of_one : actions->subscribe) agent.subscribe(words_of_one[0]);
  for (const auto& words_of_one : actions->serve) add_method(agent, words_of_one[0]);
  return act(agent, *actions);
}

void on_signal(int) { stop = 1; }

}  // namespace

int main(int argc, char** argv) {
  try {
    std::cout << std::unitbuf;  // each line as it comes, through a pipe too
    struct sigaction action{};
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    tell(error.what());
    return EXIT_FAILURE;
  }
}
