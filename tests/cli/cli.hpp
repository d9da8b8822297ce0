#pragma once

#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <vipauth/clock.hpp>
#include <vipauth/json.hpp>
#include <vipauth/policy_store.hpp>

#include "csr_desk.hpp"
#include "run.hpp"
#include "support/temp_home.hpp"

namespace vipauth::test {

inline constexpr const char* kAgentB = "vELQORgWOUcXo69DsSmHiCCLesJPa4-CtVfvoNHwIR0";
inline constexpr const char* kAgentA = "HOVXfTspZWcpHQcYT_xGcqypBHzQHTgqEzVb4iXrcDg";
inline constexpr const char* kAlice = "JydrFRRv-kdSejL6Ldxy978pOf8HkWC9fRHUWKmJfxc";

/// What a run of the program gave.
struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string err;
};

/// A store that tells of no requests for certificates.
class NoCsrs final : public vctl::CsrDesk {
 public:
  Result<std::vector<FleetCsr>> list(std::vector<std::string>& /*warnings*/) override {
    return std::vector<FleetCsr>();
  }
  bool knows(const CommonName& /*name*/) override { return false; }
  Result<FleetCsrDecision> approve(const CommonName& /*name*/, const std::string& /*key*/) override {
    return none_;
  }
  Result<FleetCsrDecision> deny(const CommonName& /*name*/) override { return none_; }
  Result<FleetCsrDecision> remove(const CommonName& /*name*/) override { return none_; }

 private:
  const Error none_{ErrorCode::kNotFound, "there is no such request", ""};
};

/// Runs the program in a home of its own, with string streams.
class Cli {
 public:
  TempHome home;
  std::map<std::string, std::string> environment{{"VOLTTRON_HOME", home.path().string()}};
  Timestamp now = *parse_timestamp("2026-11-21T21:30:00Z");
  bool is_terminal = false;
  std::vector<bool> echo;                     ///< each switch of the terminal's echo
  std::shared_ptr<PolicyStore> policy_store;  ///< what --store opens, whatever the address
  std::shared_ptr<vctl::CsrDesk> csr_desk = std::make_shared<NoCsrs>();  ///< the same, of its requests

  Outcome run(const std::vector<std::string>& arguments, const std::string& input = "") {
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    const auto variable = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = environment.find(name);
      if (found == environment.end()) return std::nullopt;
      return found->second;
    };
    vctl::Env env{in, out, err, variable};
    env.clock = [this] { return now; };
    env.is_terminal = is_terminal;
    env.set_echo = [this](bool on) { echo.push_back(on); };
    if (policy_store) {
      env.open_store = [this](const std::string&) {
        return Result<std::shared_ptr<PolicyStore>>(policy_store);
      };
      env.open_csr_desk = [this](const std::string&) {
        return Result<std::shared_ptr<vctl::CsrDesk>>(csr_desk);
      };
    }
    const int exit_code = vctl::run(arguments, env);
    return {exit_code, out.str(), err.str()};
  }

  /// The same below `auth`.
  Outcome auth(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), "auth");
    return run(arguments, input);
  }

  /// The content of auth.json.
  Json file() const { return *Json::parse(home.read("auth.json")); }

  /// A record of auth.json.
  Json record(std::size_t index) const { return file().find("allow")->as_array().at(index); }
};

/// A document that must be well-formed.
inline Json json(const std::string& text) {
  auto parsed = Json::parse(text);
  return parsed ? *parsed : Json("not JSON: " + text);
}

inline const Json& at(const Json& json, std::string_view name) {
  static const Json kMissing("(missing)");
  const Json* found = json.find(name);
  return found == nullptr ? kMissing : *found;
}

}  // namespace vipauth::test
