#include "shell_text.hpp"

#include <algorithm>

#include "output.hpp"

namespace vipauth::vctl {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_@%+=:,./-").find(c) != std::string_view::npos;
}

/// "--name", as an option is written.
bool is_option(std::string_view word) {
  return word.size() > 2 && word.starts_with("--") &&
         std::all_of(word.begin() + 2, word.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

std::string escaped_quote(std::string_view word) {
  std::string out = "$'";
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\'' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      constexpr std::string_view kDigits = "0123456789abcdef";
      out += "\\x";
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 0xfU];
      // A digit that follows would be read as part of the number.
      out += "'$'";
    }
  }
  return out + "'";
}

}  // namespace

std::string shell_quote(std::string_view word) {
  if (printable(word) != word) return escaped_quote(word);
  const bool is_safe =
      !word.empty() && word.front() != '=' && std::all_of(word.begin(), word.end(), is_plain);
  if (is_safe) return std::string(word);
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'') {
      out += R"('\'')";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string shell_command(const std::vector<std::string>& arguments) {
  std::string out = "vctl auth";
  bool is_value_next = false;
  for (auto argument = arguments.begin(); argument != arguments.end(); ++argument) {
    if (is_value_next) {
      out += (argument->starts_with('-') ? "=" : " ") + shell_quote(*argument);
      is_value_next = false;
    } else if (*argument == "--") {
      const bool is_needed = std::any_of(argument + 1, arguments.end(),
                                         [](const std::string& name) { return name.starts_with('-'); });
      if (is_needed) out += " --";
      for (++argument; argument != arguments.end(); ++argument) out += " " + shell_quote(*argument);
      break;
    } else {
      is_value_next = is_option(*argument);
      out += " " + shell_quote(*argument);
    }
  }
  return out;
}

}  // namespace vipauth::vctl
