#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <vipauth/certificate_users.hpp>
#include <vipauth/common_name.hpp>
#include <vipauth/platform_config.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// The users of a RabbitMQ that takes the common name of a certificate as the name of its user (mechanism
/// EXTERNAL), by RabbitMQ's management API.
///
/// It marks the users that it makes by a tag, and never touches another. They have no password: a
/// certificate is their only way in. May be used from any thread.
/// Source: RabbitMQ 3.10, management HTTP API; VOLTTRON rmq_mgmt.py.
class RabbitMqUsers final : public CertificateUsers {
 public:
  /// What a user may do: regular expressions of RabbitMQ, in which `{common_name}` stands for its name,
  /// escaped.
  struct Permissions {
    /// VOLTTRON's queues and exchanges of an agent, anchored; queues that the broker names itself.
    std::string configure = R"(^({common_name}(\.(pubsub|zmq)\..*)?|amq\.gen-.*)$)";
    std::string write = R"(^(volttron|{common_name}(\.(pubsub|zmq)\..*)?|amq\.gen-.*)$)";
    std::string read = write;
  };

  /// Which routing keys it may use with a topic exchange, in the same form.
  struct TopicPermissions {
    std::string exchange = "volttron";
    std::string write = ".*";
    std::string read = ".*";
  };

  struct Settings {
    /// "http" on this host only, else "https".
    std::string url = "http://localhost:15672";
    std::string user;  ///< with the tag "administrator"
    std::filesystem::path password_file;
    std::filesystem::path authorities;  ///< PEM, of https
    std::string vhost = "/";
    Permissions permissions;
    std::optional<TopicPermissions> topics;
    std::chrono::milliseconds connect_timeout{5000};
    std::chrono::milliseconds timeout{10000};  ///< of each request
    StrictModes strict_modes = StrictModes::kOn;
  };

  static constexpr const char* kTag = "vipauth";

  /// The settings of a home's `config`: rmq-management-url, -user, -password-file and -ca, rmq-vhost,
  /// rmq-configure, rmq-write, rmq-read, rmq-topic-exchange, rmq-topic-write, rmq-topic-read. Files are
  /// relative to the home. Nothing where it names no rmq-management-url.
  /// \return kInvalidArgument  user or password file are missing
  VIPAUTH_EXPORT static Result<std::optional<Settings>> settings(const PlatformConfig& config,
                                                                 const std::filesystem::path& home);

  /// Reads the files; asks the broker nothing.
  /// \return kInvalidArgument  the URL is not of the form that it must have; an empty user or vhost
  /// \return what read_secret_file returns; kNotFound, kIoError  of the authorities
  VIPAUTH_EXPORT static Result<std::shared_ptr<RabbitMqUsers>> create(Settings settings);

  VIPAUTH_EXPORT ~RabbitMqUsers() override;

  // \return kConflict          there is a user of that name that this class did not make
  // \return kPermissionDenied  the broker does not know our user, or lets it do nothing; it is not trusted
  // \return kParseError, kLimitExceeded  it answers what it should not; kIoError  it does not answer

  VIPAUTH_EXPORT Result<void> admit(const CommonName& name) override;
  VIPAUTH_EXPORT Result<void> expel(const CommonName& name) override;
  /// Goes on where one fails, unless the broker does not answer any more; returns the first error.
  VIPAUTH_EXPORT Result<void> admit_only(const std::vector<CommonName>& names) override;
  /// What is asked ends with kIoError.
  VIPAUTH_EXPORT void stop() noexcept override;

 private:
  struct Impl;
  explicit RabbitMqUsers(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vipauth
