#include "auth/web_user.hpp"

#include <algorithm>
#include <ostream>
#include <utility>
#include <vector>

#include <vipauth/web_users.hpp>

#include "home.hpp"
#include "line_reader.hpp"
#include "output.hpp"
#include "value_text.hpp"
#include "working.hpp"

namespace vipauth::vctl::auth {
namespace {

WebUsers users_of(const Home& home) { return WebUsers(home.path() / "web-users.json", home.strict_modes()); }

/// Overwrites a password before its memory is given back.
class Wiped {
 public:
  Wiped() = default;
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  ~Wiped() {
    volatile char* bytes = text.data();
    for (std::size_t i = 0; i < text.size(); ++i) bytes[i] = 0;
  }

  std::string text;
};

/// Reads a line as it is, spaces included; a terminal does not show it.
Result<void> read_password(const Context& context, const char* prompt, Wiped& password) {
  const bool is_person = context.env.is_terminal;
  if (is_person) {
    context.dialog() << prompt << std::flush;
    context.env.set_echo(false);
  }
  Line line = read_line(context.env.in, WebUsers::kMaxPasswordBytes);
  if (is_person) {
    context.env.set_echo(true);
    context.dialog() << '\n';
  }
  if (line.kind == Line::Kind::kEnd) {
    return Error{ErrorCode::kInvalidArgument, "the input ended before the password", ""};
  }
  if (line.kind == Line::Kind::kTooLong) {
    return Error{ErrorCode::kLimitExceeded,
                 "a password has at most " + std::to_string(WebUsers::kMaxPasswordBytes) + " bytes", ""};
  }
  if (line.text.ends_with('\r')) line.text.pop_back();
  password.text = std::move(line.text);
  return {};
}

/// At a terminal, where nobody sees what is typed, it is asked for twice.
Result<void> ask_password(const Context& context, Wiped& password) {
  if (auto done = read_password(context, "password: ", password); !done) return done;
  if (!context.env.is_terminal) return {};
  Wiped again;
  if (auto done = read_password(context, "the same again: ", again); !done) return done;
  if (again.text == password.text) return {};
  return Error{ErrorCode::kInvalidArgument, "these were two passwords: nothing is changed", ""};
}

Json document(const std::string& name, const std::vector<std::string>& groups) {
  return Json::Object{{"name", name}, {"groups", Json::strings(groups)}};
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + text;
  return out.empty() ? "-" : out;
}

}  // namespace

int web_user_add(const WebUserAddOptions& options, const Context& context) {
  std::vector<std::string> groups{std::string(WebUsers::kAdmin)};
  if (options.groups) {
    auto parsed = parse_names_text(*options.groups);
    if (!parsed) return fail(context, parsed.error().at("--groups"));
    groups = *std::move(parsed);
  }
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  const WebUsers users = users_of(*home);
  if (!options.replaces) {  // before anybody types a password in vain
    const auto present = users.list();
    if (!present) return fail(context, present.error());
    const bool is_there = std::any_of(present->begin(), present->end(),
                                      [&](const WebUsers::User& user) { return user.name == options.name; });
    if (is_there) {
      return fail(context, Error{ErrorCode::kAlreadyExists,
                                 "there is a web user \"" + options.name +
                                     "\" already: --replace gives it another password and these groups",
                                 ""});
    }
  }
  Wiped password;
  if (auto asked = ask_password(context, password); !asked) return fail(context, asked.error());
  const auto existing = options.replaces ? WebUsers::Existing::kReplace : WebUsers::Existing::kRefuse;
  const auto added = while_working(context, "hashing the password", [&] {
    return users.add(options.name, password.text, groups, existing, home->edit_options());
  });
  if (!added) return fail(context, added.error());
  if (context.options.json) {
    print_document(context, Json::Object{{"added", document(options.name, groups)}});
  } else {
    context.env.out << "added " << printable(options.name) << " (groups " << printable(joined(groups))
                    << ")\n";
  }
  for (const std::string& warning : added->warnings) warn(context, warning);
  return kExitDone;
}

int web_user_list(const Context& context) {
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  std::vector<std::string> warnings;
  const auto users = users_of(*home).list(&warnings);
  if (!users) return fail(context, users.error());
  if (context.options.json) {
    Json::Array documents;
    for (const WebUsers::User& user : *users) documents.push_back(document(user.name, user.groups));
    print_document(context, Json::Object{{"users", std::move(documents)}});
  } else if (users->empty()) {
    context.env.out << "No web users\n";
  } else {
    std::vector<Row> rows{{"NAME", "GROUPS"}};
    for (const WebUsers::User& user : *users) rows.push_back({user.name, joined(user.groups)});
    context.env.out << format_table(rows);
  }
  for (const std::string& warning : warnings) warn(context, warning);
  return kExitDone;
}

int web_user_remove(const WebUserName& user, const Context& context) {
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  const auto removed = users_of(*home).remove(user.name, home->edit_options());
  if (!removed) return fail(context, removed.error());
  if (context.options.json) {
    print_document(context, Json::Object{{"removed", user.name}});
  } else {
    context.env.out << "removed " << printable(user.name) << '\n';
  }
  for (const std::string& warning : removed->warnings) warn(context, warning);
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
