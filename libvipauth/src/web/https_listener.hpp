#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

#include <vipauth/csr_server.hpp>

#include "web/connection_gate.hpp"
#include "web/http_engine.hpp"
#include "web/socket.hpp"
#include "web/tls_context.hpp"

namespace vipauth::web {

/// Accepts connections on a thread, and serves each on one of its own, as far as ConnectionGate lets it.
class HttpsListener {
 public:
  /// Makes the context anew, with the certificate as it is then.
  using MakeContext = std::function<Result<TlsContext>()>;

  HttpsListener(Site& site, Socket socket, TlsContext context, MakeContext make_context,
                const CsrServer::Limits& limits);
  HttpsListener(const HttpsListener&) = delete;
  HttpsListener& operator=(const HttpsListener&) = delete;
  ~HttpsListener();

  std::size_t connections() const { return gate_.size(); }

 private:
  struct Worker {
    std::thread thread;
    std::atomic<bool> is_done{false};
  };

  void accept_all();
  void admit(Accepted accepted);
  void serve(ConnectionGate::Id id, const Accepted& accepted, const TlsContext& context);
  void renew_context();
  void join_done();

  Site& site_;
  const Socket socket_;
  const Socket wake_;
  TlsContext context_;  ///< used by the accepting thread only
  const MakeContext make_context_;
  std::chrono::steady_clock::time_point next_renewal_;
  const CsrServer::Limits limits_;
  const HttpEngine engine_;
  ConnectionGate gate_;
  std::atomic<bool> is_stopping_{false};
  std::list<std::unique_ptr<Worker>> workers_;  ///< the same
  std::thread accepting_;
};

}  // namespace vipauth::web
