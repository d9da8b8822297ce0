#pragma once

#include <chrono>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>

#include <vipauth/clock.hpp>
#include <vipauth/result.hpp>

namespace vipauth {
class PolicyStore;
}

namespace vipauth::vctl {

class CsrDesk;

/// Everything that a run of the program gets from outside, so that a test can give it.
struct Env {
  std::istream& in;
  std::ostream& out;                                                       ///< results
  std::ostream& err;                                                       ///< errors and warnings
  std::function<std::optional<std::string>(const std::string&)> variable;  ///< of the environment
  Clock clock = system_now;
  bool is_terminal = false;                          ///< a person types at `in`
  bool is_watched = false;                           ///< a person looks at `err`
  std::chrono::milliseconds patience{1000};          ///< of that person, before being told what takes so long
  std::function<void(bool)> set_echo = [](bool) {};  ///< whether the terminal shows what is typed
  /// Opens what --store names; empty: as its address says.
  std::function<Result<std::shared_ptr<PolicyStore>>(const std::string& address)> open_store = {};
  /// The same for its requests for certificates.
  std::function<Result<std::shared_ptr<CsrDesk>>(const std::string& address)> open_csr_desk = {};
};

}  // namespace vipauth::vctl
