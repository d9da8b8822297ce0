#include "frames.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace vip_router {
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

/// What became of a frame that was not sent.
Sent failure() {
  if (zmq_errno() == EAGAIN) return Sent::kFull;
  if (zmq_errno() == EHOSTUNREACH) return Sent::kGone;
  throw zmq::error_t();
}

/// \param but  characters that are not to stand for themselves
void append_printable(std::string& out, char c, std::string_view but) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x20 && byte < 0x7f && but.find(c) == std::string_view::npos) {
    out += c;
  } else {
    out += {'\\', 'x', kHex[byte >> 4U], kHex[byte & 0xfU]};
  }
}

std::size_t take_digits(std::string_view& text) {
  const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(count);
  return count;
}

bool take_any(std::string_view& text, std::string_view characters) {
  if (text.empty() || characters.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

/// A number of RFC 8259, however large: Python has room for it.
bool is_number(std::string_view text) {
  take_any(text, "-");
  if (!take_any(text, "0") && take_digits(text) == 0) return false;
  if (take_any(text, ".") && take_digits(text) == 0) return false;
  if (take_any(text, "eE")) {
    take_any(text, "+-");
    if (take_digits(text) == 0) return false;
  }
  return text.empty();
}

}  // namespace

bool receive(zmq::socket_t& socket, Incoming& message) {
  message.frames.clear();
  message.is_cut = false;
  std::size_t bytes = 0;
  zmq::message_t frame;
  do {
    if (!socket.recv(frame, zmq::recv_flags::dontwait)) return false;
    tell_tsan_of_receive();
    bytes += frame.size();
    if (message.frames.size() < kMaxFrames && bytes <= kMaxMessageBytes) {
      message.frames.push_back(frame.to_string());
    } else {
      message.is_cut = true;
    }
  } while (frame.more());
  message.origin = std::move(frame);
  return true;
}

Sent send(zmq::socket_t& socket, const std::string& identity, const Frames& frames) {
  tell_tsan_of_send();
  if (zmq_send(socket.handle(), identity.data(), identity.size(), ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0)
    return failure();
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const int flags = ZMQ_DONTWAIT | (i + 1 < frames.size() ? ZMQ_SNDMORE : 0);
    if (zmq_send(socket.handle(), frames[i].data(), frames[i].size(), flags) < 0) return failure();
  }
  return Sent::kYes;
}

SharedMessage::SharedMessage(const Frames& frames) {
  frames_.reserve(frames.size());
  for (const std::string& frame : frames) frames_.emplace_back(frame.data(), frame.size());
}

Sent SharedMessage::send(zmq::socket_t& socket, const std::string& identity) {
  tell_tsan_of_send();
  if (zmq_send(socket.handle(), identity.data(), identity.size(), ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0)
    return failure();
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    zmq::message_t copy;
    copy.copy(frames_[i]);
    const int flags = ZMQ_DONTWAIT | (i + 1 < frames_.size() ? ZMQ_SNDMORE : 0);
    if (zmq_msg_send(copy.handle(), socket.handle(), flags) < 0) return failure();
  }
  return Sent::kYes;
}

std::string shown(std::string_view text) {
  constexpr std::size_t kMaxShown = 80;
  std::string out = "\"";
  for (const char c : text.substr(0, kMaxShown)) append_printable(out, c, "\"\\");
  return out + (text.size() > kMaxShown ? "...\"" : "\"");
}

std::string printable(std::string_view line) {
  std::string out;
  for (const char c : line) append_printable(out, c, {});
  return out;
}

bool reads_as_json(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return false;
  const std::string_view rest = text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
  // Python takes more for JSON than others do.
  constexpr std::string_view kOpening = "\"[{";
  if (kOpening.find(rest.front()) != std::string_view::npos) return true;
  if (rest == "NaN" || rest == "Infinity" || rest == "-Infinity") return true;
  return is_number(rest) || rest == "true" || rest == "false" || rest == "null";
}

}  // namespace vip_router
