#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include <vipauth/etcd_options.hpp>
#include <vipauth/store_address.hpp>

#include "support/temp_home.hpp"
#include "web/http_client.hpp"
#include "web/socket.hpp"

namespace vipauth::test {

/// A process that ends with this object, or with the one that has started it, however that ends.
class GuardedProcess {
 public:
  GuardedProcess() = default;
  GuardedProcess(const std::vector<std::string>& command, const std::filesystem::path& output);
  GuardedProcess(GuardedProcess&& other) noexcept { swap(other); }
  GuardedProcess& operator=(GuardedProcess&& other) noexcept {
    swap(other);
    return *this;
  }
  ~GuardedProcess() { kill(); }

  bool is_started() const noexcept { return guard_ >= 0; }
  pid_t pid() const noexcept { return pid_; }
  void kill();

 private:
  void swap(GuardedProcess& other) noexcept;

  pid_t guard_ = -1;
  pid_t pid_ = -1;
  int lifeline_ = -1;  ///< the guard ends the process when it is closed
};

/// An etcd cluster of its own: Debian's, on loopback, on ports and in folders of its own.
class EtcdCluster {
 public:
  struct User {
    std::string name;
    std::string password;
    std::string prefix = "/";  ///< of the keys that it may read
    bool may_write = true;     ///< and write
  };
  struct Options {
    std::size_t members = 1;
    bool tls = false;
    bool wants_certificates = false;       ///< of clients, with TLS
    std::vector<User> users{};             ///< none: everybody may everything; else root is there, too
    std::vector<std::string> arguments{};  ///< more, for each member
    std::string also_at{};                 ///< another address of this machine where members take clients
  };
  static constexpr std::string_view kRootPassword = "the root's password";

  static bool is_installed();

  /// Starts it, and waits until it is healthy.
  explicit EtcdCluster(Options options);
  EtcdCluster() : EtcdCluster(Options{}) {}

  std::size_t size() const noexcept { return members_.size(); }

  /// "etcd://127.0.0.1:PORT,127.0.0.1:PORT/vipauth/test"; `path` may hold parameters.
  std::string address(std::string_view path = "/vipauth/test") const;
  /// The same of one member.
  std::string address_of(std::size_t member, std::string_view path = "/vipauth/test") const;
  /// The same of all, at Options::also_at.
  std::string other_address(std::string_view path = "/vipauth/test") const;
  StoreAddress store_address(std::string_view path = "/vipauth/test") const;
  /// How to ask it, as one of its users; certificates as it needs them.
  EtcdOptions client_options(std::string_view user = {}) const;

  // With TLS: PEM
  std::filesystem::path authority() const { return folder_ / "ca.pem"; }
  std::filesystem::path other_authority() const { return folder_ / "other-ca.pem"; }
  struct Certificate {
    std::filesystem::path certificate;
    std::filesystem::path key;
  };
  /// A client's, by that authority. \param subject  "/O=vipauth", "/CN=bus1"
  Certificate certificate(const std::string& name, const std::string& subject,
                          const std::string& authority = "ca") const;

  pid_t pid_of(std::size_t member) const { return members_[member].process.pid(); }
  void kill(std::size_t member);
  void restart(std::size_t member);  ///< on the same ports; does not wait
  /// Of a cluster of one: kills it, and takes away what it holds. What restarts has another history.
  void wipe();
  void pause(std::size_t member);  ///< it takes connections, and says nothing
  void resume(std::size_t member);
  bool is_running(std::size_t member) const { return members_[member].process.is_started(); }
  bool is_healthy(std::size_t member) const;
  /// Waits until those members that run are healthy.
  void wait_until_healthy() const;
  /// The member that leads; waits for one.
  std::size_t leader() const;

  /// What etcdctl prints, as root where there are users; it must succeed.
  std::string etcdctl(const std::string& arguments) const;

 private:
  struct Member {
    int client_port = 0;
    int peer_port = 0;
    // So that nobody else gets the ports while the member is down. They do not listen.
    web::Socket client_reservation{};
    web::Socket peer_reservation{};
    GuardedProcess process{};
    bool is_paused = false;
  };

  std::string scheme() const { return options_.tls ? "https" : "http"; }
  std::string client_url(const Member& member) const;
  static std::string peer_url(const Member& member);
  web::HttpClient http_client(std::size_t member) const;
  void make_authorities() const;
  void make_users() const;
  void start(std::size_t member);

  Options options_;
  TempHome folder_;
  std::vector<Member> members_;
  bool has_auth_ = false;
};

}  // namespace vipauth::test
