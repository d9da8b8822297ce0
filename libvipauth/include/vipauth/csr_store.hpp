#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/certificate_authority.hpp>
#include <vipauth/certificate_request.hpp>
#include <vipauth/certificate_users.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/common_name.hpp>
#include <vipauth/file_edit.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

enum class CsrStatus { kPending, kApproved, kDenied };

VIPAUTH_EXPORT std::string_view to_string(CsrStatus status) noexcept;  ///< "PENDING", ...

/// A request for a certificate, as an administrator sees it.
struct CsrEntry {
  CommonName common_name;
  CsrStatus status = CsrStatus::kPending;
  std::string address;                  ///< where it was first asked from
  std::string csr;                      ///< PEM
  std::string key_fingerprint;          ///< "AB:CD:..."
  std::string key_kind;                 ///< "RSA 2048"
  std::optional<Timestamp> first_seen;  ///< not known of those that VOLTTRON wrote
  std::optional<Timestamp> last_seen;
  std::uint64_t retries = 0;               ///< how often it was asked for, the first time included
  std::optional<Certificate> certificate;  ///< of an approved one
};

/// What a decision did.
struct CsrDecision {
  CsrEntry entry;  ///< as it stands now; of a deleted one, as it was
  /// Why the broker does not know yet; reconcile() tells it. The decision holds all the same.
  std::optional<Error> broker_problem;
  std::vector<std::string> warnings;  ///< "this change is not in the audit log: ..."
};

/// The requests for certificates that other platforms' agents send, and what was decided of them:
/// `pending_csr/<name>.csr` and `<name>.json`, as VOLTTRON writes them.
///
/// PENDING -> APPROVED or DENIED; APPROVED <-> DENIED; any -> deleted. Approving signs at most once for a
/// request, whatever happens to the machine meanwhile; denying or deleting an approved one revokes its
/// certificate before it returns. Each operation is one transaction, as those of the authority are, and each
/// decision is a line of the home's audit log, where there is one. May be used from any thread.
/// Source: VOLTTRON certs.py, Certs.save_pending_csr_request and those below it.
class CsrStore {
 public:
  /// Why a name cannot be a remote agent's: it is that of an agent or user of this platform, or the
  /// platform's own. Nothing where it can. It is asked for the rest of a common name, behind "<instance>.",
  /// and for the whole of it.
  using Taken = std::function<std::optional<std::string>(std::string_view name)>;

  struct Options {
    std::size_t pending = 1000;               ///< most that wait
    std::size_t new_per_minute = 10;          ///< of one IPv4 address or IPv6 /64
    Taken taken;                              ///< empty: no name is
    std::shared_ptr<CertificateUsers> users;  ///< of the broker; may be null
  };

  VIPAUTH_EXPORT CsrStore(CertificateAuthority authority, Options options);
  VIPAUTH_EXPORT CsrStore(CsrStore&&) noexcept;
  VIPAUTH_EXPORT CsrStore& operator=(CsrStore&&) noexcept;
  VIPAUTH_EXPORT ~CsrStore();  ///< writes what flush() does

  VIPAUTH_EXPORT const CertificateAuthority& authority() const noexcept;

  /// What a stranger asks: files the request if it is new, and says how it stands. The same request again
  /// only counts, in memory. One that was approved is PENDING again once its certificate has ended: the
  /// administrator approves it anew, or denies it.
  /// \return what CertificateRequest::parse returns
  /// \return kInvalidArgument   the name is not of this instance, or has not two parts behind it: "<their
  ///                            instance>.<identity>"
  /// \return kPermissionDenied  the name is taken: by `taken`, or by a certificate that no CSR asked for
  /// \return kConflict          it was asked for with another key: an administrator must delete that first
  /// \return kBusy              this address asks for too many new names
  /// \return kLimitExceeded     too many wait
  VIPAUTH_EXPORT Result<CsrEntry> request(std::string_view pem, std::string_view address);
  /// Of one that was read, and so is in order.
  VIPAUTH_EXPORT Result<CsrEntry> request(const CertificateRequest& request, std::string_view address);

  /// By name. What cannot be read is a line of `warnings`, and does not hide the others.
  VIPAUTH_EXPORT Result<std::vector<CsrEntry>> list(std::vector<std::string>* warnings = nullptr) const;
  /// \return kNotFound; kParseError  its files are damaged
  VIPAUTH_EXPORT Result<CsrEntry> get(const CommonName& name) const;

  // Deciding; `note` says who, for the audit log. What was decided so already stays, and is no error.

  /// Signs anew where the certificate of an approved one has ended.
  ///
  /// A record whose user_id or identity is the whole common name keeps a request from being approved, since
  /// whoever has the certificate would be that record's user. To give a remote agent rights, approve it first
  /// and make the record then: that takes nothing from it.
  /// \param key_fingerprint  of the key that the administrator has compared, with or without colons; empty:
  /// any
  /// \return kNotFound; kPermissionDenied  the name has become taken; kParseError  its files are damaged
  /// \return kConflict  it is a request for another key
  VIPAUTH_EXPORT Result<CsrDecision> approve(const CommonName& name, const EditNote& note = {},
                                             std::string_view key_fingerprint = {});
  /// \return kNotFound
  VIPAUTH_EXPORT Result<CsrDecision> deny(const CommonName& name, const EditNote& note = {});
  /// Also of one whose files are damaged. \return kNotFound
  VIPAUTH_EXPORT Result<CsrDecision> remove(const CommonName& name, const EditNote& note = {});

  /// Makes the broker's users those that are approved. One whose files cannot be read is not among them.
  VIPAUTH_EXPORT Result<void> reconcile();
  /// Writes how often and when requests were last seen.
  VIPAUTH_EXPORT Result<void> flush();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vipauth
