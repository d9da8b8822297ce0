#include "auth/rpc.hpp"

#include <algorithm>
#include <ostream>
#include <utility>

#include <vipauth/identity_registry.hpp>
#include <vipauth/method_registry.hpp>
#include <vipauth/python_repr.hpp>

#include "home.hpp"
#include "output.hpp"
#include "platform.hpp"
#include "value_text.hpp"

namespace vipauth::vctl::auth {
namespace {

using Names = std::vector<std::string>;

/// The same change of a policy, and of a running platform.
template <typename Target>
using Edit = Result<void> (Target::*)(std::string_view identity, std::string_view method,
                                      const Names& capabilities);
struct Change {
  Edit<Policy> of_policy;
  Edit<RemoteAdministration> of_platform;
};

/// Whether a record lists something for the method: an agent that registers fills in what is missing or [].
bool is_settled(const Policy& policy, const MethodName& name) {
  for (const Policy::Entry& entry : policy.allow()) {
    if (!entry.record || entry.record->identity != name.identity) continue;
    for (const auto& [method, capabilities] : entry.record->rpc_method_authorizations.methods) {
      if (method == name.method && !capabilities.empty()) return true;
    }
  }
  return false;
}

Result<Names> required_after(const Policy& policy, const MethodName& name) {
  const MethodRegistry registry = MethodRegistry::create(policy);
  const auto required = registry.required(name.identity, name.method);
  if (!required) return required.error();
  return Names(required->begin(), required->end());
}

/// What was written, and what it means.
struct Outcome {
  EditReport report;
  Names required;
  bool was_settled = false;
};

Result<Outcome> change_file(const Home& home, const MethodName& name, const Names& capabilities,
                            const Change& change) {
  Outcome outcome;
  const auto edited = home.edit_policy([&](Policy& policy) -> Result<void> {
    outcome.was_settled = is_settled(policy, name);
    auto done = (policy.*change.of_policy)(name.identity, name.method, capabilities);
    if (!done) return done.error().location.empty() ? done.error() : done.error().at("auth.json");
    auto after = required_after(policy, name);
    if (!after) return after.error();
    outcome.required = std::move(*after);
    return {};
  });
  if (!edited) return edited.error();
  outcome.report = *edited;
  return outcome;
}

/// The platform knows what its agents declared, and the file alone does not.
Result<Outcome> change_platform(Platform& platform, const MethodName& name, const Names& capabilities,
                                const Change& change) {
  RemoteAdministration& administration = platform.administration();
  const auto before = administration.read_auth_file();
  if (!before) return before.error();
  const auto done = (administration.*change.of_platform)(name.identity, name.method, capabilities);
  if (!done) return done.error();
  const auto after = administration.read_auth_file();
  if (!after) return after.error();
  auto required = required_after(*after, name);
  if (!required) return required.error();
  return Outcome{{.written = true, .warnings = {}}, *std::move(required), is_settled(*before, name)};
}

/// Makes the change, and prints what the method requires then. `warn_about` gets that, and whether the
/// records said anything of the method before.
template <typename WarnAbout>
int run(const RpcOptions& options, const Context& context, const Change& change, WarnAbout warn_about) {
  const auto name = parse_method_text(options.method);
  if (!name) return fail_usage(context, name.error().message);
  if (options.capabilities.empty()) {
    return fail_usage(context,
                      "Missing authorizations for method. Should be in the format agent_id.method "
                      "authorized_capability1 authorized_capability2 ...");
  }
  if (IdentityRegistry::is_platform_name(name->identity)) {
    return fail(context, Error{ErrorCode::kConflict,
                               "\"" + name->identity +
                                   "\" is the platform itself: what its methods require is not for change",
                               ""});
  }
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());

  const auto outcome = context.platform
                           ? change_platform(*context.platform, *name, options.capabilities, change)
                           : change_file(*home, *name, options.capabilities, change);
  if (!outcome) return fail(context, outcome.error());
  const Names& required = outcome->required;

  if (context.options.json) {
    print_document(context, Json::Object{{"identity", name->identity},
                                         {"method", name->method},
                                         {"capabilities", Json::strings(required)}});
  } else {
    context.env.out << printable(options.method) << " requires "
                    << (required.empty() ? "nothing" : python_repr(required)) << '\n';
  }
  context.env.out.flush();
  for (const std::string& warning : outcome->report.warnings) warn(context, warning);
  warn_about(required, outcome->was_settled);
  return kExitDone;
}

constexpr Change kAdd{&Policy::add_rpc_authorizations, &RemoteAdministration::add_rpc_authorizations};
constexpr Change kRemove{&Policy::remove_rpc_authorizations,
                         &RemoteAdministration::remove_rpc_authorizations};

}  // namespace

int rpc_add(const RpcOptions& options, const Context& context) {
  return run(options, context, kAdd, [&](const Names&, bool was_settled) {
    if (was_settled) return;
    warn(context, "no record said anything of \"" + options.method +
                      "\": this stands in place of what the agent's code declares");
  });
}

int rpc_remove(const RpcOptions& options, const Context& context) {
  return run(options, context, kRemove, [&](const Names& required, bool) {
    if (!required.empty()) return;
    warn(context, "everybody who is connected may call \"" + options.method +
                      "\" now, whatever the agent's code declares");
  });
}

}  // namespace vipauth::vctl::auth
