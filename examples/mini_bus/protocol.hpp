#pragma once

// What agents and the bus say to each other.
//
// A message is a few frames of text. An agent (DEALER, whose routing id is its VIP identity) sends an
// operation, an id of its own choice, and what the operation takes:
//
//   hello     ID                             who am I?                  -> ok ID USER-ID
//   subscribe ID PREFIX                      topics that begin so       -> ok ID
//   publish   ID TOPIC PAYLOAD                                          -> ok ID
//   serve     ID METHOD [DECLARATION]        others may call it         -> ok ID
//   call      ID CALLEE METHOD ARGUMENTS     a JSON object, by name,    -> ok ID RESULT
//                                            or a JSON list, in order
//   watch     ID                             tell me who may do what    -> ok ID USERS
//   answer    CALL-ID ok RESULT              to an `invoke`; or:
//   answer    CALL-ID error TEXT
//
// The bus (ROUTER) says `ok ID ...`, or `error ID TEXT` where it refuses or fails, and unasked:
//
//   event     TOPIC SENDER PAYLOAD           to a subscriber
//   invoke    CALL-ID CALLER METHOD ARGUMENTS   to who serves the method
//   update    CHANGES                        to who watches: {"changed": {USER: {...}}, "removed": [USER]}
//   methods   REQUIREMENTS                   to an agent: what its methods require now
//   ping                                     are you there? There is nothing to do about it
//
// A DECLARATION is what the agent's code says of the method, as JSON: {"capabilities": ["CAP_SET_TEMP"],
// "params": {"temp": {"default": 70}}}. The callee "platform.auth" is the bus itself, and administers.
//
// An `error` whose ID is empty answers a message that has none.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <zmq.hpp>

namespace mini_bus {

using Frames = std::vector<std::string>;

constexpr std::size_t kMaxFrames = 6;  // the routing id, and the longest operation
constexpr std::int64_t kMaxFrameBytes = std::int64_t{64} * 1024;

/// A whole message as it was received.
struct Message {
  Frames frames;          ///< at most kMaxFrames
  bool is_cut = false;    ///< there were more
  zmq::message_t origin;  ///< the last frame: what libzmq attached to it says who sent it
};

/// Takes the next message off the socket, without waiting; false where there is none.
bool receive(zmq::socket_t& socket, Message& message);

enum class Sent { kYes, kFull, kGone };

/// Sends, or does not, without waiting.
Sent send(zmq::socket_t& socket, const Frames& frames);

/// Text of a peer, quoted, made fit for a terminal, and not too long.
std::string shown(std::string_view text);

}  // namespace mini_bus
