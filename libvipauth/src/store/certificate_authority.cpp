#include <vipauth/certificate_authority.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <ranges>
#include <set>
#include <system_error>

#include <vipauth/certificate_key_file.hpp>

#include "store/certificate_authority_parts.hpp"
#include "store/json_file.hpp"
#include "text/ip_network.hpp"

namespace vipauth {
namespace {

namespace fs = std::filesystem;

using Purpose = IssuedCertificate::Purpose;
using Operation = LedgerNote::Operation;

constexpr std::chrono::hours kListIsFreshFor{24};

Error conflict(std::string message) { return Error{ErrorCode::kConflict, std::move(message), ""}; }

/// What a file says of itself that VOLTTRON made.
Purpose purpose_of(const Certificate& certificate) {
  const CertificateUsage usage = usage_of(certificate);
  if (usage.is_server != usage.is_client) return usage.is_server ? Purpose::kServer : Purpose::kClient;
  return certificate.hosts.empty() ? Purpose::kClient : Purpose::kServer;
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
    if (may_be_there(trace)) {
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
  return replace_file(layout.certificate(layout.root_name), issuer->root().pem, {}, kCertificateMode);
}

/// The certificates of a folder that the ledger does not know.
void list_folder(const CertificateAuthority::Impl& authority, const fs::path& folder, bool is_remote,
                 std::set<std::string>& known, std::vector<IssuedCertificate>& out,
                 std::vector<std::string>& warnings) {
  std::error_code error;
  for (fs::directory_iterator entry = iterate(folder, error), end; !error && entry != end;
       entry.increment(error)) {
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

using Transaction = CertificateAuthority::Impl::Transaction;

namespace {

/// Takes note of all that VOLTTRON issued to a name.
Result<void> adopt_all(Transaction& transaction, const CertificateAuthority::Impl& authority,
                       const CommonName& name) {
  const fs::path file = authority.layout.certificate(name.text());
  const auto local = authority.signed_file(file, name.text());
  if (!local) return local.error();
  if (*local) {
    if (auto done = transaction.adopt(name, file, purpose_of(**local)); !done) return done;
  }
  return transaction.adopt(name, authority.layout.remote(name.text()), Purpose::kRequested);
}

void tell(const Transaction& transaction, std::vector<std::string>* warnings) {
  if (warnings == nullptr) return;
  warnings->insert(warnings->end(), transaction.warnings().begin(), transaction.warnings().end());
}

/// A certificate as the audit log shows it.
Json audit_json(const CommonName& name, std::string_view serial, bool is_revoked) {
  Json of(Json::Object{{"common_name", Json(name.text())}, {"serial", Json(serial)}});
  if (is_revoked) of.set("revoked", Json(true));
  return Json(Json::Object{{"certificate", std::move(of)}});
}

/// A host as certificates are read: an address has one spelling only.
std::string canonical(const std::string& host) {
  const auto address = IpAddress::parse(host);
  if (!address) return host;
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool is_short = host.find(':') == std::string::npos;
  const std::uint8_t* bytes = is_short ? &address->bytes[12] : address->bytes.data();
  ::inet_ntop(is_short ? AF_INET : AF_INET6, bytes, text.data(), text.size());
  return text.data();
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
  if (now >= certificate->not_after || (purpose == Purpose::kServer && left * 3 < whole)) return false;
  return std::all_of(hosts.begin(), hosts.end(), [&](const std::string& host) {
    return std::any_of(certificate->hosts.begin(), certificate->hosts.end(), [&](const std::string& has) {
      return has == host || canonical(has) == canonical(host);
    });
  });
}

/// The certificate and key of a name whose key is here, made where they do not serve.
Result<CertificateFiles> make(const CertificateAuthority::Impl& authority, const CommonName& name,
                              Purpose purpose, const std::vector<std::string>& hosts, const EditNote& note,
                              std::vector<std::string>* warnings, std::chrono::milliseconds patience) {
  if (auto checked = authority.check_name(name); !checked) return checked.error();
  for (const std::string& host : hosts) {
    if (auto checked = check_host(host); !checked) return checked.error().at(host);
  }
  auto transaction = authority.begin(patience);
  if (!transaction) return transaction.error();
  const LedgerEntry* newest = transaction->state().newest(name.text());
  // A stranger may ask for any name: only what was issued for a request makes it the request's.
  const auto requested = authority.signed_file(authority.layout.remote(name.text()), name.text());
  if (!requested) return requested.error();
  if (*requested || (newest != nullptr && newest->purpose == Purpose::kRequested)) {
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
  if (!*present && may_be_there(file)) {
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
  LedgerNote ledger_note = note_of(Operation::kIssue, name, note);
  if (!is_good) {
    if (newest != nullptr) ledger_note.before = audit_json(name, newest->serial, false);
    auto issued = transaction->issue(name, purpose, hosts, public_key_of(*key));
    if (!issued) return issued.error();
    ledger_note.after = audit_json(name, issued->serial, false);
  }
  if (auto done = transaction->commit(std::move(ledger_note)); !done) return done.error();
  tell(*transaction, warnings);
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
  if (!may_be_there(layout->certificate(layout->root_name))) {
    const auto lock = FileLock::acquire(layout->ledger(), options.patience);
    if (!lock) return lock.error();
    if (!may_be_there(layout->certificate(layout->root_name))) {  // nobody else has made it meanwhile
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

Result<CertificateFiles> CertificateAuthority::server_certificate(
    const CommonName& name, const std::vector<std::string>& hosts, const EditNote& note,
    std::vector<std::string>* warnings, std::optional<std::chrono::milliseconds> patience) {
  return make(*impl_, name, Purpose::kServer, hosts, note, warnings,
              patience.value_or(impl_->options.patience));
}

Result<CertificateFiles> CertificateAuthority::client_certificate(const CommonName& name,
                                                                  const EditNote& note,
                                                                  std::vector<std::string>* warnings) {
  return make(*impl_, name, Purpose::kClient, {}, note, warnings, impl_->options.patience);
}

Result<IssuedCertificate> CertificateAuthority::renew(const CommonName& name, Key key, const EditNote& note,
                                                      std::vector<std::string>* warnings) {
  if (auto checked = impl_->check_name(name); !checked) return checked.error();
  auto transaction = impl_->begin();
  if (!transaction) return transaction.error();
  if (transaction->state().newest(name.text()) == nullptr) {
    if (auto adopted = adopt_all(*transaction, *impl_, name); !adopted) return adopted.error();
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
  if (before.purpose == Purpose::kRequested) {
    // One of this root that is not on record yet may be written over: it is then.
    const fs::path file = impl_->layout.remote(name.text());
    if (auto adopted = transaction->adopt(name, file, Purpose::kRequested); !adopted) return adopted.error();
    if (auto checked = transaction->check_place(name); !checked) return checked.error();
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
  tell(*transaction, warnings);
  return IssuedCertificate{std::move(*issued), before.purpose, std::nullopt, true};
}

Result<void> CertificateAuthority::revoke(const CommonName& name, const EditNote& note,
                                          std::vector<std::string>* warnings) {
  if (auto checked = impl_->check_name(name); !checked) return checked;
  auto transaction = impl_->begin();
  if (!transaction) return transaction.error();
  auto adopted = adopt_all(*transaction, *impl_, name);
  if (!adopted && transaction->state().newest(name.text()) == nullptr) return adopted;
  const LedgerEntry* newest = transaction->state().newest(name.text());
  if (newest == nullptr) {
    return Error{ErrorCode::kNotFound, "no certificate was issued to \"" + name.text() + "\"", ""};
  }
  LedgerNote ledger_note = note_of(Operation::kRevoke, name, note);
  ledger_note.before = audit_json(name, newest->serial, false);
  ledger_note.after = audit_json(name, newest->serial, true);
  if (!transaction->revoke(name, [](const LedgerEntry&) { return true; })) return adopted;
  // What cannot be read, and so is not revoked, keeps nothing else from it.
  if (!adopted) transaction->warn(adopted.error().to_string());
  if (auto done = transaction->commit(std::move(ledger_note)); !done) return done;
  tell(*transaction, warnings);
  return {};
}

Result<std::vector<IssuedCertificate>> CertificateAuthority::list(std::vector<std::string>* warnings) const {
  std::vector<std::string> unread;
  const auto state = impl_->read_ledger();
  if (!state) return state.error();
  std::vector<IssuedCertificate> issued;
  std::set<std::string> known{root().serial};
  for (const LedgerEntry& entry : std::ranges::reverse_view((*state)->entries)) {
    auto certificate = certificate_of(entry);
    known.insert(entry.serial);
    if (certificate) {
      issued.push_back({std::move(*certificate), entry.purpose, entry.revoked_at, false});
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
  if (!usage_of(*certificate).is_client) return refused("the certificate is a server's, and no client's");
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
  const auto fresh = [&](const LedgerState& state) -> std::optional<std::string> {
    const Timestamp now = impl_->options.clock();
    if (state.in_progress || state.crl_number == 0) return std::nullopt;
    auto list = impl_->whole_list(state, now);
    const bool is_fresh = list && list->facts.this_update <= now &&
                          now < list->facts.this_update + kClocksDiffer + kListIsFreshFor;
    return is_fresh ? std::optional(std::move(list->pem)) : std::nullopt;
  };
  const auto state = impl_->read_ledger();
  if (!state) return state.error();
  if (auto list = fresh(**state)) return std::move(*list);
  auto transaction = impl_->begin();
  if (!transaction) return transaction.error();
  if (auto list = fresh(transaction->state()))
    return std::move(*list);  // somebody else has made it meanwhile
  return transaction->renew_revocation_list();
}

fs::path CertificateAuthority::revocation_folder() const { return impl_->layout.revocation_folder(); }

}  // namespace vipauth
