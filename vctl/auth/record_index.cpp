#include "auth/record_index.hpp"

#include <charconv>
#include <system_error>

namespace vipauth::vctl::auth {

bool is_integer(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

Result<std::size_t> parse_index(const std::string& text, std::size_t count) {
  std::size_t index = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || stop != text.data() + text.size() || index >= count) {
    return Error{ErrorCode::kNotFound, "invalid index " + text, ""};
  }
  return index;
}

Result<void> check_unchanged(const Policy& shown, const Policy& current,
                             const std::vector<std::size_t>& indices) {
  for (const std::size_t index : indices) {
    if (index >= current.allow().size() || !(current.allow()[index].source == shown.allow()[index].source)) {
      return Error{ErrorCode::kConflict, "somebody has changed the records meanwhile: list them again", ""};
    }
  }
  return {};
}

}  // namespace vipauth::vctl::auth
