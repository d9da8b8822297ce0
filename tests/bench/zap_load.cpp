#include "zap_load.hpp"

#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include <zmq.h>

#include "homes.hpp"

namespace {

using namespace bench;
using vipauth::CurveKey;
using vipauth::CurveKeyPair;

constexpr const char* kHandler = "inproc://zeromq.zap.01";
constexpr std::size_t kInFlight = 64;
constexpr std::size_t kQuestions = std::size_t{1} << 14;
constexpr std::size_t kClients = 50;
constexpr int kPatienceMilliseconds = 60'000;

static_assert(kClients < kPairs);

struct CloseSocket {
  void operator()(void* socket) const { zmq_close(socket); }
};
using Socket = std::unique_ptr<void, CloseSocket>;

struct EndContext {
  void operator()(void* context) const { zmq_ctx_term(context); }
};
using Context = std::unique_ptr<void, EndContext>;

void set(const Socket& socket, int option, int value) {
  zmq_setsockopt(socket.get(), option, &value, sizeof value);
}

bool send(void* socket, std::string_view frame, bool is_last) {
  return zmq_send(socket, frame.data(), frame.size(), is_last ? 0 : ZMQ_SNDMORE) >= 0;
}

/// The frames of one message; empty after a time without any.
bool receive(void* socket, std::vector<std::string>& frames) {
  frames.clear();
  int more = 1;
  while (more != 0) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    const bool is_there = zmq_msg_recv(&message, socket, 0) >= 0;
    if (is_there)
      frames.emplace_back(static_cast<const char*>(zmq_msg_data(&message)), zmq_msg_size(&message));
    more = is_there ? zmq_msg_more(&message) : 0;
    zmq_msg_close(&message);
    if (!is_there) return false;
  }
  return true;
}

std::vector<CurveKey> questions(std::size_t records) {
  Numbers numbers(records);
  std::vector<CurveKey> out;
  out.reserve(kQuestions);
  for (std::size_t i = 0; i < kQuestions; ++i) out.push_back(key_of(numbers.below(records)));
  return out;
}

bool ask(void* socket, const CurveKey& key) {
  const std::string_view raw(reinterpret_cast<const char*>(key.bytes().data()), key.bytes().size());
  for (const std::string_view frame : {"", "1.0", "1", "vip", "127.0.0.1", "", "CURVE"}) {
    if (!send(socket, frame, false)) return false;
  }
  return send(socket, raw, true);
}

bool is_yes(const std::vector<std::string>& frames) { return frames.size() == 7 && frames[3] == "200"; }

/// Sends back whatever comes, until it is told to stop.
class Echo {
 public:
  explicit Echo(void* context, const CurveKeyPair& keys) : socket_(zmq_socket(context, ZMQ_ROUTER)) {
    set(socket_, ZMQ_LINGER, 0);
    set(socket_, ZMQ_RCVTIMEO, 5);
    set(socket_, ZMQ_CURVE_SERVER, 1);
    zmq_setsockopt(socket_.get(), ZMQ_CURVE_SECRETKEY, vipauth::reveal_z85(keys.secret_key).c_str(),
                   CurveKey::kZ85Length + 1);
    zmq_setsockopt(socket_.get(), ZMQ_ZAP_DOMAIN, "vip", 3);
    std::size_t size = sizeof endpoint_;
    if (zmq_bind(socket_.get(), "tcp://127.0.0.1:*") != 0 ||
        zmq_getsockopt(socket_.get(), ZMQ_LAST_ENDPOINT, endpoint_, &size) != 0)
      give_up("cannot bind");
    thread_ = std::thread([this] { run(); });
  }
  Echo(const Echo&) = delete;
  Echo& operator=(const Echo&) = delete;
  ~Echo() {
    stopping_ = true;
    thread_.join();
  }
  const char* endpoint() const { return endpoint_; }

 private:
  void run() {
    std::vector<std::string> frames;
    while (!stopping_) {
      if (!receive(socket_.get(), frames)) continue;
      for (std::size_t i = 0; i < frames.size(); ++i) send(socket_.get(), frames[i], i + 1 == frames.size());
    }
  }

  Socket socket_;
  char endpoint_[256]{};
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

Socket client_of(void* context, const CurveKeyPair& keys, const CurveKey& server) {
  Socket socket(zmq_socket(context, ZMQ_DEALER));
  const auto set_key = [&](int option, const std::string& text) {
    zmq_setsockopt(socket.get(), option, text.c_str(), CurveKey::kZ85Length + 1);
  };
  set(socket, ZMQ_LINGER, 0);
  set(socket, ZMQ_RCVTIMEO, kPatienceMilliseconds);
  set_key(ZMQ_CURVE_SERVERKEY, server.to_z85());
  set_key(ZMQ_CURVE_PUBLICKEY, keys.public_key.to_z85());
  set_key(ZMQ_CURVE_SECRETKEY, vipauth::reveal_z85(keys.secret_key));
  return socket;
}

}  // namespace

extern "C" double zap_load(void* context, std::size_t records, double seconds) {
  static const std::vector<CurveKey> keys = questions(records);  // one number of records in a process
  const Socket socket(zmq_socket(context, ZMQ_DEALER));
  set(socket, ZMQ_LINGER, 0);
  set(socket, ZMQ_RCVTIMEO, kPatienceMilliseconds);
  if (!socket || zmq_connect(socket.get(), kHandler) != 0) return -1;
  std::size_t asked = 0;
  const auto ask_next = [&] { return ask(socket.get(), keys[asked++ % keys.size()]); };
  const auto begin = SteadyClock::now();
  const auto until = begin + std::chrono::duration<double>(seconds);
  while (asked < kInFlight) {
    if (!ask_next()) return -1;
  }
  std::vector<std::string> frames;
  for (std::size_t answered = 0; answered < asked; ++answered) {
    if (!receive(socket.get(), frames) || !is_yes(frames)) return -1;
    if (SteadyClock::now() < until && !ask_next()) return -1;
  }
  return static_cast<double>(asked) / std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

extern "C" double handshake_load(void* context) {
  const CurveKeyPair& server_keys = pair_of(kClients);
  const Echo server(context, server_keys);
  const Context clients(zmq_ctx_new());
  std::vector<Socket> sockets;
  sockets.reserve(kClients);
  for (std::size_t i = 0; i < kClients; ++i) {
    sockets.push_back(client_of(clients.get(), pair_of(i), server_keys.public_key));
  }
  const auto begin = SteadyClock::now();
  for (const Socket& socket : sockets) {
    if (zmq_connect(socket.get(), server.endpoint()) != 0 || !send(socket.get(), "hello", true)) return -1;
  }
  std::vector<std::string> frames;
  for (const Socket& socket : sockets) {
    if (!receive(socket.get(), frames)) return -1;
  }
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}
