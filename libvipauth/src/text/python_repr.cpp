#include <vipauth/python_repr.hpp>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <optional>
#include <utility>

namespace vipauth {
namespace {

struct Character {
  char32_t code = 0;
  std::size_t length = 1;
  bool is_valid = true;
};

/// The first character of a text that is not empty; a byte that is not UTF-8 stands alone.
Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return {byte(0)};
  const std::size_t length = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (!is_valid_utf8(text.substr(0, length))) return {byte(0), 1, false};
  char32_t code = byte(0) & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) code = (code << 6U) | (byte(i) & 0x3fU);
  return {code, length};
}

/// Of what Python escapes beyond ASCII, what could mislead: controls, other spaces and line ends, what has no
/// width, and what reorders text. Source: Python's str.isprintable(); Unicode categories Cc, Cf, Zl, Zp, Zs.
bool is_printable(char32_t code) {
  constexpr std::pair<char32_t, char32_t> kHidden[] = {
      {0x00, 0x1f},       {0x7f, 0xa0},      {0xad, 0xad},     {0x600, 0x605},   {0x61c, 0x61c},
      {0x6dd, 0x6dd},     {0x70f, 0x70f},    {0x1680, 0x1680}, {0x180e, 0x180e}, {0x2000, 0x200f},
      {0x2028, 0x202f},   {0x205f, 0x206f},  {0x3000, 0x3000}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb},
      {0x1d173, 0x1d17a}, {0xe0001, 0xe007f}};
  return std::none_of(std::begin(kHidden), std::end(kHidden),
                      [&](const auto& range) { return code >= range.first && code <= range.second; });
}

std::string escape_of(char32_t code) {
  if (code == '\n') return "\\n";
  if (code == '\t') return "\\t";
  if (code == '\r') return "\\r";
  char text[16];
  const auto number = static_cast<unsigned>(code);
  const int length = number <= 0xff     ? std::snprintf(text, sizeof text, "\\x%02x", number)
                     : number <= 0xffff ? std::snprintf(text, sizeof text, "\\u%04x", number)
                                        : std::snprintf(text, sizeof text, "\\U%08x", number);
  return {text, static_cast<std::size_t>(length)};
}

/// Escapes what is not printable and, where the text is to stand in quotes, what would end them.
void append_escaped(std::string& out, std::string_view text, std::optional<char> quote) {
  while (!text.empty()) {
    const Character character = first_character(text);
    if (quote && (text.front() == *quote || text.front() == '\\')) {
      out += '\\';
      out += text.front();
    } else if (character.is_valid && is_printable(character.code)) {
      out += text.substr(0, character.length);
    } else {
      out += escape_of(character.code);
    }
    text.remove_prefix(character.length);
  }
}

void append(std::string& out, const Json& value) {
  if (value.is_null()) {
    out += "None";
  } else if (value.is_bool()) {
    out += value.as_bool() ? "True" : "False";
  } else if (value.is_number()) {
    out += value.as_number().digits;
  } else if (value.is_string()) {
    const std::string& text = value.as_string();
    const bool has_single = text.find('\'') != std::string::npos;
    const char quote = has_single && text.find('"') == std::string::npos ? '"' : '\'';
    out += quote;
    append_escaped(out, text, quote);
    out += quote;
  } else if (value.is_array()) {
    out += '[';
    for (const Json& item : value.as_array()) {
      if (&item != &value.as_array().front()) out += ", ";
      append(out, item);
    }
    out += ']';
  } else {
    out += '{';
    for (const Json::Member& member : value.as_object()) {
      if (&member != &value.as_object().front()) out += ", ";
      append(out, Json(member.name));
      out += ": ";
      append(out, member.value);
    }
    out += '}';
  }
}

}  // namespace

std::string python_repr(const Json& value) {
  std::string out;
  append(out, value);
  return out;
}

std::string python_repr(const std::vector<std::string>& values) { return python_repr(Json::strings(values)); }

std::string python_str(const Json& value) {
  if (!value.is_string()) return python_repr(value);
  std::string out;
  append_escaped(out, value.as_string(), std::nullopt);
  return out;
}

}  // namespace vipauth
