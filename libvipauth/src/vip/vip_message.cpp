#include <vipauth/vip_message.hpp>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <system_error>
#include <utility>

#include <vipauth/json.hpp>

namespace vipauth {
namespace {

constexpr std::string_view kError = "error";

/// What an agent of VOLTTRON reads as this very text: it takes a frame for JSON where it is.
std::string as_json_string(const std::string& id) {
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  const bool survives = !id.empty() && std::all_of(id.begin(), id.end(), is_ascii);
  return survives ? Json(id).dump() : id;
}

}  // namespace

Result<VipMessage> VipMessage::parse(std::vector<std::string> frames) {
  if (frames.size() < kLeastFrames) {
    return Error{ErrorCode::kParseError, "a VIP message has at least five frames behind the routing id", ""};
  }
  if (frames[1] != kSignature) {
    return Error{ErrorCode::kParseError, "the signature is not VIP1", ""};
  }
  VipMessage message{.peer = std::move(frames[0]),
                     .user = std::move(frames[2]),
                     .id = std::move(frames[3]),
                     .subsystem = std::move(frames[4]),
                     .arguments = {}};
  frames.erase(frames.begin(), frames.begin() + kLeastFrames);
  message.arguments = std::move(frames);
  return message;
}

std::vector<std::string> VipMessage::to_frames() const& { return VipMessage(*this).to_frames(); }

std::vector<std::string> VipMessage::to_frames() && {
  std::vector<std::string> frames;
  frames.reserve(kLeastFrames + arguments.size());
  frames.push_back(std::move(peer));
  frames.emplace_back(kSignature);
  frames.push_back(std::move(user));
  frames.push_back(std::move(id));
  frames.push_back(std::move(subsystem));
  std::move(arguments.begin(), arguments.end(), std::back_inserter(frames));
  return frames;
}

VipMessage VipError::in_answer_to(const VipMessage& request) const {
  return {.peer = {},
          .user = {},
          .id = as_json_string(request.id),
          .subsystem = std::string(kError),
          .arguments = {std::to_string(number), text, peer, subsystem}};
}

std::optional<VipError> VipError::parse(const VipMessage& message) {
  if (message.subsystem != kError || message.arguments.empty()) return std::nullopt;
  // An agent that answers for itself leaves the peer out.
  const auto& arguments = message.arguments;
  const auto argument = [&](std::size_t index) {
    return index < arguments.size() ? arguments[index] : std::string();
  };
  VipError error{.number = 0, .text = argument(1), .peer = {}, .subsystem = {}};
  const std::string& digits = arguments.front();
  int number = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (problem == std::errc{} && end == digits.data() + digits.size()) error.number = number;
  if (arguments.size() > 3) error.peer = argument(2);
  error.subsystem = argument(arguments.size() > 3 ? 3 : 2);
  return error;
}

std::string vip_message_id(const VipMessage& message) {
  if (message.id.starts_with('"')) {
    if (const auto parsed = Json::parse(message.id); parsed && parsed->is_string())
      return parsed->as_string();
  }
  return message.id;
}

}  // namespace vipauth
