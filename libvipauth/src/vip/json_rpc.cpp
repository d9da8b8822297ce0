#include <vipauth/json_rpc.hpp>

#include <array>
#include <cstdint>
#include <utility>

namespace vipauth {
namespace {

constexpr std::string_view kVersion = "2.0";
constexpr std::string_view kUnhandled = "unhandled exception";
constexpr std::string_view kException = "exception.py";
constexpr std::string_view kOurs = "vipauth";

Json exception(std::string_view type, Json::Array arguments, std::string_view text) {
  return Json::Object{{"detail", text},
                      {std::string(kException),
                       Json::Object{{"exc_type", type}, {"exc_args", std::move(arguments)}, {"exc_tb", ""}}}};
}

const std::array kCodes{ErrorCode::kInvalidArgument, ErrorCode::kParseError, ErrorCode::kUnsupported,
                        ErrorCode::kLimitExceeded,   ErrorCode::kNotFound,   ErrorCode::kAlreadyExists,
                        ErrorCode::kConflict,        ErrorCode::kBusy,       ErrorCode::kPermissionDenied,
                        ErrorCode::kIoError,         ErrorCode::kUnavailable};

std::optional<ErrorCode> code_of(std::string_view name) {
  for (const ErrorCode code : kCodes) {
    if (to_string(code) == name) return code;
  }
  return std::nullopt;
}

std::optional<int> as_int(const Json* json) {
  if (json == nullptr) return std::nullopt;
  static constexpr int kKnown[] = {RpcError::kInvalidRequest, RpcError::kMethodNotFound,
                                   RpcError::kInvalidParams, RpcError::kUnhandledException,
                                   RpcError::kUnauthorized};
  for (const int code : kKnown) {
    if (*json == Json(code)) return code;
  }
  return std::nullopt;
}

RpcFrame::Part not_understood(Json id, int code, std::string_view message) {
  return {RpcError{code, std::string(message), {}}, std::move(id)};
}

RpcError read_error(const Json& json) {
  RpcError error;
  error.code = as_int(json.find("code")).value_or(RpcError::kUnhandledException);
  error.message = json.text_at("message");
  if (const Json* data = json.find("data")) error.data = *data;
  return error;
}

RpcFrame::Part read_part(Json json) {
  if (!json.is_object()) return not_understood({}, RpcError::kInvalidRequest, "invalid object type");
  const Json* found = json.find("id");
  std::optional<Json> id;
  if (found != nullptr && !found->is_null()) id = *found;
  if (id && !id->is_string() && !id->is_number()) {
    return not_understood({}, RpcError::kInvalidRequest, "an id is a string or a number");
  }
  const Json shown_id = id.value_or(Json());
  if (const Json* version = json.find("jsonrpc"); version == nullptr || *version != Json(kVersion)) {
    return not_understood(shown_id, RpcError::kInvalidRequest, "unsupported version of JSON-RPC");
  }

  const Json* method = json.find("method");
  Json* result = json.find("result");
  const Json* error = json.find("error");
  if (method != nullptr) {
    if (!method->is_string() || result != nullptr || error != nullptr) {
      return not_understood(shown_id, RpcError::kInvalidRequest, "neither a call nor an answer");
    }
    Json* params = json.find("params");
    if (params != nullptr && !params->is_array() && !params->is_object()) {
      return not_understood(shown_id, RpcError::kInvalidParams, "params must be a list or an object");
    }
    RpcRequest request{.id = std::move(id), .method = method->as_string(), .params = {}};
    if (params != nullptr) request.params = std::move(*params);
    return {std::move(request), shown_id};
  }
  if (error != nullptr && result == nullptr && error->is_object()) {
    return {RpcResponse{shown_id, read_error(*error)}, shown_id};
  }
  if (result != nullptr && error == nullptr) {
    return {RpcResponse{shown_id, std::move(*result)}, shown_id};
  }
  return not_understood(shown_id, RpcError::kInvalidRequest, "neither a call nor an answer");
}

}  // namespace

RpcError RpcError::method_not_found(std::string_view method) {
  return {kMethodNotFound, "unimplemented method",
          Json::Object{{"detail", "method '" + std::string(method) + "' is not implemented"}}};
}

RpcError RpcError::refused(std::string_view text) {
  return {kUnhandledException, std::string(kUnhandled),
          exception("volttron.platform.jsonrpc.Error", {kUnauthorized, text}, text)};
}

RpcError RpcError::of(const Error& error) {
  const std::string text = error.to_string();
  RpcError out = error.code == ErrorCode::kPermissionDenied
                     ? refused(text)
                     : RpcError{kUnhandledException, std::string(kUnhandled),
                                exception("builtins.ValueError", {text}, text)};
  out.data.set(
      kOurs, Json::Object{
                 {"code", to_string(error.code)}, {"message", error.message}, {"location", error.location}});
  return out;
}

bool RpcError::is_refusal() const {
  if (code == kUnauthorized) return true;
  const Json* raised = data.find(kException);
  const Json* arguments = raised != nullptr ? raised->find("exc_args") : nullptr;
  return arguments != nullptr && arguments->is_array() && !arguments->as_array().empty() &&
         as_int(&arguments->as_array().front()) == kUnauthorized;
}

std::string RpcError::text() const {
  const std::string detail = data.text_at("detail");
  return detail.empty() ? message : detail;
}

Error RpcError::to_error() const {
  if (const Json* ours = data.find(kOurs)) {
    if (const auto known = code_of(ours->text_at("code"))) {
      return Error{*known, ours->text_at("message"), ours->text_at("location")};
    }
  }
  if (is_refusal()) return Error{ErrorCode::kPermissionDenied, text(), ""};
  if (code == kMethodNotFound) return Error{ErrorCode::kUnsupported, text(), ""};
  return Error{ErrorCode::kInvalidArgument, text(), ""};
}

Json RpcResponse::to_json() const {
  Json out(Json::Object{{"jsonrpc", kVersion}, {"id", id}});
  if (const auto* error = std::get_if<RpcError>(&outcome)) {
    Json shown(Json::Object{{"code", error->code}, {"message", error->message}});
    if (!error->data.is_null()) shown.set("data", error->data);
    out.set("error", std::move(shown));
  } else {
    out.set("result", std::get<Json>(outcome));
  }
  return out;
}

RpcFrame RpcFrame::parse(std::string_view text) {
  RpcFrame frame;
  auto json = Json::parse(text);
  if (!json) {
    frame.parts.push_back(
        not_understood({}, RpcError::kInvalidRequest, "invalid object type: " + json.error().to_string()));
    return frame;
  }
  if (!json->is_array()) {
    frame.parts.push_back(read_part(std::move(*json)));
    return frame;
  }
  Json::Array& list = json->as_array();
  if (list.empty() || list.size() > kMaxItems) {
    frame.parts.push_back(
        not_understood({}, RpcError::kInvalidRequest,
                       "a list holds 1 to " + std::to_string(kMaxItems) + " calls or answers"));
    return frame;
  }
  frame.is_list = true;
  for (Json& item : list) frame.parts.push_back(read_part(std::move(item)));
  return frame;
}

std::string rpc_request(const Json& id, std::string_view method, const Json& params) {
  Json out(Json::Object{{"jsonrpc", kVersion}, {"method", method}});
  if (!params.is_null()) out.set("params", params);
  if (!id.is_null()) out.set("id", id);
  return out.dump();
}

}  // namespace vipauth
