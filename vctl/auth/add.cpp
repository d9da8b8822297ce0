#include "auth/add.hpp"

#include <optional>
#include <ostream>
#include <utility>
#include <vector>

#include <vipauth/python_repr.hpp>

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

}  // namespace

int add(const AddOptions& options, const Context& context) {
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());

  const bool is_asked = options.fields.empty() && !options.is_disabled;
  auto record = is_asked ? record_from_answers(context) : record_from_options(options, context);
  if (!record) return fail(context, record.error());
  if (auto hashed = hash_credentials(*record); !hashed) return fail(context, hashed.error());

  std::size_t index = 0;
  std::optional<Policy::Entry> entry;
  std::vector<std::string> warnings;
  const auto edited = home->edit_policy([&](Policy& policy) -> Result<void> {
    const auto added = policy.add_allow(*record);
    if (!added) return added.error();
    index = *added;
    entry = policy.allow()[index];
    warnings = advice_about(policy, *entry->record);
    return {};
  });
  if (!edited) return fail(context, edited.error());

  if (context.options.json) {
    print_document(
        context, Json::Object{{"index", static_cast<std::int64_t>(index)}, {"record", shown_record(*entry)}});
  } else {
    context.env.out << "added entry " << printable(summary(entry->source, entry->record->mechanism)) << '\n';
  }
  context.env.out.flush();
  for (const std::string& warning : edited->warnings) warn(context, warning);
  for (const std::string& warning : warnings) warn(context, warning);
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
