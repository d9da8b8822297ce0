#include "auth/question_text.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "value_text.hpp"

namespace vipauth::vctl::auth {
namespace {

Error wrong(std::string message, std::string_view member) {
  return Error{ErrorCode::kInvalidArgument, std::move(message), json_pointer("", member)};
}

/// Takes the members of a question out of it; what is left over at the end was not understood.
class Members {
 public:
  explicit Members(Json line) : line_(std::move(line)) {}

  std::string text(std::string_view name) { return text(name, std::nullopt); }

  std::string text(std::string_view name, std::optional<std::string> preset) {
    const auto value = take(name);
    if (!value && preset) return *preset;
    if (!value || !value->is_string()) {
      report(wrong(value ? "must be a string" : "is missing", name));
      return {};
    }
    return value->as_string();
  }

  std::optional<std::vector<std::string>> texts(std::string_view name) {
    const auto value = take(name);
    if (!value) return std::nullopt;
    std::vector<std::string> out;
    const bool is_list = value->is_array() && std::all_of(value->as_array().begin(), value->as_array().end(),
                                                          [](const Json& item) { return item.is_string(); });
    if (!is_list) {
      report(wrong("must be a list of strings", name));
      return out;
    }
    for (const Json& item : value->as_array()) out.push_back(item.as_string());
    return out;
  }

  CallArguments arguments(std::string_view name) {
    auto value = take(name);
    if (!value) return {};
    if (!value->is_object()) {
      report(wrong("must be an object", name));
      return {};
    }
    return CallArguments(std::move(value->as_object()));
  }

  /// The first thing that was wrong.
  Result<void> finish() const {
    if (error_) return *error_;
    if (!line_.as_object().empty())
      return wrong("is not a member of this question", line_.as_object().front().name);
    return {};
  }

 private:
  std::optional<Json> take(std::string_view name) {
    Json* member = line_.find(name);
    if (member == nullptr) return std::nullopt;
    Json value = std::move(*member);
    line_.erase(name);
    return value;
  }

  void report(Error error) {
    if (!error_) error_ = std::move(error);
  }

  Json line_;
  std::optional<Error> error_;
};

}  // namespace

Result<CallArguments> parse_arguments_text(std::string_view text) {
  auto arguments = parse_loose_json(text);
  if (!arguments) return arguments.error();
  if (!arguments->is_object()) {
    return Error{ErrorCode::kInvalidArgument,
                 "must be a JSON object, not " + std::string(arguments->kind_name()), ""};
  }
  return CallArguments(std::move(arguments->as_object()));
}

Result<Finding> answer_question(const Checker& checker, Json question_json) {
  if (!question_json.is_object()) {
    return Error{ErrorCode::kInvalidArgument,
                 "must be an object, not " + std::string(question_json.kind_name()), ""};
  }
  Members members(std::move(question_json));
  const std::string check = members.text("check");
  if (check == "connect") {
    ConnectQuestion question;
    question.domain = members.text("domain", question.domain);
    question.address = members.text("address", question.address);
    question.mechanism = members.text("mechanism", question.mechanism);
    question.credentials = members.texts("credentials").value_or(std::vector<std::string>());
    if (auto done = members.finish(); !done) return done.error();
    return checker.connect(question);
  }
  if (check == "call") {
    CallQuestion question{members.text("user_id"), members.text("callee"), members.text("method"),
                          members.arguments("arguments"), members.texts("required")};
    if (auto done = members.finish(); !done) return done.error();
    return checker.call(question);
  }
  if (check == "publish" || check == "receive") {
    const std::string user_id = members.text("user_id");
    const std::string topic = members.text("topic");
    if (auto done = members.finish(); !done) return done.error();
    return check == "publish" ? checker.publish(user_id, topic) : checker.receive(user_id, topic);
  }
  return wrong(R"(must be "connect", "call", "publish" or "receive")", "check");
}

Error at_line(Error error, std::size_t number) {
  const std::string place = "line " + std::to_string(number);
  if (error.location.starts_with("1:")) {
    error.location = place + error.location.substr(1);
    return error;
  }
  return error.at(place);
}

}  // namespace vipauth::vctl::auth
