#include <vipauth/vip_client.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>

#include <zmq.hpp>

#include <vipauth/auth_record.hpp>
#include <vipauth/client_security.hpp>
#include <vipauth/vip_message.hpp>

#include "transport/uninterrupted.hpp"
#include "transport/zmq_support.hpp"

namespace vipauth {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Deadline = steady_clock::time_point;

constexpr std::size_t kMaxPublications = 1000;
constexpr std::size_t kMaxFrames = 100'000;  // a list of peers has one for each
constexpr milliseconds kLeaveTime{200};
/// How long a router that let this peer in may take to welcome it, before another connection is tried; each
/// has twice the time of the one before.
constexpr milliseconds kFirstWelcomeTime{400};
constexpr milliseconds kLongestWelcomeTime{10'000};
constexpr milliseconds kLookAgain{20};  // at the state of the connection, which no poll tells
constexpr milliseconds kLookForLoss{200};
constexpr int kHighWaterMark = 6000;
constexpr std::int64_t kMaxFrameBytes = std::int64_t{64} * 1024 * 1024;

Error unanswered(std::string_view what, const std::string& why) {
  return Error{ErrorCode::kUnavailable, std::string(what) + ": " + why, ""};
}

milliseconds left_until(Deadline deadline) {
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(deadline - steady_clock::now()));
}

/// A number in decimals, or as VOLTTRON's router packs it: four bytes, the lowest first.
std::size_t count_of(const std::string& text) {
  std::size_t count = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (problem == std::errc{} && end == text.data() + text.size()) return count;
  if (text.size() != 4) return 0;
  count = 0;
  for (std::size_t i = 4; i-- > 0;) count = count << 8U | static_cast<unsigned char>(text[i]);
  return count;
}

Error error_of(const VipError& error) {
  switch (error.number) {
    case VipError::kUnreachable:
      return Error{ErrorCode::kNotFound, "there is no peer \"" + error.peer + "\" on the bus", ""};
    case VipError::kAgain:
      return Error{ErrorCode::kBusy, "the peer \"" + error.peer + "\" does not listen just now", ""};
    case VipError::kProtocolNotSupported:
      return Error{ErrorCode::kUnsupported, "the subsystem \"" + error.subsystem + "\" is not known there",
                   ""};
    case VipError::kAccess:
    case VipError::kUnauthorized: return Error{ErrorCode::kPermissionDenied, error.text, ""};
    default: return Error{ErrorCode::kInvalidArgument, error.text, ""};
  }
}

/// Why a connection will not be welcomed, where that is certain.
std::optional<Error> hopeless(ConnectionMonitor& monitor) {
  switch (monitor.confirm()) {
    case ConnectionState::kRefused: return Error{ErrorCode::kPermissionDenied, monitor.advice(), ""};
    case ConnectionState::kWrongServerKey: return Error{ErrorCode::kConflict, monitor.advice(), ""};
    case ConnectionState::kNotCurve: return Error{ErrorCode::kUnsupported, monitor.advice(), ""};
    default: return std::nullopt;
  }
}

std::optional<VipClient::Welcome> read_welcome(const VipMessage& message) {
  const auto& arguments = message.arguments;
  if (message.subsystem != "hello" || arguments.size() < 4 || arguments[0] != "welcome") return std::nullopt;
  return VipClient::Welcome{message.user, arguments[2], arguments[3], 0};
}

}  // namespace

struct VipClient::Impl {
  explicit Impl(ClientKeys client_keys) : keys(std::move(client_keys)), id_prefix(make_user_id()) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { leave(); }

  Result<void> connect();
  void leave();

  /// What answers a request; nothing: it is for somebody else.
  using Take = std::function<std::optional<Result<Json>>(const VipMessage&)>;

  /// Counts those of all sockets, up to the last look at the monitor.
  std::uint64_t connections() const { return earlier_connections + monitor->connections(); }
  std::string next_id() { return id_prefix + '.' + std::to_string(++last_id); }
  void send(const VipMessage& message);
  std::optional<VipMessage> receive(Deadline deadline);
  void handle(const VipMessage& message);
  void handle_rpc(const VipMessage& message);
  void handle_publication(const VipMessage& message);
  Result<Json> request(const VipMessage& message, Patience patience, const Take& take);
  Result<Json> pubsub(std::vector<std::string> arguments, Patience patience);

  ClientKeys keys;
  std::string id_prefix;
  std::uint64_t last_id = 0;
  bool is_welcome = false;
  std::uint64_t earlier_connections = 0;  // of sockets that are no more
  std::uint64_t welcomed_connection = 0;
  zmq::context_t context;
  zmq::socket_t socket;
  std::optional<ConnectionMonitor> monitor;
  RpcDispatcher<Caller> methods;
  std::deque<Publication> publications;
};

// ---- Life ----

Result<void> VipClient::Impl::connect() {
  try {
    if (monitor) earlier_connections = connections();
    monitor.reset();
    socket = zmq::socket_t(context, zmq::socket_type::dealer);
    if (auto secured = secure_client_socket(socket, keys); !secured) return secured;
    socket.set(zmq::sockopt::linger, static_cast<int>(kLeaveTime.count()));
    socket.set(zmq::sockopt::immediate, true);
    socket.set(zmq::sockopt::sndhwm, kHighWaterMark);
    socket.set(zmq::sockopt::rcvhwm, kHighWaterMark);
    socket.set(zmq::sockopt::maxmsgsize, kMaxFrameBytes);
    socket.set(zmq::sockopt::heartbeat_ivl, 10'000);  // a router that is cut off is found out
    socket.set(zmq::sockopt::heartbeat_timeout, 30'000);
    socket.set(zmq::sockopt::tcp_keepalive, 1);
    socket.set(zmq::sockopt::tcp_keepalive_idle, 180);
    socket.set(zmq::sockopt::tcp_keepalive_intvl, 20);
    socket.set(zmq::sockopt::tcp_keepalive_cnt, 6);
    auto watching = ConnectionMonitor::watch(context, socket);
    if (!watching) return watching.error();
    monitor.emplace(*std::move(watching));
    if (uninterrupted([&] { return zmq_connect(socket.handle(), keys.endpoint.c_str()); }) != 0)
      throw zmq::error_t();
    return {};
  } catch (const zmq::error_t& error) {
    return Error{ErrorCode::kInvalidArgument, error.what(), keys.endpoint};
  }
}

void VipClient::Impl::leave() {
  if (!is_welcome) return;
  is_welcome = false;
  send({.peer = {}, .user = {}, .id = next_id(), .subsystem = "agentstop", .arguments = {*keys.identity}});
}

Result<VipClient> VipClient::open(ClientKeys keys) {
  if (!keys.identity || keys.identity->empty()) {
    return Error{ErrorCode::kInvalidArgument, "a peer of a VIP bus needs an identity", ""};
  }
  auto impl = std::make_unique<Impl>(std::move(keys));
  if (auto connected = impl->connect(); !connected) return connected.error();
  return VipClient(std::move(impl));
}

VipClient::VipClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
VipClient::VipClient(VipClient&&) noexcept = default;
VipClient& VipClient::operator=(VipClient&&) noexcept = default;
VipClient::~VipClient() = default;

ConnectionMonitor& VipClient::monitor() { return *impl_->monitor; }
RpcDispatcher<VipClient::Caller>& VipClient::methods() { return impl_->methods; }

// ---- Messages ----

/// What cannot be sent now is dropped: who waits for an answer to it will see that none comes.
void VipClient::Impl::send(const VipMessage& message) {
  const std::vector<std::string> frames = message.to_frames();
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const int flags = ZMQ_DONTWAIT | (i + 1 < frames.size() ? ZMQ_SNDMORE : 0);
    const auto sent =
        uninterrupted([&] { return zmq_send(socket.handle(), frames[i].data(), frames[i].size(), flags); });
    if (sent < 0) return;
  }
}

std::optional<VipMessage> VipClient::Impl::receive(Deadline deadline) {
  try {
    zmq::pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
    if (zmq::poll(&item, 1, left_until(deadline)) == 0) return std::nullopt;
    std::vector<std::string> frames;
    bool has_too_many = false;
    zmq::message_t frame;
    do {
      if (!receive_frame(socket.handle(), frame, ZMQ_DONTWAIT)) return std::nullopt;
      has_too_many = frames.size() >= kMaxFrames;
      if (!has_too_many) frames.push_back(frame.to_string());
    } while (frame.more());
    if (has_too_many) return std::nullopt;
    auto message = VipMessage::parse(std::move(frames));
    if (!message) return std::nullopt;
    return *std::move(message);
  } catch (const zmq::error_t&) {  // such as a signal
    return std::nullopt;
  }
}

void VipClient::Impl::handle(const VipMessage& message) {
  if (message.subsystem == "RPC") return handle_rpc(message);
  if (message.subsystem == "pubsub") return handle_publication(message);
  const bool is_ping =
      message.subsystem == "ping" && !message.arguments.empty() && message.arguments[0] == "ping";
  if (!is_ping) return;
  VipMessage pong = message;
  pong.user.clear();
  pong.arguments[0] = "pong";
  send(pong);
}

void VipClient::Impl::handle_rpc(const VipMessage& message) {
  Caller caller{message.peer, message.user};
  VipMessage answer{
      .peer = message.peer, .user = {}, .id = message.id, .subsystem = message.subsystem, .arguments = {}};
  RpcBudget budget;
  for (const std::string& frame : message.arguments) {
    if (auto text = methods.answer(caller, frame, budget)) answer.arguments.push_back(*std::move(text));
  }
  if (!answer.arguments.empty()) send(answer);
}

void VipClient::Impl::handle_publication(const VipMessage& message) {
  const bool is_from_router = message.peer.empty();
  if (!is_from_router || message.arguments.size() < 3 || message.arguments[0] != "publish") return;
  const auto body = Json::parse(message.arguments[2]);
  if (!body || !body->is_object()) return;
  const auto member = [&](std::string_view name) {
    const Json* found = body->find(name);
    return found != nullptr ? *found : Json();
  };
  if (publications.size() >= kMaxPublications) publications.pop_front();
  publications.push_back(
      {message.arguments[1], body->text_at("sender"), member("headers"), member("message")});
}

Result<Json> VipClient::Impl::request(const VipMessage& message, Patience patience, const Take& take) {
  const Deadline deadline = steady_clock::now() + patience;
  monitor->update();
  const std::uint64_t connection = connections();
  // Nobody answers over another connection what was asked over this one.
  const auto is_lost = [&] {
    return monitor->update() != ConnectionState::kConnected || connections() != connection;
  };
  send(message);
  for (Deadline now = steady_clock::now(); now < deadline; now = steady_clock::now()) {
    auto received = receive(std::min(deadline, now + kLookForLoss));
    if (!received) {
      if (is_lost()) break;
      continue;
    }
    if (vip_message_id(*received) == message.id) {
      if (const auto error = VipError::parse(*received); error && received->peer.empty())
        return error_of(*error);
    }
    if (auto answer = take(*received)) return *std::move(answer);
    handle(*received);
  }
  const bool was_lost = is_lost();
  if (monitor->state() != ConnectionState::kConnected) return unanswered("no answer", monitor->advice());
  return unanswered("no answer", was_lost ? "the connection was lost, and there is another now"
                                          : "the bus is slow, or does not know how to");
}

Result<Json> VipClient::Impl::pubsub(std::vector<std::string> arguments, Patience patience) {
  const std::string id = next_id();
  return request({.peer = {}, .user = {}, .id = id, .subsystem = "pubsub", .arguments = std::move(arguments)},
                 patience, [&](const VipMessage& message) -> std::optional<Result<Json>> {
                   const bool is_answer = message.peer.empty() && message.id == id &&
                                          message.subsystem == "pubsub" && message.arguments.size() >= 2 &&
                                          message.arguments[0] == "request_response";
                   if (!is_answer) return std::nullopt;
                   return Json(static_cast<std::int64_t>(count_of(message.arguments[1])));
                 });
}

// ---- Requests ----

Result<VipClient::Welcome> VipClient::hello(Patience patience) {
  const Deadline deadline = steady_clock::now() + patience;
  milliseconds welcome_time = kFirstWelcomeTime;
  std::string id;  // of the hello that was said over this connection; empty: none yet
  std::uint64_t connection = 0;
  Deadline welcome_until{};
  while (true) {
    if (auto why = hopeless(*impl_->monitor)) return *std::move(why);
    const Deadline now = steady_clock::now();
    if (now >= deadline) break;
    if (impl_->monitor->state() == ConnectionState::kConnected && id.empty()) {
      // Who answered over this connection before is only slow.
      connection = impl_->connections();
      if (impl_->welcomed_connection == connection) welcome_time = kLongestWelcomeTime;
      id = impl_->next_id();
      welcome_until = now + welcome_time;
      impl_->send({.peer = {}, .user = {}, .id = id, .subsystem = "hello", .arguments = {"hello"}});
    }
    auto received = impl_->receive(std::min(deadline, now + kLookAgain));
    const bool is_answer =
        received && received->peer.empty() && !id.empty() && vip_message_id(*received) == id;
    if (is_answer) {
      if (const auto error = VipError::parse(*received)) return error_of(*error);
      if (auto welcome = read_welcome(*received)) {
        impl_->is_welcome = true;
        impl_->welcomed_connection = welcome->connection = connection;
        return *std::move(welcome);
      }
    } else if (received) {
      impl_->handle(*received);
      continue;
    }
    if (!received && !id.empty() && steady_clock::now() >= welcome_until) {
      id.clear();
      welcome_time = std::min(2 * welcome_time, kLongestWelcomeTime);
      if (auto again = impl_->connect(); !again) return again.error();
    }
  }
  const ConnectionMonitor& monitor = *impl_->monitor;
  if (monitor.state() == ConnectionState::kWaiting) return Error{ErrorCode::kBusy, monitor.advice(), ""};
  if (welcome_until != Deadline{}) {
    return unanswered(
        "the server let this key in, but does not answer",
        "is it a VIP router, and is nobody else connected as \"" + *impl_->keys.identity + "\"?");
  }
  return Error{ErrorCode::kUnavailable, monitor.advice(), ""};
}

Result<Json> VipClient::call(std::string_view peer, std::string_view method, const Json& params,
                             Patience patience) {
  const std::string id = impl_->next_id();
  return impl_->request({.peer = std::string(peer),
                         .user = {},
                         .id = id,
                         .subsystem = "RPC",
                         .arguments = {rpc_request(id, method, params)}},
                        patience, [&](const VipMessage& message) -> std::optional<Result<Json>> {
                          if (message.subsystem != "RPC" || message.peer != peer) return std::nullopt;
                          for (const std::string& argument : message.arguments) {
                            RpcFrame frame = RpcFrame::parse(argument);
                            for (RpcFrame::Part& part : frame.parts) {
                              auto* response = std::get_if<RpcResponse>(&part.item);
                              if (response == nullptr || response->id != Json(id)) continue;
                              if (const auto* error = std::get_if<RpcError>(&response->outcome)) {
                                return Result<Json>(error->to_error());
                              }
                              return Result<Json>(std::get<Json>(std::move(response->outcome)));
                            }
                          }
                          return std::nullopt;
                        });
}

Result<std::string> VipClient::query(std::string_view name, Patience patience) {
  const std::string id = impl_->next_id();
  const auto answer = impl_->request(
      {.peer = {}, .user = {}, .id = id, .subsystem = "query", .arguments = {std::string(name)}}, patience,
      [&](const VipMessage& message) -> std::optional<Result<Json>> {
        if (!message.peer.empty() || message.id != id || message.subsystem != "query") return std::nullopt;
        return Json(message.arguments.size() > 1 ? message.arguments[1] : std::string());
      });
  if (!answer) return answer.error();
  return answer->as_string();
}

Result<std::vector<std::string>> VipClient::peers(Patience patience) {
  const std::string id = impl_->next_id();
  std::vector<std::string> out;
  const auto answer = impl_->request(
      {.peer = {}, .user = {}, .id = id, .subsystem = "peerlist", .arguments = {"list"}}, patience,
      [&](const VipMessage& message) -> std::optional<Result<Json>> {
        const bool is_answer = message.peer.empty() && message.id == id && message.subsystem == "peerlist" &&
                               !message.arguments.empty() && message.arguments[0] == "listing";
        if (!is_answer) return std::nullopt;
        out.assign(message.arguments.begin() + 1, message.arguments.end());
        return Json();
      });
  if (!answer) return answer.error();
  return out;
}

Result<std::size_t> VipClient::publish(std::string_view topic, const Json& headers, const Json& message,
                                       Patience patience) {
  const Json body(Json::Object{
      {"bus", ""}, {"headers", headers.is_null() ? Json(Json::Object()) : headers}, {"message", message}});
  const auto answer = impl_->pubsub({"publish", std::string(topic), body.dump()}, patience);
  if (!answer) return answer.error();
  return count_of(answer->as_number().digits);
}

Result<void> VipClient::subscribe(std::string_view prefix, Patience patience) {
  const Json body(Json::Object{{"prefix", prefix}, {"bus", ""}, {"all_platforms", false}});
  const auto answer = impl_->pubsub({"subscribe", body.dump()}, patience);
  if (!answer) return answer.error();
  return {};
}

Result<void> VipClient::unsubscribe(std::string_view prefix, Patience patience) {
  const Json body(Json::Object{{"internal", Json::Object{{"prefix", prefix}, {"bus", ""}}}});
  const auto answer = impl_->pubsub({"unsubscribe", body.dump()}, patience);
  if (!answer) return answer.error();
  return {};
}

std::optional<VipClient::Publication> VipClient::next_publication(Patience patience) {
  const Deadline deadline = steady_clock::now() + patience;
  while (impl_->publications.empty()) {
    if (auto message = impl_->receive(deadline)) impl_->handle(*message);
    if (steady_clock::now() >= deadline && impl_->publications.empty()) return std::nullopt;
  }
  Publication publication = std::move(impl_->publications.front());
  impl_->publications.pop_front();
  return publication;
}

}  // namespace vipauth
