#include "auth/test_file.hpp"

#include <fstream>
#include <istream>
#include <optional>
#include <ostream>
#include <utility>
#include <vector>

#include "auth/checker.hpp"
#include "auth/question_text.hpp"
#include "line_reader.hpp"
#include "output.hpp"
#include "value_text.hpp"

namespace vipauth::vctl::auth {
namespace {

/// What a line says that should come out.
struct Expectation {
  bool allowed = false;
  std::optional<std::string> reason;
  std::optional<std::string> user_id;
};

/// A line that did not come out as expected.
struct Failure {
  std::size_t line = 0;
  Expectation expected;
  std::optional<Finding> came;
  std::optional<Error> error;  // where the line cannot be read
};

Result<std::optional<std::string>> take_text(Json& line, std::string_view name) {
  const Json* member = line.find(name);
  if (member == nullptr) return std::optional<std::string>();
  if (!member->is_string()) {
    return Error{ErrorCode::kInvalidArgument, "must be a string", json_pointer("", name)};
  }
  std::optional<std::string> text = member->as_string();
  line.erase(name);
  return text;
}

/// Takes what is expected out of a line; the question is left.
Result<Expectation> take_expectation(Json& line) {
  Expectation out;
  const Json* allowed = line.find("allowed");
  if (allowed == nullptr || !allowed->is_bool()) {
    return Error{ErrorCode::kInvalidArgument, allowed == nullptr ? "is missing" : "must be true or false",
                 "/allowed"};
  }
  out.allowed = allowed->as_bool();
  line.erase("allowed");
  auto reason = take_text(line, "reason");
  if (!reason) return reason.error();
  out.reason = std::move(*reason);
  const Json* check = line.find("check");
  if (check != nullptr && *check == Json("connect")) {  // in other questions it says who asks
    auto user_id = take_text(line, "user_id");
    if (!user_id) return user_id.error();
    out.user_id = std::move(*user_id);
  }
  return out;
}

bool is_as_expected(const Expectation& expected, const Finding& came) {
  return came.decision.allowed() == expected.allowed &&
         (!expected.reason || *expected.reason == to_string(came.decision.reason())) &&
         (!expected.user_id || expected.user_id == came.user_id);
}

/// Decides one line.
std::optional<Failure> run_line(const Checker& checker, const Line& line) {
  Failure failure;
  if (line.kind == Line::Kind::kTooLong) {
    failure.error =
        Error{ErrorCode::kLimitExceeded, "longer than " + std::to_string(kMaxQuestionBytes) + " bytes", ""};
    return failure;
  }
  auto json = Json::parse(line.text);
  if (!json) {
    failure.error = json.error();
    return failure;
  }
  auto expected = take_expectation(*json);
  if (!expected) {
    failure.error = expected.error();
    return failure;
  }
  failure.expected = std::move(*expected);
  auto found = answer_question(checker, std::move(*json));
  if (!found) {
    failure.error = found.error();
    return failure;
  }
  if (is_as_expected(failure.expected, *found)) return std::nullopt;
  failure.came = std::move(*found);
  return failure;
}

bool is_skipped(const Line& line) {
  const std::string_view text = trim(line.text);
  return line.kind == Line::Kind::kText && (text.empty() || text.starts_with("//") || text.starts_with('#'));
}

std::string described(const Expectation& expected) {
  std::string out = expected.allowed ? "allowed" : "refused";
  if (expected.reason) out += ": " + *expected.reason;
  if (expected.user_id) out += " as user_id " + *expected.user_id;
  return out;
}

std::string described(const Finding& finding) {
  const Decision& decision = finding.decision;
  std::string out = (decision ? "allowed: " : "refused: ") + std::string(to_string(decision.reason()));
  if (decision.reason() == Reason::kAccepted) out += " as user_id " + finding.user_id.value_or("");
  if (!decision.message().empty()) out += ": " + decision.message();
  std::string places;
  for (const std::string& place : finding.source) places += (places.empty() ? "" : ", ") + place;
  return out + (places.empty() ? "" : " (by " + places + ")");
}

Json expectation_json(const Expectation& expected) {
  Json out(Json::Object{{"allowed", expected.allowed}});
  if (expected.reason) out.set("reason", *expected.reason);
  if (expected.user_id) out.set("user_id", *expected.user_id);
  return out;
}

Json failure_json(const Failure& failure) {
  return Json::Object{{"line", static_cast<std::int64_t>(failure.line)},
                      {"expected", failure.error ? Json() : expectation_json(failure.expected)},
                      {"came", failure.came ? document(*failure.came) : Json()},
                      {"error", failure.error ? Json(failure.error->to_string()) : Json()}};
}

void print_text(std::ostream& out, std::size_t passed, const std::vector<Failure>& failures) {
  for (const Failure& failure : failures) {
    if (failure.error) {
      out << printable(at_line(*failure.error, failure.line).to_string()) << '\n';
    } else {
      out << "line " << failure.line << ": expected " << printable(described(failure.expected)) << "\n  came "
          << printable(described(*failure.came)) << '\n';
    }
  }
  out << passed << " passed, " << failures.size() << " failed\n";
}

}  // namespace

int test_file(const TestFileOptions& options, const Context& context) {
  std::ifstream file;
  if (options.file != "-") {
    file.open(options.file);
    if (!file) return fail(context, Error{ErrorCode::kNotFound, "cannot be opened", options.file});
  }
  std::istream& in = options.file == "-" ? context.env.in : file;
  const auto checker = Checker::load(context);
  if (!checker) return fail(context, checker.error());

  std::size_t passed = 0;
  std::vector<Failure> failures;
  for (std::size_t number = 1;; ++number) {
    const Line line = read_line(in, kMaxQuestionBytes);
    if (line.kind == Line::Kind::kEnd) break;
    if (is_skipped(line)) continue;
    if (auto failure = run_line(*checker, line)) {
      failure->line = number;
      failures.push_back(std::move(*failure));
    } else {
      ++passed;
    }
  }
  if (passed == 0 && failures.empty()) {
    return fail(context, Error{ErrorCode::kInvalidArgument, "holds no expected decision", options.file});
  }
  if (context.options.json) {
    Json::Array failed;
    for (const Failure& failure : failures) failed.push_back(failure_json(failure));
    print_document(
        context, Json::Object{{"passed", static_cast<std::int64_t>(passed)}, {"failed", std::move(failed)}});
  } else {
    print_text(context.env.out, passed, failures);
  }
  return failures.empty() ? kExitDone : kExitFailed;
}

}  // namespace vipauth::vctl::auth
