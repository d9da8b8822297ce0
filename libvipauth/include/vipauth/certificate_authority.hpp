#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/certificate.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/common_name.hpp>
#include <vipauth/file_edit.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// A certificate that this authority issued.
struct IssuedCertificate {
  enum class Purpose { kRoot, kServer, kClient, kRequested };

  Certificate certificate;
  Purpose purpose = Purpose::kClient;  ///< kRequested: for a CSR; its key is elsewhere
  std::optional<Timestamp> revoked_at;
  bool is_current = false;  ///< the newest of its name, and not revoked
};

VIPAUTH_EXPORT std::string_view to_string(IssuedCertificate::Purpose purpose) noexcept;  ///< "root", ...

/// Where a certificate, its key and the authority that signed it are.
struct CertificateFiles {
  std::filesystem::path certificate;
  std::filesystem::path key;
  std::filesystem::path authority;
};

/// The certificate authority of a VOLTTRON instance, in the folder `certificates` of its home:
/// `certs/<name>.crt`, `private/<name>.pem` (0600), `remote_certs/<name>.crt` for those that were asked for
/// by a CSR, `crls/` with the revocation list, and `ca_db/` with what was issued. The root is
/// `<instance>-root-ca`; one that VOLTTRON made is used as it is.
///
/// Each operation is one transaction among all processes that share the folder, and holds whatever happens to
/// the machine: what was begun and not finished is finished by the next operation. May be used from any
/// thread. What is issued, renewed and revoked is in the home's audit log, where there is one. Copies share
/// state. Source: VOLTTRON certs.py, Certs; RFC 5280.
class CertificateAuthority {
 public:
  struct Options {
    std::chrono::days root_validity{3650};
    std::chrono::days validity{365};     ///< of every other certificate
    std::chrono::days crl_validity{30};  ///< who reads the list refuses everybody after that
    std::chrono::milliseconds patience = std::chrono::seconds(60);  ///< how long to wait for another process
    StrictModes strict_modes = StrictModes::kOn;
    Clock clock = system_now;
  };

  /// \return kInvalidArgument  the name of the instance cannot be part of a CommonName
  /// \return kNotFound         there is no root certificate, or no key of it
  /// \return kConflict         the root's key is of another certificate; the root is no CA, or has expired;
  ///                           the ledger is of another root, or older than the revocation list
  /// \return kPermissionDenied, kIoError, kParseError
  VIPAUTH_EXPORT static Result<CertificateAuthority> open(const std::filesystem::path& certificates,
                                                          std::string_view instance, Options options);
  /// Makes the folder and a root where there is none. A root that cannot be read is an error, never a reason
  /// for a new one.
  VIPAUTH_EXPORT static Result<CertificateAuthority> open_or_create(const std::filesystem::path& certificates,
                                                                    std::string_view instance,
                                                                    Options options);

  VIPAUTH_EXPORT const std::string& instance() const noexcept;
  VIPAUTH_EXPORT const Options& options() const noexcept;
  VIPAUTH_EXPORT const Certificate& root() const noexcept;
  VIPAUTH_EXPORT std::filesystem::path root_path() const;  ///< the file that clients verify by

  /// The certificate and key of a TLS server for these host names and addresses, made where there is none for
  /// all of them, or where it has less than a third of its time left. The key is kept.
  /// \param warnings  gets a line where it is not in the audit log; may be null
  /// \param patience  how long to wait for another process; nothing: as long as the options say
  VIPAUTH_EXPORT Result<CertificateFiles> server_certificate(
      const CommonName& name, const std::vector<std::string>& hosts, const EditNote& note = {},
      std::vector<std::string>* warnings = nullptr,
      std::optional<std::chrono::milliseconds> patience = std::nullopt);
  /// The certificate and key of a local agent or an administrator, made where there is none.
  /// \return kAlreadyExists  a certificate was issued for a request (CSR) of that name
  /// \return kConflict  its certificate was revoked; there is one of another authority; it is the root's name
  /// \param warnings  as of server_certificate
  VIPAUTH_EXPORT Result<CertificateFiles> client_certificate(const CommonName& name,
                                                             const EditNote& note = {},
                                                             std::vector<std::string>* warnings = nullptr);

  enum class Key { kKeep, kNew };
  /// Another certificate for a name that has one, with the same purpose, hosts and, unless it is told
  /// otherwise, key; the one before stays valid until it ends, or with a new key is revoked.
  /// \return kNotFound     nothing was issued to that name
  /// \return kUnsupported  its key is too weak
  /// \return kConflict     something else is in the place of its file; it was revoked; or a new key is wanted for one whose key is elsewhere
  /// \param warnings  as of server_certificate
  VIPAUTH_EXPORT Result<IssuedCertificate> renew(const CommonName& name, Key key, const EditNote& note = {},
                                                 std::vector<std::string>* warnings = nullptr);

  /// Puts every certificate of a name on the revocation list, for good. Of one that was asked for, the
  /// request is denied then; CsrStore::deny() also tells the broker.
  /// \return kNotFound; kConflict  it is the root
  /// \param warnings  as of server_certificate; and for a certificate that VOLTTRON made and that cannot be
  /// read
  VIPAUTH_EXPORT Result<void> revoke(const CommonName& name, const EditNote& note = {},
                                     std::vector<std::string>* warnings = nullptr);

  /// Everything that was issued and is on record, and what VOLTTRON left in `certs` and `remote_certs`; the
  /// root first, then by name, the newest first. What cannot be read is a line of `warnings`.
  VIPAUTH_EXPORT Result<std::vector<IssuedCertificate>> list(
      std::vector<std::string>* warnings = nullptr) const;

  /// Whether a certificate, as a peer shows it, is one of ours for clients, in its time, and not revoked.
  /// \return kPermissionDenied  with why not; kConflict  the ledger is older than the revocation list
  VIPAUTH_EXPORT Result<Certificate> verify(std::string_view pem) const;

  /// The certificate revocation list, PEM: written anew where it is older than a day, or lacks something.
  VIPAUTH_EXPORT Result<std::string> revocation_list();
  /// The folder that TLS libraries look for it in, by OpenSSL's hash: `<hash>.r0`.
  VIPAUTH_EXPORT std::filesystem::path revocation_folder() const;

  struct Impl;  // of the files of this layer

 private:
  friend class CsrStore;
  explicit CertificateAuthority(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace vipauth
