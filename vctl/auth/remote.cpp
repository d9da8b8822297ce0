#include "auth/remote.hpp"

#include <memory>
#include <ostream>
#include <utility>
#include <vector>

#include <vipauth/auth_service.hpp>
#include <vipauth/csr_names.hpp>
#include <vipauth/csr_store.hpp>
#include <vipauth/remote_peers.hpp>

#include "auth/advice.hpp"
#include "auth/certificate_home.hpp"
#include "auth/record_fields.hpp"
#include "auth/remote_csr.hpp"
#include "csr_desk.hpp"
#include "home.hpp"
#include "output.hpp"
#include "platform.hpp"
#include "store.hpp"
#include "value_text.hpp"

namespace vipauth::vctl::auth {
namespace {

Result<AuthService> open_service(const Context& context) {
  const auto home = Home::open(context);
  if (!home) return home.error();
  AuthService::Options options;
  options.watch = false;
  options.clock = context.env.clock;
  options.strict_modes = context.options.strict_modes;
  options.edit_note = edit_note(context);
  if (const auto own = home->check_edited_here(); !own) options.store = refusing_store(own.error());
  options.log = [&context](LogLevel level, const std::string& line) {
    const bool is_trouble = level == LogLevel::kWarning || level == LogLevel::kError;
    if (is_trouble) warn(context, line);
  };
  return AuthService::open(home->path(), std::move(options));
}

/// \param with_kind  there are other kinds
Json document(const Authorization& authorization, bool with_kind) {
  Json out = Json::Object();
  if (with_kind) out.set("kind", "credentials");
  out.set("user_id", authorization.user_id);
  out.set("address", authorization.address);
  out.set("status", to_string(authorization.status));
  out.set("domain", authorization.domain);
  out.set("mechanism", to_string(authorization.mechanism));
  out.set("credentials", authorization.credentials);
  if (authorization.status == AuthorizationStatus::kPending) {
    out.set("retries", static_cast<std::int64_t>(authorization.retries));
    if (authorization.first_seen) out.set("first_seen", format_timestamp(*authorization.first_seen));
    if (authorization.last_seen) out.set("last_seen", format_timestamp(*authorization.last_seen));
  }
  if (!authorization.site.empty()) out.set("site", authorization.site);
  return out;
}

/// An address for people: "-" where there is none, so that columns stay columns.
std::string shown_address(const Authorization& authorization) {
  return authorization.address.empty() ? "-" : authorization.address;
}

/// Whether a report says whose key it is about.
enum class WithKey { kYes, kNo };

/// Prints what became of the peer that was named `asked`.
int report(const Context& context, const char* verb, const std::string& asked, bool with_kind,
           const Result<Authorization>& authorization, WithKey with_key = WithKey::kNo) {
  if (!authorization) return fail(context, authorization.error());
  if (context.options.json) {
    print_document(context, Json::Object{{verb, document(*authorization, with_kind)}});
  } else {
    context.env.out << verb << ' ' << printable(asked);
    if (authorization->user_id != asked) context.env.out << " as " << printable(authorization->user_id);
    context.env.out << " (address " << printable(shown_address(*authorization));
    const bool has_key = authorization->mechanism == Mechanism::kCurve && !authorization->credentials.empty();
    if (with_key == WithKey::kYes && has_key)
      context.env.out << ", key " << printable(authorization->credentials);
    context.env.out << ")\n";
  }
  context.env.out.flush();
  return kExitDone;
}

/// What the options ask for. Texts are read as `add` reads them.
Result<Approval> read_approval(const RemoteApproveOptions& options) {
  Approval approval;
  approval.any_address = options.any_address;
  const auto read_name = [](const char* option, const std::optional<std::string>& text,
                            std::optional<std::string>& out) -> Result<void> {
    if (!text) return {};
    if (text->empty()) return Error{ErrorCode::kInvalidArgument, "is empty: leave the option out", option};
    const auto value = parse_field("user_id", *text, Mechanism::kNull);
    if (!value) return value.error().at(option);
    out = *text;
    return {};
  };
  const auto read_names = [](const char* option, const std::optional<std::string>& text,
                             std::optional<std::vector<std::string>>& out) -> Result<void> {
    if (!text) return {};
    auto names = parse_names_text(*text);
    if (!names) return names.error().at(option);
    out = std::move(*names);
    return {};
  };
  if (auto done = read_name("--user-id", options.new_user_id, approval.user_id); !done) return done.error();
  if (auto done = read_name("--identity", options.identity, approval.identity); !done) return done.error();
  if (auto done = read_names("--roles", options.roles, approval.roles); !done) return done.error();
  if (auto done = read_names("--groups", options.groups, approval.groups); !done) return done.error();
  if (options.capabilities) {
    auto capabilities = parse_capabilities_text(*options.capabilities);
    if (!capabilities) return capabilities.error().at("--capabilities");
    approval.capabilities = std::move(*capabilities);
  }
  if (options.credentials) {
    const auto key = CurveKey::parse(*options.credentials);
    if (!key) return key.error().at("--credentials");
    approval.credentials = *key;
  }
  return approval;
}

/// Warns about what the approval gives and probably does not mean.
void warn_about(const Context& context, const Approval& approval) {
  AuthRecord record;
  record.roles = approval.roles.value_or(std::vector<std::string>());
  record.groups = approval.groups.value_or(std::vector<std::string>());
  if (approval.capabilities) {
    record.capabilities = parse_capabilities(*approval.capabilities).value_or(std::vector<Capability>());
  }
  for (const std::string& warning : half_slashed(record)) warn(context, warning);
  const auto home = Home::open(context);
  if (!home) return;
  const auto policy = home->load_policy();
  if (!policy) return;
  for (const std::string& warning : unknown_names(*policy, record)) warn(context, warning);
}

/// A status by the word that --status takes.
struct Listed {
  std::string_view word;
  AuthorizationStatus status;
  CsrStatus csr_status;
};
constexpr Listed kListed[] = {{"pending", AuthorizationStatus::kPending, CsrStatus::kPending},
                              {"approved", AuthorizationStatus::kApproved, CsrStatus::kApproved},
                              {"denied", AuthorizationStatus::kDenied, CsrStatus::kDenied}};

bool is_status(std::string_view word) {
  for (const Listed& listed : kListed) {
    if (listed.word == word) return true;
  }
  return false;
}

/// What is listed of both kinds.
struct Listing {
  std::vector<Row> rows{{"USER_ID", "ADDRESS", "STATUS", "CREDENTIALS", "SITE"}};
  Json::Array documents;
  bool has_strangers = false;  // whose keys are to be compared
  bool has_sites = false;

  void add(const Authorization& authorization, bool with_kind) {
    const bool is_stranger = authorization.status == AuthorizationStatus::kPending;
    rows.push_back({authorization.user_id, shown_address(authorization),
                    std::string(to_string(authorization.status)),
                    is_stranger && !authorization.credentials.empty() ? authorization.credentials : "-",
                    authorization.site.empty() ? "-" : authorization.site});
    has_strangers = has_strangers || is_stranger;
    has_sites = has_sites || !authorization.site.empty();
    documents.push_back(document(authorization, with_kind));
  }
  void add(const FleetCsr& csr) {
    const CsrEntry& entry = csr.request;
    rows.push_back({entry.common_name.text(), entry.address.empty() ? "-" : entry.address,
                    std::string(to_string(entry.status)), "-", csr.site.empty() ? "-" : csr.site});
    has_sites = has_sites || !csr.site.empty();
    documents.push_back(csr_document(csr));
  }
  std::string table() && {
    constexpr std::ptrdiff_t kCredentialsColumn = 3;
    for (Row& row : rows) {
      if (!has_sites) row.pop_back();
      if (!has_strangers) row.erase(row.begin() + kCredentialsColumn);
    }
    return format_table(rows);
  }
};

/// The peers of a home's bus.
class Peers {
 public:
  Peers() = default;
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;
  virtual ~Peers() = default;

  virtual Result<Authorization> approve(const std::string& user_id, const Approval& approval) = 0;
  virtual Result<Authorization> deny(const std::string& user_id) = 0;
  virtual Result<Authorization> remove(const std::string& user_id) = 0;
  virtual Result<std::vector<Authorization>> list(AuthorizationStatus status) = 0;
  virtual bool knows(const std::string& user_id) = 0;
};

/// By files, or over a bus: `Administrator` is an AuthService or a RemoteAdministration&.
template <typename Administrator>
class PeersOf : public Peers {
 public:
  explicit PeersOf(Administrator&& by) : by_(std::forward<Administrator>(by)) {}

  Result<Authorization> approve(const std::string& user_id, const Approval& approval) override {
    return by_.approve_authorization(user_id, approval);
  }
  Result<Authorization> deny(const std::string& user_id) override { return by_.deny_authorization(user_id); }
  Result<Authorization> remove(const std::string& user_id) override {
    return by_.delete_authorization(user_id);
  }
  Result<std::vector<Authorization>> list(AuthorizationStatus status) override {
    switch (status) {
      case AuthorizationStatus::kPending: return by_.get_pending_authorizations();
      case AuthorizationStatus::kApproved: return by_.get_approved_authorizations();
      case AuthorizationStatus::kDenied: return by_.get_denied_authorizations();
      case AuthorizationStatus::kUnknown: break;
    }
    return std::vector<Authorization>();
  }
  bool knows(const std::string& user_id) override {
    for (const Listed& listed : kListed) {
      const auto peers = list(listed.status);
      if (!peers) continue;
      for (const Authorization& peer : *peers) {
        if (peer.user_id == user_id) return true;
      }
    }
    return false;
  }

 private:
  Administrator by_;
};

/// Those of a store.
class PeersOfStore final : public Peers {
 public:
  PeersOfStore(const Home& home, const Context& context)
      : by_(*context.store, home.edit_options(),
            [&context](LogLevel, const std::string& line) { warn(context, line); }) {}

  Result<Authorization> approve(const std::string& user_id, const Approval& approval) override {
    return by_.approve(user_id, approval);
  }
  Result<Authorization> deny(const std::string& user_id) override { return by_.deny(user_id); }
  Result<Authorization> remove(const std::string& user_id) override { return by_.remove(user_id); }
  Result<std::vector<Authorization>> list(AuthorizationStatus status) override { return by_.list(status); }
  bool knows(const std::string& user_id) override { return by_.find(user_id).has_value(); }

 private:
  RemotePeers by_;
};

/// The peers, and the requests for certificates where there are any.
struct Remote {
  std::unique_ptr<Peers> peers;
  std::shared_ptr<CsrDesk> requests;  ///< null: there are none
  std::optional<Error> problem;       ///< why there are none, where there should be

  /// Whether a list has to tell the kinds apart.
  bool has_kinds() const { return requests || problem; }

  static Result<Remote> open(const Context& context) {
    const auto home = Home::open(context);
    if (!home) return home.error();
    if (context.platform) {  // its requests for certificates are decided at its web service
      RemoteAdministration& administration = context.platform->administration();
      return Remote{std::make_unique<PeersOf<RemoteAdministration&>>(administration), nullptr, std::nullopt};
    }
    if (context.store) return of_store(*home, context);
    auto service = open_service(context);
    if (!service) return service.error();
    const auto names = names_in(service->policy());
    Remote remote{std::make_unique<PeersOf<AuthService>>(*std::move(service)), nullptr, std::nullopt};
    if (!has_requests(*home)) return remote;
    auto requests = open_requests(*home, names);
    if (!requests) {
      remote.problem = requests.error();
    } else {
      remote.requests = desk_of(context, *std::move(requests));
    }
    return remote;
  }

  /// Of a store that tells of no requests for certificates there are credentials alone.
  static Result<Remote> of_store(const Home& home, const Context& context) {
    Remote remote{std::make_unique<PeersOfStore>(home, context), nullptr, std::nullopt};
    auto desk = open_store_desk(context);
    if (!desk) return desk.error().at("--store");
    std::vector<std::string> warnings;
    const auto all = (*desk)->list(warnings);
    if (!all) {
      remote.problem = all.error();
    } else if (!all->empty() || !warnings.empty()) {
      remote.requests = *std::move(desk);
    }
    return remote;
  }
};

/// Which kind a name is of. What is of none is left to the service, which says so.
Result<RemoteKind> kind_of(const Remote& remote, const std::string& user_id, std::optional<RemoteKind> told) {
  const auto name = CommonName::parse(user_id);
  const bool is_csr = remote.requests && name && remote.requests->knows(*name);
  const bool may_be_csr = remote.problem && told != RemoteKind::kCredentials;
  if (may_be_csr && (told || !remote.peers->knows(user_id))) return *remote.problem;
  if (told == RemoteKind::kCsr && !is_csr) {
    return Error{ErrorCode::kNotFound, "no agent has asked for a certificate as \"" + user_id + "\"", ""};
  }
  if (told) return *told;
  if (!is_csr) return RemoteKind::kCredentials;
  if (remote.peers->knows(user_id)) {
    return Error{
        ErrorCode::kConflict,
        "\"" + user_id +
            "\" is the name of a request for a certificate and of credentials: say which by --kind csr or "
            "--kind credentials",
        ""};
  }
  return RemoteKind::kCsr;
}

/// The first option that only credentials have; null where none was given.
const char* option_of_credentials(const RemoteApproveOptions& options) {
  if (options.new_user_id) return "--user-id";
  if (options.identity) return "--identity";
  if (options.roles) return "--roles";
  if (options.groups) return "--groups";
  if (options.capabilities) return "--capabilities";
  if (options.credentials) return "--credentials";
  return options.any_address ? "--any-address" : nullptr;
}

using CsrDecide = Result<FleetCsrDecision> (CsrDesk::*)(const CommonName&);

/// Runs one of two decisions on the peer of that name, whatever kind it is of.
template <typename Decide>
int decide(const Context& context, const char* verb, const RemoteUser& user, CsrDecide decide_csr,
           Decide decide_peer) {
  auto remote = Remote::open(context);
  if (!remote) return fail(context, remote.error());
  const auto kind = kind_of(*remote, user.user_id, user.kind);
  if (!kind) return fail(context, kind.error());
  if (*kind == RemoteKind::kCsr) {
    return report_csr(context, verb, ((*remote->requests).*decide_csr)(*CommonName::parse(user.user_id)));
  }
  return report(context, verb, user.user_id, remote->has_kinds(), decide_peer(*remote->peers));
}

}  // namespace

int remote_list(const RemoteListOptions& options, const Context& context) {
  const std::string status = to_lower(options.status.value_or(""));
  if (options.status && !is_status(status)) {
    return fail_usage(
        context,
        "Invalid parameter. Please use 'approved', 'denied', 'pending', or leave blank to list all.");
  }
  const auto remote = Remote::open(context);
  if (!remote) return fail(context, remote.error());

  std::vector<FleetCsr> entries;
  if (remote->requests) {
    std::vector<std::string> warnings;
    auto listed = remote->requests->list(warnings);
    if (!listed) return fail(context, listed.error());
    entries = *std::move(listed);
    for (const std::string& warning : warnings) warn(context, warning);
  }
  Listing listing;
  for (const Listed& listed : kListed) {
    if (!status.empty() && status != listed.word) continue;
    const auto some = remote->peers->list(listed.status);
    if (!some) return fail(context, some.error());
    for (const Authorization& authorization : *some) listing.add(authorization, remote->has_kinds());
    for (const FleetCsr& entry : entries) {
      if (entry.request.status != listed.csr_status) continue;
      listing.add(entry);
      warn_about(context, entry);
    }
  }

  if (context.options.json) {
    print_document(context, Json::Object{{"remote", std::move(listing.documents)}});
  } else if (listing.documents.empty()) {
    context.env.out << "No " << status << (status.empty() ? "" : " ")
                    << "remote certificates or credentials\n";
  } else {
    context.env.out << std::move(listing).table();
  }
  if (!remote->problem) return kExitDone;
  context.env.out.flush();
  warn(context, "requests for certificates are not listed: " + remote->problem->to_string());
  return kExitFailed;
}

int remote_approve(const RemoteApproveOptions& options, const Context& context) {
  const auto approval = read_approval(options);
  if (!approval) return fail(context, approval.error());
  auto remote = Remote::open(context);
  if (!remote) return fail(context, remote.error());
  const auto kind = kind_of(*remote, options.user_id, options.kind);
  if (!kind) return fail(context, kind.error());
  if (*kind == RemoteKind::kCsr) {
    if (const char* option = option_of_credentials(options)) {
      return fail_usage(context, std::string(option) + " is for ZeroMQ credentials: \"" + options.user_id +
                                     "\" asks for a certificate, which has the name that it asks for alone");
    }
    return report_csr(
        context, "approved",
        remote->requests->approve(*CommonName::parse(options.user_id), options.fingerprint.value_or("")));
  }
  if (options.fingerprint) {
    return fail_usage(context, "--fingerprint is for requests for certificates: \"" + options.user_id +
                                   "\" is the name of credentials");
  }
  const int exit_code = report(context, "approved", options.user_id, remote->has_kinds(),
                               remote->peers->approve(options.user_id, *approval), WithKey::kYes);
  if (exit_code == kExitDone) warn_about(context, *approval);
  return exit_code;
}

int remote_deny(const RemoteUser& user, const Context& context) {
  return decide(context, "denied", user, &CsrDesk::deny,
                [&](Peers& peers) { return peers.deny(user.user_id); });
}

int remote_delete(const RemoteUser& user, const Context& context) {
  return decide(context, "deleted", user, &CsrDesk::remove,
                [&](Peers& peers) { return peers.remove(user.user_id); });
}

int remote_sync(const Context& context) {
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  const auto config = home->load_config();
  if (!config) return fail(context, config.error());
  if (!broker_users(*home, *config)) {
    return fail(context,
                Error{ErrorCode::kNotFound, "the configuration names no broker: see rmq-management-url", ""});
  }
  const auto service = open_service(context);
  if (!service) return fail(context, service.error());
  if (!has_requests(*home)) {
    return fail(context, Error{ErrorCode::kNotFound, "no other platform has asked for a certificate", ""});
  }
  auto requests = open_requests(*home, names_in(service->policy()));
  if (!requests) return fail(context, requests.error());
  if (auto done = requests->reconcile(); !done) return fail(context, done.error());
  const auto entries = requests->list();
  if (!entries) return fail(context, entries.error());
  Json::Array approved;
  for (const CsrEntry& entry : *entries) {
    if (entry.status == CsrStatus::kApproved) approved.emplace_back(entry.common_name.text());
  }
  if (context.options.json) {
    print_document(context, Json::Object{{"approved", std::move(approved)}});
  } else {
    context.env.out << "the broker has the users of " << approved.size() << " approved request"
                    << (approved.size() == 1 ? "" : "s") << '\n';
  }
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
