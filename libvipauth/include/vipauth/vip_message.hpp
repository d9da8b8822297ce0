#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/result.hpp>

namespace vipauth {

/// A message of VIP, VOLTTRON's protocol between agents and their router, in version 1.
///
/// The frames `[PEER, "VIP1", USER, ID, SUBSYSTEM, ARGUMENT...]`. On its way to the router PEER is the
/// recipient (empty: the router itself), and a ROUTER socket puts the sender's routing id before it. On its
/// way to an agent PEER is the sender. USER is empty on the way to the router, and whatever stands there
/// counts for nothing; on the way to an agent it is the sender's user_id, which ZAP found. A value: plain
/// bytes, no socket.
/// Source: VOLTTRON vip/router.py and vip/socket.py.
struct VipMessage {
  static constexpr std::string_view kSignature = "VIP1";
  static constexpr std::size_t kLeastFrames = 5;

  std::string peer;
  std::string user;
  std::string id;  ///< the sender's own, which an answer repeats
  std::string subsystem;
  std::vector<std::string> arguments;

  /// Reads the frames behind the routing id.
  /// \return kParseError  too few; another signature
  VIPAUTH_EXPORT static Result<VipMessage> parse(std::vector<std::string> frames);

  VIPAUTH_EXPORT std::vector<std::string> to_frames() const&;
  VIPAUTH_EXPORT std::vector<std::string> to_frames() &&;

  friend bool operator==(const VipMessage&, const VipMessage&) = default;
};

/// What the subsystem `error` says of a message that could not be carried or handled.
struct VipError {
  // The numbers of VOLTTRON, which are Linux's errno, and one of JSON-RPC.
  static constexpr int kAgain = 11;                 ///< the recipient reads too slowly
  static constexpr int kAccess = 13;                ///< who asks may not speak here under this name
  static constexpr int kProtocolNotSupported = 93;  ///< no such subsystem
  static constexpr int kUnreachable = 113;          ///< there is no such peer
  static constexpr int kUnauthorized = -32001;      ///< not allowed: a topic, or a call

  int number = 0;
  std::string text;
  std::string peer;       ///< whom the message could not be delivered to; or empty
  std::string subsystem;  ///< of the message

  /// The message that tells the sender of `request`. Its id is a JSON string: as it was sent, the agents of
  /// VOLTTRON do not find their call by it, where it looks like a number.
  VIPAUTH_EXPORT VipMessage in_answer_to(const VipMessage& request) const;

  /// Reads a message of the subsystem `error`, whoever sent it.
  /// \return nothing  it is none; a text that is no number is number 0
  VIPAUTH_EXPORT static std::optional<VipError> parse(const VipMessage& message);
};

/// The id of a message, also where it stands as a JSON string.
VIPAUTH_EXPORT std::string vip_message_id(const VipMessage& message);

}  // namespace vipauth
