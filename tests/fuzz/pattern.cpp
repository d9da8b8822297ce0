// A pattern, 0xFF, and values to match: by itself, and by all that is to say sooner that it does not match.
#include <vipauth/pattern.hpp>

#include <array>
#include <span>

#include "fuzz.hpp"
#include "text/pattern_literals.hpp"
#include "text/pattern_union.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;

namespace {

std::string folded(std::string_view text) {
  std::string out;
  for_each_folded(text, [&](unsigned char byte) { out += static_cast<char>(byte); });
  return out;
}

bool holds_each_group(const std::vector<LiteralGroup>& groups, const std::string& value) {
  return std::all_of(groups.begin(), groups.end(), [&](const LiteralGroup& group) {
    return std::any_of(group.begin(), group.end(),
                       [&](const std::string& text) { return value.find(text) != std::string::npos; });
  });
}

void check_quoted(std::string_view value) {
  const auto quoted = Pattern::parse("/" + Pattern::quote(value) + "/");
  if (!quoted) {
    require(quoted.error().code == ErrorCode::kLimitExceeded, quoted.error().to_string());
    return;
  }
  require(quoted->matches(value) && !quoted->matches(std::string(value) + "x"), value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parts = parts_of(text_of(data, size), 8);
  const std::string_view text = parts.front();
  const auto pattern = Pattern::parse(text);
  const auto intent = Pattern::likely_intent(text);
  require(!intent || Pattern::looks_like_regex(*intent));
  if (!pattern) {
    require_good(pattern.error(), size);
    return 0;
  }
  require(pattern->is_regex() == Pattern::looks_like_regex(text));
  require_same(pattern->text(), text);
  const std::string prefix = literal_prefix(*pattern);
  const auto groups = literal_groups(*pattern);
  for (const LiteralGroup& group : groups) {
    require(!group.empty() && group.size() <= kMaxLiteralGroup);
    for (const std::string& each : group) {
      require(!each.empty() &&
              std::none_of(each.begin(), each.end(), [](char c) { return c >= 'A' && c <= 'Z'; }));
    }
  }
  static const auto other = Pattern::parse("/other.*x|[0-9]+/");
  const std::array<const Pattern*, 2> both{&*other, &*pattern};
  const std::span<const Pattern* const> expressions(both.data(), pattern->is_regex() ? 2 : 1);
  const PatternUnion all(expressions);
  const PatternUnion alone(expressions.last(1));
  for (const std::string_view value : parts) {
    if (!is_valid_utf8(value)) continue;
    const bool matches = pattern->matches(value);
    if (!pattern->is_regex()) require(matches == (value == text));
    if (matches) {
      require(value.starts_with(prefix), value);
      require(holds_each_group(groups, folded(value)), value);
    }
    if (!pattern->is_regex()) continue;
    require(!matches || all.matches(value), value);
    require(!matches || alone.matches(value), value);
  }
  for (const std::string_view value : parts) {
    if (is_valid_utf8(value) && value.size() < 400) check_quoted(value);
  }
  return 0;
}
