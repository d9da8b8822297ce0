#include <optional>

#include <vipauth/json.hpp>
#include <vipauth/policy_snapshot.hpp>
#include <vipauth/socket_security.hpp>

#include "c/c_handles.hpp"

namespace {

using vipauth::Decision;
using vipauth::Error;
using vipauth::ErrorCode;
using vipauth::Json;
using vipauth::Reason;
using vipauth::c::fail;
using vipauth::c::guarded;
using vipauth::c::is_missing;

vipauth::MessageProperties properties_of(vipauth_property_function property, void* user) {
  return [property, user](const std::string& name) -> std::optional<std::string> {
    const char* value = property(user, name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

vipauth_session* handle_of(vipauth::Result<vipauth::Session> session) {
  if (!session) return fail<vipauth_session*>(nullptr, session.error());
  return new vipauth_session{std::move(*session)};
}

/// Text of a peer: any bytes; NULL is empty.
std::string_view text_of(const char* text, std::size_t bytes) {
  return text == nullptr ? std::string_view() : std::string_view(text, bytes);
}

int answer(Decision decision, vipauth_decision* why) {
  const int allowed = decision ? 1 : 0;
  if (why != nullptr) {
    why->reason = to_string(decision.reason());
    why->decision = std::move(decision);
  }
  return allowed;
}

/// What cannot be asked is refused, and an error.
int cannot_ask(const Error& error, vipauth_decision* why) {
  vipauth::c::remember(error);
  return answer(Decision::refuse(Reason::kMalformed, error.to_string()), why);
}

/// Asks, and refuses whatever goes wrong: `why` never keeps an earlier question's answer.
template <typename Ask>
int decide(vipauth_session* session, vipauth_decision* why, Ask ask) noexcept {
  if (why != nullptr) why->decision = Decision();
  return guarded(0, [&] {
    if (why != nullptr) why->reason = to_string(why->decision.reason());
    return session == nullptr ? cannot_ask(is_missing("session"), why) : ask(session->session);
  });
}

}  // namespace

extern "C" {

vipauth_session* vipauth_session_of_message(vipauth_service* service, void* zmq_message) {
  return guarded<vipauth_session*>(nullptr, [&]() -> vipauth_session* {
    if (service == nullptr) return fail(nullptr, is_missing("service"));
    if (zmq_message == nullptr) return fail(nullptr, is_missing("zmq_message"));
    return handle_of(vipauth::session_of(service->service, static_cast<zmq_msg_t*>(zmq_message)));
  });
}

vipauth_session* vipauth_session_of_properties(vipauth_service* service, vipauth_property_function property,
                                               void* user) {
  return guarded<vipauth_session*>(nullptr, [&]() -> vipauth_session* {
    if (service == nullptr) return fail(nullptr, is_missing("service"));
    if (property == nullptr) return fail(nullptr, is_missing("property"));
    return handle_of(vipauth::session_of(service->service, properties_of(property, user)));
  });
}

void vipauth_session_free(vipauth_session* session) { delete session; }

int vipauth_session_sent_message(const vipauth_session* session, void* zmq_message) {
  return guarded(0, [&] {
    if (session == nullptr) return fail(0, is_missing("session"));
    if (zmq_message == nullptr) return fail(0, is_missing("zmq_message"));
    return vipauth::is_from(session->session, static_cast<zmq_msg_t*>(zmq_message)) ? 1 : 0;
  });
}

int vipauth_session_sent_properties(const vipauth_session* session, vipauth_property_function property,
                                    void* user) {
  return guarded(0, [&] {
    if (session == nullptr) return fail(0, is_missing("session"));
    if (property == nullptr) return fail(0, is_missing("property"));
    return vipauth::is_from(session->session, properties_of(property, user)) ? 1 : 0;
  });
}

const char* vipauth_session_user_id(const vipauth_session* session) {
  return session == nullptr ? "" : session->session.user_id().c_str();
}

const char* vipauth_session_identity(const vipauth_session* session) {
  return session == nullptr ? "" : session->session.identity().c_str();
}

vipauth_decision* vipauth_decision_new(void) {
  return guarded<vipauth_decision*>(nullptr, [] {
    auto* decision = new vipauth_decision();
    decision->reason = to_string(decision->decision.reason());
    return decision;
  });
}

void vipauth_decision_free(vipauth_decision* decision) { delete decision; }

int vipauth_decision_allowed(const vipauth_decision* decision) {
  return decision != nullptr && decision->decision ? 1 : 0;
}

const char* vipauth_decision_reason(const vipauth_decision* decision) {
  return decision == nullptr ? "" : decision->reason.c_str();
}

const char* vipauth_decision_message(const vipauth_decision* decision) {
  return decision == nullptr ? "" : decision->decision.message().c_str();
}

const char* vipauth_decision_source(const vipauth_decision* decision, size_t index) {
  if (decision == nullptr || index >= decision->decision.source().size()) return nullptr;
  return decision->decision.source()[index].c_str();
}

int vipauth_check(vipauth_session* session, vipauth_decision* why) {
  return decide(session, why, [&](vipauth::Session& asked) { return answer(asked.check(), why); });
}

int vipauth_verify_sender(vipauth_session* session, const char* identity, size_t identity_bytes,
                          vipauth_decision* why) {
  return decide(session, why, [&](vipauth::Session& asked) {
    return answer(asked.verify_sender(text_of(identity, identity_bytes)), why);
  });
}

int vipauth_authorize_call(vipauth_session* session, const char* callee, size_t callee_bytes,
                           const char* method, size_t method_bytes, const char* arguments,
                           size_t arguments_bytes, vipauth_decision* why) {
  return decide(session, why, [&](vipauth::Session& asked) {
    const std::string_view text = text_of(arguments, arguments_bytes);
    auto params = text.empty() ? vipauth::Result<Json>(Json()) : Json::parse(text);
    if (!params) return cannot_ask(params.error().at("arguments"), why);
    const vipauth::UnboundCall call{text_of(callee, callee_bytes), text_of(method, method_bytes), *params};
    return answer(asked.authorize_call(call), why);
  });
}

int vipauth_authorize_publish(vipauth_session* session, const char* topic, size_t topic_bytes,
                              vipauth_decision* why) {
  return decide(session, why, [&](vipauth::Session& asked) {
    return answer(asked.authorize_publish(text_of(topic, topic_bytes)), why);
  });
}

int vipauth_authorize_receive(vipauth_session* session, const char* topic, size_t topic_bytes,
                              vipauth_decision* why) {
  return decide(session, why, [&](vipauth::Session& asked) {
    return answer(asked.authorize_receive(text_of(topic, topic_bytes)), why);
  });
}
}
