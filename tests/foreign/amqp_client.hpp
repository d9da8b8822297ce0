#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace vipauth::test {

/// A foreign client of RabbitMQ: librabbitmq over TLS, with the mechanism EXTERNAL.
class AmqpClient {
 public:
  struct Files {
    std::filesystem::path certificate;
    std::filesystem::path key;
    std::filesystem::path authority;
  };

  /// Whether the tests were built with librabbitmq.
  static bool is_installed();

  /// \param problem  why there is no connection, where there is none
  static std::optional<AmqpClient> connect(int port, const Files& files, std::string* problem = nullptr);

  AmqpClient(AmqpClient&&) noexcept;
  AmqpClient& operator=(AmqpClient&&) noexcept;
  ~AmqpClient();

  /// Makes a queue of that name, binds it to the exchange "volttron", publishes there, and takes the message
  /// back.
  bool publishes(const std::string& queue);

  /// True once the broker has ended the connection; false where that never happens.
  bool is_ended();

 private:
  struct Impl;
  explicit AmqpClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vipauth::test
