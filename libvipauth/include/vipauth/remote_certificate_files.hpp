#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <vipauth/certificate.hpp>
#include <vipauth/certificate_authority.hpp>
#include <vipauth/certificate_key.hpp>
#include <vipauth/common_name.hpp>
#include <vipauth/json.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// What an agent keeps of its certificates for other platforms, in the folder `certificates` of its home.
/// That is its one key `private/<local>.pem` (0600), and for each platform `<remote>_ca.crt`,
/// `remote_certs/<remote>.<local>.crt`, and `<remote>.<local>.json` with where they are from (0644).
///
/// Files are replaced one by one, the last of them the `.json`: without it the others are not used. Any
/// number of processes may use the folder at once. Source: VOLTTRON certs.py, Certs.save_agent_remote_info.
class RemoteCertificateFiles {
 public:
  /// One that was approved.
  struct Saved {
    CommonName common_name;
    Certificate certificate;
    CertificateFiles files;
    Json discovery;  ///< an object: what the platform told of itself
  };

  /// \param certificates  the folder; made where it is missing, its parent must exist
  /// \param local         "<local instance>.<identity of the agent>"
  RemoteCertificateFiles(std::filesystem::path certificates, CommonName local,
                         StrictModes strict_modes = StrictModes::kOn)
      : folder_(std::move(certificates)), local_(std::move(local)), strict_modes_(strict_modes) {}

  /// The name of the agent's certificate for a platform: "<remote>.<local>".
  /// \return kInvalidArgument  the remote instance's name cannot be part of one; kLimitExceeded
  /// \return kConflict         both instances have the same name
  VIPAUTH_EXPORT Result<CommonName> name_for(std::string_view remote) const;
  /// Where its files are, whether they exist or not.
  VIPAUTH_EXPORT CertificateFiles files_for(const CommonName& name) const;

  /// The agent's key, made where there is none.
  /// \return what CertificateKeyFile::load_or_create returns
  VIPAUTH_EXPORT Result<CertificateKey> key() const;

  /// Saves a certificate that was checked, and the certificate of who issued it. What a platform says its
  /// name is, gives it no power over what is saved of another one.
  /// \param address    where it is from: "https://host:port"
  /// \param discovery  an object
  /// \return kConflict  what is there under this name, or its authority, which is another, is from another
  ///                    address; nothing was changed
  VIPAUTH_EXPORT Result<void> save(const CommonName& name, const Certificate& certificate,
                                   std::string_view authority, std::string_view address,
                                   const Json& discovery) const;
  /// Removes a certificate that is not, or no longer, approved. None is no error.
  /// \param address     who says so
  /// \return kConflict  it is from another address
  VIPAUTH_EXPORT Result<void> forget(const CommonName& name, std::string_view address) const;
  /// The certificate that was saved last from an address, if there is one.
  VIPAUTH_EXPORT Result<std::optional<Saved>> find(std::string_view address) const;

 private:
  std::filesystem::path remote_folder() const { return folder_ / "remote_certs"; }
  std::string remote_of(const CommonName& name) const;
  Result<void> make_folders() const;
  Result<void> check_origin(const CommonName& name, std::string_view address) const;
  Result<void> check_authority(const CommonName& name, std::string_view authority,
                               std::string_view address) const;

  std::filesystem::path folder_;
  CommonName local_;
  StrictModes strict_modes_;
};

}  // namespace vipauth
