// Calls between peers, each decided before it is carried.

#include <utility>

#include "router.hpp"

namespace vip_router {

using vipauth::Decision;
using vipauth::Json;
using vipauth::RpcError;
using vipauth::RpcFrame;
using vipauth::RpcRequest;
using vipauth::RpcResponse;
using vipauth::VipError;
using vipauth::VipMessage;

/// What is to become of one message.
struct VipRouter::Judged {
  struct Answer {
    std::size_t frame = 0;  // that it answers a part of
    std::optional<Json> id;
    std::optional<RpcError> problem;  // none: allowed, or the answer to a call
    bool is_response = false;
  };
  std::vector<Answer> parts;
  std::vector<bool> is_list;  // of each frame
  std::vector<Json> calls;    // ids that the callee will answer
  std::vector<Json> answers;  // ids of calls of the callee that are answered
  bool is_whole = true;       // nothing stands against carrying it

  void add(std::size_t frame, std::optional<Json> id, std::optional<RpcError> problem) {
    if (problem) is_whole = false;
    parts.push_back({frame, std::move(id), std::move(problem), false});
  }

  /// The frames that answer a message which is not carried.
  std::vector<std::string> texts() const {
    std::vector<Json::Array> frames(is_list.size());
    for (const Answer& part : parts) {
      if (part.is_response || !part.id) continue;
      const RpcError not_alone{
          RpcError::kUnhandledException, "not carried: another part of the message was refused", {}};
      frames[part.frame].push_back(RpcResponse{*part.id, part.problem.value_or(not_alone)}.to_json());
    }
    std::vector<std::string> out;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      if (frames[i].empty()) continue;
      out.push_back(is_list[i] ? Json(std::move(frames[i])).dump() : frames[i].front().dump());
    }
    return out;
  }
};

VipRouter::Judged VipRouter::judge(Peer& caller, const Peer& callee,
                                   const std::vector<std::string>& arguments) {
  Judged judged;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const RpcFrame frame = RpcFrame::parse(arguments[i]);
    judged.is_list.push_back(frame.is_list);
    for (const RpcFrame::Part& part : frame.parts) {
      if (const auto* error = std::get_if<RpcError>(&part.item)) {
        judged.add(i, part.id, *error);
        continue;
      }
      if (const auto* response = std::get_if<RpcResponse>(&part.item)) {
        const bool is_awaited = callee.calls.has(caller.number, response->id);
        if (!is_awaited) {
          judged.is_whole = false;
          log_refusal(shown(caller.identity) + " answers a call that " + shown(callee.identity) +
                      " does not wait for");
        }
        judged.parts.push_back({i, response->id, std::nullopt, true});
        judged.answers.push_back(response->id);
        continue;
      }
      const auto& request = std::get<RpcRequest>(part.item);
      if (request.id && !OpenCalls::fits(*request.id)) {
        judged.add(i, Json(), RpcError{RpcError::kInvalidRequest, "an id has at most 255 bytes", {}});
        continue;
      }
      const Decision decision =
          caller.session.authorize_call({callee.identity, request.method, request.params});
      std::optional<RpcError> problem;
      if (!decision) {
        problem = RpcError::refused(decision.message());
        judged.is_whole = false;
        log_refusal("refused a call of " + shown(caller.identity) + ", " + shown(request.method) + " of " +
                    shown(callee.identity) + ": " + decision.message());
      }
      if (request.id) judged.calls.push_back(*request.id);
      judged.add(i, request.id, std::move(problem));
    }
  }
  return judged;
}

/// Carries a message only as a whole: agents never see one that the router has changed.
void VipRouter::carry_rpc(Peer& caller, Peer& callee, VipMessage& message) {
  const Judged judged = judge(caller, callee, message.arguments);
  if (judged.parts.empty()) return;
  if (judged.is_whole) {
    for (const Json& id : judged.answers) callee.calls.remove(caller.number, id);
    for (const Json& id : judged.calls) caller.calls.add(callee.number, id);
    return forward(caller, callee, message);
  }
  std::vector<std::string> answers = judged.texts();
  if (answers.empty()) return;
  send_to(caller, {.peer = callee.identity,
                   .user = callee.session.user_id(),
                   .id = message.id,
                   .subsystem = message.subsystem,
                   .arguments = std::move(answers)});
}

void VipRouter::call_auth(Peer& caller, VipMessage& message) {
  AuthWorker::Job job{caller.number, caller.identity, caller.session.acceptance(), message.id,
                      std::move(message.arguments)};
  if (auth_->post(std::move(job))) return;
  send_error(caller, message,
             {VipError::kAgain, "Resource temporarily unavailable", message.peer, message.subsystem});
}

void VipRouter::answer_for_auth() {
  const std::string self(vipauth::AuthPeer::kIdentity);
  for (AuthWorker::Answer& answer : auth_->take()) {
    Peer* caller = find(answer.identity);
    if (caller == nullptr) {
      service_.forget_methods(answer.identity);  // it may have registered when it had gone already
      continue;
    }
    if (caller->number != answer.caller || answer.arguments.empty()) continue;
    send_to(*caller, {.peer = self,
                      .user = self,
                      .id = std::move(answer.id),
                      .subsystem = "RPC",
                      .arguments = std::move(answer.arguments)});
  }
}

}  // namespace vip_router
