#include "transport/zap_exchange.hpp"

#include <array>
#include <string>
#include <utility>

#include "transport/zmq_support.hpp"

namespace vipauth {
namespace {

// More than any request has: what is cut off here could only have been refused.
constexpr std::size_t kMaxFrames = 32;
constexpr std::size_t kMaxEnvelope = 16;

zmq::message_t frame_of(std::string_view text) { return {text.data(), text.size()}; }

zmq::message_t frame_of(const ZapReply& reply, std::span<const ZapProperty> more) {
  std::size_t size = 0;
  for (const auto& [name, value] : reply.metadata) size += ZapProperty{name, value}.size();
  for (const ZapProperty& property : more) size += property.size();
  zmq::message_t frame(size);
  char* out = frame.data<char>();
  for (const auto& [name, value] : reply.metadata) out = ZapProperty{name, value}.write(out);
  for (const ZapProperty& property : more) out = property.write(out);
  return frame;
}

}  // namespace

bool ZapExchange::receive(void* socket, int flags) {
  frames_.resize(kMaxFrames);  // so that nothing below can fail between two frames of a message
  request_.reserve(kMaxFrames);
  count_ = 0;
  delimiter_ = 0;
  zmq::message_t beyond;
  for (bool more = true; more;) {
    const std::size_t index = count_;
    zmq::message_t& frame = index < kMaxFrames ? frames_[index] : beyond;
    if (!receive_frame(socket, frame, flags)) break;
    more = frame.more();
    const bool may_delimit = delimiter_ == 0 && index > 0 && index <= kMaxEnvelope;
    if (may_delimit && frame.empty()) delimiter_ = index;
    if (index < kMaxFrames) ++count_;
  }
  return count_ > 0;
}

std::span<const std::string_view> ZapExchange::request() {
  request_.clear();
  for (std::size_t i = delimiter_ + 1; i < count_; ++i) request_.push_back(frames_[i].to_string_view());
  return request_;
}

void ZapExchange::reply(void* socket, const ZapReply& reply, std::span<const ZapProperty> more_metadata) {
  // All of them first: what needs memory fails before a part has been sent.
  std::array<zmq::message_t, 6> frames{frame_of(ZapReply::kVersion), frame_of(reply.request_id),
                                       frame_of(reply.status_code),  frame_of(reply.status_text),
                                       frame_of(reply.user_id),      frame_of(reply, more_metadata)};
  for (std::size_t i = 0; i <= delimiter_; ++i) send_frame(socket, std::move(frames_[i]), true);
  for (std::size_t i = 0; i < frames.size(); ++i)
    send_frame(socket, std::move(frames[i]), i + 1 < frames.size());
}

}  // namespace vipauth
