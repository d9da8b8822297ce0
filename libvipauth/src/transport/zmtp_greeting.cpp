#include "transport/zmtp_greeting.hpp"

#include <algorithm>
#include <string_view>

#include <zmq.hpp>

#include "transport/zmq_support.hpp"

namespace vipauth {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// signature (10), version (2), mechanism (20), as-server (1), filler (31)
constexpr std::string_view kOurHalf{"\xff\0\0\0\0\0\0\0\1\x7f\3", 11};  // up to the major version
constexpr std::size_t kMajorVersion = 10;
constexpr std::size_t kMechanism = 12;
constexpr std::size_t kMechanismSize = 20;
static_assert(kMechanism + kMechanismSize == kGreetingBytes);

/// RFC 37, grammar of the greeting.
bool is_mechanism_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

std::string read_greeting(void* socket, steady_clock::time_point until) {
  std::string greeting;
  bool is_said = false;
  while (greeting.size() < kGreetingBytes) {
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
    zmq::pollitem_t item{socket, 0, ZMQ_POLLIN, 0};
    if (left.count() <= 0 || zmq::poll(&item, 1, left) == 0) break;
    zmq::message_t connection;
    zmq::message_t bytes;
    if (!receive_frame(socket, connection, 0) || !receive_frame(socket, bytes, 0)) break;
    greeting += bytes.to_string_view();
    if (is_said && bytes.empty()) break;  // it hung up
    if (is_said) continue;
    is_said = true;
    send_frame(socket, std::move(connection), true);
    send_frame(socket, zmq::message_t(kOurHalf), false);
  }
  return greeting;
}

}  // namespace

Result<std::string> mechanism_in_greeting(std::string_view greeting) {
  const bool is_whole = greeting.size() >= kGreetingBytes && greeting[0] == kOurHalf[0] &&
                        static_cast<unsigned char>(greeting[kMajorVersion]) >= 3;
  if (!is_whole) return Error{ErrorCode::kUnavailable, "no greeting of ZMTP 3 came", ""};
  std::string_view mechanism = greeting.substr(kMechanism, kMechanismSize);
  mechanism = mechanism.substr(0, mechanism.find('\0'));
  if (mechanism.empty() || !std::all_of(mechanism.begin(), mechanism.end(), is_mechanism_character)) {
    return Error{ErrorCode::kUnavailable, "a greeting of ZMTP 3 came that names no mechanism", ""};
  }
  return std::string(mechanism);
}

Result<std::string> greeted_mechanism(void* zmq_context, const std::string& endpoint, milliseconds timeout) {
  const auto until = steady_clock::now() + timeout;
  const ZmqSocket socket(zmq_socket(zmq_context, ZMQ_STREAM));
  if (!socket) return zmq_failure("the socket for a greeting");
  if (auto set = SocketOptions(socket.get()).set(ZMQ_LINGER, "ZMQ_LINGER", 0).result(); !set)
    return set.error();
  if (zmq_connect(socket.get(), endpoint.c_str()) != 0) return zmq_failure(endpoint);
  try {
    auto mechanism = mechanism_in_greeting(read_greeting(socket.get(), until));
    if (!mechanism) return mechanism.error().at(endpoint);
    return mechanism;
  } catch (const zmq::error_t& error) {
    return Error{ErrorCode::kIoError, error.what(), endpoint};
  }
}

}  // namespace vipauth
