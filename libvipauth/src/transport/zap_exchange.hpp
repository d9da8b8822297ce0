#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <zmq.hpp>

#include <vipauth/zap.hpp>

#include "text/zap_metadata.hpp"

namespace vipauth {

/// One request as it came from the ZAP socket: the envelope that leads back to who asked, and what was asked.
/// May be used for one after another.
class ZapExchange {
 public:
  /// Takes the next whole message off the socket, in place of the one before.
  /// \param flags  ZMQ_DONTWAIT, or 0: waits for one
  /// \return false  there is none
  /// \throws zmq::error_t
  bool receive(void* socket, int flags);

  /// False where nothing says who asked: there is nobody to answer.
  bool has_envelope() const noexcept { return delimiter_ != 0; }

  /// The frames behind the envelope. Views into this object, until it is moved.
  std::span<const std::string_view> request();

  /// Sends the answer to who asked, or drops it where that one is gone. Once: the envelope goes with it.
  /// \param more_metadata  after those of the reply
  /// \throws zmq::error_t
  void reply(void* socket, const ZapReply& reply, std::span<const ZapProperty> more_metadata);

 private:
  std::vector<zmq::message_t> frames_;  // all that there may be, of which count_ are in use
  std::size_t count_ = 0;
  std::size_t delimiter_ = 0;  // its index in frames_; 0 is a routing id
  std::vector<std::string_view> request_;
};

}  // namespace vipauth
