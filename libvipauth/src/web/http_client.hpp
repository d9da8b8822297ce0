#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

#include "web/http_connection.hpp"
#include "web/web_address.hpp"

namespace vipauth::web {

/// Requests to one HTTP service, each bounded: in time whatever the server sends, in bytes whatever it says.
/// Redirects are answers. Nothing is sent to a server that is not trusted. May be used from any thread.
class HttpClient {
 public:
  struct Options {
    ServerTrust trust;
    ClientCertificate certificate{};  ///< to show to a server that asks for one
    std::chrono::milliseconds connect_timeout{5000};
    std::chrono::milliseconds timeout{10000};  ///< of all; resolving the host's name is up to the system
    std::size_t max_bytes = std::size_t{64} * 1024;   ///< of an answer's body
    std::shared_ptr<const std::atomic<bool>> stop{};  ///< set: nothing is waited for any more; may be null
    std::string user;                                 ///< of basic authentication; empty: none
    std::string password;
    bool keeps_connections = false;  ///< for further requests; else each has one of its own
  };

  struct Request {
    std::string_view method = "GET";
    std::string_view path;                               ///< below the address's own; its parts escaped
    std::string_view body{};                             ///< JSON; empty: none
    HttpHeaders headers{};                               ///< besides the usual ones
    std::optional<std::chrono::milliseconds> timeout{};  ///< instead of the options'
  };

  struct Answer {
    int status = 0;
    std::string body;
  };

  /// Why there is no answer.
  struct Failure {
    Error error;
    bool is_sent = true;  ///< false: the server has not got the request, and will not
  };

  /// Who takes an answer as it comes, on the thread that asks.
  struct Reader {
    /// \return false: enough
    std::function<bool(std::string_view data)> on_data;
    /// Called at least every kBetweenLooks. \return false: enough
    std::function<bool()> on_look;
  };

  static constexpr std::chrono::milliseconds kBetweenLooks{100};

  HttpClient(WebAddress address, Options options);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();  ///< wipes the password

  const WebAddress& address() const noexcept { return address_; }

  /// \param path  below the address's own; its parts escaped
  /// \param body  JSON; empty: none
  /// \return kPermissionDenied  the server is not trusted: the message says what it showed, and what to do; or it
  ///                            does not trust this client's certificate
  /// \return kLimitExceeded     the answer is longer than max_bytes
  /// \return kIoError           it cannot be reached, or did not answer in time
  /// \return kUnavailable       this process can have no thread more
  Result<Answer> send(std::string_view method, std::string_view path, std::string_view body = {}) const;
  /// The same. \param failure  if there is one
  std::optional<Answer> send(const Request& request, Failure& failure) const;

  /// Reads an answer that may never end: for as long as the reader wants, once its status has come in time.
  /// An answer other than 200 is read as send() does.
  /// \return the status; of 200 without a body: the reader has had enough, or the server has ended it
  std::optional<Answer> read(const Request& request, const Reader& reader, Failure& failure) const;

 private:
  class Connections;
  std::optional<Answer> exchange(const Request& request, const Reader* reader, Failure& failure) const;
  Result<std::unique_ptr<HttpConnection>> connect() const;

  WebAddress address_;
  Options options_;
  std::unique_ptr<Connections> kept_;
};

}  // namespace vipauth::web
