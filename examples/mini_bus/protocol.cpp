#include "protocol.hpp"

#include <cerrno>
#include <utility>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace mini_bus {
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

}  // namespace

bool receive(zmq::socket_t& socket, Message& message) {
  message = {};
  zmq::message_t frame;
  do {
    if (!socket.recv(frame, zmq::recv_flags::dontwait)) return false;
    tell_tsan_of_receive();
    if (message.frames.size() < kMaxFrames) {
      message.frames.push_back(frame.to_string());
    } else {
      message.is_cut = true;
    }
  } while (frame.more());
  message.origin = std::move(frame);
  return true;
}

Sent send(zmq::socket_t& socket, const Frames& frames) {
  tell_tsan_of_send();
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const int flags = ZMQ_DONTWAIT | (i + 1 < frames.size() ? ZMQ_SNDMORE : 0);
    if (zmq_send(socket.handle(), frames[i].data(), frames[i].size(), flags) >= 0) continue;
    if (zmq_errno() == EAGAIN) return Sent::kFull;
    if (zmq_errno() == EHOSTUNREACH) return Sent::kGone;
    throw zmq::error_t();
  }
  return Sent::kYes;
}

std::string shown(std::string_view text) {
  constexpr std::size_t kMaxShown = 80;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text.substr(0, kMaxShown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\') {
      out += c;
    } else {
      out += {'\\', 'x', kHex[byte >> 4U], kHex[byte & 0xfU]};
    }
  }
  return out + (text.size() > kMaxShown ? "...\"" : "\"");
}

}  // namespace mini_bus
