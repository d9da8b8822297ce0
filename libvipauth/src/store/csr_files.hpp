#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/certificate_request.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/common_name.hpp>
#include <vipauth/csr_store.hpp>
#include <vipauth/json.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// A request as its two files have it. Whether what they say is so, the ledger tells.
struct CsrFile {
  CertificateRequest request;
  CsrStatus status = CsrStatus::kPending;
  std::string address;
  std::optional<Timestamp> first_seen;
};

/// The folder `pending_csr`: `<name>.csr`, and `<name>.json` with `status, remote_ip_address, identity, csr`,
/// as VOLTTRON writes them, and `first_seen`. A request is there where its .json is.
///
/// Changes are made under the lock of the ledger.
class CsrFolder {
 public:
  CsrFolder(std::filesystem::path folder, StrictModes strict_modes)
      : folder_(std::move(folder)), strict_modes_(strict_modes) {}

  /// \param asked  a request that was read already: one that is the same need not be verified again
  /// \return kNotFound; kParseError  they are damaged, of another name, or do not fit each other; what read_file
  ///         returns
  Result<CsrFile> read(const CommonName& name, const CertificateRequest* asked = nullptr) const;
  bool has(const CommonName& name) const;
  /// The names of all that are there. What is named as no request can be is left out.
  Result<std::vector<CommonName>> names(std::vector<std::string>* warnings = nullptr) const;
  /// How many wait, or `enough` where they are as many or more.
  Result<std::size_t> count_pending(std::size_t enough) const;

  Result<void> add(const CsrFile& file) const;
  /// Changes the status, and nothing else. One that is not there stays away; of a damaged one nothing is
  /// changed.
  Result<void> set_status(const CommonName& name, CsrStatus status) const;
  /// \return kConflict  a folder stands where a file of the request is
  Result<void> check_removable(const CommonName& name) const;
  Result<void> remove(const CommonName& name) const;

 private:
  std::filesystem::path json_path(const CommonName& name) const { return folder_ / (name.text() + ".json"); }
  std::filesystem::path csr_path(const CommonName& name) const { return folder_ / (name.text() + ".csr"); }

  std::filesystem::path folder_;
  StrictModes strict_modes_;
};

}  // namespace vipauth
