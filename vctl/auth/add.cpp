#include "auth/add.hpp"

#include <optional>
#include <ostream>
#include <utility>
#include <vector>

#include <vipauth/python_repr.hpp>

#include "auth/add_known_host.hpp"
#include "auth/advice.hpp"
#include "auth/record_view.hpp"
#include "home.hpp"
#include "output.hpp"
#include "prompt.hpp"

namespace vipauth::vctl::auth {
namespace {

/// Asks for one field; false at the end of input.
bool ask_field(const Context& context, const RecordField& field, Json& record) {
  const std::string name(field.name);
  Question question;
  question.prompt = name + std::string(field.hint) + " [" + std::string(field.preset) + "]: ";
  question.is_secret = name == "credentials" && mechanism_of(record) == Mechanism::kPlain;
  question.take = [&](const Answer& answer) { return set_field(record, name, answer.text); };
  return ask(context, question);
}

Result<Json> record_from_answers(const Context& context) {
  Json record((Json::Object()));
  for (const RecordField& field : kAskedFields) {
    if (!ask_field(context, field, record)) return end_of_input();
  }
  return record;
}

/// The mechanism first, for it says what credentials are.
Result<Json> record_from_options(const AddOptions& options, const Context& context) {
  Json record((Json::Object()));
  const auto set = [&](const std::string& name, const std::string& text) -> Result<void> {
    if (text.empty() && !may_be_empty(name)) {
      return Error{ErrorCode::kInvalidArgument, "is empty: leave the option out for none", "--" + name};
    }
    if (auto done = set_field(record, name, text); !done) return at_option(name, done.error());
    return {};
  };
  if (const auto mechanism = options.fields.find("mechanism"); mechanism != options.fields.end()) {
    if (auto done = set(mechanism->first, mechanism->second); !done) return done.error();
  }
  for (const auto& [name, text] : options.fields) {
    if (name == "mechanism") continue;
    if (auto done = set(name, text); !done) return done.error();
  }
  if (options.is_disabled) record.set("enabled", false);

  const bool has_credentials = record.find("credentials") != nullptr;
  if (mechanism_of(record) != Mechanism::kPlain) {
    if (has_credentials) return record;
    if (auto done = set_field(record, "credentials", ""); !done)
      return at_option("credentials", done.error());
    return record;
  }
  if (has_credentials) {
    warn(context, kPasswordOnCommandLine);
    return record;
  }
  if (!ask_password(context, record)) return end_of_input();
  return record;
}

std::string field_repr(const Json& record, std::string_view name) {
  const Json* value = record.find(name);
  return std::string(name) + "=" + python_repr(value == nullptr ? Json() : *value);
}

/// The line that VOLTTRON prints, without a password.
std::string summary(const Json& source, Mechanism mechanism) {
  Json shown = source;
  if (mechanism == Mechanism::kPlain) shown.set("credentials", "(hashed)");
  return field_repr(shown, "domain") + ", " + field_repr(shown, "address") + ", " +
         field_repr(shown, "mechanism") + ", " + field_repr(shown, "credentials") + ", " +
         field_repr(shown, "user_id");
}

/// The address and the key that go to known_hosts.
struct KnownHost {
  std::string address;
  CurveKey key;
};

Result<KnownHost> known_host_of(const Json& record) {
  const auto refused = [](std::string why, const char* option) {
    return Error{ErrorCode::kInvalidArgument, std::move(why) + " for --add-known-host", option};
  };
  const Json* address = record.find("address");
  if (address == nullptr || address->is_null()) return refused("is needed", "--address");
  if (!address->is_string() || Pattern::looks_like_regex(address->as_string())) {
    return refused("must be one address, not a pattern,", "--address");
  }
  if (auto host = KnownHosts::host_key(address->as_string()); !host) return host.error().at("--address");
  const Json* credentials = record.find("credentials");
  auto key = mechanism_of(record) == Mechanism::kCurve && credentials != nullptr && credentials->is_string()
                 ? CurveKey::parse(credentials->as_string())
                 : Result<CurveKey>(Error{});
  if (!key) return refused("must be one public key", "--credentials");
  return KnownHost{address->as_string(), *key};
}

/// A peer is known by its IP address: that of a connection it would be matched against is never a URL.
std::optional<std::string> url_hint(const Json& record) {
  const Json* address = record.find("address");
  const bool is_url = address != nullptr && address->is_string() &&
                      address->as_string().find("://") != std::string::npos &&
                      !Pattern::looks_like_regex(address->as_string());
  if (!is_url) return std::nullopt;
  return "address \"" + address->as_string() +
         "\" is compared with the IP address that a peer connects from: as it "
         "stands, the record lets nobody in";
}

}  // namespace

int add(const AddOptions& options, const Context& context) {
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  if (auto own = home->check_edited_here(); !own) return fail(context, own.error());

  const bool is_asked = options.fields.empty() && !options.is_disabled;
  if (options.adds_known_host && !is_asked && !options.fields.contains("address")) {
    return fail_usage(context, "--add-known-host: needs --address");
  }
  auto record = is_asked ? record_from_answers(context) : record_from_options(options, context);
  if (!record) return fail(context, record.error());
  std::optional<KnownHost> known_host;
  if (options.adds_known_host) {
    auto found = known_host_of(*record);
    if (!found) return fail(context, found.error());
    known_host = std::move(*found);
  }
  if (auto hashed = hash_credentials(*record); !hashed) return fail(context, hashed.error());

  std::size_t index = 0;
  std::optional<Policy::Entry> entry;
  std::vector<std::string> warnings;
  // known_hosts is written when the record is known to fit, and before auth.json: what a failure leaves
  // behind is at most a server key, which the same command finds there when it is repeated.
  const auto edited = home->edit_policy([&](Policy& policy) -> Result<void> {
    const auto added = policy.add_allow(*record);
    if (!added) return added.error();
    index = *added;
    entry = policy.allow()[index];
    warnings = advice_about(policy, *entry->record);
    if (auto hint = url_hint(*record)) warnings.push_back(std::move(*hint));
    if (!known_host) return {};
    const auto written = home->known_hosts().add(known_host->address, known_host->key, home->patience());
    if (!written) return written.error();
    audit_known_host(*home, *written, known_host->key);
    if (auto warning = replaced_host_warning(*written, known_host->key))
      warnings.push_back(std::move(*warning));
    return {};
  });
  if (!edited) return fail(context, edited.error());

  if (context.options.json) {
    print_document(
        context, Json::Object{{"index", static_cast<std::int64_t>(index)}, {"record", shown_record(*entry)}});
  } else {
    if (known_host) {
      context.env.out << "server key written to " << printable(home->known_hosts().path().string()) << '\n';
    }
    context.env.out << "added entry " << printable(summary(entry->source, entry->record->mechanism)) << '\n';
  }
  context.env.out.flush();
  for (const std::string& warning : edited->warnings) warn(context, warning);
  for (const std::string& warning : warnings) warn(context, warning);
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
