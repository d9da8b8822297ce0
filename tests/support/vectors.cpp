#include "support/vectors.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>

#include "support/paths.hpp"

namespace vipauth::test {
namespace {

std::string numbered_key(std::size_t number) {
  CurveKey::Bytes bytes{};
  bytes[0] = static_cast<std::uint8_t>(number & 0xffU);
  bytes[1] = static_cast<std::uint8_t>(number >> 8U);
  return CurveKey(bytes).to_base64url();
}

}  // namespace

Json::Array recorded_cases(const std::string& file) {
  std::ifstream stream(std::string(VIPAUTH_TEST_DATA) + "/volttron/" + file);
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  auto document = Json::parse(text);
  if (!document) throw std::runtime_error(file + ": " + document.error().to_string());
  return at(*document, "cases").as_array();
}

const Json& at(const Json& object, std::string_view name) {
  const Json* member = object.find(name);
  if (member == nullptr) throw std::runtime_error("no member " + std::string(name));
  return *member;
}

const std::string& text_at(const Json& object, std::string_view name) { return at(object, name).as_string(); }

Result<Policy> policy_of(const Json& recorded) {
  if (!recorded.is_string()) return Policy::parse(recorded);
  auto document = Json::parse(recorded.as_string(), Json::Comments::kAccept);
  if (!document) return document.error();
  return Policy::parse(std::move(*document));
}

Policy policy_of_users(const Json::Object& user_capabilities) {
  Policy policy;
  std::size_t number = 0;
  for (const Json::Member& user : user_capabilities) {
    auto added = policy.add_allow(Json(Json::Object{{"user_id", Json(user.name)},
                                                    {"credentials", Json(numbered_key(++number))},
                                                    {"capabilities", user.value}}));
    if (!added) throw std::runtime_error(added.error().to_string());
  }
  return policy;
}

}  // namespace vipauth::test
