// mini_agent: an agent to play with, on a MiniBus.

#include <chrono>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <vipauth/key_store.hpp>

#include "arguments.hpp"
#include "mini_agent.hpp"

namespace {

using mini_bus::MiniAgent;
using mini_bus::shown;
using vipauth::ConnectionState;

constexpr const char* kUsage =
    "usage: mini_agent ENDPOINT --server-key KEY --identity NAME [--key-file FILE] COMMAND\n"
    "\n"
    "  publish TOPIC TEXT\n"
    "  subscribe [PREFIX...]        print what is published, until Ctrl-C; listen does the same\n"
    "  call AGENT METHOD [JSON]     JSON: the arguments by name, {\"temp\": 70}\n"
    "  serve METHOD...              answer calls by repeating their arguments, until Ctrl-C\n"
    "\n"
    "The agent's own key pair is kept in FILE (NAME.key), and made at first.\n";
constexpr int kWrongUsage = 64;

int fail(const std::string& why) {
  std::cerr << "mini_agent: " << why << '\n';
  return EXIT_FAILURE;
}

/// Waits until the bus lets us in, and says what it waits for. False where that will never be.
bool wait_for_bus(vipauth::ConnectionMonitor& monitor) {
  while (true) {
    const ConnectionState before = monitor.state();
    const ConnectionState state = monitor.update(std::chrono::seconds(1));
    if (state != before) std::cerr << monitor.advice() << '\n';
    if (state == ConnectionState::kConnected) return true;
    if (state == ConnectionState::kRefused || state == ConnectionState::kNotCurve) return false;
  }
}

/// Prints an answer; its exit code.
int report(const std::optional<MiniAgent::Reply>& reply) {
  if (!reply) return fail("the bus does not answer");
  if (!reply->ok) return fail(reply->text);
  if (!reply->text.empty()) std::cout << reply->text << '\n';
  return EXIT_SUCCESS;
}

/// Subscribes, or serves; prints what is published or called; and begins again when the bus was away.
int stay(MiniAgent& agent, const std::function<int()>& begin) {
  while (true) {
    if (const int failed = begin(); failed != 0) return failed;
    while (agent.monitor().update() == ConnectionState::kConnected) {
      const auto event = agent.next_event(std::chrono::seconds(1));
      if (event) {
        std::cout << shown(event->sender) << " on " << shown(event->topic) << ": " << shown(event->payload)
                  << '\n';
      }
    }
    std::cerr << agent.monitor().advice() << '\n';
    if (!wait_for_bus(agent.monitor())) return EXIT_FAILURE;
  }
}

int subscribe(MiniAgent& agent, std::vector<std::string> prefixes) {
  if (prefixes.empty()) prefixes.emplace_back();
  return stay(agent, [&] {
    for (const std::string& prefix : prefixes) {
      if (const int failed = report(agent.subscribe(prefix)); failed != 0) return failed;
    }
    return 0;
  });
}

int serve(MiniAgent& agent, const std::vector<std::string>& methods) {
  return stay(agent, [&] {
    for (const std::string& method : methods) {
      const auto repeat = [method](const std::string& caller, const std::string& arguments) {
        std::cout << shown(caller) << " calls " << method << ' ' << shown(arguments) << '\n';
        return MiniAgent::Reply{true, arguments};
      };
      if (const int failed = report(agent.serve(method, repeat)); failed != 0) return failed;
    }
    return 0;
  });
}

int run(mini_bus::Arguments arguments) {
  const auto key_text = arguments.take_option("--server-key");
  const auto identity = arguments.take_option("--identity");
  const auto key_file = arguments.take_option("--key-file");
  const auto endpoint = arguments.take_next();
  const auto command = arguments.take_next().value_or("");
  const std::vector<std::string>& rest = arguments.left();
  const bool is_listening = command == "subscribe" || command == "listen";
  const bool is_known = is_listening || (command == "publish" && rest.size() == 2) ||
                        (command == "call" && (rest.size() == 2 || rest.size() == 3)) ||
                        (command == "serve" && !rest.empty());
  if (!endpoint || !key_text || !identity || !is_known) {
    std::cerr << kUsage;
    return kWrongUsage;
  }
  if (identity->find('/') != std::string::npos) return fail("an identity holds no '/'");

  const auto server_key = vipauth::CurveKey::parse(*key_text);
  if (!server_key) return fail("--server-key: " + server_key.error().to_string());
  const auto keys = vipauth::KeyStore(key_file.value_or(*identity + ".key")).load_or_create();
  if (!keys) return fail(keys.error().to_string());
  std::cerr << "my public key is " << keys->public_key.to_base64url() << '\n';

  auto agent = MiniAgent::connect(*endpoint, *server_key, *keys, *identity);
  if (!agent) return fail(agent.error().to_string());
  if (!wait_for_bus(agent->monitor())) return EXIT_FAILURE;

  if (is_listening) return subscribe(*agent, rest);
  if (command == "serve") return serve(*agent, rest);
  if (command == "publish") return report(agent->publish(rest[0], rest[1]));
  return report(agent->call(rest[0], rest[1], rest.size() == 3 ? rest[2] : "{}"));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::cout << std::unitbuf;  // each event as it comes, through a pipe too
    return run(mini_bus::Arguments(argc, argv));
  } catch (const std::exception& error) {
    return fail(error.what());
  }
}
