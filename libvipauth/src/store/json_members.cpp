#include "store/json_members.hpp"

namespace vipauth {

std::string JsonMembers::text(std::string_view name) {
  const Json* member = object_.find(name);
  if (member != nullptr && member->is_string()) return member->as_string();
  fail(name, "must be a string");
  return {};
}

Json JsonMembers::any(std::string_view name) const {
  const Json* member = object_.find(name);
  return member == nullptr ? Json() : *member;
}

std::uint64_t JsonMembers::count(std::string_view name) {
  const Json* member = object_.find(name);
  const bool is_count = member != nullptr && member->is_number() &&
                        member->as_number().digits.find_first_not_of("0123456789") == std::string::npos &&
                        member->as_number().digits.size() < 19;
  if (!is_count) fail(name, "must be a count");
  return is_count ? std::stoull(member->as_number().digits) : 0;
}

Timestamp JsonMembers::time(std::string_view name) {
  const auto parsed = parse_timestamp(text(name));
  if (!parsed) fail(name, parsed.error().message);
  return parsed.value_or(Timestamp{});
}

std::optional<Timestamp> JsonMembers::optional_time(std::string_view name) {
  if (object_.find(name) == nullptr) return std::nullopt;
  return time(name);
}

void JsonMembers::fail(std::string_view name, std::string message) {
  if (!error_) error_ = Error{code_, std::move(message), json_pointer(location_, name)};
}

}  // namespace vipauth
