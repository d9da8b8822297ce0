#include <algorithm>
#include <system_error>
#include <unistd.h>

#include <vipauth/certificate_key_file.hpp>

#include "store/audit_change.hpp"
#include "store/certificate_authority_parts.hpp"
#include "store/json_file.hpp"

namespace vipauth {
namespace {

namespace fs = std::filesystem;

using Purpose = IssuedCertificate::Purpose;
using Operation = LedgerNote::Operation;

constexpr fs::perms kEnterable = fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec |
                                 fs::perms::others_read | fs::perms::others_exec;

/// Makes a folder that others may enter, where there is none: certificates are no secret, and a broker of
/// another user reads them.
Result<void> make_public_folder(const fs::path& folder) {
  if (is_there(folder)) return make_private_folder(folder);
  if (auto made = make_private_folder(folder); !made) return made;
  std::error_code error;
  fs::permissions(folder, kEnterable, error);
  return error ? file_error("open to others", folder, error.value()) : Result<void>();
}

Error conflict(std::string message) { return Error{ErrorCode::kConflict, std::move(message), ""}; }

Result<void> replace_if_other(const fs::path& file, std::string_view content, StrictModes strict_modes) {
  const auto present = read_file(file, strict_modes);
  if (present && *present == content) return {};
  if (!present && present.error().code != ErrorCode::kNotFound) return present.error();
  return replace_file(file, content, {}, kCertificateMode);
}

/// Lets `link` lead to a file of its folder.
Result<void> link_to(const fs::path& link, const fs::path& target) {
  std::error_code error;
  if (fs::read_symlink(link, error) == target) return {};
  const fs::path temporary = with_suffix(link, ".tmp");
  ::unlink(temporary.c_str());
  if (::symlink(target.c_str(), temporary.c_str()) != 0) return file_error("link", temporary, errno);
  if (::rename(temporary.c_str(), link.c_str()) == 0) return sync_replaced(link);
  const int why = errno;
  ::unlink(temporary.c_str());
  return file_error("replace", link, why);
}

}  // namespace

bool is_there(const fs::path& file) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(file, ignored));
}

// The layout

fs::path CertificateLayout::certificate(std::string_view name) const {
  return folder / "certs" / (std::string(name) + ".crt");
}
fs::path CertificateLayout::key(std::string_view name) const {
  return folder / "private" / (std::string(name) + ".pem");
}
fs::path CertificateLayout::next_key(std::string_view name) const { return with_suffix(key(name), ".next"); }
fs::path CertificateLayout::remote(std::string_view name) const {
  return folder / "remote_certs" / (std::string(name) + ".crt");
}
fs::path CertificateLayout::ledger() const { return folder / "ca_db" / (root_name + "-ledger.json"); }
fs::path CertificateLayout::revocation_list() const { return revocation_folder() / (root_name + ".crl.pem"); }

Result<void> CertificateLayout::make_folders() const {
  if (auto made = make_public_folder(folder); !made) return made;
  for (const char* name : {"certs", "remote_certs", "crls"}) {
    if (auto made = make_public_folder(folder / name); !made) return made;
  }
  for (const char* name : {"private", "pending_csr", "ca_db"}) {
    if (auto made = make_private_folder(folder / name); !made) return made;
  }
  return {};
}

// What the authority and the store of requests share

CertificateAuthority::Impl::Impl(CertificateLayout the_layout, std::string the_instance, Options the_options,
                                 CertificateIssuer the_issuer)
    : layout(std::move(the_layout)),
      instance(std::move(the_instance)),
      options(std::move(the_options)),
      issuer(std::move(the_issuer)),
      ledger(layout.ledger(), options.strict_modes),
      requests(layout.requests(), options.strict_modes) {}

Result<std::shared_ptr<const LedgerState>> CertificateAuthority::Impl::read_ledger() const {
  auto state = ledger.load();
  if (!state) return state;
  const std::string& of = (*state)->root_fingerprint;
  if (!of.empty() && of != issuer.root().key_fingerprint) {
    return in_file(conflict("this ledger is of another root certificate than \"" +
                            layout.certificate(layout.root_name).string() +
                            "\": put that back, or move the ledger away"),
                   ledger.path());
  }
  return state;
}

Result<CertificateAuthority::Impl::Transaction> CertificateAuthority::Impl::begin() const {
  if (auto made = layout.make_folders(); !made) return made.error();
  auto lock = FileLock::acquire(ledger.path(), options.patience);
  if (!lock) return lock.error();
  const auto state = read_ledger();
  if (!state) return state.error();
  Transaction out(std::move(*lock), *this, **state);
  out.state_.root_fingerprint = issuer.root().key_fingerprint;
  if (auto finished = out.finish(); !finished) {
    return Error{finished.error().code,
                 "what was begun for \"" + out.state_.in_progress->name +
                     "\" cannot be finished: " + finished.error().message,
                 finished.error().location};
  }
  return out;
}

Result<void> CertificateAuthority::Impl::check_name(const CommonName& name) const {
  if (name.text() != layout.root_name && name.text() != issuer.root().common_name) return {};
  return conflict("\"" + name.text() + "\" is the name of the authority itself");
}

Result<std::optional<Certificate>> CertificateAuthority::Impl::signed_file(const fs::path& file,
                                                                           std::string_view name) const {
  const auto pem = read_file(file, options.strict_modes);
  if (!pem && pem.error().code == ErrorCode::kNotFound) return std::optional<Certificate>();
  if (!pem) return pem.error();
  auto certificate = Certificate::parse(*pem);
  const bool is_ours = certificate && certificate->common_name == name && issuer.has_signed(certificate->pem);
  return is_ours ? std::optional<Certificate>(std::move(*certificate)) : std::nullopt;
}

bool CertificateAuthority::Impl::is_local(const LedgerState& state, const CommonName& name) const {
  const bool was_issued =
      std::any_of(state.entries.begin(), state.entries.end(), [&](const LedgerEntry& entry) {
        return entry.name == name.text() && entry.purpose != Purpose::kRequested;
      });
  return was_issued || is_there(layout.certificate(name.text())) || is_there(layout.key(name.text()));
}

Result<Certificate> certificate_of(const LedgerEntry& entry) { return Certificate::parse(entry.pem); }

LedgerNote note_of(LedgerNote::Operation operation, const CommonName& name, const EditNote& edit) {
  LedgerNote out;
  out.operation = operation;
  out.name = name.text();
  out.who = editor_of(edit);
  out.command = edit.command;
  return out;
}

// Transactions

using Transaction = CertificateAuthority::Impl::Transaction;

Result<void> Transaction::adopt(const CommonName& name, const fs::path& file, Purpose purpose) {
  auto certificate = authority_->signed_file(file, name.text());
  if (!certificate) return certificate.error();
  if (!*certificate || state_.has_serial((*certificate)->serial)) return {};
  const Certificate& found = **certificate;
  state_.entries.push_back(
      {name.text(), purpose, found.serial, found.key_fingerprint, found.pem, std::nullopt});
  return {};
}

Result<Certificate> Transaction::issue(const CommonName& name, Purpose purpose,
                                       const std::vector<std::string>& hosts, const PublicKey& key) {
  const Certificate& root = authority_->issuer.root();
  const Timestamp now = authority_->options.clock();
  CertificateTerms terms;
  terms.common_name = name.text();
  terms.not_before = std::max<Timestamp>(now - kClocksDiffer, root.not_before);
  terms.not_after = std::min<Timestamp>(now + authority_->options.validity, root.not_after);
  terms.is_server = purpose == Purpose::kServer;
  terms.hosts = hosts;
  do {
    auto serial = random_serial();
    if (!serial) return serial.error();
    terms.serial = std::move(*serial);
  } while (state_.has_serial(terms.serial) || terms.serial == root.serial);
  auto certificate = authority_->issuer.issue(terms, key);
  if (!certificate) return certificate;
  state_.entries.push_back({name.text(), purpose, certificate->serial, certificate->key_fingerprint,
                            certificate->pem, std::nullopt});
  return certificate;
}

Result<void> Transaction::commit(LedgerNote note) {
  state_.in_progress = std::move(note);
  if (auto saved = authority_->ledger.save(state_); !saved) return saved;
  auto finished = finish();
  if (finished) return {};
  return Error{finished.error().code,
               "it is decided, but not finished; the next command on certificates tries again: " +
                   finished.error().message,
               finished.error().location};
}

Result<void> Transaction::finish() {
  if (!state_.in_progress) return {};
  const LedgerNote note = *state_.in_progress;
  const auto name = CommonName::parse(note.name);
  if (!name) return name.error();
  if (auto performed = perform(note, *name); !performed) return performed;
  audit(note);
  state_.in_progress.reset();
  if (auto saved = authority_->ledger.save(state_); !saved) {
    state_.in_progress = note;
    return saved;
  }
  return {};
}

Result<void> Transaction::perform(const LedgerNote& note, const CommonName& name) const {
  const LedgerEntry* entry = state_.current(note.name);
  switch (note.operation) {
    case Operation::kApprove:
      if (entry != nullptr) {
        if (auto placed = put_in_place(*entry); !placed) return placed;
      }
      if (auto published = publish_revocations(); !published) return published;
      return entry == nullptr ? Result<void>() : authority_->requests.set_status(name, CsrStatus::kApproved);
    case Operation::kIssue:
      if (entry != nullptr) {
        if (auto placed = put_in_place(*entry); !placed) return placed;
      }
      return publish_revocations();
    case Operation::kDeny:
    case Operation::kRevoke:
      if (auto withdrawn = withdraw(name); !withdrawn) return withdrawn;
      return authority_->requests.set_status(name, CsrStatus::kDenied);
    case Operation::kRemove:
      if (auto withdrawn = withdraw(name); !withdrawn) return withdrawn;
      return authority_->requests.remove(name);
  }
  return {};
}

/// Publishes what is revoked, and takes the file away that VOLTTRON would give out.
Result<void> Transaction::withdraw(const CommonName& name) const {
  if (auto published = publish_revocations(); !published) return published;
  const fs::path file = authority_->layout.remote(name.text());
  const auto certificate = authority_->signed_file(file, name.text());
  if (!certificate) return certificate.error();
  const bool is_revoked = *certificate && state_.is_revoked((*certificate)->serial);
  return is_revoked ? remove_file(file) : Result<void>();
}

Result<void> Transaction::put_in_place(const LedgerEntry& entry) const {
  const CertificateLayout& layout = authority_->layout;
  const StrictModes strict_modes = authority_->options.strict_modes;
  if (entry.purpose == Purpose::kRequested) {
    return replace_if_other(layout.remote(entry.name), entry.pem, strict_modes);
  }
  const fs::path next = layout.next_key(entry.name);
  const auto key = CertificateKeyFile(next, strict_modes).load();
  if (key && key->fingerprint() == entry.key_fingerprint) {
    const fs::path file = layout.key(entry.name);
    if (::rename(next.c_str(), file.c_str()) != 0) return file_error("replace", file, errno);
    if (auto synced = sync_replaced(file); !synced) return synced;
  }
  return replace_if_other(layout.certificate(entry.name), entry.pem, strict_modes);
}

Result<void> Transaction::publish_revocations() const {
  const CertificateLayout& layout = authority_->layout;
  if (state_.crl_number == 0) return {};
  const Timestamp now = authority_->options.clock();
  const auto present = read_file(layout.revocation_list(), authority_->options.strict_modes);
  const auto facts = present ? read_revocation_list(*present) : Result<RevocationListFacts>(present.error());
  if (!facts || facts->number != state_.crl_number) {
    std::vector<RevokedCertificate> revoked;
    for (const LedgerEntry& entry : state_.entries) {
      if (!entry.revoked_at) continue;
      const auto certificate = certificate_of(entry);
      if (!certificate) return in_file(certificate.error(), layout.ledger());
      if (now < certificate->not_after) revoked.push_back({entry.serial, *entry.revoked_at});
    }
    auto list = authority_->issuer.revocation_list(revoked, state_.crl_number, now,
                                                   now + authority_->options.crl_validity);
    if (!list) return list.error();
    auto replaced = replace_file(layout.revocation_list(), *list, {}, kCertificateMode);
    if (!replaced) return replaced;
  }
  return link_to(layout.revocation_folder() / authority_->issuer.revocation_file_name(),
                 layout.revocation_list().filename());
}

Result<std::string> Transaction::renew_revocation_list() {
  ++state_.crl_number;
  if (auto saved = authority_->ledger.save(state_); !saved) return saved.error();
  if (auto published = publish_revocations(); !published) return published.error();
  return read_file(authority_->layout.revocation_list(), authority_->options.strict_modes);
}

void Transaction::audit(const LedgerNote& note) {
  if (note.before.is_null() && note.after.is_null()) return;
  AuditEvent event;
  event.before = note.before;
  event.after = note.after;
  EditOptions options;
  options.patience = authority_->options.patience;
  options.note = {note.who, note.command};
  options.clock = authority_->options.clock;
  auto warning =
      audit_change(authority_->layout.folder, std::move(event), options, authority_->options.strict_modes);
  if (warning) warnings_.push_back(std::move(*warning));
}

}  // namespace vipauth
