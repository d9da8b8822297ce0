// The frames of a VIP message, 0xFF between them: read and written again, and, as a call, answered.
#include <vipauth/vip_message.hpp>

#include <vipauth/call_arguments.hpp>
#include <vipauth/rpc_dispatcher.hpp>

#include "fuzz.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;

namespace {

struct NoContext {};

const RpcDispatcher<NoContext>& methods() {
  static const RpcDispatcher<NoContext> dispatcher = [] {
    RpcDispatcher<NoContext> out;
    using Kind = Parameter::Kind;
    const auto echo = [](NoContext&, const CallArguments& arguments) -> Result<Json> {
      return Json(Json::Object(arguments.all()));
    };
    out.add("echo", {{"a"}, {"b", Kind::kPositional, Json(1)}, {"k", Kind::kKeywordOnly, Json(nullptr)}}, "",
            echo);
    out.add("all", {{"rest", Kind::kVarPositional}, {"named", Kind::kVarKeyword}}, "doc", echo);
    out.add("refuse", {}, "", [](NoContext&, const CallArguments&) -> Result<Json> {
      return Error{ErrorCode::kPermissionDenied, "no", ""};
    });
    return out;
  }();
  return dispatcher;
}

void check_error(const RpcError& error, std::size_t size) {
  require(!error.text().empty());
  require_good(error.to_error(), size + error.message.size());
  static_cast<void>(error.is_refusal());
}

/// Each part is understood again as it was, when it is written.
void check_parts(const RpcFrame& frame, std::size_t size) {
  require(!frame.parts.empty() && frame.parts.size() <= RpcFrame::kMaxItems);
  for (const RpcFrame::Part& part : frame.parts) {
    if (const auto* error = std::get_if<RpcError>(&part.item)) {
      check_error(*error, size);
    } else if (const auto* request = std::get_if<RpcRequest>(&part.item)) {
      if (request->id && request->id->is_null()) continue;
      const std::string text =
          rpc_request(request->id ? *request->id : Json(), request->method, request->params);
      const RpcFrame again = RpcFrame::parse(text);
      const auto* same = again.parts.size() == 1 ? std::get_if<RpcRequest>(&again.parts[0].item) : nullptr;
      require(same != nullptr, text);
      require(same->method == request->method && same->params == request->params, text);
      require(same->id.has_value() == request->id.has_value() && (!same->id || *same->id == *request->id),
              text);
    } else {
      const auto& response = std::get<RpcResponse>(part.item);
      if (const auto* failed = std::get_if<RpcError>(&response.outcome)) check_error(*failed, size);
      const std::string text = response.to_json().dump();
      const RpcFrame again = RpcFrame::parse(text);
      const auto* same = again.parts.size() == 1 ? std::get_if<RpcResponse>(&again.parts[0].item) : nullptr;
      require(same != nullptr && same->outcome.index() == response.outcome.index(), text);
      require_same(same->to_json().dump(), text);
    }
  }
}

/// Answers are JSON, as many as there are calls that want one, and are understood as answers.
void check_answers(const RpcFrame& frame, std::string_view text) {
  std::size_t wanted = 0;
  for (const RpcFrame::Part& part : frame.parts) {
    const auto* request = std::get_if<RpcRequest>(&part.item);
    if (std::holds_alternative<RpcError>(part.item) || (request != nullptr && request->id)) ++wanted;
  }
  NoContext context;
  const auto answer = methods().answer(context, text);
  require(answer.has_value() == (wanted > 0));
  if (!answer) return;
  require(Json::parse(*answer).has_value(), *answer);
  const RpcFrame answers = RpcFrame::parse(*answer);
  require(answers.is_list == frame.is_list && answers.parts.size() == wanted, *answer);
  for (const RpcFrame::Part& part : answers.parts) {
    require(std::holds_alternative<RpcResponse>(part.item), *answer);
  }
  require(answer->size() <= 200'000 + 40 * text.size(), "too long an answer");
}

void check_call(std::string_view text) {
  const RpcFrame frame = RpcFrame::parse(text);
  check_parts(frame, text.size());
  check_answers(frame, text);
  const auto arguments = CallArguments::parse(text);
  if (!arguments) require_good(arguments.error(), text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto views = parts_of(text_of(data, size));
  const std::vector<std::string> frames(views.begin(), views.end());
  const auto message = VipMessage::parse(frames);
  if (!message) {
    require_good(message.error(), size);
    check_call(text_of(data, size));
    return 0;
  }
  require(frames.size() >= VipMessage::kLeastFrames && frames[1] == VipMessage::kSignature);
  require(message->to_frames() == frames);
  const VipError unreachable{VipError::kUnreachable, "no such peer", message->peer, message->subsystem};
  const VipMessage answer = unreachable.in_answer_to(*message);
  const auto again = VipMessage::parse(answer.to_frames());
  require(again && *again == answer);
  const auto error = VipError::parse(answer);
  require(error && error->number == unreachable.number && error->text == unreachable.text);
  require_same(error->peer, message->peer);
  if (is_valid_utf8(message->id)) require_same(vip_message_id(answer), message->id);
  static_cast<void>(VipError::parse(*message));
  for (const std::string& argument : message->arguments) check_call(argument);
  return 0;
}
