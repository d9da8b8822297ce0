// What administrators see and decide.

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include <vipauth/auth_file.hpp>

#include "web/site.hpp"

namespace vipauth::web {
namespace {

/// What is listed could not be read: that is not who asked's mistake, whatever the error says.
HttpReply unreadable(const Site& site, const Error& error, std::string_view what) {
  return site.refuse({ErrorCode::kIoError, error.to_string(), ""}, what);
}

Json number(std::uint64_t value) { return Json::Number{std::to_string(value)}; }

void set_time(Json& out, std::string_view name, const std::optional<Timestamp>& time) {
  if (time) out.set(name, format_timestamp(*time));
}

// ---- CSRs ----

Json to_json(const Certificate& certificate) {
  return Json::Object{{"common_name", certificate.common_name},
                      {"serial", certificate.serial},
                      {"fingerprint", certificate.fingerprint},
                      {"key_fingerprint", certificate.key_fingerprint},
                      {"not_before", format_timestamp(certificate.not_before)},
                      {"not_after", format_timestamp(certificate.not_after)}};
}

Json to_json(const CsrEntry& entry) {
  Json out = Json::Object{{"common_name", entry.common_name.text()},
                          {"status", to_string(entry.status)},
                          {"address", entry.address},
                          {"key_kind", entry.key_kind},
                          {"key_fingerprint", entry.key_fingerprint},
                          {"retries", number(entry.retries)}};
  set_time(out, "first_seen", entry.first_seen);
  set_time(out, "last_seen", entry.last_seen);
  if (entry.certificate) out.set("certificate", to_json(*entry.certificate));
  return out;
}

using DecideCsr = std::function<Result<CsrDecision>(const CommonName&, const EditNote&)>;

HttpReply decide_csr(Site& site, const Call& call, const char* command, const DecideCsr& decide) {
  const auto name = CommonName::parse(call.parameter);
  if (!name) return error_reply(400, name.error().to_string());
  const auto done = decide(*name, EditNote{call.caller->who(), command});
  if (!done) return site.refuse(done.error(), command);
  for (const std::string& warning : done->warnings) {
    site.log(LogLevel::kWarning, "web: \"" + name->text() + "\": " + warning);
  }
  Json out = Json::Object{{"csr", to_json(done->entry)}};
  if (done->broker_problem) {
    site.log(LogLevel::kWarning, "web: the broker was not told of \"" + name->text() +
                                     "\": " + done->broker_problem->to_string());
    out.set("broker_problem", "the decision holds, but the broker could not be told: the log says why");
  }
  return json_reply(200, out);
}

/// The fingerprint that the administrator has compared; empty where none is given. What is not known is
/// refused: a typing mistake would take the check away.
Result<std::string> compared_fingerprint(const Json& body) {
  std::string out;
  for (const Json::Member& member : body.as_object()) {
    if (member.name != "key_fingerprint" || !member.value.is_string() || member.value.as_string().empty()) {
      return Error{ErrorCode::kInvalidArgument, "must be key_fingerprint, as the list of requests has it",
                   json_pointer("", member.name)};
    }
    out = member.value.as_string();
  }
  return out;
}

// ---- Credentials ----

Json to_json(const Authorization& peer) {
  Json out = Json::Object{{"user_id", peer.user_id},
                          {"status", to_string(peer.status)},
                          {"mechanism", to_string(peer.mechanism)},
                          {"credentials", peer.credentials},
                          {"domain", peer.domain},
                          {"address", peer.address},
                          {"retries", number(peer.retries)}};
  set_time(out, "first_seen", peer.first_seen);
  set_time(out, "last_seen", peer.last_seen);
  if (!peer.site.empty()) out.set("site", peer.site);
  return out;
}

HttpReply reply_to(Site& site, const Result<Authorization>& done, std::string_view command) {
  if (!done) return site.refuse(done.error(), command);
  return json_reply(200, Json::Object{{"credential", to_json(*done)}});
}

Error wrong_member(std::string_view name, std::string_view what) {
  return Error{ErrorCode::kInvalidArgument, "must be " + std::string(what), json_pointer("", name)};
}

Result<std::vector<std::string>> names_of(const Json::Member& member) {
  std::vector<std::string> out;
  if (!member.value.is_array()) return wrong_member(member.name, "a list of names");
  for (const Json& name : member.value.as_array()) {
    if (!name.is_string()) return wrong_member(member.name, "a list of names");
    out.push_back(name.as_string());
  }
  return out;
}

/// What is not known is refused: a restriction that a typing mistake takes away would let somebody in.
Result<Approval> parse_approval(const Json& body) {
  Approval out;
  for (const Json::Member& member : body.as_object()) {
    if (member.name == "user_id" || member.name == "identity") {
      if (!member.value.is_string()) return wrong_member(member.name, "a string");
      (member.name == "user_id" ? out.user_id : out.identity) = member.value.as_string();
    } else if (member.name == "roles" || member.name == "groups") {
      auto names = names_of(member);
      if (!names) return names.error();
      (member.name == "roles" ? out.roles : out.groups) = *std::move(names);
    } else if (member.name == "capabilities") {
      out.capabilities = member.value;
    } else if (member.name == "any_address") {
      if (!member.value.is_bool()) return wrong_member(member.name, "true or false");
      out.any_address = member.value.as_bool();
    } else if (member.name == "credentials") {
      if (!member.value.is_string())
        return wrong_member(member.name, "the key of the peer, as the list has it");
      const auto key = CurveKey::parse(member.value.as_string());
      if (!key) return key.error().at(json_pointer("", member.name));
      out.credentials = *key;
    } else {
      return wrong_member(member.name,
                          "user_id, identity, roles, groups, capabilities, any_address or credentials");
    }
  }
  return out;
}

/// A policy as the file says it; a missing file is an empty one.
Result<Policy> policy_of(Site& site) {
  auto policy = site.service().auth_file().load();
  if (!policy && policy.error().code == ErrorCode::kNotFound) return Policy();
  return policy;
}

}  // namespace

HttpReply answer_csrs(Site& site, const Call&) {
  std::vector<std::string> warnings;
  const auto entries = site.store().list(&warnings);
  if (!entries) return unreadable(site, entries.error(), "the list of requests");
  Json::Array list;
  for (const CsrEntry& entry : *entries) list.push_back(to_json(entry));
  return json_reply(200, Json::Object{{"csrs", std::move(list)}, {"warnings", Json::strings(warnings)}});
}

HttpReply answer_approve_csr(Site& site, const Call& call) {
  const auto fingerprint = compared_fingerprint(call.body);
  if (!fingerprint) return error_reply(fingerprint.error());
  return decide_csr(site, call, "approve_csr", [&](const CommonName& name, const EditNote& note) {
    return site.store().approve(name, note, *fingerprint);
  });
}
HttpReply answer_deny_csr(Site& site, const Call& call) {
  return decide_csr(site, call, "deny_csr", [&](const CommonName& name, const EditNote& note) {
    return site.store().deny(name, note);
  });
}
HttpReply answer_delete_csr(Site& site, const Call& call) {
  return decide_csr(site, call, "delete_csr", [&](const CommonName& name, const EditNote& note) {
    return site.store().remove(name, note);
  });
}

HttpReply answer_credentials(Site& site, const Call&) {
  Json::Array list;
  for (const auto& peers :
       {site.service().get_pending_authorizations(), site.service().get_approved_authorizations(),
        site.service().get_denied_authorizations()}) {
    if (!peers) return unreadable(site, peers.error(), "the list of credentials");
    for (const Authorization& peer : *peers) list.push_back(to_json(peer));
  }
  return json_reply(200, Json::Object{{"credentials", std::move(list)}});
}

HttpReply answer_approve_credential(Site& site, const Call& call) {
  const auto approval = parse_approval(call.body);
  if (!approval) return error_reply(approval.error());
  return reply_to(site, site.service().approve_authorization(call.parameter, *approval, call.caller->who()),
                  "approve_authorization");
}

HttpReply answer_deny_credential(Site& site, const Call& call) {
  return reply_to(site, site.service().deny_authorization(call.parameter, call.caller->who()),
                  "deny_authorization");
}

HttpReply answer_delete_credential(Site& site, const Call& call) {
  return reply_to(site, site.service().delete_authorization(call.parameter, call.caller->who()),
                  "delete_authorization");
}

HttpReply answer_roles(Site& site, const Call&) {
  const auto policy = policy_of(site);
  if (!policy) return unreadable(site, policy.error(), "the list of roles");
  Json::Array list;
  for (const Policy::Role& role : policy->roles()) {
    list.emplace_back(Json::Object{{"name", role.name}, {"capabilities", role.source}});
  }
  return json_reply(200, Json::Object{{"roles", std::move(list)}});
}

HttpReply answer_groups(Site& site, const Call&) {
  const auto policy = policy_of(site);
  if (!policy) return unreadable(site, policy.error(), "the list of groups");
  Json::Array list;
  for (const Policy::Group& group : policy->groups()) {
    list.emplace_back(Json::Object{{"name", group.name}, {"roles", group.source}});
  }
  return json_reply(200, Json::Object{{"groups", std::move(list)}});
}

HttpReply answer_protected_topics(Site& site, const Call&) {
  const auto rules = site.service().load_protected_topics();
  if (!rules) return unreadable(site, rules.error(), "the protected topics");
  const auto list_of = [](const std::vector<TopicRule>& list) {
    Json::Array out;
    for (const TopicRule& rule : list) {
      out.emplace_back(
          Json::Object{{"topic", rule.topic.text()}, {"capabilities", Json::strings(rule.capabilities)}});
    }
    return out;
  };
  return json_reply(200, Json::Object{{"write-protect", list_of(rules->write_protect)},
                                      {"read-protect", list_of(rules->read_protect)}});
}

HttpReply answer_certificates(Site& site, const Call&) {
  std::vector<std::string> warnings;
  const auto issued = site.store().authority().list(&warnings);
  if (!issued) return unreadable(site, issued.error(), "the list of certificates");
  Json::Array list;
  for (const IssuedCertificate& one : *issued) {
    Json entry = to_json(one.certificate);
    entry.set("purpose", to_string(one.purpose));
    entry.set("current", one.is_current);
    set_time(entry, "revoked_at", one.revoked_at);
    list.push_back(std::move(entry));
  }
  return json_reply(200,
                    Json::Object{{"certificates", std::move(list)}, {"warnings", Json::strings(warnings)}});
}

}  // namespace vipauth::web
