#pragma once

// Messages as a ROUTER carries them: frames of bytes, and what libzmq says of their sender.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <zmq.hpp>

namespace vip_router {

using Frames = std::vector<std::string>;

// What is kept of one message: more is a mistake, or an attack.
constexpr std::size_t kMaxFrames = 128;
constexpr std::size_t kMaxMessageBytes = std::size_t{16} * 1024 * 1024;

/// A whole message as it was received.
struct Incoming {
  Frames frames;          ///< the routing id first
  bool is_cut = false;    ///< there was more than is kept of one
  zmq::message_t origin;  ///< the last frame: what libzmq attached to it says who sent it
};

/// Takes the next message off the socket, without waiting; false where there is none.
bool receive(zmq::socket_t& socket, Incoming& message);

enum class Sent { kYes, kFull, kGone };

/// Sends to one peer, or does not, without waiting.
Sent send(zmq::socket_t& socket, const std::string& identity, const Frames& frames);

/// One message to many peers, who share its bytes.
class SharedMessage {
 public:
  explicit SharedMessage(const Frames& frames);
  Sent send(zmq::socket_t& socket, const std::string& identity);

 private:
  std::vector<zmq::message_t> frames_;
};

/// Text of a peer, quoted, made fit for a terminal, and not too long.
std::string shown(std::string_view text);

/// A line that may hold text of a peer, made fit for a terminal.
std::string printable(std::string_view line);

/// True where an agent of VOLTTRON would not take a frame for this text: it takes the text for JSON, and its
/// value in its place, so that `"control"` in quotes becomes another name.
bool reads_as_json(std::string_view text);

}  // namespace vip_router
