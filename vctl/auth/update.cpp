#include "auth/update.hpp"

#include <algorithm>
#include <ostream>
#include <utility>
#include <vector>

#include <vipauth/python_repr.hpp>

#include "auth/advice.hpp"
#include "auth/record_index.hpp"
#include "auth/record_view.hpp"
#include "home.hpp"
#include "output.hpp"
#include "prompt.hpp"
#include "value_text.hpp"

namespace vipauth::vctl::auth {
namespace {

/// What is to become of a record: the fields that change, null for those that are cleared.
class Changes {
 public:
  explicit Changes(const Policy::Entry& present)
      : present_(present), shown_(shown_record(present)), fields_(Json::Object()) {}

  const Json& fields() const { return fields_; }

  Mechanism mechanism() const {
    return mechanism_of(fields_.find("mechanism") == nullptr ? present_.source : fields_);
  }

  /// Credentials of another mechanism mean nothing any more.
  bool needs_credentials() const {
    return mechanism() != mechanism_of(present_.source) && fields_.find("credentials") == nullptr;
  }

  Result<void> set(const std::string& name, std::string_view text) {
    auto value = parse_field(name, text, mechanism());
    if (!value) return value.error();
    fields_.set(name, std::move(*value));
    return {};
  }

  Result<void> clear(const std::string& name) {
    if (auto possible = parse_field(name, "", mechanism()); !possible) return possible.error();
    // The mechanism says how the answers after it are read.
    fields_.set(name, name == "mechanism" ? Json(to_string(Mechanism::kCurve)) : Json());
    return {};
  }

  /// A password, once it is known, becomes its hash.
  Result<void> hash_password() {
    const Json* credentials = fields_.find("credentials");
    if (credentials == nullptr) return {};
    Json record(Json::Object{{"mechanism", to_string(mechanism())}, {"credentials", *credentials}});
    if (auto hashed = hash_credentials(record); !hashed) return hashed;
    fields_.set("credentials", *record.find("credentials"));
    return {};
  }

  /// The value that a question shows: lists as they are typed, other values as Python prints them.
  std::string present_text(const RecordField& field) const {
    if (field.name == "credentials" && needs_credentials()) return "";
    const Json* value = (field.name == "credentials" ? shown_ : present_.source).find(field.name);
    if (value == nullptr) return std::string(field.preset);
    if (value->is_null()) return "";
    if (!value->is_array()) return python_str(*value);
    std::string list;
    for (const Json& item : value->as_array()) {
      const bool is_name = item.is_string() && item.as_string().find(',') == std::string::npos;
      if (!is_name) return python_repr(*value);
      list += (list.empty() ? "" : ",") + python_str(item);
    }
    return list;
  }

  Result<void> take(const std::string& name, const Answer& answer) {
    if (answer.kind == Answer::Kind::kClear) return clear(name);
    const bool is_kept =
        answer.kind == Answer::Kind::kNone && !(name == "credentials" && needs_credentials());
    return is_kept ? Result<void>() : set(name, answer.text);
  }

 private:
  const Policy::Entry& present_;
  Json shown_;
  Json fields_;
};

Result<void> ask_changes(Changes& changes, const Context& context) {
  context.dialog() << "(For any field type \"clear\" to clear the value.)\n";
  for (const RecordField& field : kAskedFields) {
    const std::string name(field.name);
    Question question;
    question.prompt = name + std::string(field.hint) + " [" + changes.present_text(field) + "]: ";
    question.is_secret = name == "credentials" && changes.mechanism() == Mechanism::kPlain;
    question.take = [&](const Answer& answer) { return changes.take(name, answer); };
    if (!ask(context, question)) return end_of_input();
  }
  return {};
}

/// The mechanism first, for it says what credentials are.
Result<void> read_changes(Changes& changes, const UpdateOptions& options,
                          const std::vector<std::string>& cleared, const Context& context) {
  const auto set = [&](const std::string& name, const std::string& text) -> Result<void> {
    if (text.empty() && !may_be_empty(name)) {
      return Error{ErrorCode::kInvalidArgument, "is empty: --clear " + name + " clears it", "--" + name};
    }
    if (auto done = changes.set(name, text); !done) return at_option(name, done.error());
    return {};
  };
  const auto clear = [&](const std::string& name) -> Result<void> {
    if (auto done = changes.clear(name); !done) return done.error().at("--clear " + name);
    return {};
  };
  const auto is_mechanism = [](const std::string& name) { return name == "mechanism"; };
  for (const bool mechanism_only : {true, false}) {
    for (const auto& [name, text] : options.fields) {
      if (is_mechanism(name) != mechanism_only) continue;
      if (auto done = set(name, text); !done) return done;
    }
    for (const std::string& name : cleared) {
      if (is_mechanism(name) != mechanism_only) continue;
      if (auto done = clear(name); !done) return done;
    }
  }
  if (options.is_enabled || options.is_disabled) {
    if (auto done = changes.set("enabled", options.is_enabled ? "true" : "false"); !done) return done;
  }

  if (changes.mechanism() != Mechanism::kPlain) return {};
  if (options.fields.contains("credentials")) {
    warn(context, kPasswordOnCommandLine);
  } else if (changes.needs_credentials()) {
    Question password;
    password.prompt = "credentials []: ";
    password.is_secret = true;
    password.take = [&](const Answer& answer) { return changes.set("credentials", answer.text); };
    if (!ask(context, password)) return end_of_input();
  }
  return {};
}

/// The names after --clear, with underscores.
std::vector<std::string> cleared_names(const UpdateOptions& options) {
  std::vector<std::string> out = split_commas(options.cleared.value_or(""));
  for (std::string& name : out) std::replace(name.begin(), name.end(), '-', '_');
  return out;
}

bool is_clearable(const std::string& name) {
  const auto is_named = [&](const RecordField& field) { return field.name == name; };
  return std::any_of(kAskedFields.begin(), kAskedFields.end(), is_named) || name == "not_before" ||
         name == "not_after";
}

/// What makes no sense in the options; nothing where they do.
std::optional<std::string> usage_error(const UpdateOptions& options,
                                       const std::vector<std::string>& cleared) {
  if (!is_integer(options.index)) return "argument index: invalid int value: '" + options.index + "'";
  if (options.is_enabled && options.is_disabled) return "--enabled and --disabled exclude each other";
  if (options.cleared && cleared.empty()) return "--clear: needs the name of a field";
  for (const std::string& name : cleared) {
    if (!is_clearable(name)) return "--clear: there is no field \"" + name + "\" to clear";
    const bool is_set =
        options.fields.contains(name) || (name == "enabled" && (options.is_enabled || options.is_disabled));
    if (is_set) return "--clear: the field \"" + name + "\" is given a value as well";
  }
  return std::nullopt;
}

/// Advice about what has changed, not about what was there before.
std::vector<std::string> advice_about_changes(const Policy& policy, AuthRecord record, const Json& fields) {
  if (fields.find("domain") == nullptr) record.domain.clear();
  if (fields.find("address") == nullptr) record.address.clear();
  if (fields.find("capabilities") == nullptr) record.capabilities.clear();
  if (fields.find("roles") == nullptr) record.roles.clear();
  if (fields.find("groups") == nullptr) record.groups.clear();
  return advice_about(policy, record);
}

}  // namespace

int update(const UpdateOptions& options, const Context& context) {
  const std::vector<std::string> cleared = cleared_names(options);
  if (const auto wrong = usage_error(options, cleared)) return fail_usage(context, *wrong);
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  if (auto own = home->check_edited_here(); !own) return fail(context, own.error());
  const auto shown = home->load_policy();
  if (!shown) return fail(context, shown.error());
  const auto index = parse_index(options.index, shown->allow().size());
  if (!index) return fail(context, index.error());
  const Policy::Entry& present = shown->allow()[*index];
  if (!present.source.is_object()) return fail(context, present.record.error().at("auth.json"));

  Changes changes(present);
  const bool is_asked =
      options.fields.empty() && !options.cleared && !options.is_enabled && !options.is_disabled;
  const auto read =
      is_asked ? ask_changes(changes, context) : read_changes(changes, options, cleared, context);
  if (!read) return fail(context, read.error());
  if (auto hashed = changes.hash_password(); !hashed) return fail(context, hashed.error());

  std::optional<Policy::Entry> entry;
  std::vector<std::string> warnings;
  const auto edited = home->edit_policy([&](Policy& policy) -> Result<void> {
    if (auto unchanged = check_unchanged(*shown, policy, {*index}); !unchanged) return unchanged;
    if (auto updated = policy.update_allow(*index, changes.fields()); !updated) {
      const Error& error = updated.error();
      return error.location.empty() ? error : error.at("auth.json");
    }
    entry = policy.allow()[*index];
    warnings = advice_about_changes(policy, *entry->record, changes.fields());
    return {};
  });
  if (!edited) return fail(context, edited.error());

  if (context.options.json) {
    print_document(context, Json::Object{{"index", static_cast<std::int64_t>(*index)},
                                         {"record", shown_record(*entry)}});
  } else {
    context.env.out << "updated entry at index " << *index << '\n';
  }
  context.env.out.flush();
  for (const std::string& warning : edited->warnings) warn(context, warning);
  for (const std::string& warning : warnings) warn(context, warning);
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
