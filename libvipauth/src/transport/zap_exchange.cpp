#include "transport/zap_exchange.hpp"

#include <string>
#include <utility>

#include "transport/zmq_support.hpp"

namespace vipauth {
namespace {

// More than any request has: what is cut off here could only have been refused.
constexpr std::size_t kMaxFrames = 32;
constexpr std::size_t kMaxEnvelope = 16;

}  // namespace

std::optional<ZapExchange> ZapExchange::receive(void* socket) {
  ZapExchange exchange;
  exchange.frames_.reserve(kMaxFrames);  // so that nothing below can fail between two frames of a message
  for (bool more = true; more;) {
    zmq::message_t frame;
    if (!receive_frame(socket, frame, ZMQ_DONTWAIT)) break;
    more = frame.more();
    const std::size_t index = exchange.frames_.size();
    const bool may_delimit = exchange.delimiter_ == 0 && index > 0 && index <= kMaxEnvelope;
    if (may_delimit && frame.empty()) exchange.delimiter_ = index;
    if (index < kMaxFrames) exchange.frames_.push_back(std::move(frame));
  }
  if (exchange.frames_.empty()) return std::nullopt;
  return exchange;
}

std::vector<std::string_view> ZapExchange::request() const {
  std::vector<std::string_view> request;
  for (std::size_t i = delimiter_ + 1; i < frames_.size(); ++i)
    request.push_back(frames_[i].to_string_view());
  return request;
}

void ZapExchange::reply(void* socket, const ZapReply& reply) const {
  const std::vector<std::string> frames = reply.serialize();
  for (std::size_t i = 0; i <= delimiter_; ++i) {
    send_frame(socket, zmq::message_t(frames_[i].data(), frames_[i].size()), true);
  }
  for (std::size_t i = 0; i < frames.size(); ++i) {
    send_frame(socket, zmq::message_t(frames[i].data(), frames[i].size()), i + 1 < frames.size());
  }
}

}  // namespace vipauth
