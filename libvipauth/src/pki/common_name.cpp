#include <vipauth/common_name.hpp>

#include <algorithm>

namespace vipauth {
namespace {

bool may_stand_in_name(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.';
}

Error not_a_name(std::string_view text, std::string_view why) {
  // A terminal would obey the rest.
  const bool is_shown = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
  const std::string shown = is_shown ? "\"" + std::string(text) + "\"" : std::string("this text");
  return Error{ErrorCode::kInvalidArgument, shown + " is no common name: " + std::string(why), ""};
}

}  // namespace

Result<CommonName> CommonName::parse(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return Error{ErrorCode::kLimitExceeded,
                 "a common name has at most 64 characters, not " + std::to_string(text.size()), ""};
  }
  if (!std::all_of(text.begin(), text.end(), may_stand_in_name)) {
    return not_a_name(text, "it may hold A-Z, a-z, 0-9, '_', '-' and '.' only");
  }
  const bool has_empty_part =
      text.empty() || text.front() == '.' || text.back() == '.' || text.find("..") != std::string_view::npos;
  if (has_empty_part) return not_a_name(text, "no part between its dots may be empty");
  return CommonName(std::string(text));
}

std::optional<std::string_view> CommonName::within(std::string_view instance) const noexcept {
  const std::string_view text = text_;
  if (instance.empty() || text.size() < instance.size() + 2) return std::nullopt;
  if (!text.starts_with(instance) || text[instance.size()] != '.') return std::nullopt;
  return text.substr(instance.size() + 1);
}

}  // namespace vipauth
