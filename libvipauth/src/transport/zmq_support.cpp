#include "transport/zmq_support.hpp"

#include <array>
#include <cerrno>
#include <string>
#include <tuple>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace vipauth {
namespace {

// libzmq is not instrumented: tsan must be told that what is received has been sent before.
#ifdef __SANITIZE_THREAD__
char sockets;
void tell_tsan_of_send() { __tsan_release(&sockets); }
void tell_tsan_of_receive() { __tsan_acquire(&sockets); }
#else
void tell_tsan_of_send() {}
void tell_tsan_of_receive() {}
#endif

ErrorCode code_of(int error) {
  switch (error) {
    case EINVAL:
    case ENOTSOCK:
    case EFAULT: return ErrorCode::kInvalidArgument;
    case EADDRINUSE: return ErrorCode::kAlreadyExists;
    default: return ErrorCode::kIoError;
  }
}

}  // namespace

Error zmq_failure(std::string_view what) {
  const int error = zmq_errno();
  return {code_of(error), std::string(what) + ": " + zmq_strerror(error), {}};
}

Result<void> require_curve() {
  int major = 0;
  int minor = 0;
  int patch = 0;
  zmq_version(&major, &minor, &patch);
  if (std::tuple(major, minor, patch) < std::tuple(4, 3, 3)) {
    return Error{ErrorCode::kUnavailable,
                 "libzmq " + std::to_string(major) + "." + std::to_string(minor) + "." +
                     std::to_string(patch) + " is older than 4.3.3, the first whose CURVE is sound",
                 {}};
  }
  if (zmq_has("curve") == 0) return Error{ErrorCode::kUnavailable, "this libzmq is built without CURVE", {}};
  return {};
}

SocketOptions& SocketOptions::set(int option, std::string_view name, const void* value, std::size_t size) {
  if (result_ && zmq_setsockopt(socket_, option, value, size) != 0) result_ = zmq_failure(name);
  return *this;
}

bool is_in_use(void* socket) {
  std::array<char, 2> endpoint{};
  std::size_t size = endpoint.size();
  // An endpoint that does not fit is one, too.
  const int result = zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint.data(), &size);
  return result == 0 ? endpoint[0] != '\0' : zmq_errno() == EINVAL;
}

bool receive_frame(void* socket, zmq::message_t& frame, int flags) {
  while (zmq_msg_recv(frame.handle(), socket, flags) < 0) {
    if (zmq_errno() == EAGAIN) return false;
    if (zmq_errno() != EINTR) throw zmq::error_t();
  }
  tell_tsan_of_receive();
  return true;
}

// NOLINTNEXTLINE(cppcoreguidelines-rvalue-reference-param-not-moved): libzmq empties it
void send_frame(void* socket, zmq::message_t&& frame, bool more) {
  tell_tsan_of_send();
  const int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
  while (zmq_msg_send(frame.handle(), socket, flags) < 0) {
    if (zmq_errno() == EAGAIN) return;
    if (zmq_errno() != EINTR) throw zmq::error_t();
  }
}

}  // namespace vipauth
