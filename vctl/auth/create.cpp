#include "auth/create.hpp"

#include <optional>
#include <ostream>
#include <utility>

#include "auth/advice.hpp"
#include "auth/bus_addresses.hpp"
#include "auth/way_back.hpp"
#include "home.hpp"
#include "output.hpp"

namespace vipauth::vctl::auth {
namespace {

Result<Json> make_record(const CreateOptions& options) {
  Json record(Json::Object{{"user_id", options.identity}, {"identity", options.identity}});
  for (const auto& [name, text] : options.fields) {
    if (text.empty() && name == "address") {
      return Error{ErrorCode::kInvalidArgument, "is empty: leave the option out for none", "--" + name};
    }
    auto value = parse_field(name, text, Mechanism::kCurve);
    if (!value) return value.error().at("--" + name);
    record.set(name, std::move(*value));
  }
  return record;
}

/// The record that an earlier run added: of the same key, with all that this run asks for.
std::optional<std::size_t> find_same(const Policy& policy, const Json& wanted) {
  const auto key = CurveKey::parse(wanted.find("credentials")->as_string());
  for (std::size_t i = 0; i < policy.allow().size(); ++i) {
    const Policy::Entry& entry = policy.allow()[i];
    const CurveKey* present = entry.record ? std::get_if<CurveKey>(&entry.record->credentials) : nullptr;
    if (present == nullptr || !key || *present != *key) continue;
    bool is_same = true;
    for (const Json::Member& member : wanted.as_object()) {
      const Json* value = entry.source.find(member.name);
      is_same = is_same && (member.name == "credentials" || (value != nullptr && *value == member.value));
    }
    if (is_same) return i;
  }
  return std::nullopt;
}

/// What a run does about the key store when the record cannot be added. Another run, at the same time, may
/// have made a record of its key: it stays then.
class NewKeyStore {
 public:
  NewKeyStore(const AgentKeyStores& stores, std::string identity, const CurveKey& key, bool is_new)
      : stores_(stores), identity_(std::move(identity)), key_(key), is_new_(is_new) {}

  /// Under the lock of auth.json, so that of two runs at once none takes away what the other one uses.
  Result<void> check_present() const {
    const auto store = stores_.find(identity_);
    const auto pair = store ? store->load() : Result<CurveKeyPair>(store.error());
    if (!pair) return pair.error();
    if (pair->public_key == key_) return {};
    return Error{ErrorCode::kConflict, "somebody else has changed the key of the agent meanwhile: try again",
                 ""};
  }

  void remove_unless_used(const Policy& policy) {
    if (!is_new_ || has_record(policy, key_)) return;
    is_new_ = false;
    removed_ = stores_.remove(identity_, key_);
  }

  const Result<void>& removed() const { return removed_; }

 private:
  const AgentKeyStores& stores_;
  std::string identity_;
  CurveKey key_;
  bool is_new_;
  Result<void> removed_;
};

struct Agent {
  CurveKey key;
  std::string key_store;
  std::size_t index = 0;
  std::vector<BusAddress> addresses;
};

void print_agent(const Context& context, const std::string& identity, const Agent& agent) {
  if (context.options.json) {
    std::vector<std::string> addresses;
    addresses.reserve(agent.addresses.size());
    for (const BusAddress& address : agent.addresses) addresses.push_back(address.to_string());
    print_document(context, Json::Object{{"identity", identity},
                                         {"publickey", agent.key.to_base64url()},
                                         {"keystore", agent.key_store},
                                         {"index", static_cast<std::int64_t>(agent.index)},
                                         {"addresses", Json::strings(addresses)}});
    return;
  }
  std::vector<Row> rows{{"key store:", agent.key_store}, {"public key:", agent.key.to_base64url()}};
  for (const BusAddress& address : agent.addresses) rows.push_back({"connects to:", address.to_string()});
  context.env.out << "agent \"" << printable(identity) << "\" has the record at index " << agent.index << '\n'
                  << format_table(rows);
}

}  // namespace

int create(const CreateOptions& options, const Context& context) {
  if (options.identity == "server") {
    return fail(context, Error{ErrorCode::kInvalidArgument,
                               "\"server\" cannot be the identity of an agent: it means the bus in "
                               "`vctl auth rotate server`; choose another",
                               ""});
  }
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  if (auto own = home->check_edited_here(); !own) return fail(context, own.error());
  const AgentKeyStores stores = home->agent_key_stores();
  const auto store = stores.find(options.identity);
  if (!store) return fail(context, store.error());
  auto record = make_record(options);
  if (!record) return fail(context, record.error());
  const auto server_keys = home->server_key_store().load_or_create();
  if (!server_keys) return fail(context, server_keys.error());
  auto addresses = bus_addresses(*home, server_keys->public_key, "127.0.0.1", "[::1]");
  if (!addresses) return fail(context, addresses.error());

  const auto present = store->load();
  if (!present && present.error().code != ErrorCode::kNotFound) return fail(context, present.error());
  const auto keys = stores.load_or_create(options.identity);
  if (!keys) return fail(context, keys.error());
  record->set("credentials", keys->public_key.to_base64url());

  Agent agent{keys->public_key, store->path().string(), 0, std::move(*addresses)};
  NewKeyStore new_store(stores, options.identity, keys->public_key, !present);
  std::vector<std::string> warnings;
  const auto edited = home->edit_policy([&](Policy& policy) -> Result<void> {
    if (auto there = new_store.check_present(); !there) return there;
    const auto same = find_same(policy, *record);
    const auto index = same ? Result<std::size_t>(*same) : policy.add_allow(*record);
    if (!index) {
      new_store.remove_unless_used(policy);
      if (!present || has_record(policy, keys->public_key)) return index.error();
      Error error = index.error();
      error.message += "; the agent has a key store already, and no record has its key: " +
                       way_back(policy, options.identity, *store, keys->public_key);
      return error;
    }
    agent.index = *index;
    const AuthRecord& added = *policy.allow()[*index].record;
    warnings = half_slashed(added);
    for (std::string& warning : unknown_names(policy, added)) warnings.push_back(std::move(warning));
    return {};
  });
  if (!edited) {
    new_store.remove_unless_used(home->load_policy().value_or(Policy()));
    const int exit_code = fail(context, edited.error());
    if (!new_store.removed()) {
      warn(context, "the new key store stays: " + new_store.removed().error().to_string());
    }
    return exit_code;
  }

  print_agent(context, options.identity, agent);
  context.env.out.flush();
  for (const std::string& warning : edited->warnings) warn(context, warning);
  for (const std::string& warning : warnings) warn(context, warning);
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
