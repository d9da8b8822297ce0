#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include <vipauth/clock.hpp>
#include <vipauth/export.hpp>
#include <vipauth/log_sink.hpp>

namespace vipauth {

/// How an etcd cluster is asked, and by whom.
struct EtcdOptions {
  // With TLS
  std::filesystem::path authorities;  ///< PEM: who has signed the members' certificates
  /// PEM, to show to the cluster. A certificate with a common name makes etcd's gateway refuse everything
  /// where etcd's own users are on: use one without.
  std::filesystem::path certificate;
  std::filesystem::path key;
  // etcd's own users; empty: none
  std::string user;
  std::string password;

  std::chrono::milliseconds connect_timeout{2000};
  std::chrono::milliseconds timeout{10000};  ///< of one question, all members together
  Clock clock = system_now;
  LogSink log;

  /// What the variables say that etcdctl reads: ETCDCTL_CACERT, ETCDCTL_CERT, ETCDCTL_KEY, ETCDCTL_USER
  /// ("name" or "name:password"), ETCDCTL_PASSWORD, which counts before the password of the user.
  /// \param variable  of the environment; nothing: it is not set
  VIPAUTH_EXPORT static EtcdOptions of_etcdctl(
      const std::function<std::optional<std::string>(const char*)>& variable);
};

}  // namespace vipauth
