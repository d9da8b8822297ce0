#include "auth/check_batch.hpp"

#include <fstream>
#include <istream>
#include <ostream>
#include <utility>

#include "auth/checker.hpp"
#include "auth/question_text.hpp"
#include "line_reader.hpp"
#include "output.hpp"

namespace vipauth::vctl::auth {
namespace {

Result<Finding> answer(const Checker& checker, const Line& line) {
  if (line.kind == Line::Kind::kTooLong) {
    return Error{ErrorCode::kLimitExceeded, "longer than " + std::to_string(kMaxQuestionBytes) + " bytes",
                 ""};
  }
  auto question = Json::parse(line.text);
  if (!question) return question.error();
  return answer_question(checker, std::move(*question));
}

}  // namespace

int check_batch(const CheckBatchOptions& options, const Context& context) {
  std::ifstream file;
  if (*options.file != "-") {
    file.open(*options.file);
    if (!file) return fail(context, Error{ErrorCode::kNotFound, "cannot be opened", *options.file});
  }
  std::istream& in = *options.file == "-" ? context.env.in : file;
  const auto checker = Checker::load(context);
  if (!checker) return fail(context, checker.error());

  bool all_read = true;
  for (std::size_t number = 1;; ++number) {
    if (in.rdbuf()->in_avail() <= 0) context.env.out.flush();  // whoever waits for the answers has them all
    const Line line = read_line(in, kMaxQuestionBytes);
    if (line.kind == Line::Kind::kEnd) break;
    const auto found = answer(*checker, line);
    if (found) {
      context.env.out << document(*found).dump() << '\n';
    } else {
      all_read = false;
      context.env.out << Json(Json::Object{{"error", at_line(found.error(), number).to_string()}}).dump()
                      << '\n';
    }
  }
  return all_read ? kExitDone : kExitFailed;
}

}  // namespace vipauth::vctl::auth
