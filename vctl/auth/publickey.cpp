#include "auth/publickey.hpp"

#include <ostream>

#include <fnmatch.h>

#include "home.hpp"
#include "output.hpp"

namespace vipauth::vctl::auth {
namespace {

bool matches(const std::string& pattern, const std::string& identity) {
  const bool is_glob = pattern.find_first_of("*?[") != std::string::npos;
  return is_glob ? ::fnmatch(pattern.c_str(), identity.c_str(), 0) == 0
                 : identity.find(pattern) != std::string::npos;
}

}  // namespace

int publickey(const PublicKeyOptions& options, const Context& context) {
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  const AgentKeyStores stores = home->agent_key_stores();
  const auto identities = stores.identities();
  if (!identities) return fail(context, identities.error());

  std::vector<Row> rows{{"IDENTITY", "PUBLICKEY"}};
  Json::Array agents;
  std::vector<std::string> problems;
  std::size_t found = 0;
  for (const std::string& identity : *identities) {
    if (options.pattern && !matches(*options.pattern, identity)) continue;
    ++found;
    const auto store = stores.find(identity);
    const auto pair = store ? store->load() : Result<CurveKeyPair>(store.error());
    if (!pair) {
      problems.push_back("\"" + identity + "\": " + pair.error().to_string());
      continue;
    }
    std::string key = options.as_z85 ? pair->public_key.to_z85() : pair->public_key.to_base64url();
    agents.emplace_back(Json::Object{{"identity", identity}, {"publickey", key}});
    rows.push_back({identity, std::move(key)});
  }
  if (found == 0 && options.pattern && !identities->empty()) {
    return fail(context, Error{ErrorCode::kNotFound, "agent not found: \"" + *options.pattern + "\"", ""});
  }
  if (context.options.json) {
    print_document(context, Json::Object{{"agents", std::move(agents)}});
  } else if (rows.size() > 1) {
    context.env.out << format_table(rows);
  }
  context.env.out.flush();
  if (found == 0) context.env.err << "No installed Agents found\n";
  for (const std::string& problem : problems) warn(context, problem);
  return problems.empty() ? kExitDone : kExitFailed;
}

}  // namespace vipauth::vctl::auth
