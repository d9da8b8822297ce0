#include <vipauth/csr_store.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "base/rate_limiter.hpp"
#include "store/atomic_file.hpp"
#include "store/certificate_authority_parts.hpp"
#include "store/csr_files.hpp"
#include "store/csr_sightings.hpp"
#include "text/control_characters.hpp"
#include "text/ip_network.hpp"

namespace vipauth {
namespace {

using Purpose = IssuedCertificate::Purpose;
using Operation = LedgerNote::Operation;
using Authority = CertificateAuthority::Impl;
using Transaction = CertificateAuthority::Impl::Transaction;

/// A request and what the ledger says of it.
struct Standing {
  CsrEntry entry;
  std::string doubt;       ///< why its files and the ledger do not agree; empty: they do
  bool has_ended = false;  ///< it was approved, with a certificate that has ended since

  /// What an administrator should know of it.
  std::string remark() const {
    return has_ended ? "its certificate has ended: approve it again, or deny it" : doubt;
  }
};

/// How many new names one address asks for in a minute.
RateLimiter new_names_limiter(std::size_t per_minute) {
  constexpr Timestamp::duration kMinute = std::chrono::minutes(1);
  constexpr std::size_t kMost = 60'000;  // one for each tick of the clock
  const std::size_t at_once = std::clamp<std::size_t>(per_minute, 1, kMost);
  return {at_once, kMinute / static_cast<Timestamp::rep>(at_once), RateLimiter::WhenFull::kForgetSoonest};
}

/// An address as it may be written down: it comes from whoever calls.
std::string shown_address(std::string_view address) {
  constexpr std::size_t kMost = 64;
  const bool is_text = address.size() <= kMost && is_valid_utf8(address) && !has_control_character(address);
  return is_text ? std::string(address) : std::string();
}

/// A request as the audit log shows it.
Json audit_json(const CsrEntry& entry) {
  Json out(Json::Object{{"common_name", Json(entry.common_name.text())},
                        {"status", Json(to_string(entry.status))},
                        {"key_fingerprint", Json(entry.key_fingerprint)}});
  if (entry.certificate) out.set("serial", Json(entry.certificate->serial));
  return Json(Json::Object{{"csr", std::move(out)}});
}

Error not_there(const CommonName& name) {
  return Error{ErrorCode::kNotFound, "there is no request of \"" + name.text() + "\"", ""};
}

/// Without regard to colons and case.
bool is_same_fingerprint(std::string_view left, std::string_view right) {
  const auto digits = [](std::string_view text) {
    std::string out;
    for (const char c : text) {
      if (c != ':') out += c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return out;
  };
  return digits(left) == digits(right);
}

/// A name may have been deleted, and asked for with another key, since the administrator looked.
Error other_key(const CommonName& name, const std::string& key_fingerprint) {
  return Error{ErrorCode::kConflict,
               "\"" + name.text() + "\" asks for a certificate for another key, " + key_fingerprint +
                   ": compare that with what \"vctl auth csr request\" shows over there",
               ""};
}

Error taken_error(const CommonName& name, const std::string& why) {
  return Error{ErrorCode::kPermissionDenied, "the name \"" + name.text() + "\" cannot be asked for: " + why,
               ""};
}

}  // namespace

std::string_view to_string(CsrStatus status) noexcept {
  switch (status) {
    case CsrStatus::kPending: return "PENDING";
    case CsrStatus::kApproved: return "APPROVED";
    case CsrStatus::kDenied: return "DENIED";
  }
  return "";
}

struct CsrStore::Impl {
  Impl(CertificateAuthority an_authority, Options the_options)
      : handle(std::move(an_authority)),
        authority(*handle.impl_),
        options(std::move(the_options)),
        new_names(new_names_limiter(options.new_per_minute)),
        sightings(authority.layout.folder / "csr_seen.json", authority.options.strict_modes) {}

  CertificateAuthority handle;
  const Authority& authority;
  Options options;
  RateLimiter new_names;
  CsrSightings sightings;
  std::mutex mutex;
  Timestamp full_until{};       // nobody counts again before
  std::set<CommonName> untold;  // decisions that were finished here, and of which the broker is to hear
  // Those that are in doubt though nobody was at work on them, and the ledger at that time
  std::map<CommonName, std::shared_ptr<const LedgerState>> doubtful;

  Timestamp now() const { return authority.options.clock(); }

  /// The certificate that a request was approved with: the ledger's, or one that VOLTTRON issued.
  Result<std::optional<Certificate>> certificate_for(const CsrFile& file, const LedgerState& ledger) const {
    const CommonName& name = file.request.common_name();
    const std::string& key = file.request.key_fingerprint();
    if (const LedgerEntry* entry = ledger.current(name.text(), Purpose::kRequested)) {
      if (entry->key_fingerprint != key) return std::optional<Certificate>();
      auto certificate = certificate_of(*entry);
      if (!certificate) return certificate.error();
      return std::optional<Certificate>(std::move(*certificate));
    }
    auto found = authority.signed_file(authority.layout.remote(name.text()), name.text());
    if (!found) return found;
    const bool is_its = *found && (*found)->key_fingerprint == key && !ledger.has_serial((*found)->serial);
    return is_its ? std::move(*found) : std::nullopt;
  }

  /// How a request stands. What its files say of an approval counts only with a certificate that is good.
  Result<Standing> standing_of(const CsrFile& file, const LedgerState& ledger) {
    const CommonName& name = file.request.common_name();
    Standing out{CsrEntry{name, file.status, file.address, file.request.pem(), file.request.key_fingerprint(),
                          file.request.key_kind(), file.first_seen, file.first_seen, 0, std::nullopt},
                 ""};
    const CsrSightings::Sighting seen = sightings.of(name);
    out.entry.retries = seen.count + (file.first_seen ? 1 : 0);
    if (seen.count > 0) out.entry.last_seen = std::max(seen.last, file.first_seen.value_or(seen.last));
    auto certificate = certificate_for(file, ledger);
    if (!certificate) return certificate.error();
    if (file.status == CsrStatus::kApproved) {
      if (*certificate && now() >= (*certificate)->not_after) {
        out.entry.status = CsrStatus::kPending;
        out.has_ended = true;
        return out;
      }
      out.entry.certificate = std::move(*certificate);
      if (out.entry.certificate) return out;
      const LedgerEntry* newest = ledger.newest(name.text());
      const bool was_revoked = newest != nullptr && newest->revoked_at &&
                               newest->key_fingerprint == file.request.key_fingerprint();
      out.entry.status = was_revoked ? CsrStatus::kDenied : CsrStatus::kPending;
      out.doubt = was_revoked
                      ? "its file says APPROVED, but its certificate was revoked"
                      : "its file says APPROVED, but it has no good certificate: approve it, or deny it";
    } else if (*certificate) {
      out.doubt = "its file says " + std::string(to_string(file.status)) +
                  ", but its certificate is not revoked: deny it, or approve it";
    }
    return out;
  }

  /// As the authority's. What it finishes of others, the broker hears at the end of this operation.
  Result<Transaction> begin() {
    auto transaction = authority.begin();
    if (!transaction || transaction->finished_first().empty() || !options.users) return transaction;
    if (auto name = CommonName::parse(transaction->finished_first())) {
      const std::lock_guard lock(mutex);
      untold.insert(std::move(*name));
    }
    return transaction;
  }

  bool is_in_progress(const LedgerState& ledger, const CommonName& name) const {
    return ledger.in_progress && ledger.in_progress->name == name.text();
  }

  /// How a request stands, without the lock where nobody is at work on it.
  Result<Standing> look(const CommonName& name, const CertificateRequest* asked = nullptr) {
    // In this order: a decision is in the ledger before it is in the file.
    const auto file = authority.requests.read(name, asked);
    const auto ledger = authority.read_ledger();
    if (!ledger) return ledger.error();
    const bool is_damaged = !file && file.error().code == ErrorCode::kParseError;
    if (!is_in_progress(**ledger, name) && !is_damaged) {
      if (!file) return is_missing(file) ? not_there(name) : file.error();
      auto standing = standing_of(*file, **ledger);
      if (!standing || standing->doubt.empty() || is_known_doubt(name, *ledger)) return standing;
    }
    // Somebody may be changing it just now.
    const auto transaction = begin();
    if (!transaction) return transaction.error();
    auto standing = look(name, *transaction);
    if (standing && !standing->doubt.empty()) note_doubt(name);
    return standing;
  }

  /// Whether it was looked at under the lock while this ledger was in force: nobody decides without changing
  /// the ledger first.
  bool is_known_doubt(const CommonName& name, const std::shared_ptr<const LedgerState>& ledger) {
    const std::lock_guard lock(mutex);
    const auto found = doubtful.find(name);
    return found != doubtful.end() && found->second == ledger;
  }

  /// The caller holds the lock of the ledger.
  void note_doubt(const CommonName& name) {
    constexpr std::size_t kMost = 10'000;
    auto ledger = authority.read_ledger();
    if (!ledger) return;
    const std::lock_guard lock(mutex);
    if (doubtful.size() >= kMost) doubtful.clear();
    doubtful[name] = std::move(*ledger);
  }

  Result<Standing> look(const CommonName& name, const Transaction& transaction) {
    const auto file = authority.requests.read(name);
    if (!file) return is_missing(file) ? not_there(name) : file.error();
    return standing_of(*file, transaction.state());
  }

  static bool is_missing(const Result<CsrFile>& file) {
    return !file && file.error().code == ErrorCode::kNotFound;
  }

  /// Why nobody from elsewhere may have a name.
  Result<void> check_free(const CommonName& name, const LedgerState& ledger) const {
    if (auto checked = authority.check_name(name); !checked)
      return taken_error(name, "it is the authority's own");
    if (options.taken) {
      if (const auto why = options.taken(name.within(authority.instance).value_or(""))) {
        return taken_error(name, *why);
      }
    }
    if (!authority.is_local(ledger, name)) return {};
    return taken_error(name, "a certificate of this platform has it");
  }

  /// Nor one that is a record's as a whole: who shows such a certificate is the record's user.
  Result<void> check_no_record(const CommonName& name, std::string_view what_to_do = "") const {
    const auto why = options.taken ? options.taken(name.text()) : std::nullopt;
    return why ? taken_error(name, *why + std::string(what_to_do)) : Result<void>();
  }

  /// A local agent's name has one part behind the instance, a remote agent's two at least.
  Result<void> check_parts(const CommonName& name) const {
    if (name.within(authority.instance).value_or("").find('.') != std::string_view::npos) return {};
    return Error{ErrorCode::kInvalidArgument,
                 "\"" + name.text() + "\" is no name of a remote agent: it must be \"" + authority.instance +
                     ".<its instance>.<its identity>\"",
                 ""};
  }

  Result<void> check_new(const CommonName& name, const LedgerState& ledger) const {
    if (auto checked = check_parts(name); !checked) return checked;
    if (auto checked = check_free(name, ledger); !checked) return checked;
    return check_no_record(name);
  }

  /// Whether too many wait, asked of the disk once a second at most.
  Result<bool> is_full() {
    {
      const std::lock_guard lock(mutex);
      const Timestamp time = now();
      if (time < full_until && full_until <= time + kFullFor) return true;
    }
    const auto count = authority.requests.count_pending(options.pending);
    if (!count) return count.error();
    if (*count < options.pending) return false;
    const std::lock_guard lock(mutex);
    full_until = now() + kFullFor;
    return true;
  }
  static constexpr std::chrono::seconds kFullFor{1};

  void look_at_the_disk_again() {
    const std::lock_guard lock(mutex);
    full_until = {};
  }

  Error too_many() const {
    return Error{
        ErrorCode::kLimitExceeded,
        std::to_string(options.pending) + " requests wait already: an administrator must decide first", ""};
  }

  Result<CsrEntry> asked_again(const CertificateRequest& request, Standing standing) {
    const CommonName& name = request.common_name();
    if (standing.entry.key_fingerprint != request.key_fingerprint()) {
      return Error{ErrorCode::kConflict,
                   "\"" + name.text() +
                       "\" was asked for with another key: an administrator must delete that request first",
                   ""};
    }
    sightings.note(name, now());
    ++standing.entry.retries;
    standing.entry.last_seen = now();
    return std::move(standing.entry);
  }

  /// Of what is on the disk already: how it stands; nothing where the name is new.
  Result<std::optional<CsrEntry>> known(const CertificateRequest& request) {
    const CommonName& name = request.common_name();
    if (!authority.requests.has(name)) return std::optional<CsrEntry>();
    auto standing = look(name, &request);
    if (!standing && standing.error().code == ErrorCode::kNotFound) return std::optional<CsrEntry>();
    if (!standing && standing.error().code == ErrorCode::kParseError) {
      return Error{ErrorCode::kConflict,
                   "an earlier request of \"" + name.text() +
                       "\" cannot be read here: an administrator must delete it first",
                   ""};
    }
    if (!standing) return standing.error();
    auto entry = asked_again(request, std::move(*standing));
    if (!entry) return entry.error();
    return std::optional<CsrEntry>(std::move(*entry));
  }

  Result<CsrEntry> file_new(const CertificateRequest& request, std::string_view address) {
    const CommonName& name = request.common_name();
    {
      const auto transaction = begin();
      if (!transaction) return transaction.error();
      if (!authority.requests.has(name)) {
        if (auto checked = check_new(name, transaction->state()); !checked) return checked.error();
        const auto full = is_full();
        if (!full) return full.error();
        if (*full) return too_many();
        const CsrFile file{request, CsrStatus::kPending, shown_address(address), now()};
        if (auto added = authority.requests.add(file); !added) return added.error();
        auto standing = standing_of(file, transaction->state());
        return standing ? Result<CsrEntry>(std::move(standing->entry)) : standing.error();
      }
    }
    auto entry = known(request);  // somebody else has filed it meanwhile
    if (!entry) return entry.error();
    if (*entry) return std::move(**entry);
    return Error{ErrorCode::kBusy, "the request of \"" + name.text() + "\" is being changed: try again", ""};
  }

  Result<CsrEntry> request(const CertificateRequest& request, std::string_view address) {
    const CommonName& name = request.common_name();
    if (!name.within(authority.instance)) {
      return Error{ErrorCode::kInvalidArgument,
                   "\"" + name.text() + "\" is no name of this instance: it must begin with \"" +
                       authority.instance + ".\"",
                   ""};
    }
    auto present = known(request);
    if (!present) return present.error();
    if (*present) return std::move(**present);
    if (auto checked = check_parts(name); !checked) return checked.error();
    if (!new_names.take(source_of(address, IpAddress::parse(address)), now())) {
      return Error{ErrorCode::kBusy,
                   "this address asks for more than " + std::to_string(options.new_per_minute) +
                       " new names a minute: try again later",
                   ""};
    }
    const auto ledger = authority.read_ledger();
    if (!ledger) return ledger.error();
    if (auto checked = check_new(name, **ledger); !checked) return checked.error();
    const auto full = is_full();
    if (!full) return full.error();
    if (*full) return too_many();
    return file_new(request, address);
  }

  Result<CsrDecision> approve(const CommonName& name, const EditNote& note,
                              std::string_view key_fingerprint) {
    auto transaction = begin();
    if (!transaction) return transaction.error();
    auto standing = look(name, *transaction);
    if (!standing) return standing.error();
    if (!key_fingerprint.empty() && !is_same_fingerprint(key_fingerprint, standing->entry.key_fingerprint)) {
      return other_key(name, standing->entry.key_fingerprint);
    }
    if (standing->entry.status == CsrStatus::kApproved)
      return CsrDecision{std::move(standing->entry), {}, {}};
    if (auto checked = check_free(name, transaction->state()); !checked) return checked.error();
    if (!standing->has_ended) {  // a record may have been made for it since
      auto checked = check_no_record(name, ": remove the record, and make it again once this is approved");
      if (!checked) return checked.error();
    }
    auto adopted = transaction->adopt(name, authority.layout.remote(name.text()), Purpose::kRequested);
    if (!adopted) return adopted.error();
    if (auto checked = transaction->check_place(name); !checked) return checked.error();
    const auto certificate = sign_once(*transaction, standing->entry);
    if (!certificate) return certificate.error();
    LedgerNote ledger_note = note_of(Operation::kApprove, name, note);
    ledger_note.before = audit_json(standing->entry);
    standing->entry.status = CsrStatus::kApproved;
    standing->entry.certificate = *certificate;
    ledger_note.after = audit_json(standing->entry);
    if (auto done = transaction->commit(std::move(ledger_note)); !done) return done.error();
    return CsrDecision{std::move(standing->entry), {}, transaction->warnings()};
  }

  /// The one certificate of a request: signed, unless a good one was before. Of any other key there is none
  /// after that.
  Result<Certificate> sign_once(Transaction& transaction, const CsrEntry& entry) const {
    const CommonName& name = entry.common_name;
    transaction.revoke(
        name, [&](const LedgerEntry& item) { return item.key_fingerprint != entry.key_fingerprint; });
    if (const LedgerEntry* present = transaction.state().current(name.text(), Purpose::kRequested)) {
      auto certificate = certificate_of(*present);
      if (!certificate || now() < certificate->not_after) return certificate;
    }
    const auto request = CertificateRequest::parse(entry.csr);
    if (!request) return request.error();
    const auto key = public_key_of(*request);
    if (!key) return key.error();
    return transaction.issue(name, Purpose::kRequested, {}, *key);
  }

  /// Notes as revoked whatever was issued for a request; false where there was nothing.
  Result<bool> revoke(Transaction& transaction, const CommonName& name) const {
    const auto adopted = transaction.adopt(name, authority.layout.remote(name.text()), Purpose::kRequested);
    const bool any =
        transaction.revoke(name, [](const LedgerEntry& item) { return item.purpose == Purpose::kRequested; });
    if (!adopted && !any) return adopted.error();
    if (!adopted) transaction.warn(adopted.error().to_string());
    return any;
  }

  Result<CsrDecision> deny(const CommonName& name, const EditNote& note) {
    auto transaction = begin();
    if (!transaction) return transaction.error();
    auto standing = look(name, *transaction);
    if (!standing) return standing.error();
    const auto revoked = revoke(*transaction, name);
    if (!revoked) return revoked.error();
    LedgerNote ledger_note = note_of(Operation::kDeny, name, note);
    ledger_note.before = audit_json(standing->entry);
    const bool is_so_already =
        standing->entry.status == CsrStatus::kDenied && standing->doubt.empty() && !*revoked;
    standing->entry.status = CsrStatus::kDenied;
    standing->entry.certificate.reset();
    if (is_so_already) return CsrDecision{std::move(standing->entry), {}, {}};
    ledger_note.after = audit_json(standing->entry);
    if (auto done = transaction->commit(std::move(ledger_note)); !done) return done.error();
    return CsrDecision{std::move(standing->entry), {}, transaction->warnings()};
  }

  Result<CsrDecision> remove(const CommonName& name, const EditNote& note) {
    auto transaction = begin();
    if (!transaction) return transaction.error();
    if (!authority.requests.has(name)) return not_there(name);
    if (auto checked = authority.requests.check_removable(name); !checked) return checked.error();
    const auto standing = look(name, *transaction);
    CsrEntry entry{name, CsrStatus::kPending, "", "", "", "", std::nullopt, std::nullopt, 0, std::nullopt};
    if (standing) entry = standing->entry;
    if (auto revoked = revoke(*transaction, name); !revoked) return revoked.error();
    LedgerNote ledger_note = note_of(Operation::kRemove, name, note);
    ledger_note.before = audit_json(entry);
    if (auto done = transaction->commit(std::move(ledger_note)); !done) return done.error();
    CsrDecision out{std::move(entry), {}, transaction->warnings()};
    if (auto forgotten = sightings.forget(name); !forgotten) {
      out.warnings.push_back(forgotten.error().to_string());
    }
    return out;
  }

  /// Whether the broker is to have a user for a name.
  /// \return an error where that cannot be told just now
  Result<bool> is_admitted(const CommonName& name) {
    const auto standing = look(name);
    if (standing) return standing->entry.status == CsrStatus::kApproved;
    const ErrorCode code = standing.error().code;
    if (code == ErrorCode::kNotFound || code == ErrorCode::kParseError) return false;
    // What is decided, and not finished: it is in the ledger, and nothing takes it back.
    const auto ledger = authority.read_ledger();
    const bool is_withdrawn = ledger && is_in_progress(**ledger, name) &&
                              (*ledger)->current(name.text(), Purpose::kRequested) == nullptr;
    return is_withdrawn ? Result<bool>(false) : standing.error();
  }

  /// Lets the broker know how a request stands, also where others decide at the same time: the last one wins.
  std::optional<Error> tell_broker(const CommonName& name) {
    constexpr int kMostTries = 10;
    if (!options.users) return std::nullopt;
    std::optional<bool> told;
    for (int i = 0; i < kMostTries; ++i) {
      const auto is_in = is_admitted(name);
      if (!is_in) return is_in.error();
      if (told == *is_in) return std::nullopt;
      auto done = *is_in ? options.users->admit(name) : options.users->expel(name);
      if (!done) return done.error();
      told = *is_in;
    }
    return Error{ErrorCode::kBusy, "others decide about \"" + name.text() + "\" again and again", ""};
  }

  /// Tells the broker of what was finished here for others; what it does not hear is kept for the next time.
  void tell_of_others() {
    std::set<CommonName> names;
    {
      const std::lock_guard lock(mutex);
      names.swap(untold);
    }
    for (const CommonName& name : names) {
      if (!tell_broker(name)) continue;
      const std::lock_guard lock(mutex);
      untold.insert(name);
    }
  }

  /// Before the broker is told of all.
  void forget_untold() {
    const std::lock_guard lock(mutex);
    untold.clear();
  }

  /// The result of an operation that may have finished what others began.
  template <typename T>
  T and_tell(T result) {
    tell_of_others();
    return result;
  }

  /// The broker hears also of a decision that stands and could not be finished.
  Result<CsrDecision> decided(const CommonName& name, Result<CsrDecision> decision) {
    if (decision) {
      look_at_the_disk_again();
      decision->broker_problem = tell_broker(name);
    } else if (const auto ledger = authority.read_ledger(); ledger && is_in_progress(**ledger, name)) {
      const std::lock_guard lock(mutex);
      untold.insert(name);
    }
    return and_tell(std::move(decision));
  }

  /// Those that are approved. One whose files cannot be read is given out to nobody, and keeps no other from
  /// being told.
  Result<std::vector<CommonName>> approved() {
    const auto names = authority.requests.names();
    if (!names) return names.error();
    if (const auto ledger = authority.read_ledger(); !ledger) return ledger.error();
    std::vector<CommonName> out;
    for (const CommonName& name : *names) {
      const auto standing = look(name);
      if (standing && standing->entry.status == CsrStatus::kApproved) out.push_back(name);
      if (standing || standing.error().code == ErrorCode::kNotFound) continue;
      if (const auto transaction = begin(); !transaction) return transaction.error();  // it is not the file
    }
    return out;
  }
};

CsrStore::CsrStore(CertificateAuthority authority, Options options)
    : impl_(std::make_unique<Impl>(std::move(authority), std::move(options))) {}
CsrStore::CsrStore(CsrStore&&) noexcept = default;
CsrStore& CsrStore::operator=(CsrStore&&) noexcept = default;

CsrStore::~CsrStore() {
  if (impl_) static_cast<void>(flush());  // counts, which a kill loses too
}

const CertificateAuthority& CsrStore::authority() const noexcept { return impl_->handle; }

Result<CsrEntry> CsrStore::request(std::string_view pem, std::string_view address) {
  const auto parsed = CertificateRequest::parse(pem);
  if (!parsed) return parsed.error();
  return request(*parsed, address);
}

Result<CsrEntry> CsrStore::request(const CertificateRequest& request, std::string_view address) {
  return impl_->and_tell(impl_->request(request, address));
}

Result<std::vector<CsrEntry>> CsrStore::list(std::vector<std::string>* warnings) const {
  std::vector<std::string> unread;
  const auto names = impl_->authority.requests.names(&unread);
  if (!names) return names.error();
  if (auto reloaded = impl_->sightings.reload(); !reloaded) unread.push_back(reloaded.error().to_string());
  std::vector<CsrEntry> out;
  for (const CommonName& name : *names) {
    auto standing = impl_->look(name);
    if (standing) {
      const std::string remark = standing->remark();
      if (!remark.empty()) unread.push_back("\"" + name.text() + "\": " + remark);
      out.push_back(std::move(standing->entry));
      continue;
    }
    const ErrorCode code = standing.error().code;
    if (code == ErrorCode::kNotFound) continue;  // deleted meanwhile
    if (code == ErrorCode::kBusy || code == ErrorCode::kConflict) return standing.error();
    unread.push_back(standing.error().to_string());
  }
  impl_->tell_of_others();
  if (warnings != nullptr) warnings->insert(warnings->end(), unread.begin(), unread.end());
  return out;
}

Result<CsrEntry> CsrStore::get(const CommonName& name) const {
  static_cast<void>(impl_->sightings.reload());  // list() tells what is wrong with them
  auto standing = impl_->and_tell(impl_->look(name));
  if (!standing) return standing.error();
  return std::move(standing->entry);
}

Result<CsrDecision> CsrStore::approve(const CommonName& name, const EditNote& note,
                                      std::string_view key_fingerprint) {
  return impl_->decided(name, impl_->approve(name, note, key_fingerprint));
}

Result<CsrDecision> CsrStore::deny(const CommonName& name, const EditNote& note) {
  return impl_->decided(name, impl_->deny(name, note));
}

Result<CsrDecision> CsrStore::remove(const CommonName& name, const EditNote& note) {
  return impl_->decided(name, impl_->remove(name, note));
}

Result<void> CsrStore::reconcile() {
  constexpr int kMostTries = 10;
  if (!impl_->options.users) return {};
  std::optional<std::vector<CommonName>> told;
  for (int i = 0; i < kMostTries; ++i) {
    auto approved = impl_->approved();
    if (!approved) return approved.error();
    if (told == *approved) return {};
    impl_->forget_untold();
    if (auto done = impl_->options.users->admit_only(*approved); !done) return done;
    told = std::move(*approved);
  }
  return Error{ErrorCode::kBusy, "others decide about requests again and again", ""};
}

Result<void> CsrStore::flush() {
  if (!impl_->sightings.has_unwritten()) return {};
  const auto names = impl_->authority.requests.names();
  if (!names) return names.error();
  return impl_->sightings.flush(*names);
}

}  // namespace vipauth
