#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/certificate_authority.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/file_edit.hpp>
#include <vipauth/json.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

#include "store/file_version.hpp"

namespace vipauth {

/// What was begun and is to be finished: the ledger is written before the files that follow from it.
struct LedgerNote {
  enum class Operation {
    kApprove,  ///< the request's certificate is issued: give it out, and say so
    kDeny,     ///< its certificates are revoked: publish that, and say so
    kRemove,   ///< the same, and forget the request
    kIssue,    ///< a certificate with a key here is issued: put it, and a new key, in place
    kRevoke,   ///< certificates are revoked: publish that
  };

  Operation operation = Operation::kIssue;
  std::string name;
  // For the audit log
  std::string who;
  std::string command;
  Json before;
  Json after;
};

/// A certificate on record.
struct LedgerEntry {
  std::string name;
  IssuedCertificate::Purpose purpose = IssuedCertificate::Purpose::kClient;
  std::string serial;
  std::string key_fingerprint;
  std::string pem;
  std::optional<Timestamp> revoked_at;
};

/// All that an authority has issued, oldest first: what counts when a file says otherwise.
struct LedgerState {
  std::string root_fingerprint;  ///< of the root's key
  std::uint64_t crl_number = 0;  ///< of the revocation list that is to be published; 0: none was yet
  std::vector<LedgerEntry> entries;
  std::optional<LedgerNote> in_progress;

  bool has_serial(std::string_view serial) const;
  bool is_revoked(std::string_view serial) const;
  /// The newest of a name that is not revoked; nullptr for none.
  const LedgerEntry* current(std::string_view name) const;
  const LedgerEntry* current(std::string_view name, IssuedCertificate::Purpose purpose) const;
  const LedgerEntry* newest(std::string_view name) const;
};

/// The file `ca_db/<instance>-root-ca-ledger.json`, mode 0600. One that cannot be read is an error, and
/// stays.
///
/// load() keeps what it read until the file is another, so that asking often costs a stat(). May be used from
/// any thread.
class CertificateLedger {
 public:
  CertificateLedger(std::filesystem::path path, StrictModes strict_modes)
      : path_(std::move(path)), strict_modes_(strict_modes) {}

  const std::filesystem::path& path() const noexcept { return path_; }

  /// A missing file is an empty ledger.
  /// \return what read_json_file returns; kUnsupported  of a newer version
  Result<std::shared_ptr<const LedgerState>> load() const;
  /// The caller holds the file's lock.
  Result<void> save(const LedgerState& state) const;

 private:
  std::filesystem::path path_;
  StrictModes strict_modes_;
  mutable std::mutex mutex_;
  mutable std::optional<FileVersion> version_;
  mutable std::shared_ptr<const LedgerState> state_;
};

}  // namespace vipauth
