#include "mini_bus.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include "administration.hpp"

namespace mini_bus {

using vipauth::CallArguments;
using vipauth::Decision;
using vipauth::Error;
using vipauth::ErrorCode;
using vipauth::Json;
using vipauth::Result;

// ---- Life ----

MiniBus::MiniBus(Options options, vipauth::AuthService service)
    : options_(std::move(options)), service_(std::move(service)) {}

Result<std::unique_ptr<MiniBus>> MiniBus::open(const std::filesystem::path& home, Options options) {
  vipauth::AuthService::Options service_options;
  service_options.log = options.log;
  if (options.audit) service_options.audit.emplace();
  auto service = vipauth::AuthService::open(home, std::move(service_options));
  if (!service) return service.error();
  std::unique_ptr<MiniBus> bus(new MiniBus(std::move(options), std::move(*service)));
  try {
    if (Result<void> listening = bus->listen(); !listening) return listening.error();
  } catch (const zmq::error_t& error) {
    return Error{ErrorCode::kIoError, error.what(), bus->options_.endpoint};
  }
  return bus;
}

Result<void> MiniBus::listen() {
  const auto keys = service_.server_keys();
  if (!keys) return keys.error();
  server_key_ = keys->public_key;

  auto zap = vipauth::ZapServer::start(context_, service_);  // before any server socket
  if (!zap) return zap.error();
  zap_.emplace(std::move(*zap));

  router_ = zmq::socket_t(context_, zmq::socket_type::router);
  if (Result<void> secured = vipauth::secure_server_socket(router_, *keys); !secured) return secured;
  router_.set(zmq::sockopt::linger, 0);
  router_.set(zmq::sockopt::maxmsgsize, kMaxFrameBytes);
  // An agent that has gone, or reads too slowly, is told apart and never waited for. ZMQ_ROUTER_HANDOVER
  // stays off: it would give a routing id, and the messages on their way to it, to whoever claims it next.
  router_.set(zmq::sockopt::router_mandatory, true);
  router_.set(zmq::sockopt::heartbeat_ivl, 10'000);
  router_.bind(options_.endpoint);
  endpoint_ = router_.get(zmq::sockopt::last_endpoint);

  told_ = service_.policy()->current().snapshot;
  service_.on_change([news = news_](const vipauth::PolicyChange&) {
    news->policy_changed = true;
    news->bell.ring();
  });
  return {};
}

void MiniBus::run() {
  while (!stopping_) {
    try {
      zmq::pollitem_t items[] = {{router_.handle(), 0, ZMQ_POLLIN, 0},
                                 {nullptr, news_->bell.fd(), ZMQ_POLLIN, 0}};
      zmq::poll(items, 2, std::chrono::milliseconds(-1));
      if (items[1].revents != 0) news_->bell.hear();
      if (news_->policy_changed.exchange(false)) {
        judge_all();
        tell_changes();
      }
      if (items[0].revents != 0) handle_message();
    } catch (const zmq::error_t& error) {
      if (error.num() != EINTR) throw;
    }
  }
}

void MiniBus::stop() {
  stopping_ = true;
  news_->bell.ring();
}

// ---- Who speaks ----

void MiniBus::handle_message() {
  Message message;
  if (!receive(router_, message)) return;
  const std::string identity = message.frames.front();
  message.frames.erase(message.frames.begin());
  const std::string id = message.frames.size() > 1 ? message.frames[1] : "";
  if (Peer* peer = admit(identity, message.origin, id)) handle(*peer, message);
}

/// The peer that sent a message; or nullptr where it may not send any, and has been told so.
MiniBus::Peer* MiniBus::admit(const std::string& identity, zmq::message_t& origin, const std::string& id) {
  if (const auto known = peers_.find(identity); known != peers_.end()) {
    if (!vipauth::is_from(known->second.session, origin))
      drop(identity, "somebody else has its routing id now");
  }
  auto known = peers_.find(identity);
  if (known == peers_.end()) {
    Result<vipauth::Session> session = session_of(service_, origin);
    if (!session) {
      log("ignored a message: " + session.error().to_string());
      return nullptr;
    }
    if (Decision sender = session->verify_sender(identity); !sender) {
      log("refused " + shown(session->user_id()) + " as " + shown(identity) + ": " + sender.message());
      refuse(identity, id, sender.message());
      return nullptr;
    }
    if (peers_.size() >= options_.max_peers) drop_gone();
    if (peers_.size() >= options_.max_peers) {
      refuse(identity, id, "the bus has as many agents as it takes");
      return nullptr;
    }
    log("admitted " + shown(session->user_id()) + " as " + shown(identity));
    return &peers_.emplace(identity, Peer{identity, std::move(*session), {}, {}, 0}).first->second;
  }
  if (Decision sender = known->second.session.verify_sender(identity); !sender) {
    drop(identity, sender.message());
    refuse(identity, id, sender.message());
    return nullptr;
  }
  return &known->second;
}

/// Drops the peers that a new policy no longer accepts under their names.
void MiniBus::judge_all() {
  std::vector<std::pair<std::string, std::string>> refused;
  for (auto& [identity, peer] : peers_) {
    if (Decision sender = peer.session.verify_sender(identity); !sender)
      refused.emplace_back(identity, sender.message());
  }
  for (const auto& [identity, why] : refused) drop(identity, why);
}

Decision MiniBus::may_watch(Peer& peer) {
  // Who may do what is not for everybody, and VOLTTRON tells everybody.
  static const std::vector<std::string> kEither = {std::string(vipauth::Administration::kModify),
                                                   std::string(vipauth::Administration::kApprove)};
  return peer.session.authorize_operation({kAdministrator, "watch", CallArguments()}, kEither);
}

/// Tells agents what is new for them: those that watch, who may do what; the others, what their own methods
/// require. Several policies that came since the last time are told as one difference.
void MiniBus::tell_changes() {
  const auto now = service_.policy()->current().snapshot;
  const auto before = std::exchange(told_, now);
  for (const std::string& identity : now->methods.changed_since(before->methods)) {
    log("what the methods of " + shown(identity) + " require has changed");
    if (const auto agent = peers_.find(identity); agent != peers_.end()) {
      deliver(agent->second, {"methods", rpc_authorizations_body(now->methods, identity).dump()});
    }
  }
  std::optional<std::string> update;  // worked out where somebody watches
  for (auto& [identity, peer] : peers_) {
    if (!peer.watches) continue;
    peer.watches = may_watch(peer).allowed();
    if (!peer.watches) continue;
    if (!update) {
      if (capability_changes(*before, *now).empty()) return;
      update = capability_update(*before, *now).dump();
    }
    peer.watches = deliver(peer, {"update", *update});  // a copy with a gap is worth nothing
  }
}

/// Drops the peers that have disconnected: a ROUTER only tells when it is asked to send.
void MiniBus::drop_gone() {
  std::vector<std::string> gone;
  for (const auto& [identity, peer] : peers_) {
    if (send_to(identity, {"ping"}) == Sent::kGone) gone.push_back(identity);
  }
  for (const std::string& identity : gone) drop(identity, "it has gone");
}

void MiniBus::drop(const std::string& identity, const std::string& why) {
  if (peers_.erase(identity) == 0) return;
  log("dropped " + shown(identity) + ": " + why);
  service_.forget_methods(identity);
  std::vector<std::uint64_t> unanswered;
  for (auto call = calls_.begin(); call != calls_.end();) {
    if (call->second.caller == identity) {
      call = calls_.erase(call);
      continue;
    }
    if (call->second.callee == identity) unanswered.push_back(call->first);
    ++call;
  }
  for (const std::uint64_t number : unanswered)
    finish(number, "error", "agent " + shown(identity) + " has gone");
}

// ---- What it says ----

struct MiniBus::Operation {
  std::string_view name;
  std::size_t arguments;  // behind the id
  std::size_t optional;   // behind these
  void (MiniBus::*run)(Peer&, const Frames&);
};

void MiniBus::handle(Peer& peer, const Message& message) {
  static constexpr Operation kOperations[] = {
      {"hello", 0, 0, &MiniBus::hello},     {"subscribe", 1, 0, &MiniBus::subscribe},
      {"publish", 2, 0, &MiniBus::publish}, {"serve", 1, 1, &MiniBus::serve},
      {"call", 3, 0, &MiniBus::call},       {"answer", 2, 0, &MiniBus::answer},
      {"watch", 0, 0, &MiniBus::watch}};
  const Frames& frames = message.frames;
  if (frames.size() < 2 || message.is_cut)
    return refuse(peer.identity, "", "a message is an operation, an id and a few frames");
  const std::string& id = frames[1];
  if (id.size() > kMaxNameBytes) return refuse(peer.identity, "", "an id has at most 255 bytes");
  for (const Operation& operation : kOperations) {
    if (operation.name != frames[0]) continue;
    const std::size_t least = operation.arguments + 2;
    if (frames.size() >= least && frames.size() <= least + operation.optional) {
      return (this->*operation.run)(peer, frames);
    }
    return refuse(peer.identity, id,
                  frames[0] + " takes " + std::to_string(operation.arguments) + " frames behind the id");
  }
  refuse(peer.identity, id, "no such operation: " + shown(frames[0]));
}

void MiniBus::hello(Peer& peer, const Frames& frames) { accept(peer, frames, peer.session.user_id()); }

void MiniBus::subscribe(Peer& peer, const Frames& frames) {
  const std::string& prefix = frames[2];
  if (prefix.size() > kMaxNameBytes) return refuse(peer.identity, frames[1], "a topic has at most 255 bytes");
  if (peer.subscriptions.size() >= kMaxSubscriptions && !peer.subscriptions.contains(prefix)) {
    return refuse(peer.identity, frames[1], "too many subscriptions");
  }
  peer.subscriptions.insert(prefix);
  accept(peer, frames);
}

void MiniBus::publish(Peer& peer, const Frames& frames) {
  const std::string& topic = frames[2];
  if (topic.size() > kMaxNameBytes) return refuse(peer.identity, frames[1], "a topic has at most 255 bytes");
  const Decision decision = peer.session.authorize_publish(topic);
  log("publish by " + shown(peer.identity) + " to " + shown(topic) + ": " +
      (decision ? "allowed" : "refused: " + decision.message()));
  if (!decision) return refuse(peer.identity, frames[1], decision.message());
  accept(peer, frames);

  std::vector<std::string> gone;
  for (auto& [identity, subscriber] : peers_) {
    const bool wants_it = std::any_of(subscriber.subscriptions.begin(), subscriber.subscriptions.end(),
                                      [&](const std::string& prefix) { return topic.starts_with(prefix); });
    if (!wants_it || !subscriber.session.authorize_receive(topic)) continue;
    if (send_to(identity, {"event", topic, peer.identity, frames[3]}) == Sent::kGone)
      gone.push_back(identity);
  }
  for (const std::string& identity : gone) drop(identity, "it has gone");
}

void MiniBus::serve(Peer& peer, const Frames& frames) {
  const std::string& method = frames[2];
  if (method.size() > kMaxNameBytes)
    return refuse(peer.identity, frames[1], "a method has at most 255 bytes");
  if (peer.methods.size() >= kMaxMethods && !peer.methods.contains(method)) {
    return refuse(peer.identity, frames[1], "too many methods");
  }
  if (frames.size() > 3) {
    const auto read = Json::parse(frames[3]);
    auto declared = read ? vipauth::parse_declaration(Json::Object{{method, *read}})
                         : Result<std::vector<vipauth::DeclaredMethod>>(read.error());
    if (!declared) return refuse(peer.identity, frames[1], "declaration: " + declared.error().to_string());
    auto all = peer.declared;
    std::erase_if(all, [&](const vipauth::DeclaredMethod& known) { return known.name == method; });
    all.insert(all.end(), declared->begin(), declared->end());
    // In force before the method can be called.
    const auto registered = service_.register_methods(peer.session, peer.identity, all);
    if (!registered) return refuse(peer.identity, frames[1], registered.error().to_string());
    peer.declared = std::move(all);
  }
  peer.methods.insert(method);
  accept(peer, frames);
}

void MiniBus::watch(Peer& peer, const Frames& frames) {
  if (const Decision allowed = may_watch(peer); !allowed) {
    return refuse(peer.identity, frames[1], allowed.message());
  }
  tell_changes();  // so that what follows builds on what it is told now
  peer.watches = true;
  accept(peer, frames, user_to_capabilities(told_->capabilities).map.dump());
}

void MiniBus::call(Peer& caller, const Frames& frames) {
  const std::string& id = frames[1];
  const std::string& callee = frames[2];
  const std::string& method = frames[3];
  const Result<Json> arguments = Json::parse(frames[4]);
  if (!arguments) return refuse(caller.identity, id, "arguments: " + arguments.error().to_string());
  if (!arguments->is_object() && !arguments->is_array()) {
    return refuse(caller.identity, id, "arguments: must be a list or an object");
  }
  if (callee == kAdministrator) {
    const auto done = administer(service_, caller.session, method, *arguments);
    log("administration by " + shown(caller.identity) + ", " + shown(method) + ": " +
        (done ? "done" : done.error().to_string()));
    return done ? accept(caller, frames, *done) : refuse(caller.identity, id, done.error().to_string());
  }

  const Decision decision = caller.session.authorize_call(
      vipauth::UnboundCall{.callee = callee, .method = method, .params = *arguments});
  log("call by " + shown(caller.identity) + " of " + shown(method) + " of " + shown(callee) + ": " +
      (decision ? "allowed" : "refused: " + decision.message()));
  if (!decision) return refuse(caller.identity, id, decision.message());

  const auto called = peers_.find(callee);
  if (called == peers_.end() || !called->second.methods.contains(method)) {
    return refuse(caller.identity, id, "nobody serves " + shown(method) + " of " + shown(callee));
  }
  if (caller.open_calls >= kMaxCalls)
    return refuse(caller.identity, id, "too many calls that are not answered yet");
  const std::uint64_t number = ++last_call_;
  calls_.emplace(number, Call{caller.identity, id, callee});
  ++caller.open_calls;
  if (!deliver(called->second, {"invoke", std::to_string(number), caller.identity, method, frames[4]})) {
    finish(number, "error", "agent " + shown(callee) + " does not listen");
  }
}

void MiniBus::answer(Peer& callee, const Frames& frames) {
  std::uint64_t number = 0;
  const std::string& id = frames[1];
  const auto [end, problem] = std::from_chars(id.data(), id.data() + id.size(), number);
  const auto call = calls_.find(number);
  const bool is_number = problem == std::errc{} && end == id.data() + id.size();
  if (!is_number || call == calls_.end() || call->second.callee != callee.identity) {
    return refuse(callee.identity, id, "there is no such call to answer");
  }
  finish(number, frames[2] == "ok" ? "ok" : "error", frames[3]);
}

/// Tells the caller what became of its call.
void MiniBus::finish(std::uint64_t number, std::string_view status, const std::string& text) {
  const auto found = calls_.extract(number);
  if (found.empty()) return;
  const Call& call = found.mapped();
  const auto caller = peers_.find(call.caller);
  if (caller == peers_.end()) return;
  --caller->second.open_calls;
  deliver(caller->second, {std::string(status), call.id, text});
}

// ---- Saying something ----

/// Sends what somebody else said, unless the peer is revoked. False where it does not get it.
bool MiniBus::deliver(Peer& peer, Frames frames) {
  return peer.session.check() && send_to(peer.identity, std::move(frames)) == Sent::kYes;
}

Sent MiniBus::send_to(const std::string& identity, Frames frames) {
  frames.insert(frames.begin(), identity);
  return send(router_, frames);
}

void MiniBus::accept(const Peer& peer, const Frames& request, const std::string& text) {
  send_to(peer.identity, {"ok", request[1], text});
}

void MiniBus::refuse(const std::string& identity, const std::string& id, const std::string& why) {
  send_to(identity, {"error", id.size() <= kMaxNameBytes ? id : "", why});
}

}  // namespace mini_bus
