#include "auth/add_role.hpp"

#include <ostream>

#include <vipauth/capability.hpp>

#include "auth/advice.hpp"
#include "home.hpp"
#include "output.hpp"
#include "value_text.hpp"

namespace vipauth::vctl::auth {

int add_role(const AddRoleOptions& options, const Context& context) {
  if (trim(options.name).empty()) return fail_usage(context, "a role must have a name");
  const auto capabilities = parse_capability_arguments(options.capabilities);
  if (!capabilities) return fail(context, capabilities.error().at("CAPABILITY"));
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());

  const auto edited =
      home->edit_policy([&](Policy& policy) { return policy.add_role(options.name, *capabilities); });
  if (!edited) return fail(context, edited.error());

  if (context.options.json) {
    print_document(context, Json::Object{{"role", options.name}, {"capabilities", *capabilities}});
  } else {
    context.env.out << "added role \"" << printable(options.name) << "\"\n";
  }
  context.env.out.flush();
  for (const std::string& warning : edited->warnings) warn(context, warning);
  if (const auto parsed = parse_capabilities(*capabilities)) {
    for (const std::string& warning : half_slashed(*parsed)) warn(context, warning);
  }
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
