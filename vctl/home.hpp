#pragma once

#include <chrono>
#include <filesystem>
#include <string_view>
#include <vector>

#include <vipauth/agent_key_stores.hpp>
#include <vipauth/auth_file.hpp>
#include <vipauth/key_store.hpp>
#include <vipauth/known_hosts.hpp>
#include <vipauth/platform_config.hpp>
#include <vipauth/policy.hpp>
#include <vipauth/result.hpp>
#include <vipauth/topic_rules.hpp>
#include <vipauth/topics_file.hpp>

#include "context.hpp"

namespace vipauth::vctl {

/// Who edits, by which verb: the user of the process, or who became root by sudo.
EditNote edit_note(const Context& context);

/// The home folder that a verb works on, and the files in it.
class Home {
 public:
  /// --home, else $VOLTTRON_HOME, else ~/.volttron. Who works on a store needs none: its path is then empty.
  /// \return kNotFound  there is no such folder; the message says what to do
  static Result<Home> open(const Context& context);

  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path auth_path() const { return path_ / "auth.json"; }
  std::filesystem::path topics_path() const { return path_ / "protected_topics.json"; }

  AuthFile auth_file() const { return AuthFile(auth_path(), strict_modes()); }
  TopicsFile topics_file() const { return TopicsFile(topics_path(), strict_modes()); }

  KnownHosts known_hosts() const { return KnownHosts(path_ / "known_hosts", strict_modes()); }
  KeyStore server_key_store() const { return KeyStore(path_ / "keystore", strict_modes()); }
  AgentKeyStores agent_key_stores() const { return AgentKeyStores(path_, strict_modes()); }

  /// How long the user waits for a file that somebody else edits.
  std::chrono::milliseconds patience() const { return context_->options.timeout; }

  std::filesystem::path certificates_path() const { return path_ / "certificates"; }

  /// --config, or the home's `config`; without that an empty one.
  /// \return what PlatformConfig::load returns; kNotFound  --config names no file
  Result<PlatformConfig> load_config() const;

  /// Where the platform listens, by --config or the home's `config`; without it VOLTTRON's default, a socket
  /// in the home.
  /// \return what PlatformConfig::load and vip_addresses return; kNotFound  --config names no file
  Result<std::vector<VipAddress>> load_vip_addresses() const;

  // What the verb works on: these files, the store, or the running platform.

  /// Where the policy, or what protects topics, is, for people.
  std::string shown_auth_place() const;
  std::string shown_topics_place() const;

  /// auth.json; a missing file is an empty policy.
  /// \return what AuthFile::load returns but kNotFound
  Result<Policy> load_policy() const;

  /// protected_topics.json; a missing file protects nothing.
  /// \return what TopicsFile::load returns but kNotFound
  Result<TopicRules> load_topic_rules() const;

  /// The same with everything that an edit keeps.
  Result<TopicDocument> load_topics() const;

  /// Whether what the verb works on is for editing here; asked before somebody is asked anything.
  /// \return kConflict  the files are, and the home follows a store, whose copy they are: the message says where to edit
  Result<void> check_edited_here() const;

  /// One edit of auth.json, with the patience that the user has. The verb shows what it did, then the
  /// report's warnings.
  /// \return what check_edited_here and AuthFile::edit, or the store, return
  Result<EditReport> edit_policy(const AuthFile::Change& change) const;

  /// The same of protected_topics.json.
  Result<EditReport> edit_topics(const TopicsFile::Change& change) const;

  /// Adds a change of a file that does not audit itself to the home's audit log, where there is one; warns
  /// where it cannot. Those of edit_policy and edit_topics do.
  void audit(std::string_view file, Json before, Json after) const;

  /// The patience that the user has; who the user is, and which verb runs.
  EditOptions edit_options() const;

  const Context& context() const noexcept { return *context_; }
  StrictModes strict_modes() const { return context_->options.strict_modes; }

 private:
  Home(std::filesystem::path path, const Context& context) : path_(std::move(path)), context_(&context) {}

  std::filesystem::path path_;
  const Context* context_;
};

}  // namespace vipauth::vctl
