// The subsystem `pubsub`.

#include <cerrno>
#include <utility>

#include "router.hpp"

namespace vip_router {

using vipauth::Decision;
using vipauth::Error;
using vipauth::ErrorCode;
using vipauth::Json;
using vipauth::VipError;
using vipauth::VipMessage;

namespace {

constexpr const char* kTrue = "true";

Error too_many() {
  return Error{ErrorCode::kLimitExceeded,
               "a peer has at most " + std::to_string(Subscriptions::kMaxOfOne) + " subscriptions", ""};
}

}  // namespace

void VipRouter::pubsub(Peer& peer, const VipMessage& message) {
  struct Operation {
    std::string_view name;
    std::size_t arguments;  // behind the operation
    void (VipRouter::*run)(Peer&, const VipMessage&);
  };
  static constexpr Operation kOperations[] = {{"publish", 2, &VipRouter::publish},
                                              {"subscribe", 1, &VipRouter::subscribe},
                                              {"unsubscribe", 1, &VipRouter::unsubscribe},
                                              {"list", 1, &VipRouter::list},
                                              {"synchronize", 2, &VipRouter::synchronize}};
  const std::string_view name =
      message.arguments.empty() ? std::string_view() : std::string_view(message.arguments.front());
  for (const Operation& operation : kOperations) {
    if (operation.name != name) continue;
    if (message.arguments.size() > operation.arguments) return (this->*operation.run)(peer, message);
    return reject(peer, message,
                  Error{ErrorCode::kInvalidArgument,
                        "takes " + std::to_string(operation.arguments) + " arguments", std::string(name)});
  }
  if (name == "auth_update" || name == "protected_update") {
    log_refusal(shown(peer.identity) + " sent " + std::string(name));
    return send_error(peer, message,
                      {VipError::kUnauthorized, "the router reads its files itself", {}, message.subsystem});
  }
  reject(peer, message, Error{ErrorCode::kUnsupported, "unknown operation", ""});
}

void VipRouter::subscribe(Peer& peer, const VipMessage& message) {
  const auto wanted = read_subscribe(message.arguments[1]);
  if (!wanted) return reject(peer, message, wanted.error());
  Subscriptions& subscriptions = subscriptions_[static_cast<std::size_t>(wanted->reach)];
  for (const std::string& prefix : *wanted->prefixes) {
    if (!subscriptions.add(peer.identity, prefix)) return reject(peer, message, too_many());
  }
  respond(peer, message, "request_response", kTrue);
}

void VipRouter::unsubscribe(Peer& peer, const VipMessage& message) {
  const auto unwanted = read_unsubscribe(message.arguments[1]);
  if (!unwanted) return reject(peer, message, unwanted.error());
  Subscriptions& subscriptions = subscriptions_[static_cast<std::size_t>(unwanted->reach)];
  if (!unwanted->prefixes) {
    subscriptions.remove_all(peer.identity);
  } else {
    for (const std::string& prefix : *unwanted->prefixes) subscriptions.remove(peer.identity, prefix);
  }
  respond(peer, message, "request_response", kTrue);
}

void VipRouter::synchronize(Peer& peer, const VipMessage& message) {
  const auto selections = read_synchronize(message.arguments[2]);
  if (!selections) return reject(peer, message, selections.error());
  for (const Selection& selection : *selections) {
    Subscriptions& subscriptions = subscriptions_[static_cast<std::size_t>(selection.reach)];
    subscriptions.remove_all(peer.identity);
    for (const std::string& prefix : *selection.prefixes) subscriptions.add(peer.identity, prefix);
  }
}

void VipRouter::list(Peer& peer, const VipMessage& message) {
  const auto wanted = read_list(message.arguments[1]);
  if (!wanted) return reject(peer, message, wanted.error());
  Json::Array listing;
  subscriptions_[static_cast<std::size_t>(wanted->reach)].list(
      wanted->prefix, wanted->reverse, [&](const std::string& prefix, const std::set<std::string>& peers) {
        const bool is_own = peers.contains(peer.identity);
        if (is_own || !wanted->only_own) listing.emplace_back(Json::Array{"", prefix, is_own});
        return listing.size() < kMaxListed;
      });
  respond(peer, message, "list_response", Json(std::move(listing)).dump());
}

void VipRouter::publish(Peer& peer, const VipMessage& message) {
  const std::string& topic = message.arguments[1];
  if (topic.size() > kMaxTopicBytes) {
    return refuse_publish(peer, message, "a topic has at most " + std::to_string(kMaxTopicBytes) + " bytes");
  }
  if (options_.authorize) {
    if (reads_as_json(topic)) {
      return refuse_publish(peer, message, "agents would take the topic for JSON, and for another one");
    }
    if (const Decision decision = peer.session.authorize_publish(topic); !decision) {
      log_refusal("refused " + shown(peer.identity) + " to publish to " + shown(topic) + ": " +
                  decision.message());
      return refuse_publish(peer, message, decision.message());
    }
  }
  const auto body = delivered_body(message.arguments[2], peer.identity);
  if (!body) return reject(peer, message, body.error());
  const std::size_t count = deliver(peer, message, topic, *body);
  respond(peer, message, "request_response", std::to_string(count));
}

/// \return to how many
std::size_t VipRouter::deliver(Peer& publisher, const VipMessage& message, const std::string& topic,
                               const std::string& body) {
  std::set<std::string, std::less<>> identities;
  for (const Subscriptions& subscriptions : subscriptions_) subscriptions.find(topic, identities);
  if (identities.empty()) return 0;
  const VipMessage delivered{.peer = {},
                             .user = publisher.session.user_id(),
                             .id = message.id,
                             .subsystem = message.subsystem,
                             .arguments = {"publish", topic, body}};
  SharedMessage shared(delivered.to_frames());
  std::size_t count = 0;
  for (const std::string& identity : identities) {
    Peer* subscriber = find(identity);
    if (subscriber == nullptr) continue;
    if (options_.authorize && !subscriber->session.authorize_receive(topic)) continue;
    const Sent sent = send_shared(*subscriber, shared);
    if (sent == Sent::kFull) log_refusal(shown(identity) + " reads too slowly: it lost a message");
    if (sent == Sent::kYes) ++count;
  }
  return count;
}

void VipRouter::respond(Peer& peer, const VipMessage& message, std::string operation, std::string value) {
  send_to(peer, {.peer = {},
                 .user = peer.session.user_id(),
                 .id = message.id,
                 .subsystem = message.subsystem,
                 .arguments = {std::move(operation), std::move(value)}});
}

/// As VOLTTRON does it: an error, and nobody got it.
void VipRouter::refuse_publish(Peer& peer, const VipMessage& message, const std::string& why) {
  send_error(peer, message, {VipError::kUnauthorized, why, {}, message.subsystem});
  respond(peer, message, "request_response", "0");
}

void VipRouter::reject(Peer& peer, const VipMessage& message, const Error& error) {
  log_refusal("ignored a message of " + shown(peer.identity) + ": " + error.to_string());
  send_error(peer, message, {EINVAL, error.to_string(), {}, message.subsystem});
}

}  // namespace vip_router
