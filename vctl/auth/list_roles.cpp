#include "auth/list_roles.hpp"

#include <algorithm>
#include <ostream>

#include <vipauth/python_repr.hpp>

#include "home.hpp"
#include "output.hpp"

namespace vipauth::vctl::auth {
namespace {

/// Names in Python's list form, in the order given; with restrictions, as the file writes them.
std::string shown_capabilities(const Policy::Role& role) {
  if (role.source.is_null() || (role.source.is_string() && role.source.as_string().empty())) return "[]";
  return python_repr(role.source.is_string() ? Json(Json::Array{role.source}) : role.source);
}

}  // namespace

int list_roles(const Context& context) {
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  const auto policy = home->load_policy();
  if (!policy) return fail(context, policy.error());

  std::vector<Policy::Role> roles = policy->roles();
  std::sort(roles.begin(), roles.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  if (context.options.json) {
    Json::Object shown;
    for (const Policy::Role& role : roles) shown.push_back({role.name, role.source});
    print_document(context, Json::Object{{"roles", std::move(shown)}});
  } else {
    std::vector<Row> rows{{"ROLE", "CAPABILITIES"}, {"----", "------------"}};
    for (const Policy::Role& role : roles) rows.push_back({role.name, shown_capabilities(role)});
    context.env.out << format_table(rows);
  }
  context.env.out.flush();
  for (const Policy::Role& role : roles) {
    if (!role.capabilities) {
      warn(context, role.capabilities.error().at("auth.json").to_string() +
                        ": the role is not understood, and grants nothing");
    }
  }
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
