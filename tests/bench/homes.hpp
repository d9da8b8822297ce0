#pragma once

// Homes to measure with: policies of any size, topic rules of any shape.

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/auth_service.hpp>
#include <vipauth/curve_key.hpp>

#include "support.hpp"

namespace bench {

inline constexpr std::size_t kRoles = 200;
inline constexpr std::size_t kGroups = 50;
/// So many of the first records are of keys that somebody has the secret of, for handshakes.
inline constexpr std::size_t kPairs = 64;

/// Numbers that look random, and are the same in each run. Source: Steele, Lea and Flood, SplitMix64.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  std::size_t below(std::size_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

inline vipauth::CurveKey::Bytes key_bytes(std::uint64_t seed) {
  Numbers numbers(seed);
  vipauth::CurveKey::Bytes bytes{};
  for (std::size_t i = 0; i < bytes.size(); i += sizeof(std::uint64_t)) {
    const std::uint64_t word = numbers.next();
    for (std::size_t k = 0; k < sizeof word; ++k) bytes[i + k] = static_cast<std::uint8_t>(word >> (8 * k));
  }
  return bytes;
}

/// The key pair of record `i`, below kPairs.
inline const vipauth::CurveKeyPair& pair_of(std::size_t i) {
  static const std::vector<vipauth::CurveKeyPair> pairs = [] {
    std::vector<vipauth::CurveKeyPair> out;
    out.reserve(kPairs);
    for (std::size_t k = 0; k < kPairs; ++k) {
      const std::string text = vipauth::CurveKey(key_bytes(~std::uint64_t{k})).to_base64url();
      out.push_back(must(vipauth::CurveKeyPair::from_secret(text)));
    }
    return out;
  }();
  return pairs.at(i);
}

/// The key of record `i`; from kPairs on, one that no secret belongs to.
inline vipauth::CurveKey key_of(std::size_t i) {
  return i < kPairs ? pair_of(i).public_key : vipauth::CurveKey(key_bytes(i));
}
/// A key that no record has.
inline vipauth::CurveKey stranger_of(std::size_t i) {
  return vipauth::CurveKey(key_bytes(i + (std::uint64_t{1} << 40U)));
}

inline std::string user_of(std::size_t i) { return "agent." + std::to_string(i); }

// Each user holds edit_config_store for its own identity, as VOLTTRON's agents do, and by its role can_read,
// and can_set for the points of a pattern that the role has. agent.0 is called: each of its methods requires
// one.
inline constexpr std::string_view kCallee = "agent.0";
inline constexpr std::string_view kPlainMethod = "get_point";
inline constexpr std::string_view kExactMethod = "set_config";
inline constexpr std::string_view kPatternMethod = "set_point";

inline std::string point_pattern(std::size_t role) {
  return "/device" + std::to_string(role) + "\\\\.[a-z]+[0-9]*/";  // as JSON has it
}
inline std::string point_of(std::size_t user) {
  return "device" + std::to_string(user % kRoles) + ".setpoint4";
}

inline void write_file(const fs::path& file, std::string_view content) {
  std::ofstream out(file, std::ios::binary);
  out << content;
  if (!out.flush()) give_up("cannot write " + file.string());
  out.close();
  fs::permissions(file, fs::perms(0600));
}

inline std::string record_text(std::size_t i) {
  const std::string user = user_of(i);
  const std::string_view methods =
      i == 0 ? R"({"get_point":["can_read"],"set_config":["edit_config_store"],"set_point":["can_set"]})"
             : "{}";
  std::string out = R"({"domain":null,"address":null,"mechanism":"CURVE","credentials":")";
  out += key_of(i).to_base64url();
  out += R"(","groups":["group)" + std::to_string(i % kGroups);
  out += R"("],"roles":["role)" + std::to_string(i % kRoles);
  out += R"("],"capabilities":{"edit_config_store":{"identity":")" + user;
  out += R"("}},"rpc_method_authorizations":)";
  out += methods;
  out += R"(,"comments":"Automatically added on agent install","user_id":")" + user;
  out += R"(","identity":")" + user + R"(","enabled":true})";
  return out;
}

/// An auth.json as VOLTTRON writes its records, but without white space: some 315 bytes a record.
inline void write_policy(const fs::path& home, std::size_t records) {
  const fs::path file = home / "auth.json";
  std::ofstream out(file, std::ios::binary);
  out << R"({"allow":[)";
  for (std::size_t i = 0; i < records; ++i) out << (i == 0 ? "" : ",") << record_text(i);
  out << R"(],"deny":[],"groups":{)";
  for (std::size_t i = 0; i < kGroups; ++i) {
    out << (i == 0 ? "" : ",") << "\"group" << i << R"(":["observer)" << i << R"("])";
  }
  out << R"(},"roles":{)";
  for (std::size_t i = 0; i < kRoles; ++i) {
    out << (i == 0 ? "" : ",") << "\"role" << i << R"(":["can_read",{"can_set":{"point":")"
        << point_pattern(i) << R"("}}])";
  }
  for (std::size_t i = 0; i < kGroups; ++i) out << ",\"observer" << i << R"(":["can_observe"])";
  out << R"(},"version":{"major":1,"minor":4}})";
  if (!out.flush()) give_up("cannot write " + file.string());
  out.close();
  fs::permissions(file, fs::perms(0600));
}

/// One user, agent.0, with a role for each capability can0, can1, ... and a method of that name that requires
/// it.
inline void write_policy_of_roles(const fs::path& home, std::size_t roles) {
  std::string names;
  std::string meanings;
  for (std::size_t i = 0; i < roles; ++i) {
    const std::string number = std::to_string(i);
    const char* comma = i == 0 ? "" : ",";
    names += comma + ("\"role" + number + '"');
    meanings += comma + ("\"role" + number + R"(":["can)" + number + R"("])");
  }
  const std::string last = "can" + std::to_string(roles - 1);
  write_file(home / "auth.json", R"({"allow":[{"user_id":"agent.0","identity":"agent.0","credentials":")" +
                                     key_of(0).to_base64url() + R"(","roles":[)" + names +
                                     R"(],"rpc_method_authorizations":{"last":[")" + last +
                                     R"("]}}],"roles":{)" + meanings +
                                     R"(},"version":{"major":1,"minor":4}})");
}

enum class Shape { kLiterals, kPrefixes, kClasses, kLeading, kMixed, kBare };

inline std::string_view name_of(Shape shape) {
  constexpr std::array<std::string_view, 6> kNames{"literals", "prefixes", "classes",
                                                   "leading",  "mixed",    "bare"};
  return kNames.at(static_cast<std::size_t>(shape));
}

inline Shape shape_of_rule(Shape shape, std::size_t i) {
  return shape == Shape::kMixed ? static_cast<Shape>(i % 4) : shape;
}

/// Rule `i`, without slashes around it. Bare rules have no three characters in a row.
inline std::string rule_text(Shape shape, std::size_t i) {
  const std::string number = std::to_string(i);
  switch (shape_of_rule(shape, i)) {
    case Shape::kPrefixes: return "devices\\/campus" + number + "\\/.*";
    case Shape::kClasses: return "devices\\/[^\\/]+\\/point" + number;
    case Shape::kLeading: return ".*suffix" + number;
    case Shape::kBare: {
      std::string out = "[a-z]+";
      for (const char digit : number) out += std::string("[\\/x]+") + digit;
      return out + "[^0-9]?.*";
    }
    default: return "devices/campus" + number + "/building";
  }
}
inline bool is_regex(Shape shape, std::size_t i) { return shape_of_rule(shape, i) != Shape::kLiterals; }

/// A topic that rule `i` covers, and hardly another; `detail` makes it one of many.
inline std::string topic_text(Shape shape, std::size_t i, std::uint64_t detail) {
  const std::string number = std::to_string(i);
  const std::string unit = "unit" + std::to_string(detail);
  switch (shape_of_rule(shape, i)) {
    case Shape::kPrefixes: return "devices/campus" + number + '/' + unit;
    case Shape::kClasses: return "devices/" + unit + "/point" + number;
    case Shape::kLeading: return "devices/" + unit + "/suffix" + number;
    case Shape::kBare: {
      std::string out = "devices";
      for (const char digit : number) out += std::string("/") + digit;
      return out + "/" + unit;
    }
    default: return "devices/campus" + number + "/building/" + unit;
  }
}

/// A protected_topics.json; all rules require can_read, which every user of write_policy holds.
inline void write_topics(const fs::path& home, Shape shape, std::size_t rules) {
  vipauth::Json::Array list;
  for (std::size_t i = 0; i < rules; ++i) {
    std::string topic = rule_text(shape, i);
    if (is_regex(shape, i)) topic = '/' + topic + '/';
    list.emplace_back(vipauth::Json::Object{{"topic", std::move(topic)},
                                            {"capabilities", vipauth::Json::Array{"can_read"}}});
  }
  write_file(home / "protected_topics.json",
             vipauth::Json(vipauth::Json::Object{{"write-protect", std::move(list)}}).dump());
}

/// As a bus runs it: audit log and metrics on. Only reload() follows the files.
/// A service that decides; a large policy is audited behind that.
inline vipauth::AuthService begin_service(const fs::path& home, bool watch = false) {
  vipauth::AuthService::Options options;
  options.watch = watch;
  options.audit.emplace();
  vipauth::AuthService service = must(vipauth::AuthService::open(home, std::move(options)));
  if (const auto problem = service.last_problem()) give_up(problem->to_string());
  return service;
}

/// The same when nothing is left to be done.
inline vipauth::AuthService open_service(const fs::path& home, bool watch = false) {
  vipauth::AuthService service = begin_service(home, watch);
  must(service.flush());
  return service;
}

/// A peer with this key from this machine, as ZAP presents it.
inline vipauth::AuthenticationRequest request_of(const vipauth::CurveKey& key) {
  return {"vip", "127.0.0.1", key};
}

inline vipauth::Session session_of(const vipauth::AuthService& service, std::size_t user) {
  const auto snapshot = service.policy()->current().snapshot;
  const vipauth::Authentication answer = snapshot->authenticator.authenticate(request_of(key_of(user)));
  if (!answer.decision) give_up("a user is not let in");
  return service.session(answer.acceptance());
}

}  // namespace bench
