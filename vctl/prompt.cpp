#include "prompt.hpp"

#include <algorithm>
#include <ostream>

#include <vipauth/json.hpp>

#include "line_reader.hpp"
#include "output.hpp"
#include "value_text.hpp"

namespace vipauth::vctl {
namespace {

constexpr std::size_t kMaxAnswerBytes = std::size_t{1} << 16;

/// Keeps a terminal from showing what is typed.
class HiddenInput {
 public:
  explicit HiddenInput(const Context& context, bool is_secret)
      : context_(context), is_hidden_(is_secret && context.env.is_terminal) {
    if (is_hidden_) context_.env.set_echo(false);
  }
  HiddenInput(const HiddenInput&) = delete;
  HiddenInput& operator=(const HiddenInput&) = delete;
  ~HiddenInput() {
    if (!is_hidden_) return;
    context_.env.set_echo(true);
    context_.dialog() << '\n';  // the one that the terminal did not show
  }

 private:
  const Context& context_;
  bool is_hidden_;
};

/// Prints the prompt and reads a line, as often as it takes to get one of a reasonable length.
std::optional<std::string> read_answer(const Context& context, std::string_view prompt, bool is_secret) {
  for (;;) {
    context.dialog() << prompt << std::flush;
    const HiddenInput hidden(context, is_secret);
    const Line line = read_line(context.env.in, kMaxAnswerBytes);
    if (line.kind == Line::Kind::kEnd) {
      if (context.env.is_terminal && !is_secret) context.dialog() << '\n';
      return std::nullopt;
    }
    if (line.kind == Line::Kind::kTooLong) {
      context.env.err << "longer than " << kMaxAnswerBytes << " bytes\n";
    } else if (!is_valid_utf8(line.text)) {
      context.env.err << "not UTF-8\n";
    } else {
      return std::string(trim(line.text));
    }
  }
}

}  // namespace

bool ask(const Context& context, const Question& question) {
  for (;;) {
    auto text = read_answer(context, question.prompt, question.is_secret);
    if (!text) return false;
    Answer answer{text->empty() ? Answer::Kind::kNone : Answer::Kind::kText, std::move(*text)};
    if (answer.text == "clear" && !question.is_secret) {
      const auto clear = ask_yes_no(context, "Do you want to clear this field? [Y/n] ", true);
      if (!clear) return false;
      if (*clear) answer = {Answer::Kind::kClear, {}};
    }
    const auto taken = question.take(answer);
    if (taken) return true;
    context.env.err << printable(taken.error().message) << '\n';
  }
}

std::optional<bool> ask_yes_no(const Context& context, std::string_view question, bool preset) {
  for (;;) {
    const auto text = read_answer(context, question, false);
    if (!text) return std::nullopt;
    const std::string answer = to_lower(*text);
    if (answer.empty()) return preset;
    if (answer == "y" || answer == "yes") return true;
    if (answer == "n" || answer == "no") return false;
    context.env.err << "Please respond with 'yes' or 'no'\n";
  }
}

}  // namespace vipauth::vctl
