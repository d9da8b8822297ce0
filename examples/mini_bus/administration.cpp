#include "administration.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace mini_bus {
namespace {

using vipauth::Administration;
using vipauth::Approval;
using vipauth::Authorization;
using vipauth::CallArguments;
using vipauth::Error;
using vipauth::ErrorCode;
using vipauth::Json;
using vipauth::Parameter;
using vipauth::Result;

Json shown(const Authorization& peer) {
  return Json::Object{{"user_id", peer.user_id},
                      {"status", to_string(peer.status)},
                      {"domain", peer.domain},
                      {"address", peer.address},
                      {"mechanism", to_string(peer.mechanism)},
                      {"credentials", peer.credentials},
                      {"retries", static_cast<std::int64_t>(peer.retries)}};
}

Result<Json> answer(const Result<Authorization>& peer) {
  if (!peer) return peer.error();
  return shown(*peer);
}

Result<Json> answer(const Result<std::vector<Authorization>>& peers) {
  if (!peers) return peers.error();
  Json::Array out;
  for (const Authorization& peer : *peers) out.push_back(shown(peer));
  return Json(std::move(out));
}

Result<Json> answer(const Result<void>& done) {
  if (!done) return done.error();
  return Json();
}

Result<std::string> text(const CallArguments& arguments, std::string_view name) {
  const Json& value = *arguments.find(name);
  if (value.is_string()) return value.as_string();
  return Error{ErrorCode::kInvalidArgument, "must be a string", std::string(name)};
}

Result<std::optional<std::vector<std::string>>> names(const CallArguments& arguments, std::string_view name) {
  const Json& value = *arguments.find(name);
  if (value.is_null()) return std::optional<std::vector<std::string>>();
  std::vector<std::string> out;
  for (const Json& item : value.is_array() ? value.as_array() : Json::Array{value}) {
    if (!item.is_string()) return Error{ErrorCode::kInvalidArgument, "must be names", std::string(name)};
    out.push_back(item.as_string());
  }
  return std::optional(std::move(out));
}

Result<Json> approve(Administration& administration, const CallArguments& arguments) {
  const auto user_id = text(arguments, "user_id");
  if (!user_id) return user_id.error();
  Approval approval;
  if (!arguments.find("identity")->is_null()) {
    auto identity = text(arguments, "identity");
    if (!identity) return identity.error();
    approval.identity = std::move(*identity);
  }
  auto roles = names(arguments, "roles");
  if (!roles) return roles.error();
  approval.roles = std::move(*roles);
  auto groups = names(arguments, "groups");
  if (!groups) return groups.error();
  approval.groups = std::move(*groups);
  if (const Json& held = *arguments.find("capabilities"); !held.is_null()) approval.capabilities = held;
  return answer(administration.approve_authorization(*user_id, approval));
}

template <auto Decide>
Result<Json> by_user_id(Administration& administration, const CallArguments& arguments) {
  const auto user_id = text(arguments, "user_id");
  if (!user_id) return user_id.error();
  return answer((administration.*Decide)(*user_id));
}

template <auto List>
Result<Json> list(Administration& administration, const CallArguments&) {
  return answer((administration.*List)());
}

Result<Json> status(Administration& administration, const CallArguments& arguments) {
  const auto user_id = text(arguments, "user_id");
  if (!user_id) return user_id.error();
  const auto found = administration.get_authorization_status(*user_id);
  if (!found) return found.error();
  return Json(to_string(*found));
}

Result<Json> update_capabilities(Administration& administration, const CallArguments& arguments) {
  return answer(administration.update_user_capabilities(*arguments.find("user_to_capabilities")));
}

Result<Json> update_topics(Administration& administration, const CallArguments& arguments) {
  return answer(administration.update_protected_topics(*arguments.find("rules")));
}

template <auto Change>
Result<Json> change_methods(Administration& administration, const CallArguments& arguments) {
  const auto identity = text(arguments, "identity");
  if (!identity) return identity.error();
  const auto method = text(arguments, "method");
  if (!method) return method.error();
  const auto capabilities = names(arguments, "authorizations");
  if (!capabilities) return capabilities.error();
  return answer(
      (administration.*Change)(*identity, *method, capabilities->value_or(std::vector<std::string>())));
}

struct Operation {
  std::string_view name;
  std::vector<Parameter> parameters;
  Result<Json> (*run)(Administration&, const CallArguments&);
};

Parameter required(std::string name) { return {std::move(name), Parameter::Kind::kPositional, std::nullopt}; }
Parameter optional(std::string name) { return {std::move(name), Parameter::Kind::kPositional, Json()}; }

const std::vector<Operation>& operations() {
  static const std::vector<Operation> all = {
      {"approve_authorization",
       {required("user_id"), optional("identity"), optional("roles"), optional("groups"),
        optional("capabilities")},
       &approve},
      {"deny_authorization", {required("user_id")}, &by_user_id<&Administration::deny_authorization>},
      {"delete_authorization", {required("user_id")}, &by_user_id<&Administration::delete_authorization>},
      {"get_authorization", {required("user_id")}, &by_user_id<&Administration::get_authorization>},
      {"get_authorization_status", {required("user_id")}, &status},
      {"get_pending_authorizations", {}, &list<&Administration::get_pending_authorizations>},
      {"get_approved_authorizations", {}, &list<&Administration::get_approved_authorizations>},
      {"get_denied_authorizations", {}, &list<&Administration::get_denied_authorizations>},
      {"update_user_capabilities", {required("user_to_capabilities")}, &update_capabilities},
      {"update_protected_topics", {required("rules")}, &update_topics},
      {"add_rpc_authorizations",
       {required("identity"), required("method"), required("authorizations")},
       &change_methods<&Administration::add_rpc_authorizations>},
      {"delete_rpc_authorizations",
       {required("identity"), required("method"), required("authorizations")},
       &change_methods<&Administration::remove_rpc_authorizations>}};
  return all;
}

}  // namespace

Result<std::string> administer(vipauth::AuthService& service, vipauth::Session& caller,
                               std::string_view method, const Json& params) {
  static const Json::Array kNoList;
  static const Json::Object kNoObject;
  for (const Operation& operation : operations()) {
    if (operation.name != method) continue;
    const auto arguments =
        bind_arguments(operation.parameters, params.is_array() ? params.as_array() : kNoList,
                       params.is_object() ? params.as_object() : kNoObject);
    if (!arguments) return arguments.error();
    Administration administration(service, caller);
    const auto result = operation.run(administration, *arguments);
    if (!result) return result.error();
    return result->dump();
  }
  return Error{ErrorCode::kNotFound, "there is no such operation", ""};
}

}  // namespace mini_bus
