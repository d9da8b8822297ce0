#include "auth/remote.hpp"

#include <ostream>
#include <utility>
#include <vector>

#include <vipauth/auth_service.hpp>

#include "auth/advice.hpp"
#include "auth/record_fields.hpp"
#include "home.hpp"
#include "output.hpp"
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
  options.log = [&context](LogLevel level, const std::string& line) {
    const bool is_trouble = level == LogLevel::kWarning || level == LogLevel::kError;
    if (is_trouble) warn(context, line);
  };
  return AuthService::open(home->path(), std::move(options));
}

Json document(const Authorization& authorization) {
  Json out(Json::Object{{"user_id", authorization.user_id},
                        {"address", authorization.address},
                        {"status", to_string(authorization.status)},
                        {"domain", authorization.domain},
                        {"mechanism", to_string(authorization.mechanism)},
                        {"credentials", authorization.credentials}});
  if (authorization.status == AuthorizationStatus::kPending) {
    out.set("retries", static_cast<std::int64_t>(authorization.retries));
    if (authorization.first_seen) out.set("first_seen", format_timestamp(*authorization.first_seen));
    if (authorization.last_seen) out.set("last_seen", format_timestamp(*authorization.last_seen));
  }
  return out;
}

/// An address for people: "-" where there is none, so that columns stay columns.
std::string shown_address(const Authorization& authorization) {
  return authorization.address.empty() ? "-" : authorization.address;
}

/// Prints what became of the peer that was named `asked`.
int report(const Context& context, const char* verb, const std::string& asked,
           const Result<Authorization>& authorization) {
  if (!authorization) return fail(context, authorization.error());
  if (context.options.json) {
    print_document(context, Json::Object{{verb, document(*authorization)}});
  } else {
    context.env.out << verb << ' ' << printable(asked);
    if (authorization->user_id != asked) context.env.out << " as " << printable(authorization->user_id);
    context.env.out << " (address " << printable(shown_address(*authorization)) << ")\n";
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

using Lister = Result<std::vector<Authorization>> (AuthService::*)() const;

/// A status by the word that --status takes.
struct Listed {
  std::string_view word;
  Lister get;
};
constexpr Listed kListed[] = {{"pending", &AuthService::get_pending_authorizations},
                              {"approved", &AuthService::get_approved_authorizations},
                              {"denied", &AuthService::get_denied_authorizations}};

bool is_status(std::string_view word) {
  for (const Listed& listed : kListed) {
    if (listed.word == word) return true;
  }
  return false;
}

}  // namespace

int remote_list(const RemoteListOptions& options, const Context& context) {
  const std::string status = to_lower(options.status.value_or(""));
  if (options.status && !is_status(status)) {
    return fail_usage(
        context,
        "Invalid parameter. Please use 'approved', 'denied', 'pending', or leave blank to list all.");
  }
  const auto service = open_service(context);
  if (!service) return fail(context, service.error());

  std::vector<Authorization> all;
  for (const Listed& listed : kListed) {
    if (!status.empty() && status != listed.word) continue;
    auto some = ((*service).*listed.get)();
    if (!some) return fail(context, some.error());
    std::move(some->begin(), some->end(), std::back_inserter(all));
  }

  if (context.options.json) {
    Json::Array documents;
    for (const Authorization& authorization : all) documents.push_back(document(authorization));
    print_document(context, Json::Object{{"remote", std::move(documents)}});
  } else if (all.empty()) {
    context.env.out << "No " << status << (status.empty() ? "" : " ")
                    << "remote certificates or credentials\n";
  } else {
    std::vector<Row> rows{{"USER_ID", "ADDRESS", "STATUS"}};
    for (const Authorization& authorization : all) {
      rows.push_back({authorization.user_id, shown_address(authorization),
                      std::string(to_string(authorization.status))});
    }
    context.env.out << format_table(rows);
  }
  return kExitDone;
}

int remote_approve(const RemoteApproveOptions& options, const Context& context) {
  const auto approval = read_approval(options);
  if (!approval) return fail(context, approval.error());
  auto service = open_service(context);
  if (!service) return fail(context, service.error());
  const int exit_code = report(context, "approved", options.user_id,
                               service->approve_authorization(options.user_id, *approval));
  if (exit_code == kExitDone) warn_about(context, *approval);
  return exit_code;
}

int remote_deny(const RemoteUser& user, const Context& context) {
  auto service = open_service(context);
  if (!service) return fail(context, service.error());
  return report(context, "denied", user.user_id, service->deny_authorization(user.user_id));
}

int remote_delete(const RemoteUser& user, const Context& context) {
  auto service = open_service(context);
  if (!service) return fail(context, service.error());
  return report(context, "deleted", user.user_id, service->delete_authorization(user.user_id));
}

}  // namespace vipauth::vctl::auth
