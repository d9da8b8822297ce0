#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <vipauth/strict_modes.hpp>

#include "env.hpp"

namespace vipauth::vctl {

inline constexpr int kExitDone = 0;  ///< done, or allowed
inline constexpr int kExitFailed = 1;
inline constexpr int kExitDenied = 2;  ///< what `check` asked is refused
inline constexpr int kExitUsage = 64;  ///< the command line makes no sense

/// Options that every verb takes.
struct CommonOptions {
  std::optional<std::string> home;
  std::optional<std::string> config;
  std::optional<std::string> vip_address;  ///< of a running platform to work on, in the place of files
  std::optional<std::string> store;        ///< the address of a store to work on, in the place of files
  bool json = false;
  bool debug = false;
  std::chrono::milliseconds timeout = std::chrono::seconds(60);
  StrictModes strict_modes = StrictModes::kOn;
};

class Platform;

/// What a verb runs in.
struct Context {
  Env& env;
  CommonOptions options;
  std::string command = {};                 ///< the words that name the verb: "auth add"
  std::shared_ptr<Platform> platform = {};  ///< connected, where --vip-address is given; else null
  std::shared_ptr<PolicyStore> store = {};  ///< opened, where the verb works on one; else null

  /// Where a verb talks to the user: not on the standard output when that is to be one JSON document.
  std::ostream& dialog() const { return options.json ? env.err : env.out; }
};

/// A verb with its options, ready to run. Returns the exit code.
using Verb = std::function<int(const Context&)>;

}  // namespace vipauth::vctl
