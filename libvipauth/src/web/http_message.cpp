#include "web/http_message.hpp"

#include <algorithm>

namespace vipauth::web {
namespace {

bool is_unreserved(char c) {
  // RFC 3986, section 3.3: pchar, without "%".
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~!$&'()*+,;=:@").find(c) != std::string_view::npos;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::size_t HttpRequest::count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(headers.begin(), headers.end(),
                                                [&](const auto& header) { return header.first == name; }));
}

std::optional<std::string_view> HttpRequest::header(std::string_view name) const {
  if (count(name) != 1) return std::nullopt;
  for (const auto& [header_name, value] : headers) {
    if (header_name == name) return value;
  }
  return std::nullopt;
}

HttpReply json_reply(int status, const Json& body) {
  HttpReply reply;
  reply.status = status;
  reply.body = body.dump() + "\n";
  return reply;
}

HttpReply error_reply(int status, std::string_view message) {
  return json_reply(status, Json::Object{{"status", "ERROR"}, {"message", message}});
}

int status_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kParseError:
    case ErrorCode::kUnsupported: return 400;
    case ErrorCode::kPermissionDenied: return 403;
    case ErrorCode::kNotFound: return 404;
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kConflict: return 409;
    case ErrorCode::kLimitExceeded: return 413;
    case ErrorCode::kBusy:
    case ErrorCode::kUnavailable: return 503;
    case ErrorCode::kIoError: break;
  }
  return 500;
}

HttpReply error_reply(const Error& error) {
  const int status = status_of(error.code);
  if (status >= 500) return error_reply(status, "this cannot be done now: the log of the server says why");
  return error_reply(status, error.to_string());
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (!is_unreserved(text[i])) return std::nullopt;
      out += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int first = hex_value(text[i + 1]);
    const int second = hex_value(text[i + 2]);
    if (first < 0 || second < 0) return std::nullopt;
    const char byte = static_cast<char>(first * 16 + second);
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) return std::nullopt;
    out += byte;
    i += 2;
  }
  if (!is_valid_utf8(out)) return std::nullopt;
  return out;
}

std::string to_small_letters(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace vipauth::web
