#include "value_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <vipauth/capability.hpp>

namespace vipauth::vctl {
namespace {

constexpr std::string_view kSpaces = " \t\r\n\v\f";

/// "LINE:COLUMN" of a byte, as Json::parse counts: both from one, columns in bytes.
std::string line_and_column(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return std::to_string(line) + ":" + std::to_string(offset - line_start + 1);
}

/// The byte that "LINE:COLUMN" names.
std::optional<std::size_t> offset_of(std::string_view text, std::string_view location) {
  const std::size_t colon = location.find(':');
  std::size_t line = 0;
  std::size_t column = 0;
  const auto read = [](std::string_view digits, std::size_t& out) {
    return !digits.empty() &&
           std::from_chars(digits.data(), digits.data() + digits.size(), out).ec == std::errc();
  };
  if (colon == std::string_view::npos || !read(location.substr(0, colon), line) ||
      !read(location.substr(colon + 1), column) || line == 0 || column == 0) {
    return std::nullopt;
  }
  std::size_t start = 0;
  for (; line > 1; --line) {
    start = text.find('\n', start);
    if (start == std::string_view::npos) return std::nullopt;
    ++start;
  }
  return start + column - 1;
}

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Rewrites Python's forms into JSON, and remembers where each byte came from.
class JsonSpelling {
 public:
  explicit JsonSpelling(std::string_view text) : text_(text) {
    while (next_ < text_.size()) {
      if (text_[next_] == '"' || text_[next_] == '\'') {
        take_string();
      } else if (is_word_character(text_[next_])) {
        take_word();
      } else {
        copy();
      }
    }
  }

  const std::string& json() const { return json_; }

  /// The place in the original text of a place in json().
  std::string original_place(const std::string& location) const {
    const auto offset = offset_of(json_, location);
    if (!offset) return location;
    return line_and_column(text_, *offset < origins_.size() ? origins_[*offset] : text_.size());
  }

 private:
  void put(std::string_view json) {
    json_ += json;
    origins_.insert(origins_.end(), json.size(), next_);
  }

  void copy() {
    put(text_.substr(next_, 1));
    ++next_;
  }

  void take_string() {
    const char quote = text_[next_];
    put("\"");
    ++next_;
    while (next_ < text_.size() && text_[next_] != quote) {
      if (text_.substr(next_, 2) == "\\'") {
        put("'");
        next_ += 2;
      } else if (text_[next_] == '\\' && next_ + 1 < text_.size()) {
        copy();
        copy();
      } else if (text_[next_] == '"') {
        put("\\\"");
        ++next_;
      } else {
        copy();
      }
    }
    if (next_ == text_.size()) return;  // no end: for the parser to complain about
    put("\"");
    ++next_;
  }

  void take_word() {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kWords{
        {{"True", "true"}, {"False", "false"}, {"None", "null"}}};
    std::size_t length = 0;
    while (next_ + length < text_.size() && is_word_character(text_[next_ + length])) ++length;
    std::string_view word = text_.substr(next_, length);
    for (const auto& [python, json] : kWords) {
      if (word == python) word = json;
    }
    put(word);
    next_ += length;
  }

  std::string_view text_;
  std::size_t next_ = 0;
  std::string json_;
  std::vector<std::size_t> origins_;  // of each byte of json_
};

bool is_json_container(std::string_view text) { return text.starts_with('[') || text.starts_with('{'); }

}  // namespace

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

std::vector<std::string> split_commas(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (const auto name = trim(text.substr(0, comma)); !name.empty()) out.emplace_back(name);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

Result<Json> parse_loose_json(std::string_view text) {
  const JsonSpelling spelling(text);
  auto json = Json::parse(spelling.json());
  if (json) return json;
  Error error = json.error();
  error.location = spelling.original_place(error.location);
  return error;
}

Result<std::vector<std::string>> parse_names_text(std::string_view text) {
  const std::string_view trimmed = trim(text);
  if (!trimmed.starts_with('[')) return split_commas(trimmed);
  const auto json = parse_loose_json(trimmed);
  if (!json) return json.error();
  std::vector<std::string> out;
  for (const Json& item : json->as_array()) {
    if (!item.is_string()) {
      return Error{ErrorCode::kInvalidArgument,
                   "must be a list of names, in which there is " + std::string(item.kind_name()), ""};
    }
    out.push_back(item.as_string());
  }
  return out;
}

Result<Json> parse_capabilities_text(std::string_view text) {
  const std::string_view trimmed = trim(text);
  const bool is_json = is_json_container(trimmed) || trimmed.starts_with('"') || trimmed.starts_with('\'');
  if (!is_json) return Json::strings(split_commas(trimmed));
  auto json = parse_loose_json(trimmed);
  if (!json) return json.error();
  if (const auto capabilities = parse_capabilities(*json); !capabilities) return capabilities.error();
  return json;
}

Result<Json> parse_capability_arguments(const std::vector<std::string>& arguments) {
  Json::Array list;
  for (const std::string& argument : arguments) {
    const std::string_view trimmed = trim(argument);
    if (trimmed.empty()) return Error{ErrorCode::kInvalidArgument, "a capability must have a name", ""};
    if (!is_json_container(trimmed)) {
      if (const Json name(argument); std::find(list.begin(), list.end(), name) == list.end())
        list.push_back(name);
      continue;
    }
    auto json = parse_capabilities_text(trimmed);
    if (!json) return json.error();
    if (json->is_object() && arguments.size() == 1) return json;
    if (json->is_array()) {
      std::move(json->as_array().begin(), json->as_array().end(), std::back_inserter(list));
    } else {
      list.push_back(std::move(*json));
    }
  }
  return Json(std::move(list));
}

Result<MethodName> parse_method_text(std::string_view text) {
  const std::size_t dot = text.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == text.size()) {
    return Error{ErrorCode::kInvalidArgument,
                 "\"" + std::string(text) + "\" is not of the form IDENTITY.METHOD", ""};
  }
  return MethodName{std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
}

}  // namespace vipauth::vctl
