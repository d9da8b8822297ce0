#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vipauth::test {

/// A web service that answers what the test wants, bytes for bytes, one request for each connection.
class FakeWebServer {
 public:
  struct Request {
    std::string method;
    std::string path;
    std::string headers;
    std::string body;
  };

  /// The whole answer, with its status line; empty: none, and the connection stays open.
  using Answer = std::function<std::string(const Request&)>;

  struct Certificate {
    std::filesystem::path certificate;
    std::filesystem::path key;
  };

  /// Listens on a port of the system's choice: by TLS where there is a certificate.
  explicit FakeWebServer(Answer answer, const std::optional<Certificate>& certificate = std::nullopt);
  FakeWebServer(const FakeWebServer&) = delete;
  FakeWebServer& operator=(const FakeWebServer&) = delete;
  ~FakeWebServer();

  int port() const noexcept;
  std::string url() const;  ///< "http://localhost:1234"
  std::vector<Request> requests() const;

  static std::string ok(const std::string& body) { return answer("200 OK", body); }
  static std::string answer(const std::string& status, const std::string& body,
                            const std::string& more = {}) {
    return "HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\n" + more +
           "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
  }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vipauth::test
