#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include <zmq.hpp>

#include <vipauth/zap.hpp>

namespace vipauth {

/// One request as it came from the ZAP socket: the envelope that leads back to who asked, and what was asked.
class ZapExchange {
 public:
  /// Takes the next whole message off the socket, without waiting.
  /// \return nothing where there is none
  /// \throws zmq::error_t
  static std::optional<ZapExchange> receive(void* socket);

  /// False where nothing says who asked: there is nobody to answer.
  bool has_envelope() const noexcept { return delimiter_ != 0; }

  /// The frames behind the envelope. Views into this object, until it is moved.
  std::vector<std::string_view> request() const;

  /// Sends the answer to who asked, or drops it where that one is gone.
  /// \throws zmq::error_t
  void reply(void* socket, const ZapReply& reply) const;

 private:
  std::vector<zmq::message_t> frames_;
  std::size_t delimiter_ = 0;  // its index in frames_; 0 is a routing id
};

}  // namespace vipauth
