// The commands of VOLTTRON's documentation, typed as its pages show them, each page in a home of its own.
//
// tests/data/pages/*.txt are the scripts. What a line is, its first word says:
//
//     # ...      words of ours
//     @ FILE     writes a file of the home, of which the lines that begin with | are the content
//     $ ...      a command; the lines after it say what becomes of it:
//     > ...      a line of the terminal that the page shows, and that is there
//     - ...      one that the page shows, and that is not there
//     + ...      one that is there, and that the page does not show
//     ~ ...      why: wherever there is a - or a +
//     : ...      one that is there, where the page shows nothing
//     * ...      some line holds the first word, and the rest
//     -* ...     none does, though the page shows it
//     = INDEX    a record of the allow list, of which the lines that begin with | are the page's entry
//     2 ...      what the standard error holds; nothing, where there is no such line
//     ! CODE     the exit code; 0, where there is no such line
//
// A question is shown with its answer, as a terminal shows it; ^D is the end of input. "..." stands for any
// lines, (uuid) and (key) for what is drawn at random. Spaces in a row count as one: the pages have lost
// some.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <regex>
#include <stdexcept>
#include <streambuf>
#include <utility>

#include "cli.hpp"
#include "support/catch.hpp"
#include "support/paths.hpp"

namespace vipauth::test {

using Catch::Contains;

namespace {

// ---- Scripts ----

struct Line {
  std::string kind;
  std::string text;
};

/// A command or a file, with the lines that belong to it.
struct Step {
  Line head;
  std::vector<Line> lines;
  std::string content;                ///< of a file
  std::optional<std::size_t> record;  ///< whose content is `entry`
  std::string entry;
};

std::vector<Step> read_script(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<Step> steps;
  for (std::string text; std::getline(file, text);) {
    if (text.empty()) continue;
    const std::size_t space = std::min(text.find(' '), text.size());
    Line line{text.substr(0, space), space < text.size() ? text.substr(space + 1) : ""};
    if (line.kind == "#") continue;
    if (line.kind == "$" || line.kind == "@") {
      steps.push_back({std::move(line), {}, {}, {}, {}});
      continue;
    }
    if (steps.empty()) throw std::runtime_error("before the first command: " + text);
    Step& step = steps.back();
    if (line.kind == "|") {
      (step.head.kind == "@" ? step.content : step.entry) += line.text + "\n";
    } else if (line.kind == "=") {
      step.record = std::stoul(line.text);
    } else {
      step.lines.push_back(std::move(line));
    }
  }
  return steps;
}

std::vector<std::string> texts(const Step& step, std::string_view kinds) {
  std::vector<std::string> out;
  for (const Line& line : step.lines) {
    const bool is_wanted = line.kind.size() == 1 && kinds.find(line.kind) != std::string_view::npos;
    if (is_wanted) out.push_back(line.text);
  }
  return out;
}

/// Words as a shell takes them, with single and double quotes.
std::vector<std::string> split_words(const std::string& command) {
  std::vector<std::string> out;
  std::optional<std::string> word;
  char quote = ' ';
  for (const char c : command + " ") {
    if (quote == ' ' && c == ' ') {
      if (word) out.push_back(std::move(*word));
      word.reset();
    } else if (c == quote) {
      quote = ' ';
    } else if (quote == ' ' && (c == '\'' || c == '"')) {
      quote = c;
      word = word.value_or("");
    } else {
      word = word.value_or("") + c;
    }
  }
  return out;
}

// ---- A terminal ----

/// Input that shows what is typed, in the output.
class EchoedInput : public std::streambuf {
 public:
  EchoedInput(std::string text, std::ostream& out) : text_(std::move(text)), out_(out) {}

 protected:
  int_type underflow() override {
    return next_ == text_.size() ? traits_type::eof() : traits_type::to_int_type(text_[next_]);
  }
  int_type uflow() override {
    const int_type c = underflow();
    if (c == traits_type::eof()) return c;
    ++next_;
    out_ << traits_type::to_char_type(c);
    return c;
  }

 private:
  std::string text_;
  std::size_t next_ = 0;
  std::ostream& out_;
};

/// What is typed: the answers in the lines that are there.
std::string input_of(const Step& step) {
  static const std::regex kQuestion(
      R"([a-z_]+( \(delimit multiple entries with comma\))? \[[^\]]*\]: ?(.*))");
  std::string out;
  for (const std::string& line : texts(step, ">+:")) {
    std::smatch found;
    if (!std::regex_match(line, found, kQuestion)) continue;
    if (found.str(2) == "^D") break;
    out += found.str(2) + "\n";
  }
  return out;
}

Outcome run_as_terminal(Cli& cli, const Step& step) {
  std::vector<std::string> words = split_words(step.head.text);
  REQUIRE(words.size() > 1);
  REQUIRE((words.front() == "vctl" || words.front() == "volttron-ctl"));
  words.erase(words.begin());
  std::ostringstream out;
  std::ostringstream err;
  EchoedInput input(input_of(step), out);
  std::istream in(&input);
  vctl::Env env{in, out, err, [&](const std::string& name) -> std::optional<std::string> {
                  const auto found = cli.environment.find(name);
                  return found == cli.environment.end() ? std::nullopt : std::optional(found->second);
                }};
  env.clock = [&] { return cli.now; };
  const int exit_code = vctl::run(words, env);
  return {exit_code, out.str(), err.str()};
}

// ---- Comparing ----

std::string squeezed(const std::string& text) {
  std::string out = std::regex_replace(text, std::regex(" +"), " ");
  if (out.starts_with(' ')) out.erase(0, 1);
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> out;
  for (std::string line; std::getline(stream, line);) out.push_back(squeezed(line));
  return out;
}

/// A pattern for what is drawn at random; any other text stands for itself.
std::regex pattern_of(const std::string& expected) {
  std::string text = std::regex_replace(squeezed(expected), std::regex(R"([.^$|()\[\]{}*+?\\])"), R"(\$&)");
  text = std::regex_replace(text, std::regex(R"(\\\(uuid\\\))"), "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
  text = std::regex_replace(text, std::regex(R"(\\\(key\\\))"), "[-_A-Za-z0-9]{43}");
  return std::regex(text);
}

bool is_line(const std::string& line, const std::string& expected) {
  return std::regex_match(line, pattern_of(expected));
}

/// Whether the lines are those expected, of which "..." is any number.
bool are_lines(std::vector<std::string>::const_iterator line, std::vector<std::string>::const_iterator last,
               std::vector<std::string>::const_iterator expected,
               std::vector<std::string>::const_iterator last_expected) {
  for (; expected != last_expected; ++expected, ++line) {
    if (*expected == "...") {
      for (auto rest = line;; ++rest) {
        if (are_lines(rest, last, std::next(expected), last_expected)) return true;
        if (rest == last) return false;
      }
    }
    if (line == last || !is_line(*line, *expected)) return false;
  }
  return line == last;
}

/// Whether some line holds the first word, and behind it the rest.
bool holds(const std::vector<std::string>& lines, const std::string& wanted) {
  const std::size_t space = std::min(wanted.find(' '), wanted.size());
  return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
    const std::size_t word = line.find(wanted.substr(0, space));
    return word != std::string::npos && line.find(wanted.substr(space), word) != std::string::npos;
  });
}

/// The record has what the entry shows, and beyond it only what the pages do not know, and is empty.
void check_record(const Json& record, const std::string& entry) {
  const Json expected = json(entry);
  REQUIRE(expected.is_object());
  for (const Json::Member& member : expected.as_object()) {
    CAPTURE(member.name);
    const Json& value = at(record, member.name);
    const bool is_drawn = member.value == Json("(uuid)");
    CHECK((is_drawn ? value.is_string() && is_line(value.as_string(), "(uuid)") : value == member.value));
  }
  for (const Json::Member& member : record.as_object()) {
    if (expected.find(member.name) != nullptr) continue;
    CAPTURE(member.name);
    CHECK((member.name == "identity" || member.name == "rpc_method_authorizations"));
    CHECK((member.value.is_null() || member.value == Json(Json::Object())));
  }
}

void check_output(const Step& step, const Outcome& outcome) {
  std::vector<std::string> expected = texts(step, ">+:");
  for (std::string& line : expected) {
    if (line.ends_with(" ^D")) line.erase(line.size() - 3);
  }
  const std::vector<std::string> lines = lines_of(outcome.out);
  const std::vector<std::string> held = texts(step, "*");
  if (held.empty()) CHECK(are_lines(lines.begin(), lines.end(), expected.begin(), expected.end()));
  for (const std::string& wanted : held) {
    CAPTURE(wanted);
    CHECK(holds(lines, wanted));
  }
  for (const std::string& gone : texts(step, "-")) {
    CAPTURE(gone);
    CHECK(std::none_of(lines.begin(), lines.end(), [&](const auto& line) { return is_line(line, gone); }));
  }
  bool differs = !texts(step, "-+").empty();
  for (const Line& line : step.lines) {
    if (line.kind != "-*") continue;
    CAPTURE(line.text);
    CHECK_FALSE(holds(lines, line.text));
    differs = true;
  }
  CHECK(differs == !texts(step, "~").empty());  // a difference has a reason, and a reason a difference
}

void check_step(Cli& cli, const Step& step) {
  const Outcome outcome = run_as_terminal(cli, step);
  INFO("$ " << step.head.text);
  INFO(outcome.out);
  INFO(outcome.err);
  const std::vector<std::string> exit_codes = texts(step, "!");
  CHECK(std::to_string(outcome.exit_code) == (exit_codes.empty() ? "0" : exit_codes.front()));
  const std::vector<std::string> errors = texts(step, "2");
  if (errors.empty()) CHECK(outcome.err.empty());
  for (const std::string& error : errors) CHECK_THAT(outcome.err, Contains(error));
  check_output(step, outcome);
  if (step.record) check_record(cli.record(*step.record), step.entry);
}

void play(const std::string& page) {
  Cli cli;
  std::size_t commands = 0;
  for (const Step& step : read_script(std::string(VIPAUTH_TEST_DATA) + "/pages/" + page)) {
    if (step.head.kind == "@") {
      cli.home.write(step.head.text, step.content);
    } else {
      check_step(cli, step);
      ++commands;
    }
  }
  CHECK(commands >= 10);
}

}  // namespace

TEST_CASE("documentation pages: authentication commands") { play("authentication_commands.txt"); }
TEST_CASE("documentation pages: VIP authentication") { play("vip_authentication.txt"); }
TEST_CASE("documentation pages: VIP authorization") { play("vip_authorization.txt"); }

}  // namespace vipauth::test
