#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/certificate_authority.hpp>
#include <vipauth/csr_store.hpp>
#include <vipauth/result.hpp>

#include "pki/certificate_issuer.hpp"
#include "store/atomic_file.hpp"
#include "store/certificate_ledger.hpp"
#include "store/csr_files.hpp"
#include "store/published_list.hpp"

namespace vipauth {

inline constexpr unsigned kCertificateMode = 0644;  // a broker of another user reads them
inline constexpr std::chrono::minutes kClocksDiffer{5};

/// Where things are below the folder `certificates`.
struct CertificateLayout {
  std::filesystem::path folder;
  std::string root_name;  ///< "<instance>-root-ca"

  std::filesystem::path certificate(std::string_view name) const;
  std::filesystem::path key(std::string_view name) const;
  std::filesystem::path next_key(std::string_view name) const;  ///< one that is about to be in force
  std::filesystem::path remote(std::string_view name) const;
  std::filesystem::path ledger() const;
  std::filesystem::path revocation_folder() const { return folder / "crls"; }
  std::filesystem::path revocation_list() const;
  std::filesystem::path requests() const { return folder / "pending_csr"; }

  /// Makes what is missing of the folders.
  Result<void> make_folders() const;
};

struct CertificateAuthority::Impl {
  Impl(CertificateLayout the_layout, std::string the_instance, Options the_options,
       CertificateIssuer the_issuer);

  CertificateLayout layout;
  std::string instance;
  Options options;
  CertificateIssuer issuer;
  CertificateLedger ledger;
  PublishedList published;
  CsrFolder requests;

  /// One change of the ledger and of the files that follow from it, under its lock.
  class Transaction {
   public:
    LedgerState& state() { return state_; }
    const LedgerState& state() const { return state_; }

    /// Takes note of a certificate of this root that VOLTTRON made, where there is such a file.
    /// \param purpose  of one that may be used for anything; it decides itself where it says what it is for
    /// \return what read_file returns, but for kNotFound; kUnsupported  its serial number is none
    Result<void> adopt(const CommonName& name, const std::filesystem::path& file,
                       IssuedCertificate::Purpose purpose);
    /// Makes sure that the file of a request's certificate may be written: what is there is on record, or
    /// nothing is.
    /// \return kConflict; what read_file returns, but for kNotFound
    Result<void> check_place(const CommonName& name) const;
    /// Signs a certificate and puts it on record.
    Result<Certificate> issue(const CommonName& name, IssuedCertificate::Purpose purpose,
                              const std::vector<std::string>& hosts, const PublicKey& key);
    /// Notes as revoked what is not yet, of a name and for which `which` holds. Whether there was anything.
    template <typename Which>
    bool revoke(const CommonName& name, Which which) {
      bool any = false;
      for (LedgerEntry& entry : state_.entries) {
        if (entry.name != name.text() || entry.revoked_at || !which(entry)) continue;
        entry.revoked_at = authority_->options.clock();
        any = true;
      }
      if (any) ++state_.crl_number;
      return any;
    }
    /// Puts the state and what follows from it on the disk. What fails after the first step is finished by
    /// the next transaction.
    Result<void> commit(LedgerNote note);
    /// Writes the revocation list anew.
    Result<std::string> renew_revocation_list();

    /// Whose operation, begun by somebody else, was finished first; empty: there was none.
    const std::string& finished_first() const { return finished_first_; }
    const std::vector<std::string>& warnings() const { return warnings_; }
    void warn(std::string warning) { warnings_.push_back(std::move(warning)); }

   private:
    friend struct Impl;
    Transaction(FileLock lock, const Impl& authority, LedgerState state)
        : lock_(std::move(lock)), authority_(&authority), state_(std::move(state)) {}

    /// Does what the note says, which may have been done already.
    Result<void> finish();
    Result<void> perform(const LedgerNote& note, const CommonName& name);
    Result<void> withdraw(const CommonName& name);
    Result<void> put_in_place(const LedgerEntry& entry) const;
    Result<void> put_key_in_place(const LedgerEntry& entry) const;
    Result<void> publish_revocations() const;
    void audit(const LedgerNote& note);

    FileLock lock_;
    const Impl* authority_;
    LedgerState state_;
    std::string finished_first_;
    std::vector<std::string> warnings_;
  };

  /// Takes the lock, and finishes what was begun by somebody else.
  Result<Transaction> begin() const { return begin(options.patience); }
  Result<Transaction> begin(std::chrono::milliseconds patience) const;

  /// \return what CertificateLedger::load returns; kConflict  it is of another root, or older than the
  ///         revocation list
  Result<std::shared_ptr<const LedgerState>> read_ledger() const;
  Result<bool> must_be_listed(const LedgerEntry& entry, Timestamp now) const;
  /// What the revocation list must tell at a time.
  Result<std::vector<RevokedCertificate>> revoked_at(const LedgerState& state, Timestamp now) const;
  /// The revocation list on the disk, where it tells all that it must, and its facts.
  struct List {
    std::string pem;
    RevocationListFacts facts;
  };
  std::optional<List> whole_list(const LedgerState& state, Timestamp now) const;
  /// A name that this authority has for itself.
  Result<void> check_name(const CommonName& name) const;
  /// A certificate file that this root has signed for that name; nothing where there is none.
  /// \return what read_file returns, but for kNotFound
  Result<std::optional<Certificate>> signed_file(const std::filesystem::path& file,
                                                 std::string_view name) const;
  Result<std::optional<Certificate>> signed_file(const std::filesystem::path& file, std::string_view name,
                                                 StrictModes strict_modes) const;
  /// Whether a name has a certificate whose key is here, or a key.
  bool is_local(const LedgerState& state, const CommonName& name) const;
};

/// Reads the certificate of an entry.
Result<Certificate> certificate_of(const LedgerEntry& entry);

/// A note of who does what.
LedgerNote note_of(LedgerNote::Operation operation, const CommonName& name, const EditNote& edit = {});

}  // namespace vipauth
