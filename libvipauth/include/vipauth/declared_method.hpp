#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <vipauth/call_binder.hpp>
#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// An RPC method that an agent exports, as its code declares it.
struct DeclaredMethod {
  std::string name;
  /// In the order of the declaration; nothing: not told, and calls must give their arguments by name.
  std::optional<std::vector<Parameter>> parameters = {};
  std::vector<std::string> capabilities = {};  ///< that callers need, all of them; none: anybody may call
  friend bool operator==(const DeclaredMethod&, const DeclaredMethod&) = default;
};

/// What one agent may declare: an agent is a peer, and may be hostile.
struct DeclarationLimits {
  static constexpr std::size_t kMaxMethods = 256;
  static constexpr std::size_t kMaxParameters = 64;    ///< of a method
  static constexpr std::size_t kMaxCapabilities = 64;  ///< of a method
  static constexpr std::size_t kMaxNameBytes = 255;    ///< of a method, a parameter, a capability
  static constexpr std::size_t kMaxBytes = std::size_t{64} * 1024;  ///< of all names and default values
};

/// Each method once, with each of its capabilities once: a method that is declared several times (VOLTTRON's
/// `RPC.allow` above `RPC.allow`) requires the capabilities of all.
/// \return kInvalidArgument  no name, one that holds a control character or is not UTF-8; a capability without
///                           a name; a parameter twice, a second `*args` or `**kwargs`; two parameter lists.
///                           `location` is a JSON Pointer ("/set_temp")
/// \return kLimitExceeded    beyond DeclarationLimits
VIPAUTH_EXPORT Result<std::vector<DeclaredMethod>> check_declaration(std::vector<DeclaredMethod> methods);

/// Reads a declaration off the wire: `{"set_temp": ["CAP_SET_TEMP"]}`, as VOLTTRON's agents send it, or with
/// parameters, in the form that its `inspect` gives:
/// `{"set_temp": {"capabilities": [...], "params": {"temp": {"kind": "POSITIONAL_OR_KEYWORD", "default":
/// 70}}}}`.
/// \return what check_declaration returns; kInvalidArgument  a wrong type
/// Source: VOLTTRON auth_service.py, update_id_rpc_authorizations; Python's inspect.Parameter.kind.
VIPAUTH_EXPORT Result<std::vector<DeclaredMethod>> parse_declaration(const Json& json);

}  // namespace vipauth
