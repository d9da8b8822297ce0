#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vipauth/result.hpp>

#include "web/client_certificate.hpp"
#include "web/web_address.hpp"

namespace vipauth::web {

/// What makes a client believe that it talks to the right server.
struct ServerTrust {
  std::string authorities;  ///< PEM: the server's certificate is by one of them, and for its host name
  std::string fingerprint;  ///< or it is this one: SHA-256, "AB:CD:..."; counts alone where both are given
};

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// A connection to an HTTP service, that is made when it is needed, and again where the server has closed it.
class HttpConnection {
 public:
  struct Options {
    ServerTrust trust;
    ClientCertificate certificate;
    std::chrono::milliseconds connect_timeout{};
    std::size_t most_bytes = 0;  ///< that may come until something of the body is taken
    bool is_kept = false;        ///< for more than one request
    std::string user;            ///< of basic authentication
    std::string password;
  };

  /// What is asked, and who takes the answer; what it names must live on meanwhile.
  struct Exchange {
    std::string method;
    std::string path;
    const HttpHeaders* headers = nullptr;  ///< no copy, for they may be secret; null: none
    std::string_view body;
    std::function<void(int status)> on_status;
    std::function<bool(std::string_view data)> on_data;  ///< \return false: no more
  };

  /// What came of it.
  struct Outcome {
    std::string failure;   ///< why there is no whole answer; empty: it is whole
    bool is_sent = false;  ///< the server may have got all of the request
    bool is_too_much = false;
    std::string distrust;  ///< why the server is not trusted: nothing was sent
    std::string shown;     ///< the fingerprint of its certificate
    std::string refusal;   ///< why the server does not trust this client: it has not read the request
  };

  /// \return kUnavailable  there is no TLS here, or no thread; kPermissionDenied  nothing says whom to trust;
  ///         kInvalidArgument  the host is none
  static Result<std::unique_ptr<HttpConnection>> create(const WebAddress& address, Options options);
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;
  ~HttpConnection();  ///< wipes the password

  /// Sends a request and reads its answer, for as long as that takes.
  Outcome run(const Exchange& exchange);

  /// Ends run() if too much has come, from any thread. By TLS it ends by itself.
  void look() noexcept;
  /// Ends run() and all others, from any thread.
  void cut() noexcept;

 private:
  struct Impl;
  explicit HttpConnection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vipauth::web
