#include "auth/rotate.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <ostream>

#include <vipauth/vip_keys.hpp>

#include "auth/bus_addresses.hpp"
#include "auth/way_back.hpp"
#include "home.hpp"
#include "output.hpp"

namespace vipauth::vctl::auth {
namespace {

constexpr const char* kServer = "server";
constexpr std::chrono::hours kDefaultKeep{7 * 24};

const CurveKey* key_of(const Policy::Entry& entry) {
  return entry.record ? std::get_if<CurveKey>(&entry.record->credentials) : nullptr;
}

// ---- An agent ----

/// Until when the old key is good: the latest of its records, or for ever.
struct Validity {
  bool has_record = false;
  bool is_endless = false;
  Timestamp until{};
};

Validity validity_of(const Policy& policy, const CurveKey& key) {
  Validity out;
  for (const Policy::Entry& entry : policy.allow()) {
    if (key_of(entry) == nullptr || *key_of(entry) != key) continue;
    out.has_record = true;
    if (!entry.record->not_after) out.is_endless = true;
    if (entry.record->not_after) out.until = std::max(out.until, *entry.record->not_after);
  }
  return out;
}

/// Ends each record of the old key at `until`, unless it ends before that anyway.
Result<void> end_key(Policy& policy, const CurveKey& key, Timestamp until) {
  for (std::size_t i = 0; i < policy.allow().size(); ++i) {
    const Policy::Entry& entry = policy.allow()[i];
    if (key_of(entry) == nullptr || *key_of(entry) != key) continue;
    if (entry.record->not_after && *entry.record->not_after <= until) continue;
    auto ended = policy.update_allow(i, Json::Object{{"not_after", format_timestamp(until)}});
    if (!ended) return ended;
  }
  return {};
}

/// Each record of the old key gets a twin with the new one, and ends. Where an earlier run was cut off behind
/// that, its twins are left as they are: somebody may have changed them since.
Result<void> add_second_keys(Policy& policy, const CurveKey& old_key, const CurveKey& new_key,
                             Timestamp until) {
  if (has_record(policy, new_key)) return end_key(policy, old_key, until);
  const std::size_t count = policy.allow().size();
  for (std::size_t i = 0; i < count; ++i) {
    if (key_of(policy.allow()[i]) == nullptr || *key_of(policy.allow()[i]) != old_key) continue;
    if (auto added = policy.add_second_key(i, new_key, until); !added) return added.error();
  }
  return {};
}

/// The records that accept a key without end: its own, else patterns (a key whose own records have ended
/// stays out, whatever patterns say).
std::vector<std::size_t> endless_records(const Policy& policy, const CurveKey& key) {
  std::vector<std::size_t> out;
  const bool has_own = has_record(policy, key);
  const std::string text = key.to_base64url();
  for (std::size_t i = 0; i < policy.allow().size(); ++i) {
    const Policy::Entry& entry = policy.allow()[i];
    if (!entry.record || !entry.record->enabled || entry.record->not_after) continue;
    const auto* pattern = std::get_if<Pattern>(&entry.record->credentials);
    const bool accepts = has_own ? key_of(entry) != nullptr && *key_of(entry) == key
                                 : pattern != nullptr && pattern->matches(text);
    if (accepts) out.push_back(i);
  }
  return out;
}

/// Refuses when somebody else has rotated the key since it was read: the record would be of a key that nobody
/// has.
Result<void> check_unchanged(const KeyStore& store, const CurveKey& key) {
  const auto present = store.load();
  if (!present) return present.error();
  if (present->public_key == key) return {};
  return Error{ErrorCode::kConflict, "somebody else has changed the key meanwhile: nothing is changed now",
               ""};
}

int rotate_agent(const RotateOptions& options, const Home& home, const Context& context) {
  if (auto own = home.check_edited_here(); !own) return fail(context, own.error());
  const auto store = home.agent_key_stores().find(options.who);
  if (!store) return fail(context, store.error());
  const auto present = store->load();
  if (!present && present.error().code == ErrorCode::kNotFound) {
    return fail(context,
                Error{ErrorCode::kNotFound,
                      "agent \"" + options.who + "\" has no key store: make one by `vctl auth create`", ""});
  }
  if (!present) return fail(context, present.error());
  const auto policy = home.load_policy();
  if (!policy) return fail(context, policy.error());
  const auto begun = store->next().load();
  if (!has_record(*policy, present->public_key) && !(begun && has_record(*policy, begun->public_key))) {
    return fail(context, Error{ErrorCode::kNotFound,
                               "no record has the key of \"" + options.who +
                                   "\": " + way_back(*policy, options.who, *store, present->public_key),
                               ""});
  }

  // The agent goes on with the old key until its key store changes, and by then both are allowed.
  const auto following = store->next().load_or_create();
  if (!following) return fail(context, following.error());
  const Timestamp until =
      std::chrono::floor<std::chrono::seconds>(context.env.clock()) + options.keep.value_or(kDefaultKeep);
  Validity old;
  std::vector<std::size_t> endless;
  const auto edited = home.edit_policy([&](Policy& current) -> Result<void> {
    if (auto same = check_unchanged(*store, present->public_key); !same) return same;
    auto added = add_second_keys(current, present->public_key, following->public_key, until);
    old = validity_of(current, present->public_key);
    endless = endless_records(current, present->public_key);
    return added;
  });
  if (!edited) return fail(context, edited.error());
  if (auto promoted = store->promote_next(following->public_key); !promoted) {
    return fail(context, promoted.error());
  }

  const std::string end = old.is_endless || !old.has_record ? "" : format_timestamp(old.until);
  if (context.options.json) {
    print_document(context, Json::Object{{"identity", options.who},
                                         {"publickey", following->public_key.to_base64url()},
                                         {"fingerprint", following->public_key.fingerprint()},
                                         {"previous", present->public_key.to_base64url()},
                                         {"previous_until", end.empty() ? Json() : Json(end)}});
  } else {
    context.env.out << "agent \"" << printable(options.who) << "\" has the new key "
                    << following->public_key.to_base64url() << '\n';
    if (!end.empty())
      context.env.out << "its old key is good until " << end << ": restart the agent before\n";
    context.env.out << "the old key store is kept as " << printable(store->previous().path().string())
                    << '\n';
  }
  context.env.out.flush();
  for (const std::string& warning : edited->warnings) warn(context, warning);
  for (const std::size_t index : endless) {
    warn(context, "the record at index " + std::to_string(index) +
                      " accepts the old key without end: remove it, or move the key to the deny list");
  }
  return kExitDone;
}

// ---- The server ----

void print_server(const Context& context, const CurveKey& key, const CurveKey& before, bool is_active,
                  const std::vector<BusAddress>& addresses) {
  std::vector<std::string> hosts;
  for (const BusAddress& address : addresses) {
    if (!address.has_own_key) hosts.push_back(address.endpoint);
  }
  if (context.options.json) {
    print_document(context, Json::Object{{"serverkey", key.to_base64url()},
                                         {"fingerprint", key.fingerprint()},
                                         {"previous", before.to_base64url()},
                                         {"active", is_active},
                                         {"addresses", Json::strings(hosts)}});
    return;
  }
  std::ostream& out = context.env.out;
  out << (is_active ? "the server key is now " : "the next server key will be ") << key.to_base64url() << '\n'
      << "fingerprint: " << key.fingerprint() << '\n';
  out << (is_active ? "restart the bus; then, in each home that knows this server as a host, type:\n"
                    : "once it is in force, type in each home that knows this server as a host:\n");
  for (const std::string& host : hosts) out << "  " << printable(add_known_host_command(host, key)) << '\n';
  if (!is_active) out << "to put it in force: vctl auth rotate server --activate\n";
}

void warn_of_the_server_side(const Context& context, const Home& home, const CurveKey& before,
                             const std::vector<BusAddress>& addresses) {
  for (const BusAddress& address : addresses) {
    if (address.has_own_key) {
      warn(context,
           address.endpoint + " has a secret key of its own in the configuration: it is not changed");
    }
  }
  const auto policy = home.load_policy();
  if (!policy) return;
  for (std::size_t i = 0; i < policy->allow().size(); ++i) {
    const CurveKey* key = key_of(policy->allow()[i]);
    if (key == nullptr || *key != before) continue;
    warn(context, "the record at index " + std::to_string(i) +
                      " has the server's old key as its credentials; "
                      "VOLTTRON renews its own such record when it starts");
  }
}

int rotate_server(const RotateOptions& options, const Home& home, const Context& context) {
  const KeyStore store = home.server_key_store();
  const auto present = store.load();
  if (!present && present.error().code == ErrorCode::kNotFound) {
    return fail(context, Error{ErrorCode::kNotFound,
                               "the server has no key yet: `vctl auth serverkey` makes one", ""});
  }
  if (!present) return fail(context, present.error());
  const auto following = options.activate ? store.next().load() : store.next().load_or_create();
  if (!following && following.error().code == ErrorCode::kNotFound) {
    return fail(context, Error{ErrorCode::kNotFound,
                               "there is no next server key: make one by `vctl auth rotate server`", ""});
  }
  if (!following) return fail(context, following.error());
  const auto addresses = bus_addresses(home, following->public_key, "HOST", "HOST");
  if (!addresses) return fail(context, addresses.error());
  if (!options.activate) {
    print_server(context, following->public_key, present->public_key, false, *addresses);
    return kExitDone;
  }

  // The next key store goes last, so that a run that was cut off can be repeated.
  const auto known =
      home.known_hosts().replace_key(present->public_key, following->public_key, home.patience());
  if (!known) return fail(context, known.error());
  if (auto promoted = store.promote_next(following->public_key); !promoted) {
    return fail(context, promoted.error());
  }
  home.audit("keystore", Json::Object{{"public", present->public_key.to_base64url()}},
             Json::Object{{"public", following->public_key.to_base64url()}});
  print_server(context, following->public_key, present->public_key, true, *addresses);
  if (!context.options.json) {
    for (const std::string& host : known->hosts) {
      context.env.out << "known_hosts: \"" << printable(host) << "\" has the new key\n";
    }
    context.env.out << "the old key store is kept as " << printable(store.previous().path().string()) << '\n';
  }
  context.env.out.flush();
  warn_of_the_server_side(context, home, present->public_key, *addresses);
  return kExitDone;
}

}  // namespace

Result<std::chrono::seconds> parse_period(const std::string& text) {
  constexpr std::int64_t kMostSeconds = std::int64_t{10} * 366 * 24 * 3600;
  const auto seconds_of = [](std::string_view unit) -> std::int64_t {
    if (unit == "s") return 1;
    if (unit == "m") return 60;
    if (unit == "h") return 3600;
    if (unit == "d") return std::int64_t{24} * 3600;
    return unit == "w" ? std::int64_t{7} * 24 * 3600 : 0;
  };
  std::int64_t count = -1;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::int64_t unit = seconds_of(std::string_view(stop, text.data() + text.size()));
  if (error != std::errc() || count < 0 || unit == 0 || count > kMostSeconds / unit) {
    return Error{ErrorCode::kInvalidArgument,
                 "\"" + text + "\" is not a period of at most ten years, such as 7d, 12h, 30m or 90s", ""};
  }
  return std::chrono::seconds(count * unit);
}

int rotate(const RotateOptions& options, const Context& context) {
  const bool is_server = options.who == kServer;
  if (options.activate && !is_server) return fail_usage(context, "--activate: is for `rotate server` only");
  if (options.keep && is_server) {
    return fail_usage(context, "--keep: a server has one key at a time: use --activate when all is ready");
  }
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  return is_server ? rotate_server(options, *home, context) : rotate_agent(options, *home, context);
}

}  // namespace vipauth::vctl::auth
