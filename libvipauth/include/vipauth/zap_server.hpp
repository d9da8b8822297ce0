#pragma once

#include <cstddef>
#include <memory>

#include <vipauth/auth_service.hpp>
#include <vipauth/result.hpp>
#include <vipauth/zap_authenticator.hpp>

namespace vipauth {

/// The ZAP handler of a ZeroMQ context: a thread on `inproc://zeromq.zap.01`.
///
/// Start it before any server socket of that context (libzmq fails open without a handler on sockets that
/// secure_server_socket has not made), and keep it as long as they live. It stops when destroyed, or when the
/// context ends. PLAIN passwords are hashed on a small pool beside it, whose bound is answered by 300. Peers
/// over `inproc://` never pass ZAP: whoever shares the context is trusted.
class ZapServer {
 public:
  struct Options {
    std::size_t password_threads = 1;
    std::size_t password_queue = 16;
  };

  /// \param zmq_context  a libzmq context (`void*` from zmq_ctx_new)
  /// \return kAlreadyExists  the context has a ZAP handler
  /// \return kUnavailable    this libzmq has no CURVE, or is older than 4.3.3
  /// \return kIoError
  VIPAUTH_EXPORT static Result<ZapServer> start(void* zmq_context, ZapAuthenticator authenticator,
                                                Options options);
  VIPAUTH_EXPORT static Result<ZapServer> start(void* zmq_context, const AuthService& service);

  /// The same for a context of cppzmq (zmq::context_t).
  template <typename Context>
    requires requires(Context& context) { context.handle(); }
  static Result<ZapServer> start(Context& context, const AuthService& service) {
    return start(context.handle(), service);
  }

  VIPAUTH_EXPORT ZapServer(ZapServer&&) noexcept;
  VIPAUTH_EXPORT ZapServer& operator=(ZapServer&&) noexcept;
  VIPAUTH_EXPORT ~ZapServer();

 private:
  struct Impl;
  explicit ZapServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vipauth
