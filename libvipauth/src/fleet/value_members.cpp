#include "fleet/value_members.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace vipauth::fleet {
namespace {

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

}  // namespace

std::string ValueMembers::text(std::string_view name) {
  const Json* member = object_.find(name);
  if (member != nullptr && member->is_string()) return member->as_string();
  fail(name, "must be a string");
  return {};
}

std::string ValueMembers::plain_text(std::string_view name) {
  std::string out = text(name);
  if (out.size() > kMaxTextBytes) fail(name, "is longer than 255 bytes");
  if (std::any_of(out.begin(), out.end(), is_control)) fail(name, "holds a control character");
  return out;
}

Timestamp ValueMembers::time(std::string_view name) {
  const auto parsed = parse_timestamp(text(name));
  if (!parsed) fail(name, parsed.error().message);
  return parsed.value_or(Timestamp{});
}

std::optional<Timestamp> ValueMembers::optional_time(std::string_view name) {
  if (object_.find(name) == nullptr) return std::nullopt;
  return time(name);
}

std::uint64_t ValueMembers::count(std::string_view name) {
  const Json* member = object_.find(name);
  const std::string digits = member != nullptr && member->is_number() ? member->as_number().digits : "";
  std::int64_t out = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  if (error != std::errc() || end != digits.data() + digits.size() || out < 0) {
    fail(name, "must be a count");
    return 0;
  }
  return static_cast<std::uint64_t>(out);
}

void ValueMembers::fail(std::string_view name, std::string message) {
  if (!error_) error_ = Error{ErrorCode::kInvalidArgument, std::move(message), json_pointer("", name)};
}

bool is_plain(std::string_view text) {
  return is_valid_utf8(text) && std::none_of(text.begin(), text.end(), is_control);
}

std::string made_plain(std::string_view text, std::size_t most_bytes) {
  std::string out(text.substr(0, most_bytes));
  if (text.size() > most_bytes) {
    // Not in the middle of a character.
    while (!out.empty() && !is_valid_utf8(out) && (static_cast<unsigned char>(out.back()) & 0x80U) != 0) {
      out.pop_back();
    }
  }
  const bool is_text = is_valid_utf8(out);
  std::replace_if(
      out.begin(), out.end(),
      [is_text](char c) {
        return is_control(c) || (!is_text && (static_cast<unsigned char>(c) & 0x80U) != 0);
      },
      '?');
  return out;
}

Result<Json> object_of(std::string_view text, std::size_t most_bytes, std::string_view what) {
  if (text.size() > most_bytes) {
    return Error{ErrorCode::kLimitExceeded,
                 std::string(what) + " is longer than " + std::to_string(most_bytes) + " bytes", ""};
  }
  auto json = Json::parse(text);
  if (!json || json->is_object()) return json;
  return Error{ErrorCode::kInvalidArgument, "must be an object, not " + std::string(json->kind_name()), ""};
}

}  // namespace vipauth::fleet
