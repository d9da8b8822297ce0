#include <algorithm>
#include <set>
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

Error conflict(std::string message) { return Error{ErrorCode::kConflict, std::move(message), ""}; }

// What is there already may be of an attempt that did not come to its last step, which is to sync the folder.

Result<void> replace_if_other(const fs::path& file, std::string_view content, StrictModes strict_modes) {
  const auto present = read_file(file, strict_modes);
  if (present && *present == content) return sync_replaced(file);
  if (!present && present.error().code != ErrorCode::kNotFound) return present.error();
  return replace_file(file, content, {}, kCertificateMode);
}

/// Lets `link` lead to a file of its folder.
Result<void> link_to(const fs::path& link, const fs::path& target) {
  std::error_code error;
  if (fs::read_symlink(link, error) == target) return sync_replaced(link);
  const fs::path temporary = with_suffix(link, ".tmp");
  ::unlink(temporary.c_str());
  if (::symlink(target.c_str(), temporary.c_str()) != 0) return file_error("link", temporary, errno);
  if (::rename(temporary.c_str(), link.c_str()) == 0) return sync_replaced(link);
  const int why = errno;
  ::unlink(temporary.c_str());
  return file_error("replace", link, why);
}

}  // namespace

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
      published(layout.revocation_list()),
      requests(layout.requests(), options.strict_modes) {}

Result<std::shared_ptr<const LedgerState>> CertificateAuthority::Impl::read_ledger() const {
  // In this order: a revocation is in the ledger before it is on the list.
  const auto number = published.number(issuer);
  auto state = ledger.load();
  if (!state) return state;
  const std::string& of = (*state)->root_fingerprint;
  if (!of.empty() && of != issuer.root().key_fingerprint) {
    return in_file(conflict("this ledger is of another root certificate than \"" +
                            layout.certificate(layout.root_name).string() +
                            "\": put that back, or move the ledger away"),
                   ledger.path());
  }
  if (!number) return number.error();
  if ((*state)->crl_number < *number) {
    return in_file(
        conflict(
            "the ledger is older than the revocation list \"" + published.path().string() + "\" (number " +
            std::to_string((*state)->crl_number) + ", not " + std::to_string(*number) +
            "), and so may not know what was revoked: restore the newest ledger, or, where there is none, "
            "move the list away and revoke again what it names"),
        ledger.path());
  }
  return state;
}

/// Whether a revoked one is still on the list: it stays for one more after it has ended. Source: RFC
/// 5280, 3.3.
Result<bool> CertificateAuthority::Impl::must_be_listed(const LedgerEntry& entry, Timestamp now) const {
  const auto certificate = certificate_of(entry);
  if (!certificate) return in_file(certificate.error(), layout.ledger());
  return now < certificate->not_after + options.crl_validity;
}

Result<std::vector<RevokedCertificate>> CertificateAuthority::Impl::revoked_at(const LedgerState& state,
                                                                               Timestamp now) const {
  std::vector<RevokedCertificate> out;
  for (const LedgerEntry& entry : state.entries) {
    if (!entry.revoked_at) continue;
    const auto is_listed = must_be_listed(entry, now);
    if (!is_listed) return is_listed.error();
    if (*is_listed) out.push_back({entry.serial, *entry.revoked_at});
  }
  return out;
}

std::optional<CertificateAuthority::Impl::List> CertificateAuthority::Impl::whole_list(
    const LedgerState& state, Timestamp now) const {
  auto pem = read_file(layout.revocation_list(), options.strict_modes);
  if (!pem) return std::nullopt;
  auto facts = read_revocation_list(*pem);
  if (!facts || facts->number != state.crl_number) return std::nullopt;
  const std::set<std::string_view> listed(facts->serials.begin(), facts->serials.end());
  const bool lacks_one =
      std::any_of(state.entries.begin(), state.entries.end(), [&](const LedgerEntry& entry) {
        return entry.revoked_at && !listed.contains(entry.serial) &&
               must_be_listed(entry, now).value_or(true);
      });
  return lacks_one ? std::nullopt : std::optional<List>({std::move(*pem), std::move(*facts)});
}

Result<CertificateAuthority::Impl::Transaction> CertificateAuthority::Impl::begin(
    std::chrono::milliseconds patience) const {
  if (auto made = layout.make_folders(); !made) return made.error();
  auto lock = FileLock::acquire(ledger.path(), patience);
  if (!lock) return lock.error();
  const auto state = read_ledger();
  if (!state) return state.error();
  Transaction out(std::move(*lock), *this, **state);
  out.state_.root_fingerprint = issuer.root().key_fingerprint;
  if (out.state_.in_progress) out.finished_first_ = out.state_.in_progress->name;
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
  return signed_file(file, name, options.strict_modes);
}

Result<std::optional<Certificate>> CertificateAuthority::Impl::signed_file(const fs::path& file,
                                                                           std::string_view name,
                                                                           StrictModes strict_modes) const {
  const auto pem = read_file(file, strict_modes);
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
  return was_issued || may_be_there(layout.certificate(name.text())) || may_be_there(layout.key(name.text()));
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
  if (found.serial.empty() || found.serial.front() == '-') {
    return Error{ErrorCode::kUnsupported,
                 "the serial number of \"" + file.string() +
                     "\" is negative, and so can be on no revocation list: move the file away",
                 ""};
  }
  const CertificateUsage usage = usage_of(found);
  if (purpose != Purpose::kRequested && usage.is_server != usage.is_client) {
    purpose = usage.is_server ? Purpose::kServer : Purpose::kClient;
  }
  state_.entries.push_back(
      {name.text(), purpose, found.serial, found.key_fingerprint, found.pem, std::nullopt});
  return {};
}

Result<void> Transaction::check_place(const CommonName& name) const {
  const fs::path file = authority_->layout.remote(name.text());
  const auto present = read_file(file, authority_->options.strict_modes);
  if (!present && present.error().code == ErrorCode::kNotFound) return {};
  if (!present) return present.error();
  const auto certificate = Certificate::parse(*present);
  if (certificate && certificate->common_name == name.text() && state_.has_serial(certificate->serial)) {
    return {};
  }
  return conflict("\"" + file.string() + "\" is not a certificate of this name and authority: move it away");
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

Result<void> Transaction::perform(const LedgerNote& note, const CommonName& name) {
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
    case Operation::kRemove: break;
  }
  if (auto withdrawn = withdraw(name); !withdrawn) return withdrawn;
  return authority_->requests.remove(name);
}

/// Publishes what is revoked, and takes the file away that VOLTTRON would give out.
Result<void> Transaction::withdraw(const CommonName& name) {
  if (auto published = publish_revocations(); !published) return published;
  const fs::path file = authority_->layout.remote(name.text());
  if (!may_be_there(file)) return sync_replaced(file);
  // Whoever may change it: only what this root has signed is taken away.
  const auto certificate = authority_->signed_file(file, name.text(), StrictModes::kOff);
  if (!certificate) {
    // What is revoked is so whatever stands there.
    warn(certificate.error().to_string());
    return {};
  }
  const bool is_revoked = *certificate && state_.is_revoked((*certificate)->serial);
  return is_revoked ? remove_file(file) : Result<void>();
}

Result<void> Transaction::put_in_place(const LedgerEntry& entry) const {
  const CertificateLayout& layout = authority_->layout;
  const StrictModes strict_modes = authority_->options.strict_modes;
  if (entry.purpose == Purpose::kRequested) {
    return replace_if_other(layout.remote(entry.name), entry.pem, strict_modes);
  }
  if (auto placed = put_key_in_place(entry); !placed) return placed;
  return replace_if_other(layout.certificate(entry.name), entry.pem, strict_modes);
}

Result<void> Transaction::put_key_in_place(const LedgerEntry& entry) const {
  const StrictModes strict_modes = authority_->options.strict_modes;
  const fs::path file = authority_->layout.key(entry.name);
  const auto present = CertificateKeyFile(file, strict_modes).load();
  if (present && present->fingerprint() == entry.key_fingerprint) return sync_replaced(file);
  const fs::path next = authority_->layout.next_key(entry.name);
  const auto key = CertificateKeyFile(next, strict_modes).load();
  if (!key && key.error().code == ErrorCode::kNotFound) return {};  // VOLTTRON's, of a kind not read here
  if (!key) return key.error();
  if (key->fingerprint() != entry.key_fingerprint) return {};
  if (::rename(next.c_str(), file.c_str()) != 0) return file_error("replace", file, errno);
  return sync_replaced(file);
}

Result<void> Transaction::publish_revocations() const {
  const CertificateLayout& layout = authority_->layout;
  if (state_.crl_number == 0) return {};
  const Timestamp now = authority_->options.clock();
  if (authority_->whole_list(state_, now)) {
    if (auto synced = sync_replaced(layout.revocation_list()); !synced) return synced;
  } else {
    const auto revoked = authority_->revoked_at(state_, now);
    if (!revoked) return revoked.error();
    const Timestamp this_update =
        std::max<Timestamp>(now - kClocksDiffer, authority_->issuer.root().not_before);
    auto list = authority_->issuer.revocation_list(*revoked, state_.crl_number, this_update,
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
