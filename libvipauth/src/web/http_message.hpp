#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vipauth/error.hpp>
#include <vipauth/json.hpp>

namespace vipauth::web {

/// A request as it came, without a socket.
struct HttpRequest {
  std::string method;
  std::string path;  ///< as it was sent, not decoded, without what follows "?"
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in small letters
  std::string body;
  std::string address;             ///< of the peer: "10.0.0.7", "2001:db8::7"
  std::string client_certificate;  ///< PEM, as the peer showed it, whose key it has; empty: none

  /// The header of that name; nothing where there is none, or more than one.
  std::optional<std::string_view> header(std::string_view name) const;
  std::size_t count(std::string_view name) const;
};

struct HttpReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;  ///< without Content-Type and Content-Length
  std::string body;
  std::string content_type = "application/json";
};

HttpReply json_reply(int status, const Json& body);
/// `{"status": "ERROR", "message": ...}`
HttpReply error_reply(int status, std::string_view message);
/// The same of an error of the library. What of it is of no use to who asked (a file's trouble) is not told.
HttpReply error_reply(const Error& error);
int status_of(ErrorCode code) noexcept;

/// Undoes %XX. Nothing where the text is not what percent-encoding makes: "%" without two digits, a byte that
/// must be encoded, or text that is not UTF-8 or holds a control character.
std::optional<std::string> percent_decode(std::string_view text);

/// Case does not matter in the names of headers and hosts; ASCII only.
std::string to_small_letters(std::string_view text);

}  // namespace vipauth::web
