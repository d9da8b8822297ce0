#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>

#include "support/temp_home.hpp"

namespace vipauth::test {

/// A RabbitMQ of its own: Debian's, with TLS, the mechanism EXTERNAL and a revocation list, in a folder and
/// on ports of its own. It ends with this object, or with the process however that ends.
class RabbitMqBroker {
 public:
  struct Files {
    std::filesystem::path authority;  ///< of the clients' certificates
    std::filesystem::path certificate;
    std::filesystem::path key;
    std::filesystem::path revocation_folder;
  };

  static constexpr const char* kAdministrator = "administrator";
  static constexpr const char* kPassword = "a password of the test";

  static bool is_installed();

  /// Starts it, and waits until it answers.
  explicit RabbitMqBroker(const Files& files);
  RabbitMqBroker(const RabbitMqBroker&) = delete;
  RabbitMqBroker& operator=(const RabbitMqBroker&) = delete;
  ~RabbitMqBroker();

  int tls_port() const noexcept { return tls_port_; }
  std::string management_url() const;

  /// The answer of the management API, which must be a success.
  std::string get(const std::string& path) const;
  /// Its status.
  int ask(const std::string& method, const std::string& path, const std::string& body = {}) const;

 private:
  void configure(const Files& files) const;
  void start();
  void stop();

  TempHome folder_;
  int epmd_port_;
  int node_port_;
  int tls_port_;
  int management_port_;
  pid_t guard_ = -1;
  int lifeline_ = -1;  ///< the guard ends everything when it is closed
};

}  // namespace vipauth::test
