#include <vipauth/certificate_authority.hpp>

#include <algorithm>
#include <array>
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

constexpr unsigned kPublicMode = 0644;
constexpr std::chrono::hours kListIsFreshFor{24};
constexpr std::chrono::minutes kClocksDiffer{5};

bool is_there(const fs::path& file) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(file, ignored));
}

/// Makes a folder that others may enter, where there is none: certificates are no secret, and a broker of
/// another user reads them.
Result<void> make_public_folder(const fs::path& folder) {
  if (is_there(folder)) return make_private_folder(folder);
  if (auto made = make_private_folder(folder); !made) return made;
  std::error_code error;
  fs::permissions(folder, static_cast<fs::perms>(0755), error);
  return error ? file_error("open to others", folder, error.value()) : Result<void>();
}

Error conflict(std::string message) { return Error{ErrorCode::kConflict, std::move(message), ""}; }

/// What a file says of itself that VOLTTRON made.
Purpose purpose_of(const Certificate& certificate) {
  return certificate.hosts.empty() ? Purpose::kClient : Purpose::kServer;
}

Result<void> replace_if_other(const fs::path& file, std::string_view content, StrictModes strict_modes) {
  const auto present = read_file(file, strict_modes);
  if (present && *present == content) return {};
  if (!present && present.error().code != ErrorCode::kNotFound) return present.error();
  return replace_file(file, content, {}, kPublicMode);
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

Result<CertificateLayout> layout_of(const fs::path& certificates, std::string_view instance) {
  const std::string root = std::string(instance) + "-root-ca";
  const bool is_name = CommonName::parse(root) && CommonName::parse(std::string(instance) + ".a.b");
  if (is_name) return CertificateLayout{certificates, root};
  return Error{
      ErrorCode::kInvalidArgument,
      "the instance name \"" + std::string(instance) +
          "\" cannot be part of a certificate's name: it needs 1 to 56 of A-Z, a-z, 0-9, '_', '-' and "
          "'.', with no empty part between dots",
      "instance-name"};
}

/// Reads the root of a folder.
Result<CertificateIssuer> read_root(const CertificateLayout& layout,
                                    const CertificateAuthority::Options& options) {
  const fs::path file = layout.certificate(layout.root_name);
  const auto pem = read_file(file, options.strict_modes);
  if (!pem) return pem.error();
  auto key = CertificateKeyFile(layout.key(layout.root_name), options.strict_modes).load();
  if (!key) return key.error();
  auto issuer = CertificateIssuer::create(*pem, std::move(*key));
  if (!issuer) return in_file(issuer.error(), file);
  if (!issuer->has_signed(issuer->root().pem)) {
    return in_file(conflict("the root certificate is not signed by itself"), file);
  }
  const Timestamp now = options.clock();
  if (now >= issuer->root().not_after) {
    return in_file(conflict("the root certificate has ended (" + format_timestamp(issuer->root().not_after) +
                            "): every instance that trusts it needs a new one"),
                   file);
  }
  return issuer;
}

/// Makes a root, in a folder of which nothing speaks of one before.
Result<void> create_root(const CertificateLayout& layout, std::string_view instance,
                         const CertificateAuthority::Options& options) {
  const fs::path old_database = layout.folder / "ca_db" / (layout.root_name + "-cadb.json");
  for (const fs::path& trace : {layout.ledger(), old_database}) {
    if (is_there(trace)) {
      return Error{ErrorCode::kNotFound,
                   "the root certificate \"" + layout.certificate(layout.root_name).string() +
                       "\" is missing, though \"" + trace.string() +
                       "\" tells of certificates: restore it from a backup, or move both away",
                   ""};
    }
  }
  auto key = CertificateKeyFile(layout.key(layout.root_name), options.strict_modes).load_or_create();
  if (!key) return key.error();
  const auto serial = random_serial();
  if (!serial) return serial.error();
  const Timestamp now = options.clock();
  const CertificateTerms terms{std::string(instance) + " CA", *serial, now - kClocksDiffer,
                               now + options.root_validity,   false,   {}};
  const auto issuer = CertificateIssuer::create_root(terms, std::move(*key));
  if (!issuer) return issuer.error();
  return replace_file(layout.certificate(layout.root_name), issuer->root().pem, {}, kPublicMode);
}

/// The certificates of a folder that the ledger does not know.
void list_folder(const CertificateAuthority::Impl& authority, const fs::path& folder, bool is_remote,
                 std::set<std::string>& known, std::vector<IssuedCertificate>& out,
                 std::vector<std::string>& warnings) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() != ".crt") continue;
    const auto pem = read_file(entry->path(), authority.options.strict_modes);
    auto certificate = pem ? Certificate::parse(*pem) : Result<Certificate>(pem.error());
    if (!certificate) {
      warnings.push_back(in_file(certificate.error(), entry->path()).to_string());
      continue;
    }
    // Those of other platforms' authorities are there, too.
    if (!authority.issuer.has_signed(certificate->pem) || !known.insert(certificate->serial).second) continue;
    const Purpose purpose = is_remote ? Purpose::kRequested : purpose_of(*certificate);
    out.push_back({std::move(*certificate), purpose, std::nullopt, false});
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    warnings.push_back(file_error("list", folder, error.value()).to_string());
  }
}

/// By name, the newest first, and the newest of each name noted as current unless it is revoked.
void put_in_order(std::vector<IssuedCertificate>& issued) {
  std::stable_sort(issued.begin(), issued.end(), [](const IssuedCertificate& a, const IssuedCertificate& b) {
    if (a.certificate.common_name != b.certificate.common_name) {
      return a.certificate.common_name < b.certificate.common_name;
    }
    return a.certificate.not_before > b.certificate.not_before;
  });
  const std::string* name = nullptr;
  for (IssuedCertificate& item : issued) {
    const bool is_newest = name == nullptr || *name != item.certificate.common_name;
    item.is_current = is_newest && !item.revoked_at;
    name = &item.certificate.common_name;
  }
}

}  // namespace

std::string_view to_string(IssuedCertificate::Purpose purpose) noexcept {
  switch (purpose) {
    case Purpose::kRoot: return "root";
    case Purpose::kServer: return "server";
    case Purpose::kClient: return "client";
    case Purpose::kRequested: return "requested";
  }
  return "";
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
    auto replaced = replace_file(layout.revocation_list(), *list, {}, kPublicMode);
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

namespace {

/// Takes note of all that VOLTTRON issued to a name.
Result<void> adopt_all(Transaction& transaction, const CertificateLayout& layout, const CommonName& name) {
  if (auto done = transaction.adopt(name, layout.certificate(name.text()), Purpose::kClient); !done)
    return done;
  return transaction.adopt(name, layout.remote(name.text()), Purpose::kRequested);
}

/// A certificate as the audit log shows it.
Json audit_json(const CommonName& name, std::string_view serial, bool is_revoked) {
  Json of(Json::Object{{"common_name", Json(name.text())}, {"serial", Json(serial)}});
  if (is_revoked) of.set("revoked", Json(true));
  return Json(Json::Object{{"certificate", std::move(of)}});
}

/// Whether a certificate that is there still serves.
bool is_good_enough(const CertificateAuthority::Impl& authority, std::string_view pem, Purpose purpose,
                    const std::vector<std::string>& hosts) {
  const auto certificate = Certificate::parse(pem);
  if (!certificate) return false;
  const Timestamp now = authority.options.clock();
  const auto whole = certificate->not_after - certificate->not_before;
  const auto left = certificate->not_after - now;
  // A server's is renewed in good time; of any other only an administrator or its own wish decides.
  if (left <= left.zero() || (purpose == Purpose::kServer && left * 3 < whole)) return false;
  return std::all_of(hosts.begin(), hosts.end(), [&](const std::string& host) {
    return std::find(certificate->hosts.begin(), certificate->hosts.end(), host) != certificate->hosts.end();
  });
}

/// The certificate and key of a name whose key is here, made where they do not serve.
Result<CertificateFiles> make(const CertificateAuthority::Impl& authority, const CommonName& name,
                              Purpose purpose, const std::vector<std::string>& hosts) {
  if (auto checked = authority.check_name(name); !checked) return checked.error();
  for (const std::string& host : hosts) {
    if (auto checked = check_host(host); !checked) return checked.error().at(host);
  }
  auto transaction = authority.begin();
  if (!transaction) return transaction.error();
  const LedgerEntry* newest = transaction->state().newest(name.text());
  const bool is_requested =
      authority.requests.has(name) || (newest != nullptr && newest->purpose == Purpose::kRequested);
  if (is_requested) {
    return Error{ErrorCode::kAlreadyExists, "\"" + name.text() + "\" is the name of a request (CSR)", ""};
  }
  const fs::path file = authority.layout.certificate(name.text());
  if (auto adopted = transaction->adopt(name, file, purpose); !adopted) return adopted.error();
  newest = transaction->state().newest(name.text());
  if (newest != nullptr && newest->revoked_at) {
    return conflict("the certificate of \"" + name.text() + "\" was revoked: choose another name");
  }
  const auto present = authority.signed_file(file, name.text());
  if (!present) return present.error();
  if (!*present && is_there(file)) {
    return conflict("\"" + file.string() + "\" is not a certificate of this authority: move it away");
  }
  const auto key =
      CertificateKeyFile(authority.layout.key(name.text()), authority.options.strict_modes).load_or_create();
  if (!key) return key.error();
  const CertificateFiles files{file, authority.layout.key(name.text()),
                               authority.layout.certificate(authority.layout.root_name)};
  const bool is_good = newest != nullptr && newest->purpose == purpose &&
                       newest->key_fingerprint == key->fingerprint() &&
                       is_good_enough(authority, newest->pem, purpose, hosts);
  if (is_good && *present && (*present)->serial == newest->serial) return files;
  if (!is_good) {
    auto issued = transaction->issue(name, purpose, hosts, public_key_of(*key));
    if (!issued) return issued.error();
  }
  if (auto done = transaction->commit(note_of(Operation::kIssue, name)); !done) return done.error();
  return files;
}

}  // namespace

// The authority

CertificateAuthority::CertificateAuthority(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<CertificateAuthority> CertificateAuthority::open(const fs::path& certificates,
                                                        std::string_view instance, Options options) {
  auto layout = layout_of(certificates, instance);
  if (!layout) return layout.error();
  auto issuer = read_root(*layout, options);
  if (!issuer) return issuer.error();
  auto impl = std::make_shared<Impl>(std::move(*layout), std::string(instance), std::move(options),
                                     std::move(*issuer));
  const auto state = impl->read_ledger();
  if (!state) return state.error();
  // What cannot be finished now, the first operation that needs it tells.
  if ((*state)->in_progress) static_cast<void>(impl->begin());
  return CertificateAuthority(std::move(impl));
}

Result<CertificateAuthority> CertificateAuthority::open_or_create(const fs::path& certificates,
                                                                  std::string_view instance,
                                                                  Options options) {
  const auto layout = layout_of(certificates, instance);
  if (!layout) return layout.error();
  if (auto made = layout->make_folders(); !made) return made.error();
  if (!is_there(layout->certificate(layout->root_name))) {
    const auto lock = FileLock::acquire(layout->ledger(), options.patience);
    if (!lock) return lock.error();
    if (!is_there(layout->certificate(layout->root_name))) {  // nobody else has made it meanwhile
      if (auto made = create_root(*layout, instance, options); !made) return made.error();
    }
  }
  auto authority = open(certificates, instance, std::move(options));
  if (!authority) return authority;
  if (auto list = authority->revocation_list(); !list) return list.error();
  return authority;
}

const std::string& CertificateAuthority::instance() const noexcept { return impl_->instance; }
const CertificateAuthority::Options& CertificateAuthority::options() const noexcept { return impl_->options; }
const Certificate& CertificateAuthority::root() const noexcept { return impl_->issuer.root(); }
fs::path CertificateAuthority::root_path() const {
  return impl_->layout.certificate(impl_->layout.root_name);
}

Result<CertificateFiles> CertificateAuthority::server_certificate(const CommonName& name,
                                                                  const std::vector<std::string>& hosts) {
  return make(*impl_, name, Purpose::kServer, hosts);
}

Result<CertificateFiles> CertificateAuthority::client_certificate(const CommonName& name) {
  return make(*impl_, name, Purpose::kClient, {});
}

Result<IssuedCertificate> CertificateAuthority::renew(const CommonName& name, Key key, const EditNote& note) {
  if (auto checked = impl_->check_name(name); !checked) return checked.error();
  auto transaction = impl_->begin();
  if (!transaction) return transaction.error();
  if (transaction->state().newest(name.text()) == nullptr) {
    if (auto adopted = adopt_all(*transaction, impl_->layout, name); !adopted) return adopted.error();
  }
  const LedgerEntry* newest = transaction->state().newest(name.text());
  if (newest == nullptr) {
    return Error{ErrorCode::kNotFound, "no certificate was issued to \"" + name.text() + "\"", ""};
  }
  if (newest->revoked_at) {
    return conflict("the certificate of \"" + name.text() + "\" was revoked, which is for good");
  }
  const LedgerEntry before = *newest;
  if (key == Key::kNew && before.purpose == Purpose::kRequested) {
    return conflict("the key of \"" + name.text() +
                    "\" is not here: its owner asks for a certificate for a new one");
  }
  const auto certificate = certificate_of(before);
  if (!certificate) return certificate.error();
  auto public_key = public_key_of(*certificate);
  if (key == Key::kNew) {
    auto made = CertificateKey::generate();
    if (!made) return made.error();
    auto kept =
        CertificateKeyFile(impl_->layout.next_key(name.text()), impl_->options.strict_modes).replace(*made);
    if (!kept) return kept.error();
    public_key = public_key_of(*made);
    transaction->revoke(name, [](const LedgerEntry&) { return true; });
  }
  if (!public_key) return public_key.error();
  auto issued = transaction->issue(name, before.purpose, certificate->hosts, *public_key);
  if (!issued) return issued.error();
  LedgerNote ledger_note = note_of(Operation::kIssue, name, note);
  ledger_note.before = audit_json(name, before.serial, false);
  ledger_note.after = audit_json(name, issued->serial, false);
  if (auto done = transaction->commit(std::move(ledger_note)); !done) return done.error();
  return IssuedCertificate{std::move(*issued), before.purpose, std::nullopt, true};
}

Result<void> CertificateAuthority::revoke(const CommonName& name, const EditNote& note) {
  if (auto checked = impl_->check_name(name); !checked) return checked;
  auto transaction = impl_->begin();
  if (!transaction) return transaction.error();
  if (auto adopted = adopt_all(*transaction, impl_->layout, name); !adopted) return adopted;
  const LedgerEntry* newest = transaction->state().newest(name.text());
  if (newest == nullptr) {
    return Error{ErrorCode::kNotFound, "no certificate was issued to \"" + name.text() + "\"", ""};
  }
  LedgerNote ledger_note = note_of(Operation::kRevoke, name, note);
  ledger_note.before = audit_json(name, newest->serial, false);
  ledger_note.after = audit_json(name, newest->serial, true);
  if (!transaction->revoke(name, [](const LedgerEntry&) { return true; })) return {};
  return transaction->commit(std::move(ledger_note));
}

Result<std::vector<IssuedCertificate>> CertificateAuthority::list(std::vector<std::string>* warnings) const {
  std::vector<std::string> unread;
  const auto state = impl_->read_ledger();
  if (!state) return state.error();
  std::vector<IssuedCertificate> issued;
  std::set<std::string> known{root().serial};
  for (auto entry = (*state)->entries.rbegin(); entry != (*state)->entries.rend(); ++entry) {
    auto certificate = certificate_of(*entry);
    known.insert(entry->serial);
    if (certificate) {
      issued.push_back({std::move(*certificate), entry->purpose, entry->revoked_at, false});
    } else {
      unread.push_back(in_file(certificate.error(), impl_->ledger.path()).to_string());
    }
  }
  list_folder(*impl_, impl_->layout.folder / "certs", false, known, issued, unread);
  list_folder(*impl_, impl_->layout.folder / "remote_certs", true, known, issued, unread);
  put_in_order(issued);
  issued.insert(issued.begin(), IssuedCertificate{root(), Purpose::kRoot, std::nullopt, true});
  if ((*state)->in_progress) {
    unread.push_back("what was begun for \"" + (*state)->in_progress->name +
                     "\" is not finished: the next change of a certificate finishes it");
  }
  if (warnings != nullptr) warnings->insert(warnings->end(), unread.begin(), unread.end());
  return issued;
}

Result<Certificate> CertificateAuthority::verify(std::string_view pem) const {
  const auto refused = [](std::string why) {
    return Error{ErrorCode::kPermissionDenied, std::move(why), ""};
  };
  auto certificate = Certificate::parse(pem);
  if (!certificate) return refused(certificate.error().message);
  if (!impl_->issuer.has_signed(certificate->pem)) {
    return refused("the certificate was not issued by \"" + root().common_name + "\"");
  }
  if (certificate->is_authority) return refused("the certificate is an authority's");
  const Timestamp now = impl_->options.clock();
  if (now < certificate->not_before) {
    return refused("the certificate begins at " + format_timestamp(certificate->not_before));
  }
  if (now >= certificate->not_after) {
    return refused("the certificate has ended at " + format_timestamp(certificate->not_after));
  }
  const auto state = impl_->read_ledger();
  if (!state) return state.error();
  if ((*state)->is_revoked(certificate->serial)) return refused("the certificate was revoked");
  return certificate;
}

Result<std::string> CertificateAuthority::revocation_list() {
  const auto state = impl_->read_ledger();
  if (!state) return state.error();
  const Timestamp now = impl_->options.clock();
  if (!(*state)->in_progress && (*state)->crl_number > 0) {
    auto present = read_file(impl_->layout.revocation_list(), impl_->options.strict_modes);
    const auto facts =
        present ? read_revocation_list(*present) : Result<RevocationListFacts>(present.error());
    const bool is_fresh = facts && facts->number == (*state)->crl_number && facts->this_update <= now &&
                          now < facts->this_update + kListIsFreshFor;
    if (is_fresh) return present;
  }
  auto transaction = impl_->begin();
  if (!transaction) return transaction.error();
  return transaction->renew_revocation_list();
}

fs::path CertificateAuthority::revocation_folder() const { return impl_->layout.revocation_folder(); }

}  // namespace vipauth
