#include <vipauth/platform_start.hpp>

#include <algorithm>
#include <utility>

#include <vipauth/agent_key_stores.hpp>
#include <vipauth/auth_file.hpp>
#include <vipauth/key_store.hpp>
#include <vipauth/known_hosts.hpp>
#include <vipauth/local_copy.hpp>
#include <vipauth/python_repr.hpp>
#include <vipauth/vip_address.hpp>

namespace vipauth {
namespace {

namespace fs = std::filesystem;

/// Source: VOLTTRON main.py.
constexpr const char* kComment = "Automatically added by platform on start";
/// The name under which VOLTTRON files every abstract socket of a home.
constexpr const char* kAbstractHost = "@";

struct OwnPeer {
  const PlatformRecord& record;
  CurveKey key;
};

Error conflict(std::string message, std::string location = {}) {
  return Error{ErrorCode::kConflict, std::move(message), std::move(location)};
}

std::string shown(std::string_view text) { return python_repr(Json(text)); }

bool has_text(const Json& source, std::string_view member, std::string_view text) {
  const Json* value = source.find(member);
  return value != nullptr && value->is_string() && value->as_string() == text;
}

bool has_key(const Policy::Entry& entry, const CurveKey& key) {
  const auto* own = entry.record ? std::get_if<CurveKey>(&entry.record->credentials) : nullptr;
  return own != nullptr && *own == key;
}

/// Where the identity, or the user_id in a record that is not understood, stands in the way.
Result<void> check_names(const Policy& policy, const PlatformRecord& record) {
  for (std::size_t i = 0; i < policy.allow().size(); ++i) {
    const Policy::Entry& entry = policy.allow()[i];
    const std::string location = json_pointer("/allow", i);
    const bool is_own_user = entry.record ? entry.record->user_id == record.user_id
                                          : has_text(entry.source, "user_id", record.user_id);
    if (is_own_user && !entry.record) {
      return conflict(
          "the record of " + shown(record.user_id) + " is not understood: " + entry.record.error().message,
          location);
    }
    if (!is_own_user && !record.identity.empty() && has_text(entry.source, "identity", record.identity)) {
      return conflict("the platform's identity " + shown(record.identity) + " is in another user's record",
                      location);
    }
  }
  return {};
}

/// Adds the record, or looks at the key of the one that is there.
Result<void> make_sure_of(Policy& policy, const OwnPeer& peer, bool replace, PlatformStartReport& report) {
  const PlatformRecord& record = peer.record;
  if (auto free = check_names(policy, record); !free) return free;
  const auto is_own = [&](const Policy::Entry& entry) {
    return entry.record && entry.record->user_id == record.user_id;
  };
  const auto has_own_key = [&](const Policy::Entry& entry) {
    return is_own(entry) && has_key(entry, peer.key);
  };
  if (std::any_of(policy.allow().begin(), policy.allow().end(), has_own_key)) return {};

  const auto present = std::find_if(policy.allow().begin(), policy.allow().end(), is_own);
  if (present == policy.allow().end()) {
    Json fields = Json::Object{{"credentials", peer.key.to_base64url()},
                               {"capabilities", record.capabilities},
                               {"comments", kComment},
                               {"user_id", record.user_id}};
    if (!record.identity.empty()) fields.set("identity", record.identity);
    auto added = policy.add_allow(fields);
    if (!added) return conflict("the record of " + shown(record.user_id) + ": " + added.error().message);
    report.records_added.push_back(record.user_id);
    return {};
  }
  const auto index = static_cast<std::size_t>(present - policy.allow().begin());
  if (!replace) {
    return conflict("the record of " + shown(record.user_id) +
                        " has another key than the platform, whose key is " + peer.key.fingerprint() +
                        ": find out why before it is replaced",
                    json_pointer("/allow", index));
  }
  auto changed = policy.update_allow(
      index, Json::Object{{"mechanism", "CURVE"}, {"credentials", peer.key.to_base64url()}});
  if (changed) report.records_changed.push_back(record.user_id);
  return changed;
}

Result<std::vector<OwnPeer>> own_peers(const fs::path& home, const PlatformStart& start,
                                       const CurveKey& server_key) {
  const AgentKeyStores stores(home, start.strict_modes);
  std::vector<OwnPeer> out;
  for (const PlatformRecord& record : start.records) {
    if (record.identity.empty()) {
      out.push_back({record, server_key});
      continue;
    }
    auto keys = stores.load_or_create(record.identity);
    if (!keys) return keys.error();
    out.push_back({record, keys->public_key});
  }
  return out;
}

/// The records of all of them, in one edit.
Result<void> make_sure_of_all(const fs::path& home, const PlatformStart& start,
                              const std::vector<OwnPeer>& peers, PlatformStartReport& report) {
  const auto change = [&](Policy& policy) -> Result<void> {
    report.records_added.clear();  // a store may have it made again
    report.records_changed.clear();
    for (const OwnPeer& peer : peers) {
      auto done = make_sure_of(policy, peer, start.replace_changed_keys, report);
      if (!done) return start.store ? done.error() : done.error().at("auth.json");
    }
    return {};
  };
  EditOptions options = start.edit_options;
  if (options.note.command.empty()) options.note.command = "platform start";
  if (start.store) {
    // Where all is there the store is not asked: a bus starts while it is away.
    auto present = start.store->load_policy();
    if (!present) return present.error();
    if (auto done = change(*present); !done) return done;
    if (report.records_added.empty() && report.records_changed.empty()) return {};
  }
  auto edited = start.store ? start.store->edit_policy(change, options)
                            : AuthFile(home / "auth.json", start.strict_modes).edit(change, options);
  if (!edited) return edited.error();
  report.warnings = std::move(edited->warnings);
  return {};
}

Result<void> check_places(const std::vector<std::string>& addresses) {
  for (const std::string& text : addresses) {
    const auto address = VipAddress::parse(text);
    if (!address) return address.error();
    if (address->port == "*" || address->port == "0") {
      return Error{ErrorCode::kInvalidArgument,
                   "a platform is known by the address that it bound, not by a wildcard", ""};
    }
  }
  return {};
}

Result<void> make_known(const fs::path& home, const PlatformStart& start, PlatformStartReport& report) {
  const KnownHosts hosts(home / "known_hosts", start.strict_modes);
  std::vector<std::string> addresses = start.addresses;
  addresses.emplace_back(kAbstractHost);

  // All are looked at before the first is written.
  const auto entries = hosts.load();
  if (!entries) return entries.error();
  for (const std::string& address : addresses) {
    const auto host = KnownHosts::host_key(address);
    if (!host) return host.error();
    const auto known = std::find_if(entries->begin(), entries->end(),
                                    [&](const KnownHosts::Entry& entry) { return entry.host == *host; });
    if (known == entries->end() || start.replace_changed_keys) continue;
    if (known->key && *known->key == report.server_key) continue;
    return conflict("another key than this platform's, " + report.server_key.fingerprint() +
                        ", is known for " + shown(*host),
                    "known_hosts: " + json_pointer("", *host));
  }
  for (const std::string& address : addresses) {
    auto added = hosts.add(address, report.server_key, start.edit_options.patience);
    if (!added) return added.error();
    if (added->written) {
      report.hosts_written.insert(report.hosts_written.end(), added->hosts.begin(), added->hosts.end());
    }
  }
  return {};
}

}  // namespace

std::vector<PlatformRecord> PlatformRecord::volttron() {
  const Json edit_any = Json::Object{{"identity", "/.*/"}};
  const Json administrator = Json::Object{{"edit_config_store", edit_any},
                                          {"modify_rpc_method_allowance", Json()},
                                          {"allow_auth_modifications", Json()}};
  return {{"platform", "", Json::Object{{"edit_config_store", edit_any}}},
          {"control.connection", "control.connection", administrator},
          {"config.store", "config.store", Json::Object{{"sync_agent_config", Json()}}},
          {"platform.auth", "platform.auth", Json::Object{{"modify_rpc_method_allowance", Json()}}},
          {"control", "control", administrator},
          {"keydiscovery", "keydiscovery", Json::Object()},
          {"platform_web", "platform_web", Json::Object{{"allow_auth_modifications", Json()}}}};
}

Result<PlatformStartReport> prepare_platform(const fs::path& home, const PlatformStart& start) {
  if (auto places = check_places(start.addresses); !places) return places.error();
  if (!start.store) {
    if (auto own = LocalCopy(home, start.strict_modes).check_edited_here(); !own) return own.error();
  }
  const auto server = KeyStore(home / "keystore", start.strict_modes).load_or_create();
  if (!server) return server.error();
  PlatformStartReport report{server->public_key, {}, {}, {}, {}};
  const auto peers = own_peers(home, start, report.server_key);
  if (!peers) return peers.error();
  if (auto records = make_sure_of_all(home, start, *peers, report); !records) return records.error();
  if (auto known = make_known(home, start, report); !known) return known.error();
  return report;
}

}  // namespace vipauth
