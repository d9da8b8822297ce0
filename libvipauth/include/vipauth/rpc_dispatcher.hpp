#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <vipauth/call_arguments.hpp>
#include <vipauth/call_binder.hpp>
#include <vipauth/json.hpp>
#include <vipauth/json_rpc.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// What a method says of itself, in the form of VOLTTRON's `METHOD.inspect`:
/// `{"params": {"temp": {"kind": "POSITIONAL_OR_KEYWORD", "default": 70}}, "doc": "..."}`.
VIPAUTH_EXPORT Json inspected(const std::vector<Parameter>& parameters, std::string_view doc);

/// What one message may ask for: its answers are made in memory, and whoever asks may not read them.
class RpcBudget {
 public:
  static constexpr std::size_t kMaxCalls = RpcFrame::kMaxItems;
  /// After so many bytes of answers no further call is made. The first may be larger.
  static constexpr std::size_t kMaxBytes = std::size_t{1} * 1024 * 1024;

  bool take_call() {
    if (bytes_ >= kMaxBytes || calls_ >= kMaxCalls) return false;
    ++calls_;
    return true;
  }
  void take_bytes(std::size_t bytes) { bytes_ += bytes; }
  Error exceeded() const {
    return {ErrorCode::kLimitExceeded,
            "too many calls in one message, or too much to answer: ask again for the rest",
            {}};
  }

 private:
  std::size_t calls_ = 0;
  std::size_t bytes_ = 0;
};

/// The methods that a peer of a VIP bus offers, and how calls reach them.
///
/// `Context` is what a method is given beside its arguments: who calls. `inspect` and `METHOD.inspect` are
/// answered by themselves. Not thread-safe. Source: VOLTTRON vip/agent/subsystems/rpc.py.
template <typename Context>
class RpcDispatcher {
 public:
  using Run = std::function<Result<Json>(Context& context, const CallArguments& arguments)>;

  void add(std::string name, std::vector<Parameter> parameters, std::string doc, Run run) {
    methods_.insert_or_assign(std::move(name), Method{std::move(parameters), std::move(doc), std::move(run)});
  }

  /// Asked before each call; an Error answers it. May be empty.
  void set_guard(std::function<Result<void>(Context& context)> guard) { guard_ = std::move(guard); }

  /// Answers one frame of the subsystem RPC; nothing where it holds only notifications and answers.
  /// \param budget       of the message that the frame is of: what goes beyond it is answered kLimitExceeded
  /// \param on_response  is given the answers that the frame holds
  std::optional<std::string> answer(Context& context, std::string_view frame, RpcBudget& budget,
                                    const std::function<void(RpcResponse)>& on_response = {}) const {
    RpcFrame parsed = RpcFrame::parse(frame);
    std::string answers;
    for (RpcFrame::Part& part : parsed.parts) {
      if (auto* response = std::get_if<RpcResponse>(&part.item)) {
        if (on_response) on_response(std::move(*response));
        continue;
      }
      const auto answer = answer_to(context, part, budget);
      if (!answer) continue;
      const std::string text = answer->to_json().dump();
      budget.take_bytes(text.size());
      answers += (answers.empty() ? "" : ",") + text;
    }
    if (answers.empty()) return std::nullopt;
    return parsed.is_list ? '[' + answers + ']' : answers;
  }
  std::optional<std::string> answer(Context& context, std::string_view frame) const {
    RpcBudget budget;
    return answer(context, frame, budget);
  }

 private:
  struct Method {
    std::vector<Parameter> parameters;
    std::string doc;
    Run run;
  };

  std::optional<RpcResponse> answer_to(Context& context, const RpcFrame::Part& part,
                                       RpcBudget& budget) const {
    if (const auto* error = std::get_if<RpcError>(&part.item)) return RpcResponse{part.id, *error};
    const auto& request = std::get<RpcRequest>(part.item);
    auto outcome = budget.take_call() ? outcome_of(context, request) : RpcError::of(budget.exceeded());
    if (!request.id) return std::nullopt;
    return RpcResponse{*request.id, std::move(outcome)};
  }

  std::variant<Json, RpcError> outcome_of(Context& context, const RpcRequest& request) const {
    if (guard_) {
      if (const auto may = guard_(context); !may) return RpcError::of(may.error());
    }
    const auto method = methods_.find(request.method);
    if (method != methods_.end()) {
      auto result = run(context, request.method, method->second, request.params);
      if (!result) return RpcError::of(result.error());
      return *std::move(result);
    }
    if (const auto asked = inspect(request.method)) return *asked;
    return RpcError::method_not_found(request.method);
  }

  static Result<Json> run(Context& context, std::string_view name, const Method& method, const Json& params) {
    const auto split = split_params(params);
    if (!split) return split.error();
    const auto bound = bind_arguments(method.parameters, split->positional, split->named);
    if (!bound) return bound.error().at(name);
    return method.run(context, *bound);
  }

  std::optional<Json> inspect(std::string_view name) const {
    static constexpr std::string_view kInspect = "inspect";
    static constexpr std::string_view kOfOne = ".inspect";
    if (name == kInspect) {
      Json::Array names;
      for (const auto& [method, content] : methods_) names.emplace_back(method);
      return Json(Json::Object{{"methods", std::move(names)}});
    }
    if (!name.ends_with(kOfOne)) return std::nullopt;
    const auto method = methods_.find(name.substr(0, name.size() - kOfOne.size()));
    if (method == methods_.end()) return std::nullopt;
    return inspected(method->second.parameters, method->second.doc);
  }

  std::map<std::string, Method, std::less<>> methods_;
  std::function<Result<void>(Context&)> guard_;
};

}  // namespace vipauth
