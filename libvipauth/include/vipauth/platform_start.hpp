#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <vipauth/curve_key.hpp>
#include <vipauth/file_edit.hpp>
#include <vipauth/json.hpp>
#include <vipauth/policy_store.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// A record that a platform has of itself: of one of its own agents, or of its server key.
struct PlatformRecord {
  std::string user_id;
  std::string identity;  ///< empty: none; the record has the server's key then, not one of an agent
  Json capabilities;

  /// The seven that VOLTTRON adds: platform, control.connection, config.store, platform.auth, control,
  /// keydiscovery, platform_web. Source: VOLTTRON main.py, start_volttron_process; a running platform's
  /// auth.json.
  VIPAUTH_EXPORT static std::vector<PlatformRecord> volttron();
};

/// What a platform makes sure of when it starts.
struct PlatformStart {
  /// Where it listens, as bound: "tcp://127.0.0.1:22916". No wildcard port.
  std::vector<std::string> addresses;
  std::vector<PlatformRecord> records = PlatformRecord::volttron();
  /// A key that is not what a record or known_hosts says is an error, unless this wants it put right.
  bool replace_changed_keys = false;
  StrictModes strict_modes = StrictModes::kOn;
  EditOptions edit_options = {};
  /// Where records are made sure of: of a home that follows a fleet, what its FleetFollower edits. Null: the
  /// home's auth.json.
  std::shared_ptr<PolicyStore> store = nullptr;
};

/// What a start found and did.
struct PlatformStartReport {
  CurveKey server_key;
  std::vector<std::string> records_added;  ///< user_ids
  std::vector<std::string> records_changed;
  std::vector<std::string> hosts_written;  ///< entries of known_hosts
  std::vector<std::string> warnings;
};

/// Makes sure of what a platform needs in its home: the server's key pair, made on first use; a record, and a
/// key pair, for each of its own agents ("Automatically added by platform on start"); the server key in
/// known_hosts, for each address and for "@". A start that finds all this writes nothing. Of a record that is
/// there only the key is looked at: what an operator changed in it stays.
///
/// Keys first, then auth.json (or the store) in one edit, then known_hosts: after a crash the next start does
/// the rest.
/// \return kConflict         another key than expected: in a record of that user_id, or in known_hosts; or the key
///                           or the identity belongs to another user's record. Nothing of that file is
///                           changed. Or the home follows a store, and none is given: what
///                           LocalCopy::check_edited_here says
/// \return kInvalidArgument  an address that is no place to connect to
/// \return what KeyStore::load_or_create, AgentKeyStores, AuthFile::edit and KnownHosts return
/// Source: VOLTTRON main.py; keystore.py, KnownHostsStore.
VIPAUTH_EXPORT Result<PlatformStartReport> prepare_platform(const std::filesystem::path& home,
                                                            const PlatformStart& start);

}  // namespace vipauth
