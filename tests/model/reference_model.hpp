#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vipauth/clock.hpp>
#include <vipauth/decision.hpp>
#include <vipauth/json.hpp>

namespace vipauth::test::model {

/// What the model says: whether, as whom, and each reason that may be given. Where several things are wrong
/// at once, any of them may be.
struct Answer {
  bool allowed = false;
  std::set<Reason> reasons;
  std::string user_id = {};   ///< of a peer that is let in
  std::string identity = {};  ///< the one that its record gives
  std::string password = {};  ///< what that record stores, where it does

  static Answer allow(Reason reason) { return {true, {reason}}; }
  static Answer refuse(Reason reason) { return {false, {reason}}; }
};

/// Who asks to connect.
struct Peer {
  std::string domain;
  std::string address;
  std::string mechanism;  ///< "CURVE", "PLAIN", "NULL"
  std::string key = {};   ///< of CURVE, as base64url
  std::string username = {};
  std::string password = {};
};

/// A peer that was let in, as it was then.
struct StandingSession {
  Peer peer;
  std::string user_id;
  std::string stored_password = {};  ///< of PLAIN: what the record held
};

/// A parameter of a method: "POSITIONAL", "KEYWORD", "*" or "**".
struct PlainParameter {
  std::string name;
  std::string kind;
  std::optional<Json> default_value = {};
};

/// What an agent's code declares of one method.
struct Declaration {
  std::vector<std::string> capabilities;
  std::optional<std::vector<PlainParameter>> parameters = {};
};

/// How capabilities are written in a record or role, each as a name with its restrictions; nothing where they
/// are of a wrong type (semantics 4).
using PlainGrant = std::pair<std::string, Json::Object>;
std::optional<std::vector<PlainGrant>> read_capabilities(const Json& json);

/// A list of names, as roles and groups are; nothing where it is of a wrong type.
std::optional<std::vector<std::string>> read_names(const Json& json);

/// A CURVE key in its base64url form, of either form; nothing where the text is none (semantics 2).
std::optional<std::string> read_key(std::string_view text);

/// An IPv4 address that is mapped to IPv6, as IPv4; any other text unchanged (semantics 3).
std::string plain_address(std::string_view address);

/// A record of auth.json, understood (semantics 2).
struct PlainRecord {
  std::vector<std::string> domain;
  std::vector<std::string> address;
  std::string mechanism;
  std::string credentials;  ///< a key as base64url, a pattern, or what is stored of a password
  std::string user_id;
  std::string identity;
  std::vector<PlainGrant> capabilities;
  std::vector<std::string> roles;
  std::vector<std::string> groups;
  bool enabled = true;
  std::optional<Timestamp> not_before;
  std::optional<Timestamp> not_after;
};
std::optional<PlainRecord> understand(const Json& record);

/// What the decisions mean, as slowly and plainly as it can be said: for each question it reads the documents
/// from their beginning. It shares nothing with the engine but Json, the time of day, and the derived
/// user_id.
///
/// Comments name the sections of the page of decisions, "semantics".
struct ReferenceModel {
  Json policy;            ///< auth.json
  Json topic_rules = {};  ///< protected_topics.json; null: rules that never could be read
  Timestamp now = {};
  std::optional<std::uint32_t> trusted_uid = {};  ///< where peers over IPC of that uid are trusted
  std::map<std::string, std::map<std::string, Declaration>> declared = {};  ///< by identity and method

  /// False where the policy must not be put in force.
  static bool can_be_in_force(const Json& policy);
  static bool are_good_rules(const Json& topic_rules);

  Answer authenticate(const Peer& peer) const;
  Answer judge_again(const StandingSession& session) const;
  std::set<std::string> capabilities_of(const std::string& user_id) const;
  bool knows(const std::string& user_id) const;
  Answer call(const std::string& user_id, const std::string& callee, const std::string& method,
              const Json::Object& arguments) const;
  /// \param params  as JSON-RPC carries them
  Answer call_as_it_came(const std::string& user_id, const std::string& callee, const std::string& method,
                         const Json& params) const;
  Answer publish(const std::string& user_id, const std::string& topic) const;
  Answer receive(const std::string& user_id, const std::string& topic) const;
  /// \param permitted  the identity that the record of the session gives
  Answer speak_as(const std::string& user_id, const std::string& permitted, const std::string& claimed) const;
};

}  // namespace vipauth::test::model
