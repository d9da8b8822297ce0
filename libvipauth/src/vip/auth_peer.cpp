#include <vipauth/auth_peer.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include <vipauth/administration.hpp>
#include <vipauth/authorization_json.hpp>
#include <vipauth/capability_updates.hpp>
#include <vipauth/json_rpc.hpp>
#include <vipauth/record_secrets.hpp>
#include <vipauth/rpc_dispatcher.hpp>

#include "vip/auth_file_operations.hpp"
#include "vip/rpc_arguments.hpp"

namespace vipauth {
namespace {

/// Who calls.
struct Caller {
  AuthService& service;
  Session& session;
  std::string_view identity;

  Administration administration() { return {service, session}; }
};

using Methods = RpcDispatcher<Caller>;

// ---- Results ----

Result<Json> as_result(const Result<Authorization>& peer) {
  if (!peer) return peer.error();
  return to_json(*peer);
}

Result<Json> as_result(const Result<std::vector<Authorization>>& peers) {
  if (!peers) return peers.error();
  Json::Array out;
  for (const Authorization& peer : *peers) out.push_back(to_json(peer));
  return Json(std::move(out));
}

Result<Json> as_result(const Result<void>& done) {
  if (!done) return done.error();
  return Json();
}

// ---- Remote peers ----

Result<Json> approve(Caller& caller, const CallArguments& arguments) {
  const auto user_id = text_of(arguments, "user_id");
  if (!user_id) return user_id.error();
  Approval approval;
  const auto any_address = flag_of(arguments, "any_address");
  if (!any_address) return any_address.error();
  approval.any_address = *any_address;
  auto new_user_id = optional_text_of(arguments, "new_user_id");
  if (!new_user_id) return new_user_id.error();
  approval.user_id = *std::move(new_user_id);
  auto identity = optional_text_of(arguments, "identity");
  if (!identity) return identity.error();
  approval.identity = *std::move(identity);
  auto roles = optional_names_of(arguments, "roles");
  if (!roles) return roles.error();
  approval.roles = *std::move(roles);
  auto groups = optional_names_of(arguments, "groups");
  if (!groups) return groups.error();
  approval.groups = *std::move(groups);
  if (const Json& held = *arguments.find("capabilities"); !held.is_null()) approval.capabilities = held;
  const auto credentials = optional_text_of(arguments, "credentials");
  if (!credentials) return credentials.error();
  if (*credentials) {
    const auto key = CurveKey::parse(**credentials);
    if (!key) return key.error().at("credentials");
    approval.credentials = *key;
  }
  return as_result(caller.administration().approve_authorization(*user_id, approval));
}

template <auto Decide>
Result<Json> by_user_id(Caller& caller, const CallArguments& arguments) {
  const auto user_id = text_of(arguments, "user_id");
  if (!user_id) return user_id.error();
  Administration administration = caller.administration();
  return as_result((administration.*Decide)(*user_id));
}

/// VOLTTRON names the parameter after certificates, whatever the peer is known by.
Result<std::string> name_of_peer(const CallArguments& arguments) {
  const bool by_name = !arguments.find("common_name")->is_null();
  return text_of(arguments, by_name ? "common_name" : "user_id");
}

Result<Json> get_authorization(Caller& caller, const CallArguments& arguments) {
  const auto name = name_of_peer(arguments);
  if (!name) return name.error();
  return as_result(caller.administration().get_authorization(*name));
}

Result<Json> get_authorization_status(Caller& caller, const CallArguments& arguments) {
  const auto name = name_of_peer(arguments);
  if (!name) return name.error();
  const auto status = caller.administration().get_authorization_status(*name);
  if (!status) return status.error();
  return Json(to_string(*status));
}

template <auto List>
Result<Json> list(Caller& caller, const CallArguments&) {
  Administration administration = caller.administration();
  return as_result((administration.*List)());
}

void add_remote_peers(Methods& methods) {
  methods.add(
      "approve_authorization",
      {required("user_id"), keyword("new_user_id"), keyword("identity"), keyword("roles"), keyword("groups"),
       keyword("capabilities"), keyword("any_address", false), keyword("credentials")},
      "Lets a peer in that waits, or that was denied.", &approve);
  methods.add("deny_authorization", {required("user_id")}, "Keeps a peer out.",
              &by_user_id<&Administration::deny_authorization>);
  methods.add("delete_authorization", {required("user_id")}, "Forgets a peer, which must ask again.",
              &by_user_id<&Administration::delete_authorization>);
  const std::vector<Parameter> peer = {with_default("common_name", {}), keyword("user_id")};
  methods.add("get_authorization", peer, "A remote peer, by its user_id.", &get_authorization);
  methods.add("get_authorization_status", peer, "PENDING, APPROVED, DENIED or UNKNOWN.",
              &get_authorization_status);
  methods.add("get_pending_authorizations", {}, "The peers that wait for a decision.",
              &list<&Administration::get_pending_authorizations>);
  methods.add("get_approved_authorizations", {}, "The peers that were approved.",
              &list<&Administration::get_approved_authorizations>);
  methods.add("get_denied_authorizations", {}, "The peers that were denied.",
              &list<&Administration::get_denied_authorizations>);
}

// ---- Methods of agents ----

Result<std::vector<DeclaredMethod>> declared(const CallArguments& arguments) {
  auto methods = parse_declaration(*arguments.find("rpc_methods"));
  if (!methods) return methods.error().at("rpc_methods");
  return methods;
}

Json required_by(const std::vector<MethodRequirement>& requirements) {
  Json::Object out;
  for (const MethodRequirement& requirement : requirements) {
    out.push_back({requirement.method, Json::strings(requirement.capabilities)});
  }
  return out;
}

/// An agent declares its own methods; an administrator writes down those of another.
Result<Json> update_id_rpc_authorizations(Caller& caller, const CallArguments& arguments) {
  const auto identity = text_of(arguments, "identity");
  if (!identity) return identity.error();
  auto methods = declared(arguments);
  if (!methods) return methods.error();
  if (*identity == caller.identity) {
    const auto registered = caller.service.register_methods(caller.session, *identity, *std::move(methods));
    if (!registered) return registered.error();
    return required_by(registered->requirements);
  }
  std::vector<std::pair<std::string, std::vector<std::string>>> written;
  for (const DeclaredMethod& method : *methods) written.emplace_back(method.name, method.capabilities);
  const auto edited =
      caller.administration().edit_auth_file("update_id_rpc_authorizations", [&](Policy& policy) {
        return policy.declare_rpc_authorizations(*identity, written, DeclarationLimits::kMaxMethods);
      });
  if (!edited) return edited.error();
  return required_by(caller.service.policy()->current().snapshot->methods.requirements(*identity));
}

template <auto Change>
Result<Json> change_methods(Caller& caller, const CallArguments& arguments, std::string_view name) {
  const auto identity = text_of(arguments, "identity");
  if (!identity) return identity.error();
  const auto method = text_of(arguments, "method");
  if (!method) return method.error();
  const auto capabilities = names_of(arguments, name);
  if (!capabilities) return capabilities.error();
  Administration administration = caller.administration();
  return as_result((administration.*Change)(*identity, *method, *capabilities));
}

void add_methods_of_agents(Methods& methods) {
  methods.add("update_id_rpc_authorizations", {required("identity"), required("rpc_methods")},
              "Declares what an agent's methods require, and tells what they require now.",
              &update_id_rpc_authorizations);
  methods.add(
      "add_rpc_authorizations", {required("identity"), required("method"), required("authorizations")},
      "Has callers of a method need these capabilities, too.",
      [](Caller& caller, const CallArguments& arguments) {
        return change_methods<&Administration::add_rpc_authorizations>(caller, arguments, "authorizations");
      });
  methods.add("delete_rpc_authorizations",
              {required("identity"), required("method"), required("denied_authorizations")},
              "Has callers of a method need these capabilities no more.",
              [](Caller& caller, const CallArguments& arguments) {
                return change_methods<&Administration::remove_rpc_authorizations>(caller, arguments,
                                                                                  "denied_authorizations");
              });
}

// ---- Who holds what ----

/// What the present policy says of a user beside its capabilities, from the file that it was made of.
struct Memberships {
  std::vector<std::string> groups;
  std::vector<std::string> roles;
};

void add_new(std::vector<std::string>& names, const std::vector<std::string>& more) {
  for (const std::string& name : more) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
}

/// A whole user, by user_id, or as earlier versions of VOLTTRON name one:
/// "domain,address,mechanism,credentials".
std::optional<std::string> find_user(const PolicySnapshot& policy, const std::string& name) {
  if (policy.capabilities.knows(name)) return name;
  std::vector<std::string_view> parts;
  std::string_view rest = name;
  for (std::size_t comma = rest.find(','); comma != std::string_view::npos && parts.size() < 3;
       comma = rest.find(',')) {
    parts.push_back(rest.substr(0, comma));
    rest.remove_prefix(comma + 1);
  }
  if (parts.size() != 3 || parts[2] != to_string(Mechanism::kCurve)) return std::nullopt;
  const auto key = CurveKey::parse(rest);
  if (!key) return std::nullopt;
  const Authentication found = policy.authenticator.authenticate({parts[0], parts[1], *key});
  if (!found.decision) return std::nullopt;
  return std::string(found.user_id);
}

}  // namespace

// ---- The peer ----

struct AuthPeer::Impl {
  explicit Impl(AuthService& auth_service) : service(auth_service) {
    // The policy may have moved since the message came, and moves while a long one is answered.
    methods.set_guard([](Caller& caller) -> Result<void> {
      if (const Decision stands = caller.session.check(); !stands) {
        return Error{ErrorCode::kPermissionDenied, stands.message(), ""};
      }
      return {};
    });
    add_remote_peers(methods);
    add_methods_of_agents(methods);
    add_users();
    add_auth_file();
    add_topics();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void add_users();
  void add_auth_file();
  void add_topics();

  Memberships memberships_of(const std::string& user_id);
  Result<void> check_expected(const Policy& present, const CallArguments& arguments) const;

  AuthService& service;
  Methods methods;
  std::optional<std::uint64_t> known_at;  // the generation that `everybody` is of
  Json everybody;
  std::optional<std::uint64_t> read_at;  // the generation that `policy` was read for
  Policy policy;
};

/// Reads the file once for each policy: any peer may ask.
Memberships AuthPeer::Impl::memberships_of(const std::string& user_id) {
  const LivePolicy::Version now = service.policy()->current();
  if (read_at != now.generation) {
    auto loaded = service.auth_file().load();
    if (!loaded) return {};  // the next question reads again
    policy = *std::move(loaded);
    read_at = now.generation;
  }
  Memberships out;
  for (const std::string& place : now.snapshot->capabilities.records_of(user_id)) {
    const std::size_t index = std::stoul(place.substr(place.rfind('/') + 1));
    if (index >= policy.allow().size()) continue;  // the file is newer than the policy in force
    const auto& record = policy.allow()[index].record;
    if (!record || record->user_id != user_id) continue;
    add_new(out.groups, record->groups);
    add_new(out.roles, record->roles);
  }
  return out;
}

void AuthPeer::Impl::add_users() {
  methods.add("get_user_to_capabilities", {}, "Who holds what.", [this](Caller&, const CallArguments&) {
    const LivePolicy::Version now = service.policy()->current();
    if (known_at != now.generation) {
      everybody = user_to_capabilities(now.snapshot->capabilities).map;
      known_at = now.generation;
    }
    return Result<Json>(everybody);
  });

  enum class Part { kCapabilities, kGroups, kRoles, kAll };
  const auto of_user = [this](Part part) {
    return [this, part](Caller& caller, const CallArguments& arguments) -> Result<Json> {
      const auto asked = text_of(arguments, "user_id");
      if (!asked) return asked.error();
      const auto now = caller.service.policy()->current().snapshot;
      const auto user = find_user(*now, *asked);
      if (!user) return part == Part::kAll ? Json() : Json(Json::Array());
      Json held = user_to_capabilities(now->capabilities, {*user}).map;
      Json capabilities = held.as_object().empty() ? Json(Json::Object()) : held.as_object().front().value;
      if (part == Part::kCapabilities) return capabilities;
      const Memberships memberships = memberships_of(*user);
      if (part == Part::kGroups) return Json::strings(memberships.groups);
      if (part == Part::kRoles) return Json::strings(memberships.roles);
      return Json(Json::Array{std::move(capabilities), Json::strings(memberships.groups),
                              Json::strings(memberships.roles)});
    };
  };
  methods.add("get_capabilities", {required("user_id")}, "What a user holds.", of_user(Part::kCapabilities));
  methods.add("get_groups", {required("user_id")}, "The groups of a user.", of_user(Part::kGroups));
  methods.add("get_roles", {required("user_id")}, "The roles of a user.", of_user(Part::kRoles));
  methods.add("get_authorizations", {required("user_id")}, "Capabilities, groups and roles of a user.",
              of_user(Part::kAll));
}

Result<void> AuthPeer::Impl::check_expected(const Policy& present, const CallArguments& arguments) const {
  const Json& expected = *arguments.find("expected");
  if (expected.is_null() || expected == Json(policy_fingerprint(present))) return {};
  return Error{ErrorCode::kConflict, "the file is not the one any more that was read: read it again", ""};
}

void AuthPeer::Impl::add_auth_file() {
  methods.add("auth_file.read", {}, "The whole file, without passwords.",
              [](Caller& caller, const CallArguments&) {
                const auto content = caller.administration().read_auth_file();
                return content ? Result<Json>(auth_file_content(*content)) : Result<Json>(content.error());
              });
  methods.add("auth_file.find_by_credentials", {required("credentials"), with_default("is_allow", true)},
              "The records with this public key, or this very pattern.",
              [](Caller& caller, const CallArguments& arguments) -> Result<Json> {
                const auto credentials = text_of(arguments, "credentials");
                if (!credentials) return credentials.error();
                const auto is_allow = flag_of(arguments, "is_allow");
                if (!is_allow) return is_allow.error();
                const auto content = caller.administration().read_auth_file();
                if (!content) return content.error();
                const auto& entries = *is_allow ? content->allow() : content->deny();
                Json::Array found;
                for (const std::size_t index : records_with(entries, *credentials)) {
                  found.push_back(without_passwords(entries[index]));
                }
                return Json(std::move(found));
              });
  for (const AuthFileOperation& operation : auth_file_operations()) {
    std::vector<Parameter> parameters = operation.parameters;
    parameters.push_back(keyword("expected"));
    methods.add(std::string(operation.name), std::move(parameters), std::string(operation.doc),
                [this, &operation](Caller& caller, const CallArguments& arguments) {
                  return as_result(caller.administration().edit_auth_file(
                      operation.name, [&](Policy& present) -> Result<void> {
                        if (auto same = check_expected(present, arguments); !same) return same;
                        return operation.apply(present, arguments);
                      }));
                });
  }
  methods.add("auth_file.apply", {required("operations"), keyword("expected")},
              R"(Several changes in one edit: [{"method": "auth_file.add", "params": {...}}, ...].)",
              [this](Caller& caller, const CallArguments& arguments) {
                return as_result(caller.administration().edit_auth_file(
                    "auth_file.apply", [&](Policy& present) -> Result<void> {
                      if (auto same = check_expected(present, arguments); !same) return same;
                      return apply_operations(present, *arguments.find("operations"));
                    }));
              });
  methods.add(
      "update_user_capabilities", {required("user_to_capabilities")},
      "Gives users other capabilities of their own.", [](Caller& caller, const CallArguments& arguments) {
        return as_result(
            caller.administration().update_user_capabilities(*arguments.find("user_to_capabilities")));
      });
}

void AuthPeer::Impl::add_topics() {
  methods.add("get_protected_topics", {}, "The content of protected_topics.json.",
              [](Caller& caller, const CallArguments&) {
                const auto document = caller.administration().read_protected_topics();
                return document ? Result<Json>(document->to_json()) : Result<Json>(document.error());
              });
  methods.add("update_protected_topics", {required("rules"), keyword("expected")},
              "Puts other rules in the place of a list, or of both.",
              [](Caller& caller, const CallArguments& arguments) {
                const Json& expected = *arguments.find("expected");
                return as_result(caller.administration().update_protected_topics(
                    *arguments.find("rules"), expected.is_null() ? std::nullopt : std::optional(expected)));
              });
}

AuthPeer::AuthPeer(AuthService& service) : impl_(std::make_unique<Impl>(service)) {}
AuthPeer::AuthPeer(AuthPeer&&) noexcept = default;
AuthPeer& AuthPeer::operator=(AuthPeer&&) noexcept = default;
AuthPeer::~AuthPeer() = default;

std::vector<std::string> AuthPeer::answer(Session& caller, std::string_view identity,
                                          const std::vector<std::string>& arguments) {
  Caller context{impl_->service, caller, identity};
  std::vector<std::string> answers;
  RpcBudget budget;
  for (const std::string& frame : arguments) {
    if (auto answer = impl_->methods.answer(context, frame, budget)) answers.push_back(*std::move(answer));
  }
  return answers;
}

std::string auth_update_call(const PolicySnapshot& policy) {
  return rpc_request({}, "auth.update", auth_update_body(policy.capabilities));
}

std::string rpc_authorizations_call(const PolicySnapshot& policy, std::string_view identity) {
  return rpc_request({}, "auth.set_multiple_rpc_authorizations",
                     rpc_authorizations_body(policy.methods, identity));
}

}  // namespace vipauth
