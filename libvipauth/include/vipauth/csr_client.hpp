#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <vipauth/certificate_authority.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/common_name.hpp>
#include <vipauth/csr_store.hpp>
#include <vipauth/platform_discovery.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// How an agent stands with another platform, and what that told of itself.
struct RemotePlatform {
  CsrStatus status = CsrStatus::kPending;
  CommonName common_name;  ///< "<remote instance>.<local instance>.<identity>"
  CertificateFiles files;  ///< the certificate and its authority are there only where `status` is kApproved
  std::string key_fingerprint;  ///< "AB:CD:...": what an administrator over there sees, and should compare
  bool is_from_server = true;   ///< false: the server cannot be reached, and a certificate of it was saved
  std::string message;          ///< what the server says, or why it cannot be reached; for people
  PlatformDiscovery discovery;
};

/// Asks another platform for a certificate for an agent of this one.
///
/// Used by one thread at a time. Each call takes at most a few `timeout`s.
/// Source: VOLTTRON auth.py, AuthAgent connect_remote_platform and request_cert.
class CsrClient {
 public:
  struct Options {
    std::filesystem::path certificates;  ///< the folder, of the agent's own home
    std::string instance_name;           ///< of the agent's own platform
    std::string identity;                ///< of the agent
    // By what the server is known: one of these. The fingerprint is SHA-256 of its certificate, "AB:CD:..."
    // or without colons.
    std::filesystem::path authorities;  ///< PEM
    std::string fingerprint;
    /// Called when a request is found denied, once for each client.
    std::function<void(const RemotePlatform&)> on_denied;
    std::chrono::milliseconds connect_timeout{5000};
    std::chrono::milliseconds timeout{10000};  ///< of each request
    StrictModes strict_modes = StrictModes::kOn;
    Clock clock = system_now;
  };

  /// Longest answer of a server that is read.
  static constexpr std::size_t kMaxAnswerBytes = std::size_t{64} * 1024;

  /// Asks nobody yet.
  /// \return kInvalidArgument  the address is not https; instance and identity cannot be part of a CommonName;
  ///                           not one of authorities and fingerprint, or no SHA-256
  /// \return kNotFound, kIoError, kLimitExceeded, kParseError  of the file of authorities
  VIPAUTH_EXPORT static Result<CsrClient> create(std::string_view url, Options options);

  VIPAUTH_EXPORT CsrClient(CsrClient&&) noexcept;
  VIPAUTH_EXPORT CsrClient& operator=(CsrClient&&) noexcept;
  VIPAUTH_EXPORT ~CsrClient();

  /// Asks how the request stands; the first call makes the key and the request. Call it again, after a while,
  /// until it is decided, and from time to time then: a certificate may be renewed, or denied. An approved
  /// one is saved, after it was checked: it is for this key and name, in its time, and by the authority of
  /// the platform. One that is no longer approved is removed.
  /// \return kPermissionDenied  the server is not the one that is trusted: nothing was sent. Or it refuses the
  ///                            name, and says why
  /// \return kConflict          it knows another key under this name: its administrator must delete that first.
  ///                            Or it has the name of a platform at another address: what is saved of that
  ///                            stays as it is, and what to remove is told, if it moved
  /// \return kBusy              it is asked too often
  /// \return kIoError           it cannot be reached, and no certificate is saved
  /// \return kParseError, kInvalidArgument, kLimitExceeded  it answers what it should not
  /// \return kUnavailable       this process can have no thread more
  /// \return what CertificateKeyFile::load_or_create returns
  VIPAUTH_EXPORT Result<RemotePlatform> connect_remote_platform();

 private:
  struct Impl;
  explicit CsrClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vipauth
