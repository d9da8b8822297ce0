#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

#include "web/web_address.hpp"

namespace vipauth::web {

/// What makes a client believe that it talks to the right server.
struct ServerTrust {
  std::string authorities;  ///< PEM: the server's certificate is by one of them, and for its host name
  std::string fingerprint;  ///< or it is this one: SHA-256, "AB:CD:..."; counts alone where both are given
};

/// Requests to one HTTP service, each on a connection of its own, each bounded: in time whatever the server
/// sends, in bytes whatever it says. Redirects are answers. Nothing is sent to a server that is not trusted.
class HttpClient {
 public:
  struct Options {
    ServerTrust trust;
    std::chrono::milliseconds connect_timeout{5000};
    std::chrono::milliseconds timeout{10000};  ///< of all; resolving the host's name is up to the system
    std::size_t max_bytes = std::size_t{64} * 1024;   ///< of an answer's body
    std::shared_ptr<const std::atomic<bool>> stop{};  ///< set: nothing is waited for any more; may be null
    std::string user;                                 ///< of basic authentication; empty: none
    std::string password;
  };

  struct Answer {
    int status = 0;
    std::string body;
  };

  HttpClient(WebAddress address, Options options)
      : address_(std::move(address)), options_(std::move(options)) {}
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  HttpClient(HttpClient&&) = default;
  HttpClient& operator=(HttpClient&&) = default;
  ~HttpClient();  ///< wipes the password

  const WebAddress& address() const noexcept { return address_; }

  /// \param path  below the address's own; its parts escaped
  /// \param body  JSON; empty: none
  /// \return kPermissionDenied  the server is not trusted: the message says what it showed, and what to do
  /// \return kLimitExceeded     the answer is longer than max_bytes
  /// \return kIoError           it cannot be reached, or did not answer in time
  /// \return kUnavailable       this process can have no thread more
  Result<Answer> send(std::string_view method, std::string_view path, std::string_view body = {}) const;

 private:
  WebAddress address_;
  Options options_;
};

}  // namespace vipauth::web
