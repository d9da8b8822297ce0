#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <vipauth/auth_service.hpp>

#include "support/policies.hpp"
#include "support/temp_home.hpp"

namespace vipauth::test {

/// A record of auth.json. `more` with single quotes for double ones.
inline Json user_record(const std::string& user_id, const std::string& key, std::string_view more = "{}") {
  Json out = Json::Object{{"user_id", user_id}, {"credentials", key}};
  const Json members = json(more);
  for (const Json::Member& member : members.as_object()) out.set(member.name, member.value);
  return out;
}

/// The text of an auth.json that allows these records; `more` as above.
inline std::string auth_file(Json::Array allow, std::string_view more = "{}") {
  Json out = Json::Object{{"allow", std::move(allow)}};
  const Json members = json(more);
  for (const Json::Member& member : members.as_object()) out.set(member.name, member.value);
  out.set("version", Json::Object{{"major", 1}, {"minor", 4}});
  return out.dump_pretty();
}

/// Without a thread: only reload() reads, and what the service itself changes.
inline AuthService open_service(const TempHome& home, AuthService::Options options = {}) {
  options.watch = false;
  auto service = AuthService::open(home.path(), std::move(options));
  if (!service) throw std::runtime_error(service.error().to_string());
  return std::move(*service);
}

inline Session session_for(const AuthService& service, const std::string& user_id, const std::string& key) {
  return service.session({user_id, Mechanism::kCurve, key, "vip", "127.0.0.1"});
}

/// A member of a record of auth.json as it is on the disk.
inline Json stored(const TempHome& home, std::string_view list, std::size_t index, std::string_view member) {
  const auto document = Json::parse(home.read("auth.json"));
  if (!document) throw std::runtime_error(document.error().to_string());
  const Json* value = document->find(list)->as_array().at(index).find(member);
  return value == nullptr ? Json("(missing)") : *value;
}

}  // namespace vipauth::test
