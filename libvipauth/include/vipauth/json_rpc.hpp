#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// Why a call did not succeed. Source: JSON-RPC 2.0, 5.1; VOLTTRON jsonrpc.py.
struct RpcError {
  static constexpr int kInvalidRequest = -32600;
  static constexpr int kMethodNotFound = -32601;
  static constexpr int kInvalidParams = -32602;
  static constexpr int kUnhandledException = -32000;  ///< VOLTTRON: the method failed, or refused
  static constexpr int kUnauthorized = -32001;        ///< VOLTTRON: inside of the former

  int code = kUnhandledException;
  std::string message;
  Json data = {};

  VIPAUTH_EXPORT static RpcError method_not_found(std::string_view method);
  /// A refusal, as VOLTTRON's agents send it: an unhandled exception, of which `data` says that it is
  /// jsonrpc.Error(-32001, text).
  VIPAUTH_EXPORT static RpcError refused(std::string_view text);
  /// The same for an Error: kPermissionDenied is a refusal, the others are ValueErrors. `data.vipauth` holds
  /// its code and location.
  VIPAUTH_EXPORT static RpcError of(const Error& error);

  /// True where the caller was not allowed to make the call.
  VIPAUTH_EXPORT bool is_refusal() const;
  /// The text for a person: what the exception said, else the message.
  VIPAUTH_EXPORT std::string text() const;
  /// The Error that it was made of, where it was made by of(); else one of the code that fits best.
  VIPAUTH_EXPORT Error to_error() const;
};

/// A call.
struct RpcRequest {
  std::optional<Json> id;  ///< none: a notification, which is not answered
  std::string method;
  Json params;  ///< as they came: see split_params
};

/// What became of one.
struct RpcResponse {
  Json id;
  std::variant<Json, RpcError> outcome;

  VIPAUTH_EXPORT Json to_json() const;
};

/// One frame of the subsystem `RPC`: a call or an answer, or a list of them.
struct RpcFrame {
  /// Most that one list may hold: each is decided, and answered.
  static constexpr std::size_t kMaxItems = 100;

  /// Something else: what to answer.
  using Item = std::variant<RpcRequest, RpcResponse, RpcError>;
  struct Part {
    Item item;
    Json id;  ///< of the call or the answer; of something else what it has, or null
  };

  std::vector<Part> parts;
  bool is_list = false;  ///< answers go into one list

  /// Never fails: what cannot be understood is an RpcError to answer with. Duplicate members are not
  /// understood.
  /// Source: JSON-RPC 2.0; VOLTTRON jsonrpc.py, Dispatcher.
  VIPAUTH_EXPORT static RpcFrame parse(std::string_view text);
};

/// The text of a call.
/// \param id  null: a notification
VIPAUTH_EXPORT std::string rpc_request(const Json& id, std::string_view method, const Json& params);

}  // namespace vipauth
