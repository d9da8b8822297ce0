#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "web/byte_connection.hpp"
#include "web/site.hpp"

namespace vipauth::web {

/// HTTP/1.1 on a connection: what comes becomes an HttpRequest, and the Site answers. Whatever the
/// library that reads HTTP would take without a limit, or do beside that (chunked and compressed bodies,
/// ranges, compression of answers), is kept from it.
class HttpEngine {
 public:
  struct Settings {
    std::chrono::milliseconds request;  ///< from the first byte to the last; and again for the answer
    std::chrono::milliseconds idle;     ///< what is told of
    std::size_t requests_per_connection;
  };

  /// The connection that a request comes over.
  struct Peer {
    std::string address;
    std::function<void()> on_answering;  ///< called when all of a request is there
    std::function<void()> on_answered;   ///< and when the answer is sent, or cannot be
  };

  HttpEngine(Site& site, Settings settings);
  HttpEngine(const HttpEngine&) = delete;
  HttpEngine& operator=(const HttpEngine&) = delete;
  ~HttpEngine();

  enum class Next { kNextRequest, kClose, kCloseUnread };
  /// Reads one request, and answers it.
  Next serve(ByteConnection& connection, const Peer& peer, bool is_last) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vipauth::web
