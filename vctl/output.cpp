#include "output.hpp"

#include <algorithm>
#include <cstdio>
#include <ostream>

namespace vipauth::vctl {
namespace {

struct CodePoint {
  unsigned value = 0;
  std::size_t bytes = 1;
  bool is_valid = false;
};

/// The first character of a text that is not empty.
CodePoint first_code_point(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t bytes = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (!is_valid_utf8(text.substr(0, bytes))) return {lead, 1, false};
  unsigned value = bytes == 1 ? lead : lead & (0x7fU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i)
    value = (value << 6U) | (static_cast<unsigned char>(text[i]) & 0x3fU);
  return {value, bytes, true};
}

/// Controls, line and paragraph separators, and what changes the direction of writing or is invisible.
/// Source: Unicode 15, general categories Cc, Zl, Zp and (of the planes in use) Cf.
bool is_obeyed(unsigned code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xad || code == 0x61c ||
         (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || (code >= 0xfff9 && code <= 0xfffb) ||
         (code >= 0xe0000 && code <= 0xe007f);
}

std::string escape(unsigned code) {
  char text[16];
  const int length = code < 0x100     ? std::snprintf(text, sizeof text, "\\x%02x", code)
                     : code < 0x10000 ? std::snprintf(text, sizeof text, "\\u%04x", code)
                                      : std::snprintf(text, sizeof text, "\\U%08x", code);
  return {text, static_cast<std::size_t>(length)};
}

/// How many columns a printable text takes: one a character.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

/// What upstream prints for a bad index stands alone: scripts look for it.
std::string_view error_prefix(const Error& error) {
  return error.message.starts_with("invalid index ") ? "ERROR: " : "error: ";
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const CodePoint first = first_code_point(text);
    if (!first.is_valid || is_obeyed(first.value)) {
      out += escape(first.value);
    } else {
      out += text.substr(0, first.bytes);
    }
    text.remove_prefix(first.bytes);
  }
  return out;
}

std::string format_table(const std::vector<Row>& rows, std::size_t spaces) {
  std::vector<Row> shown;
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    Row& cells = shown.emplace_back();
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      cells.push_back(printable(row[i]));
      widths[i] = std::max(widths[i], width(cells[i]));
    }
  }
  std::string out;
  for (const Row& row : shown) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out.append(widths[i] - width(row[i]) + spaces, ' ');
    }
    out += '\n';
  }
  return out;
}

void print_document(const Context& context, const Json& document) {
  context.env.out << document.dump_pretty() << '\n';
}

void warn(const Context& context, std::string_view message) {
  context.env.err << "warning: " << printable(message) << '\n';
}

int fail(const Context& context, const Error& error) {
  context.env.err << error_prefix(error) << printable(error.to_string()) << '\n';
  if (context.options.debug) {
    context.env.err << "  code: " << to_string(error.code) << '\n';
    context.env.err << "  location: " << (error.location.empty() ? "-" : printable(error.location)) << '\n';
  }
  if (context.options.json) {
    print_document(context, Json::Object{{"error", Json::Object{{"code", to_string(error.code)},
                                                                {"message", error.message},
                                                                {"location", error.location}}}});
  }
  return kExitFailed;
}

int fail_usage(const Context& context, std::string message) {
  fail(context, Error{ErrorCode::kInvalidArgument, std::move(message), ""});
  return kExitUsage;
}

}  // namespace vipauth::vctl
