#include "agent.hpp"

#include <chrono>
#include <thread>

#include <vipauth/python_repr.hpp>

namespace vip_agent {

using std::chrono::steady_clock;
using vipauth::Error;
using vipauth::ErrorCode;
using vipauth::Json;
using vipauth::Result;

namespace {

constexpr std::chrono::seconds kHeartbeat{2};
constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::seconds kHelloTime{3};      // between two looks at whether to end
constexpr std::chrono::milliseconds kListen{200};  // the same
constexpr const char* kAuth = "platform.auth";

/// The key waits for approval, nobody is there just now, or the platform has too much to do.
bool may_pass(const Error& error) {
  return error.code == ErrorCode::kBusy || error.code == ErrorCode::kUnavailable;
}

}  // namespace

void Agent::serve(std::string method, std::vector<std::string> capabilities,
                  std::vector<vipauth::Parameter> parameters, Run run) {
  methods_.push_back({std::move(method), std::move(capabilities), std::move(parameters), std::move(run)});
}

/// Tells what has not been told last.
void Agent::tell_once(const std::string& line) {
  if (line == told_) return;
  told_ = line;
  tell_(line);
}

Result<void> Agent::connect() {
  while (stop_ == 0) {
    const auto welcome = client_.hello(kHelloTime);
    if (welcome) {
      tell_once("connected as user " + welcome->user_id);
      if (begun_ == welcome->connection) return {};
      auto begun = begin();
      if (begun) {
        begun_ = welcome->connection;
        return {};
      }
      if (!may_pass(begun.error())) return begun;
      tell_once(begun.error().to_string());
      std::this_thread::sleep_for(kHeartbeat);
    } else {
      if (!may_pass(welcome.error())) return welcome.error();
      tell_once(welcome.error().message);
    }
  }
  return {};
}

/// Says what this agent wants and offers. A method is served from when the platform knows what it requires:
/// it is the router that protects it.
Result<void> Agent::begin() {
  for (const std::string& prefix : prefixes_) {
    if (auto subscribed = client_.subscribe(prefix, kPatience); !subscribed) return subscribed;
  }
  if (methods_.empty()) return {};
  Json::Object declared;
  for (const Method& method : methods_) declared.push_back({method.name, Json::strings(method.capabilities)});
  const auto required = client_.call(kAuth, "update_id_rpc_authorizations",
                                     Json::Array{identity_, Json(std::move(declared))}, kPatience);
  if (!required) return required.error();
  tell_("callers need: " + python_repr(*required));  // what the administrator wrote counts
  for (const Method& method : methods_) client_.methods().add(method.name, method.parameters, "", method.run);
  return {};
}

Result<void> Agent::stay(const Take& take) {
  while (stop_ == 0) {
    if (auto connected = connect(); !connected) return connected;
    const auto until = steady_clock::now() + kHeartbeat;
    while (stop_ == 0 && steady_clock::now() < until) {
      if (const auto publication = client_.next_publication(kListen)) take(*publication);
    }
  }
  return {};
}

std::optional<Error> Agent::end_of(const Error& failed) {
  if (failed.code != ErrorCode::kPermissionDenied) return std::nullopt;
  const auto connected = connect();
  if (connected) return std::nullopt;
  return connected.error();
}

}  // namespace vip_agent
