#include "router.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace vip_router {

using vipauth::Decision;
using vipauth::Json;
using vipauth::Result;
using vipauth::VipError;
using vipauth::VipMessage;

namespace {

constexpr std::string_view kVersion = "1.0";  // of the protocol
constexpr const char* kRefused = "Protocol not supported";
constexpr const char* kNoRoute = "No route to host";
constexpr const char* kFull = "Resource temporarily unavailable";
constexpr std::string_view kControl = "control";
constexpr std::string_view kControlConnection = "control.connection";
constexpr std::size_t kMaxPongBytes = 1024;
constexpr std::size_t kBatch = 100;  // messages between two looks at what else there is

/// An answer to a message, from the router itself.
VipMessage answer_to(const VipMessage& request, std::string user, std::vector<std::string> arguments) {
  return {.peer = {},
          .user = std::move(user),
          .id = request.id,
          .subsystem = request.subsystem,
          .arguments = std::move(arguments)};
}

/// A name that agents take as it stands: in any other form, such as quoted JSON, they would read another one.
bool is_subsystem(std::string_view name) {
  constexpr std::size_t kMaxBytes = 64;
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  return !name.empty() && name.size() <= kMaxBytes && std::all_of(name.begin(), name.end(), is_plain);
}

/// True for what agents believe whoever sends it, and only the router may say. Source: VOLTTRON
/// vip/agent/subsystems: a published message that comes from a peer is delivered like one of the router.
bool is_of_router(const VipMessage& message) {
  static constexpr std::string_view kOfRouter[] = {"pubsub", "peerlist",     "query",        "agentstop",
                                                   "quit",   "external_rpc", "routing_table"};
  if (message.subsystem == "hello" && vip_message_id(message).starts_with("connect.")) return true;
  return std::find(std::begin(kOfRouter), std::end(kOfRouter), message.subsystem) != std::end(kOfRouter);
}

}  // namespace

// ---- Life ----

void VipRouter::run() {
  Incoming incoming;
  while (!stopping_) {
    try {
      zmq::pollitem_t items[] = {{router_.handle(), 0, ZMQ_POLLIN, 0},
                                 {nullptr, news_->bell.fd(), ZMQ_POLLIN, 0}};
      zmq::poll(items, 2, patience());
      if (items[1].revents != 0) news_->bell.hear();
      handle_news();
      for (std::size_t i = 0; i < kBatch && !stopping_; ++i) {
        drop_ended();
        if (!receive(router_, incoming)) break;
        handle_message(incoming);
        see_off();
        if (news_->policy_changed) handle_news();
      }
    } catch (const zmq::error_t& error) {
      if (error.num() != EINTR) throw;
    }
  }
}

void VipRouter::stop() {
  stopping_ = true;
  news_->bell.ring();
}

std::chrono::milliseconds VipRouter::patience() const {
  if (!has_news_to_tell_) return std::chrono::milliseconds(-1);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_tell_ - Clock::now());
  return std::max(left, std::chrono::milliseconds(0));
}

void VipRouter::handle_news() {
  if (news_->policy_changed.exchange(false)) {
    judge_all();
    has_news_to_tell_ = true;
  }
  if (has_news_to_tell_ && Clock::now() >= next_tell_) tell_changes();
  answer_for_auth();
  see_off();
}

// ---- Who speaks ----

void VipRouter::handle_message(Incoming& incoming) {
  Frames frames = std::move(incoming.frames);
  const std::string identity = std::move(frames.front());
  frames.erase(frames.begin());
  if (incoming.is_cut) return log_refusal("ignored a message of " + shown(identity) + ": it is too long");
  if (frames.size() < VipMessage::kLeastFrames) {  // a probe: who sends it is known from now on
    admit(identity, incoming, nullptr);
    return;
  }
  Result<VipMessage> message = VipMessage::parse(std::move(frames));
  if (!message) {
    return log_refusal("ignored a message of " + shown(identity) + ": " + message.error().to_string());
  }
  if (message->id.size() > kMaxNameBytes || message->peer.size() > kMaxNameBytes) {
    return log_refusal("ignored a message of " + shown(identity) + ": an id or a name in it is too long");
  }
  if (Peer* peer = admit(identity, incoming, &*message)) handle(*peer, *message);
}

/// The peer that sent a message; or nullptr where it may not send any, and has been told so.
VipRouter::Peer* VipRouter::admit(const std::string& identity, Incoming& incoming,
                                  const VipMessage* message) {
  auto known = peers_.find(identity);
  const int connection = vipauth::connection_of(incoming.origin);
  if (known != peers_.end() && !options_.authorize) return &known->second;
  if (known != peers_.end() && !vipauth::is_from(known->second.session, incoming.origin)) {
    leave(known->second, "somebody else has its routing id now");
    see_off();
    known = peers_.end();
  }
  if (known == peers_.end()) {
    Result<vipauth::Session> session = session_of(service_, incoming.origin);
    if (!session) {
      log_refusal("ignored a message: " + session.error().to_string());
      return nullptr;
    }
    return add_peer(identity, *std::move(session), connection, message);
  }
  Peer& peer = known->second;
  peer.connection = connection;
  const std::uint64_t generation = service_.policy()->generation();
  if (peer.verified_at == generation) return &peer;
  if (const Decision sender = peer.session.verify_sender(identity); !sender) {
    if (message != nullptr) {
      const VipError error{VipError::kAccess, sender.message(), {}, message->subsystem};
      send(router_, identity, error.in_answer_to(*message).to_frames());
    }
    leave(peer, sender.message());
    return nullptr;
  }
  peer.verified_at = generation;
  return &peer;
}

/// Why somebody may not be a peer under that name; empty: it may.
std::string VipRouter::why_not(const std::string& identity, vipauth::Session& session) {
  if (identity == vipauth::AuthPeer::kIdentity) return "the identity belongs to the router itself";
  if (reads_as_json(identity)) return "agents would take the identity for JSON, and for another one";
  if (!options_.authorize) return peers_.size() < options_.max_peers ? "" : "the router is full";
  if (const Decision sender = session.verify_sender(identity); !sender) return sender.message();
  const auto of_user = [&](const auto& peer) { return peer.second.session.user_id() == session.user_id(); };
  const auto own = [&] {
    return static_cast<std::size_t>(std::count_if(peers_.begin(), peers_.end(), of_user));
  };
  // Whoever has no identity in its record may use any name that is free.
  const bool has_many = session.identity().empty() && own() >= options_.max_peers_of_one;
  if (!has_many && peers_.size() < options_.max_peers) return "";
  drop_gone();
  if (session.identity().empty() && own() >= options_.max_peers_of_one) {
    return "its user has as many peers as one may have";
  }
  return peers_.size() < options_.max_peers ? "" : "the router has as many peers as it takes";
}

VipRouter::Peer* VipRouter::add_peer(const std::string& identity, vipauth::Session session, int connection,
                                     const VipMessage* message) {
  if (const std::string why = why_not(identity, session); !why.empty()) {
    log_refusal("refused " + shown(session.user_id()) + " as " + shown(identity) + ": " + why);
    if (message != nullptr) {
      const VipError error{VipError::kAccess, why, {}, message->subsystem};
      send(router_, identity, error.in_answer_to(*message).to_frames());
    }
    return nullptr;
  }
  log("admitted " + shown(session.user_id()) + " as " + shown(identity));
  Peer& added =
      peers_.emplace(identity, Peer{identity, ++last_number_, std::move(session), connection}).first->second;
  broadcast({.peer = {}, .user = {}, .id = {}, .subsystem = "peerlist", .arguments = {"add", identity}},
            identity);
  return &added;
}

/// True where the connection that the peer spoke over has ended: its routing id is somebody else's, or will
/// be.
bool VipRouter::has_ended(const Peer& peer) {
  for (const int connection : disconnections_->take()) ended_.insert(connection);
  return ended_.contains(peer.connection);
}

/// Before a message is taken: a connection of the same number may bring it.
void VipRouter::drop_ended() {
  for (const int connection : disconnections_->take()) ended_.insert(connection);
  if (ended_.empty()) return;
  for (const auto& [identity, peer] : peers_) {
    if (ended_.contains(peer.connection)) leave(peer, "its connection has ended");
  }
  ended_.clear();
  see_off();
}

/// Drops the peers that a new policy no longer accepts under their names.
void VipRouter::judge_all() {
  if (!options_.authorize) return;
  for (auto& [identity, peer] : peers_) {
    if (const Decision sender = peer.session.verify_sender(identity); !sender) leave(peer, sender.message());
  }
}

/// Tells agents what is new for them: that somebody's capabilities have changed; or what their own methods
/// require. Several policies that came since the last time are told as one.
void VipRouter::tell_changes() {
  has_news_to_tell_ = false;
  next_tell_ = Clock::now() + kTellInterval;
  const auto now = service_.policy()->current().snapshot;
  const auto before = std::exchange(told_, now);
  const auto call = [](std::string body) {
    const std::string self(vipauth::AuthPeer::kIdentity);
    return VipMessage{
        .peer = self, .user = self, .id = {}, .subsystem = "RPC", .arguments = {std::move(body)}};
  };
  for (const std::string& identity : now->methods.changed_since(before->methods)) {
    log("what the methods of " + shown(identity) + " require has changed");
    if (Peer* agent = find(identity)) send_to(*agent, call(rpc_authorizations_call(*now, identity)));
  }
  if (capability_changes(*before, *now).empty()) return;
  log("what users hold has changed");
  broadcast(call(auth_update_call(*now)), kControlConnection);
}

/// Finds the peers that have disconnected: a ROUTER only tells when it is asked to send.
void VipRouter::drop_gone() {
  if (Clock::now() < next_probe_) return;
  next_probe_ = Clock::now() + kProbeInterval;
  broadcast({.peer = {}, .user = {}, .id = {}, .subsystem = "ping", .arguments = {"pong"}}, {});
  see_off();
}

void VipRouter::leave(const Peer& peer, std::string why) {
  leaving_.push_back({peer.identity, peer.number, std::move(why)});
}

/// Removes those that leave, and tells the others, of whom some may be found gone by it.
void VipRouter::see_off() {
  while (!leaving_.empty()) {
    for (const Leaving& leaving : std::exchange(leaving_, {})) remove(leaving);
  }
}

void VipRouter::remove(const Leaving& leaving) {
  const auto peer = peers_.find(leaving.identity);
  if (peer == peers_.end() || peer->second.number != leaving.number) return;
  peers_.erase(peer);
  for (Subscriptions& subscriptions : subscriptions_) subscriptions.remove_all(leaving.identity);
  auth_->cancel(leaving.number);
  service_.forget_methods(leaving.identity);
  log("dropped " + shown(leaving.identity) + ": " + leaving.why);
  broadcast(
      {.peer = {}, .user = {}, .id = {}, .subsystem = "peerlist", .arguments = {"drop", leaving.identity}},
      {});
}

VipRouter::Peer* VipRouter::find(std::string_view identity) {
  const auto peer = peers_.find(identity);
  return peer == peers_.end() ? nullptr : &peer->second;
}

// ---- What it says ----

void VipRouter::handle(Peer& peer, VipMessage& message) {
  if (options_.log_messages) {
    options_.log(vipauth::LogLevel::kDebug, "message of " + shown(peer.identity) + " to " +
                                                shown(message.peer) + ", id " + shown(message.id) +
                                                ", subsystem " + shown(message.subsystem) + ", " +
                                                std::to_string(message.arguments.size()) + " arguments");
  }
  if (!message.peer.empty()) return carry(peer, message);
  const std::string& subsystem = message.subsystem;
  if (subsystem == "pubsub") return pubsub(peer, message);
  if (subsystem == "hello") return hello(peer, message);
  if (subsystem == "ping") return ping(peer, message);
  if (subsystem == "peerlist") return peerlist(peer, message);
  if (subsystem == "query") return query(peer, message);
  if (subsystem == "agentstop") return agentstop(peer, message);
  if (subsystem == "quit") return quit(peer, message);
  if (subsystem == "error") return;
  VipMessage error = VipError{VipError::kProtocolNotSupported, kRefused, {}, subsystem}.in_answer_to(message);
  send_to(peer, error);
}

/// What one peer says to another.
void VipRouter::carry(Peer& sender, VipMessage& message) {
  const bool is_to_auth = message.peer == vipauth::AuthPeer::kIdentity;
  const bool is_call = message.subsystem == "RPC";
  if (!is_subsystem(message.subsystem) || is_of_router(message) || (is_to_auth && !is_call)) {
    if (message.subsystem == "error") return;
    return send_error(sender, message,
                      {VipError::kProtocolNotSupported, kRefused, message.peer, message.subsystem});
  }
  if (is_to_auth) return call_auth(sender, message);
  Peer* recipient = find(message.peer);
  if (recipient == nullptr) {
    return send_error(sender, message, {VipError::kUnreachable, kNoRoute, message.peer, message.subsystem});
  }
  if (is_call && options_.authorize) return carry_rpc(sender, *recipient, message);
  forward(sender, *recipient, message);
}

void VipRouter::hello(Peer& peer, const VipMessage& message) {
  send_to(peer,
          answer_to(message, peer.session.user_id(), {"welcome", std::string(kVersion), id_, peer.identity}));
}

void VipRouter::ping(Peer& peer, VipMessage& message) {
  std::vector<std::string>& arguments = message.arguments;
  if (!arguments.empty() && arguments.front() == "pong") return;
  if (arguments.empty()) arguments.emplace_back();
  arguments.front() = "pong";
  // Whoever pings need not read the answers: they must not be what fills the memory.
  std::size_t bytes = 0;
  for (const std::string& argument : arguments) bytes += argument.size();
  if (bytes > kMaxPongBytes) arguments.resize(1);
  send_to(peer, answer_to(message, peer.session.user_id(), std::move(arguments)));
}

void VipRouter::peerlist(Peer& peer, const VipMessage& message) {
  if (message.arguments.empty())
    return void(send_to(peer, answer_to(message, {}, {"error", "missing operation"})));
  if (message.arguments.front() != "list")
    return void(send_to(peer, answer_to(message, {}, {"error", "unknown operation"})));
  std::vector<std::string> listing{"listing", std::string(vipauth::AuthPeer::kIdentity)};
  for (const auto& [identity, other] : peers_) listing.push_back(identity);
  send_to(peer, answer_to(message, {}, std::move(listing)));
}

void VipRouter::query(Peer& peer, const VipMessage& message) {
  const std::string value = message.arguments.empty() ? "" : fact(message.arguments.front());
  send_to(peer, answer_to(message, {}, {"", value}));
}

void VipRouter::agentstop(Peer& peer, const VipMessage& message) {
  const std::string& stopped = message.arguments.empty() ? peer.identity : message.arguments.front();
  if (stopped != peer.identity && peer.identity != kControl && options_.authorize) {
    log_refusal(shown(peer.identity) + " may not stop " + shown(stopped));
    return send_error(peer, message,
                      {VipError::kUnauthorized, "an agent says that of itself", {}, message.subsystem});
  }
  if (Peer* agent = find(stopped)) leave(*agent, "it stops");
}

void VipRouter::quit(Peer& peer, const VipMessage& message) {
  if (peer.identity != kControl || !options_.authorize) {
    log_refusal(shown(peer.identity) + " may not stop the router");
    return send_error(peer, message,
                      {VipError::kUnauthorized, "only \"control\" says that", {}, message.subsystem});
  }
  log("stopped by " + shown(peer.identity));
  stop();
}

// ---- Saying something ----

/// The one way to a peer: what is sent after its connection has ended, another one would hear.
template <typename Send>
Sent VipRouter::send_if_there(Peer& peer, Send send) {
  const Sent sent = has_ended(peer) ? Sent::kGone : send();
  if (sent == Sent::kGone) leave(peer, "it has gone");
  return sent;
}

Sent VipRouter::send_shared(Peer& peer, SharedMessage& message) {
  return send_if_there(peer, [&] { return message.send(router_, peer.identity); });
}

/// Nothing is sent to a peer that is revoked.
Sent VipRouter::send_to(Peer& peer, const VipMessage& message) {
  if (options_.authorize) {
    if (const Decision stands = peer.session.check(); !stands) {
      leave(peer, stands.message());
      return Sent::kGone;
    }
  }
  const Sent sent = send_if_there(peer, [&] { return send(router_, peer.identity, message.to_frames()); });
  if (sent == Sent::kFull) log_refusal(shown(peer.identity) + " reads too slowly: it lost a message");
  return sent;
}

void VipRouter::broadcast(const VipMessage& message, std::string_view but) {
  SharedMessage shared(message.to_frames());
  for (auto& [identity, peer] : peers_) {
    if (identity == but) continue;
    if (options_.authorize && !peer.session.check()) continue;  // judge_all drops it
    send_shared(peer, shared);
  }
}

void VipRouter::send_error(Peer& peer, const VipMessage& request, const VipError& error) {
  VipMessage message = error.in_answer_to(request);
  message.user = peer.session.user_id();
  send_to(peer, message);
}

/// Carries a message as it is, in the name of who sent it.
void VipRouter::forward(Peer& sender, Peer& recipient, VipMessage& message) {
  const std::string to = std::exchange(message.peer, sender.identity);
  message.user = sender.session.user_id();
  const Sent sent = send_to(recipient, message);
  if (sent == Sent::kYes) return;
  message.peer = to;
  send_error(sender, message,
             sent == Sent::kFull ? VipError{VipError::kAgain, kFull, to, message.subsystem}
                                 : VipError{VipError::kUnreachable, kNoRoute, to, message.subsystem});
}

void VipRouter::log_refusal(const std::string& line) {
  if (!refusals_.take()) return;
  if (const auto held = refusals_.take_held(); held > 0) log(std::to_string(held) + " more lines like these");
  log(line);
}

}  // namespace vip_router
