#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <rapidcheck.h>

#include <vipauth/policy_snapshot.hpp>
#include <vipauth/topic_rules.hpp>

namespace vipauth::test {

/// Small worlds, in which generated policies and generated questions meet often: a handful of users, keys,
/// names and topics.
namespace world {

inline constexpr std::string_view kUsers[] = {"alice", "bob", "carol", "dan"};
inline constexpr std::string_view kIdentities[] = {"agent.a", "agent.b", "alice"};
inline constexpr std::string_view kKeys[] = {
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA",
    "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA", "ABABABABABABABABABABABABABABABABABABABABABA"};
/// The first key once more, in the other form of text.
inline constexpr std::string_view kFirstKeyAsZ85 = "0000000000000000000000000000000000000000";
inline constexpr std::string_view kPasswords[] = {"open sesame", "let me in"};
/// Names that mean something else where they are taken for a pattern.
inline constexpr std::string_view kOddUsers[] = {"a.ice", "/.*/", "control"};
/// Around the time of compile().
inline constexpr std::string_view kTimes[] = {"2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z",
                                              "2026-11-22T00:00:00Z"};
inline constexpr std::string_view kDomains[] = {"vip", "other"};
inline constexpr std::string_view kAddresses[] = {"10.0.0.1", "10.0.0.2", "::ffff:10.0.0.1"};
inline constexpr std::string_view kCapabilities[] = {"read", "write", "admin"};
inline constexpr std::string_view kMethods[] = {"get", "set"};
inline constexpr std::string_view kTopics[] = {"devices", "devices/alice/x", "devices/bob", "alerts",
                                               "alerts\n"};

}  // namespace world

/// The member of auth.json `allow` or `deny`: mostly good, now and then inactive or not understood.
rc::Gen<Json> any_record();
/// A good deny record.
rc::Gen<Json> any_deny_record();
/// A good deny record, of any mechanism.
rc::Gen<Json> any_denial();
/// A document of auth.json, of which the deny list is good.
/// \param most_records  that its allow list has
rc::Gen<Json> any_policy(int most_records = 6);
/// A rule of protected_topics.json.
rc::Gen<Json> any_topic_rule();
/// A document of protected_topics.json.
rc::Gen<Json> any_topic_rules();

/// Everything that can be asked in a world.
struct ConnectCase {
  std::string_view domain;
  std::string_view address;
  std::string_view key;
};
struct CallCase {
  std::string_view user_id;
  std::string_view callee;
  std::string_view method;
  CallArguments arguments;
};
struct TopicCase {
  std::string_view user_id;
  std::string_view topic;
};
const std::vector<ConnectCase>& connect_cases();
const std::vector<CallCase>& call_cases();
const std::vector<TopicCase>& topic_cases();

/// Compiles documents that must be good.
PolicySnapshot compile(const Json& policy, const Json& topic_rules = Json(Json::Object()));

/// What a snapshot answers to everything that can be asked: reasons, and as whom peers are accepted; not the
/// places, which move with the order of the file.
std::vector<std::string> answers(const PolicySnapshot& snapshot);

/// Checks a property on many generated worlds, as many as RC_PARAMS says. On failure it prints the smallest
/// world that was found to break it, and how to see it again.
template <typename Property>
bool holds(Property property) {
  return rc::check(property);
}

}  // namespace vipauth::test

namespace rc {

template <>
struct Arbitrary<vipauth::Json>;  // say which: any_policy(), any_record() ...

}  // namespace rc

namespace vipauth {

/// For RapidCheck's reports, which look for this name.
// NOLINTNEXTLINE(readability-identifier-naming)
inline void showValue(const Json& json, std::ostream& out) { out << json.dump(); }

}  // namespace vipauth
