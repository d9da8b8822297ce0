#include <vipauth/remote_administration.hpp>

#include <optional>
#include <utility>

#include <vipauth/auth_peer.hpp>
#include <vipauth/authorization_json.hpp>

#include "vip/policy_operations.hpp"

namespace vipauth {
namespace {

constexpr int kMostTries = 10;

/// What `auth_file.read` told.
struct Content {
  Policy policy;
  std::optional<Json> digest;  ///< of a platform that makes an edit only on what was read
};

Result<Content> read_content(Json answer) {
  const auto member = [&](std::string_view name) {
    Json* found = answer.find(name);
    return found != nullptr ? std::move(*found) : Json();
  };
  if (answer.find("allow_list") == nullptr || answer.find("deny_list") == nullptr) {
    return Error{ErrorCode::kParseError, "auth_file.read answered without allow_list and deny_list", ""};
  }
  Json document(Json::Object{{"allow", member("allow_list")}, {"deny", member("deny_list")}});
  for (const std::string_view name : {"groups", "roles", "version"}) {
    if (Json value = member(name); !value.is_null()) document.set(name, std::move(value));
  }
  std::optional<Json> digest;
  if (Json told = member("digest"); !told.is_null()) digest = std::move(told);
  auto policy = Policy::parse(std::move(document));
  if (!policy) return policy.error();
  return Content{*std::move(policy), std::move(digest)};
}

}  // namespace

Result<Json> RemoteAdministration::call(std::string_view method, const Json& params) {
  return client_.call(AuthPeer::kIdentity, method, params, patience_);
}

Result<Policy> RemoteAdministration::read_auth_file() {
  auto answer = call("auth_file.read", {});
  if (!answer) return answer.error();
  auto content = read_content(*std::move(answer));
  if (!content) return content.error();
  return std::move(content->policy);
}

Result<EditReport> RemoteAdministration::edit_auth_file(const AuthFile::Change& change) {
  for (int tries = 0; tries < kMostTries; ++tries) {
    auto answer = call("auth_file.read", {});
    if (!answer) return answer.error();
    const auto content = read_content(*std::move(answer));
    if (!content) return content.error();
    Policy changed = content->policy;
    if (auto done = change(changed); !done) return done.error();
    auto operations = policy_operations(content->policy, changed,
                                        content->digest ? RecordForm::kChanges : RecordForm::kWhole);
    if (!operations) return operations.error();
    if (operations->empty()) return EditReport{};
    if (operations->size() > 1 && !content->digest) {
      return Error{ErrorCode::kUnsupported,
                   "this changes several things at once, for which that platform has no method", ""};
    }
    const bool is_single = operations->size() == 1;
    Json params = is_single ? *operations->front().find("params") : Json(Json::Object());
    const std::string method = is_single ? operations->front().text_at("method") : "auth_file.apply";
    if (!is_single) params.set("operations", *std::move(operations));
    if (content->digest) params.set("expected", *content->digest);
    const auto done = call(method, params);
    if (done) return EditReport{.written = true, .warnings = {}};
    if (done.error().code != ErrorCode::kConflict || !content->digest) return done.error();
  }
  return Error{ErrorCode::kConflict, "somebody else edits the file all the time: try again", ""};
}

Result<TopicDocument> RemoteAdministration::read_protected_topics() {
  auto answer = call("get_protected_topics", {});
  if (!answer) return answer.error();
  return TopicDocument::parse(*std::move(answer));
}

Result<EditReport> RemoteAdministration::edit_protected_topics(const TopicsFile::Change& change) {
  for (int tries = 0; tries < kMostTries; ++tries) {
    const auto present = read_protected_topics();
    if (!present) return present.error();
    TopicDocument changed = *present;
    if (auto done = change(changed); !done) return done.error();
    Json rules{Json::Object()};
    for (const TopicList list : {TopicList::kWriteProtect, TopicList::kReadProtect}) {
      const Json* before = present->to_json().find(to_string(list));
      const Json* after = changed.to_json().find(to_string(list));
      if (after != nullptr && (before == nullptr || *before != *after)) rules.set(to_string(list), *after);
    }
    if (rules.as_object().empty()) return EditReport{};
    const auto done = call("update_protected_topics",
                           Json::Object{{"rules", std::move(rules)}, {"expected", present->to_json()}});
    if (done) return EditReport{.written = true, .warnings = {}};
    if (done.error().code != ErrorCode::kConflict) return done.error();
  }
  return Error{ErrorCode::kConflict, "somebody else edits the topics all the time: try again", ""};
}

// ---- Remote peers ----

/// A platform of VOLTTRON's own answers null: then what was asked for is what is known.
Result<Authorization> RemoteAdministration::decide(std::string_view method, std::string_view user_id,
                                                   AuthorizationStatus status, Json params) {
  params.set("user_id", user_id);
  const auto answer = call(method, params);
  if (!answer) return answer.error();
  if (answer->is_null()) {
    Authorization peer;
    peer.status = status;
    peer.user_id = user_id;
    return peer;
  }
  return parse_authorization(*answer, status);
}

Result<Authorization> RemoteAdministration::approve_authorization(std::string_view user_id,
                                                                  const Approval& approval) {
  Json params{Json::Object()};
  if (approval.user_id) params.set("new_user_id", *approval.user_id);
  if (approval.identity) params.set("identity", *approval.identity);
  if (approval.roles) params.set("roles", Json::strings(*approval.roles));
  if (approval.groups) params.set("groups", Json::strings(*approval.groups));
  if (approval.capabilities) params.set("capabilities", *approval.capabilities);
  if (approval.any_address) params.set("any_address", true);
  if (approval.credentials) params.set("credentials", approval.credentials->to_base64url());
  return decide("approve_authorization", user_id, AuthorizationStatus::kApproved, std::move(params));
}

Result<Authorization> RemoteAdministration::deny_authorization(std::string_view user_id) {
  return decide("deny_authorization", user_id, AuthorizationStatus::kDenied, Json::Object());
}

Result<Authorization> RemoteAdministration::delete_authorization(std::string_view user_id) {
  return decide("delete_authorization", user_id, AuthorizationStatus::kUnknown, Json::Object());
}

Result<std::vector<Authorization>> RemoteAdministration::list(std::string_view method,
                                                              AuthorizationStatus status) {
  const auto answer = call(method, {});
  if (!answer) return answer.error();
  if (!answer->is_array()) return Error{ErrorCode::kParseError, "answered no list", std::string(method)};
  std::vector<Authorization> peers;
  for (const Json& item : answer->as_array()) {
    auto peer = parse_authorization(item, status);
    if (!peer) return peer.error().at(method);
    peers.push_back(*std::move(peer));
  }
  return peers;
}

Result<std::vector<Authorization>> RemoteAdministration::get_pending_authorizations() {
  return list("get_pending_authorizations", AuthorizationStatus::kPending);
}

Result<std::vector<Authorization>> RemoteAdministration::get_approved_authorizations() {
  return list("get_approved_authorizations", AuthorizationStatus::kApproved);
}

Result<std::vector<Authorization>> RemoteAdministration::get_denied_authorizations() {
  return list("get_denied_authorizations", AuthorizationStatus::kDenied);
}

// ---- Methods of agents ----

Result<void> RemoteAdministration::add_rpc_authorizations(std::string_view identity, std::string_view method,
                                                          const std::vector<std::string>& capabilities) {
  const auto done =
      call("add_rpc_authorizations",
           Json::Object{
               {"identity", identity}, {"method", method}, {"authorizations", Json::strings(capabilities)}});
  if (!done) return done.error();
  return {};
}

Result<void> RemoteAdministration::remove_rpc_authorizations(std::string_view identity,
                                                             std::string_view method,
                                                             const std::vector<std::string>& capabilities) {
  const auto done =
      call("delete_rpc_authorizations", Json::Object{{"identity", identity},
                                                     {"method", method},
                                                     {"denied_authorizations", Json::strings(capabilities)}});
  if (!done) return done.error();
  return {};
}

}  // namespace vipauth
