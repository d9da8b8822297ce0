#include "auth/names.hpp"

#include <algorithm>
#include <iterator>
#include <ostream>
#include <utility>

#include <vipauth/capability.hpp>
#include <vipauth/python_repr.hpp>

#include "auth/advice.hpp"
#include "home.hpp"
#include "output.hpp"
#include "value_text.hpp"

namespace vipauth::vctl::auth {
namespace {

/// The words in which roles and groups differ.
struct Words {
  std::string name;          ///< of one, in messages and documents
  std::string names;         ///< of all, in auth.json and documents
  std::string values;        ///< in documents
  std::string value;         ///< of one value, in messages
  std::string argument;      ///< of one value, on the command line
  std::string name_heading;  ///< of a column, as VOLTTRON has it
  std::string value_heading;
};

const Words& words_of(NameKind kind) {
  static const Words kRole{"role",       "roles", "capabilities", "capability",
                           "CAPABILITY", "ROLE",  "CAPABILITIES"};
  static const Words kGroup{"group", "groups", "roles", "role", "ROLE", "GROUPS", "ROLES"};
  return kind == NameKind::kRole ? kRole : kGroup;
}

/// Most records or groups that a warning names.
constexpr std::size_t kMaxTold = 10;

using Names = std::vector<std::string>;

Names strings_of(const Json& list) {
  Names out;
  for (const Json& item : list.as_array()) out.push_back(item.as_string());
  return out;
}

/// One role or group as the file holds it.
struct Named {
  std::string name;
  Json source;
  Result<Names> values;  ///< names of capabilities or roles
};

Named make_named(const Policy::Role& role) {
  if (!role.capabilities) return {role.name, role.source, role.capabilities.error()};
  Names names;
  for (const Capability& capability : *role.capabilities) names.push_back(capability.name);
  return {role.name, role.source, std::move(names)};
}

Named make_named(const Policy::Group& group) { return {group.name, group.source, group.roles}; }

std::vector<Named> all_named(const Policy& policy, NameKind kind) {
  std::vector<Named> out;
  if (kind == NameKind::kRole) {
    for (const Policy::Role& role : policy.roles()) out.push_back(make_named(role));
  } else {
    for (const Policy::Group& group : policy.groups()) out.push_back(make_named(group));
  }
  return out;
}

std::optional<Named> find_named(const Policy& policy, NameKind kind, const std::string& name) {
  if (kind == NameKind::kRole) {
    const Policy::Role* role = policy.find_role(name);
    return role == nullptr ? std::nullopt : std::optional(make_named(*role));
  }
  const Policy::Group* group = policy.find_group(name);
  return group == nullptr ? std::nullopt : std::optional(make_named(*group));
}

// ---- Values as typed ----

Result<Json> parse_values(NameKind kind, const Names& texts) {
  if (kind == NameKind::kRole) return parse_capability_arguments(texts);
  Names out;
  for (const std::string& text : texts) {
    if (trim(text).empty()) return Error{ErrorCode::kInvalidArgument, "a role must have a name", ""};
    if (std::find(out.begin(), out.end(), text) == out.end()) out.push_back(text);
  }
  return Json::strings(out);
}

/// What is to be taken away is named, with no restrictions to it.
Result<void> check_names(NameKind kind, const Names& texts) {
  for (const std::string& text : texts) {
    const std::string_view trimmed = trim(text);
    const bool is_json = kind == NameKind::kRole && (trimmed.starts_with('{') || trimmed.starts_with('['));
    if (is_json) {
      return Error{ErrorCode::kInvalidArgument,
                   "give the name of the capability alone: it is taken away with all its restrictions", ""};
    }
  }
  return {};
}

// ---- Edits ----

Result<void> add_to(Policy& policy, NameKind kind, const std::string& name, const Json& values) {
  return kind == NameKind::kRole ? policy.add_to_role(name, values)
                                 : policy.add_to_group(name, strings_of(values));
}

Result<void> add_new(Policy& policy, NameKind kind, const std::string& name, const Json& values) {
  return kind == NameKind::kRole ? policy.add_role(name, values) : policy.add_group(name, strings_of(values));
}

Result<void> remove_from(Policy& policy, NameKind kind, const std::string& name, const Names& values) {
  return kind == NameKind::kRole ? policy.remove_from_role(name, values)
                                 : policy.remove_from_group(name, values);
}

// ---- Warnings ----

Names advice_about_values(const Policy& policy, NameKind kind, const Json& values) {
  if (kind == NameKind::kRole) {
    const auto parsed = parse_capabilities(values);
    return parsed ? half_slashed(*parsed) : Names();
  }
  AuthRecord record;
  record.roles = strings_of(values);
  return unknown_names(policy, record);
}

Names not_held(const Named& named, NameKind kind, const Names& values) {
  Names out;
  for (const std::string& value : values) {
    if (!named.values ||
        std::find(named.values->begin(), named.values->end(), value) == named.values->end()) {
      out.push_back(words_of(kind).name + " \"" + named.name + "\" has no " + words_of(kind).value + " \"" +
                    value + "\"");
    }
  }
  return out;
}

std::string told(Names names) {
  const std::size_t rest = names.size() > kMaxTold ? names.size() - kMaxTold : 0;
  names.resize(names.size() - rest);
  return python_repr(names) + (rest == 0 ? "" : " and " + std::to_string(rest) + " more");
}

/// Who still names what is removed.
std::optional<std::string> still_named(const Policy& policy, NameKind kind, const std::string& name) {
  const auto names_it = [&](const Names& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  Names users;
  for (const Policy::Entry& entry : policy.allow()) {
    if (!entry.record) continue;
    if (names_it(kind == NameKind::kRole ? entry.record->roles : entry.record->groups)) {
      users.push_back(entry.record->user_id);
    }
  }
  Names groups;
  for (const Policy::Group& group : policy.groups()) {
    if (kind == NameKind::kRole && group.roles && names_it(*group.roles)) groups.push_back(group.name);
  }
  if (users.empty() && groups.empty()) return std::nullopt;
  std::string who = users.empty() ? "" : "users " + told(std::move(users));
  if (!groups.empty()) who += (who.empty() ? "groups " : " and groups ") + told(std::move(groups));
  return words_of(kind).name + " \"" + name + "\" is still named by " + who + ": it grants nothing any more";
}

// ---- Output ----

Json document(NameKind kind, const std::string& name, const Json& source) {
  return Json::Object{{words_of(kind).name, name}, {words_of(kind).values, source}};
}

int report(const Context& context, NameKind kind, const char* done, const std::string& name,
           const Json& shown_document, const AuthFile::EditReport& edited, const Names& warnings) {
  if (context.options.json) {
    print_document(context, shown_document);
  } else {
    context.env.out << done << ' ' << words_of(kind).name << " \"" << printable(name) << "\"\n";
  }
  context.env.out.flush();
  for (const std::string& warning : edited.warnings) warn(context, warning);
  for (const std::string& warning : warnings) warn(context, warning);
  return kExitDone;
}

/// Names in Python's list form, in the order given; with restrictions, as the file writes them.
std::string shown_values(const Json& source) {
  if (source.is_null() || (source.is_string() && source.as_string().empty())) return "[]";
  return python_repr(source.is_string() ? Json(Json::Array{source}) : source);
}

}  // namespace

int add_name(const NameOptions& options, const Context& context) {
  const Words& words = words_of(options.kind);
  if (trim(options.name).empty()) return fail_usage(context, "a " + words.name + " must have a name");
  const auto values = parse_values(options.kind, options.values);
  if (!values) return fail(context, values.error().at(words.argument));
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());

  Names warnings;
  const auto edited = home->edit_policy([&](Policy& policy) -> Result<void> {
    warnings = advice_about_values(policy, options.kind, *values);
    return add_new(policy, options.kind, options.name, *values);
  });
  if (!edited) return fail(context, edited.error());
  return report(context, options.kind, "added", options.name, document(options.kind, options.name, *values),
                *edited, warnings);
}

int update_name(const NameOptions& options, const Context& context) {
  const Words& words = words_of(options.kind);
  const auto values = options.is_removal ? Result<Json>(Json()) : parse_values(options.kind, options.values);
  if (!values) return fail(context, values.error().at(words.argument));
  if (options.is_removal) {
    if (auto names = check_names(options.kind, options.values); !names) {
      return fail(context, names.error().at(words.argument));
    }
  }
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());

  Names warnings;
  Json after;
  const auto edited = home->edit_policy([&](Policy& policy) -> Result<void> {
    const auto before = find_named(policy, options.kind, options.name);
    auto done = options.is_removal ? remove_from(policy, options.kind, options.name, options.values)
                                   : add_to(policy, options.kind, options.name, *values);
    if (!done) return done.error().location.empty() ? done.error() : done.error().at("auth.json");
    warnings = options.is_removal ? not_held(*before, options.kind, options.values)
                                  : advice_about_values(policy, options.kind, *values);
    after = find_named(policy, options.kind, options.name)->source;
    return {};
  });
  if (!edited) return fail(context, edited.error());
  return report(context, options.kind, "updated", options.name, document(options.kind, options.name, after),
                *edited, warnings);
}

int remove_name(const NameOptions& options, const Context& context) {
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());

  Names warnings;
  Json before;
  const auto edited = home->edit_policy([&](Policy& policy) -> Result<void> {
    if (const auto named = find_named(policy, options.kind, options.name)) before = named->source;
    if (const auto warning = still_named(policy, options.kind, options.name)) warnings = {*warning};
    return options.kind == NameKind::kRole ? policy.remove_role(options.name)
                                           : policy.remove_group(options.name);
  });
  if (!edited) return fail(context, edited.error());
  return report(context, options.kind, "removed", options.name,
                Json::Object{{"removed", document(options.kind, options.name, before)}}, *edited, warnings);
}

int list_names(const ListNamesOptions& options, const Context& context) {
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  const auto policy = home->load_policy();
  if (!policy) return fail(context, policy.error());

  const Words& words = words_of(options.kind);
  std::vector<Named> all = all_named(*policy, options.kind);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  if (context.options.json) {
    Json::Object shown;
    for (const Named& named : all) shown.push_back({named.name, named.source});
    print_document(context, Json::Object{{words.names, std::move(shown)}});
  } else {
    std::vector<Row> rows{
        {words.name_heading, words.value_heading},
        {std::string(words.name_heading.size(), '-'), std::string(words.value_heading.size(), '-')}};
    for (const Named& named : all) rows.push_back({named.name, shown_values(named.source)});
    context.env.out << format_table(rows);
  }
  context.env.out.flush();
  for (const Named& named : all) {
    if (!named.values) {
      warn(context, named.values.error().at("auth.json").to_string() + ": the " + words.name +
                        " is not understood, and grants nothing");
    }
  }
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
