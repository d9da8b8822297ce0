#include <vipauth/lint_certificates.hpp>

#include <algorithm>
#include <chrono>
#include <sys/stat.h>
#include <system_error>
#include <utility>

#include <vipauth/certificate_key_file.hpp>
#include <vipauth/csr_store.hpp>

#include "pki/certificate_issuer.hpp"
#include "store/atomic_file.hpp"

namespace vipauth {
namespace {

namespace fs = std::filesystem;
using Purpose = IssuedCertificate::Purpose;

constexpr std::chrono::days kSoon{30};
constexpr std::chrono::days kListIsSoon{7};

/// Collects what is found in the folder of an authority.
class Findings {
 public:
  Findings(const CertificateAuthority& authority, Timestamp now)
      : authority_(authority), now_(now), folder_(authority.revocation_folder().parent_path()) {}

  void look_at_certificates() {
    std::vector<std::string> warnings;
    const auto listed = authority_.list(&warnings);
    if (!listed) {
      add(LintSeverity::kError, "certificate-unreadable", "ca_db", "", listed.error().to_string(),
          "restore it from a backup");
      return;
    }
    for (const std::string& warning : warnings) {
      add(LintSeverity::kWarning, "certificate-unreadable", "certs", "", warning, "restore it, or remove it");
    }
    for (const IssuedCertificate& issued : *listed) look_at(issued);
  }

  void look_at_keys() {
    std::error_code error;
    const fs::path keys = folder_ / "private";
    std::vector<fs::path> files;
    for (fs::directory_iterator entry(keys, error); !error && entry != fs::directory_iterator();
         entry.increment(error)) {
      if (entry->path().extension() == ".pem") files.push_back(entry->path());
    }
    if (error) {
      add(LintSeverity::kError, "certificate-unreadable", "private", "",
          "its keys cannot be listed: " + error.message(), "let its owner read it");
      return;
    }
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) look_at_key(file);
  }

  void look_at_revocation_list() {
    const fs::path file = authority_.revocation_folder() / (authority_.instance() + "-root-ca.crl.pem");
    const std::string name = relative(file);
    const auto text = read_file(file, authority_.options().strict_modes);
    const auto facts = text ? read_revocation_list(*text) : Result<RevocationListFacts>(text.error());
    if (!facts) {
      add_command(
          LintSeverity::kError, "revocation-list-old", name, authority_.root().common_name,
          "there is no revocation list that can be read: a broker that looks for one refuses everybody",
          "write it", {"certs", "crl"});
      return;
    }
    if (!facts->next_update || *facts->next_update > now_ + kListIsSoon) return;
    const Timestamp end = *facts->next_update;
    const bool is_over = end <= now_;
    add_command(is_over ? LintSeverity::kError : LintSeverity::kWarning, "revocation-list-old", name,
                authority_.root().common_name,
                std::string("the revocation list ") + (is_over ? "ended " : "ends ") + format_timestamp(end) +
                    ": who reads it refuses everybody then",
                "write it anew, or keep the web service running, which does", {"certs", "crl"});
  }

  void look_at_requests() {
    std::error_code ignored;  // list() tells it
    if (fs::symlink_status(folder_ / "pending_csr", ignored).type() == fs::file_type::not_found) return;
    std::vector<std::string> warnings;
    const auto requests = CsrStore(authority_, {}).list(&warnings);
    if (!requests) {
      add(LintSeverity::kError, "certificate-unreadable", "pending_csr", "", requests.error().to_string(),
          "restore it from a backup");
      return;
    }
    for (const std::string& warning : warnings) {
      add(LintSeverity::kWarning, "request-in-doubt", "pending_csr", "", warning,
          "decide of it again, or delete it");
    }
  }

  std::vector<LintFinding> take() { return std::move(findings_); }

 private:
  std::string relative(const fs::path& file) const {
    return file.lexically_relative(folder_).generic_string();
  }

  void add_command(LintSeverity severity, std::string check, const std::string& file, std::string place,
                   std::string message, std::string remedy, std::vector<std::string> command) {
    findings_.push_back({severity, std::move(check), "certificates/" + file, std::move(place),
                         std::move(message), std::move(remedy), std::move(command)});
  }
  void add(LintSeverity severity, std::string check, const std::string& file, std::string place,
           std::string message, std::string remedy) {
    add_command(severity, std::move(check), file, std::move(place), std::move(message), std::move(remedy),
                {});
  }

  void look_at(const IssuedCertificate& issued) {
    if (!issued.is_current) return;
    const Certificate& certificate = issued.certificate;
    if (certificate.not_after > now_ + kSoon) return;
    const bool is_over = certificate.not_after <= now_;
    const bool is_root = issued.purpose == Purpose::kRoot;
    const std::string& name = certificate.common_name;
    std::string message = "the " + std::string(is_root ? "root" : to_string(issued.purpose)) +
                          " certificate " + (is_over ? "ended " : "ends ") +
                          format_timestamp(certificate.not_after);
    if (is_root) message += ", and with it every other";
    const std::string folder = issued.purpose == Purpose::kRequested ? "remote_certs/" : "certs/";
    const std::string file = is_root ? relative(authority_.root_path()) : folder + name + ".crt";
    add_command(is_over ? LintSeverity::kError : LintSeverity::kWarning,
                is_over ? "certificate-expired" : "certificate-ending", file, name, std::move(message),
                is_root ? "begin a new folder of certificates, and give its root to all who know this one"
                        : "renew it",
                is_root ? std::vector<std::string>() : std::vector<std::string>{"certs", "renew", name});
  }

  void look_at_key(const fs::path& file) {
    const auto key = CertificateKeyFile(file, StrictModes::kOn).load();
    if (key) return;
    const bool is_open = key.error().code == ErrorCode::kPermissionDenied;
    add(LintSeverity::kError, is_open ? "key-file-modes" : "certificate-unreadable", relative(file),
        file.stem().string(), key.error().message,
        is_open ? "let its owner alone read it; if others have read it, renew the certificate with a new key"
                : "restore it from a backup");
  }

  const CertificateAuthority& authority_;
  Timestamp now_;
  fs::path folder_;
  std::vector<LintFinding> findings_;
};

}  // namespace

std::vector<LintFinding> lint_certificates(const CertificateAuthority& authority, Timestamp now) {
  Findings findings(authority, now);
  findings.look_at_certificates();
  findings.look_at_keys();
  findings.look_at_revocation_list();
  findings.look_at_requests();
  return findings.take();
}

}  // namespace vipauth
