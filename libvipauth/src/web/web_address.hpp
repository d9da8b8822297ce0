#pragma once

#include <string>
#include <string_view>

#include <vipauth/result.hpp>

namespace vipauth::web {

/// Where an HTTP service listens: the parts of "https://host:port/path".
struct WebAddress {
  bool is_tls = true;
  std::string host;  ///< of an IPv6 address without brackets
  int port = 443;
  std::string path;  ///< begins with "/" where there is one, and never ends so

  /// \return kInvalidArgument  another scheme; a user, query or fragment; no host, or a bad port
  static Result<WebAddress> parse(std::string_view url);

  /// "https://host:port": without the path.
  std::string origin() const;
};

/// Writes a text as one part of a path: what is not a letter, a digit or one of "-._~" as %XX.
/// Source: RFC 3986, section 2.3.
std::string path_part(std::string_view text);

}  // namespace vipauth::web
