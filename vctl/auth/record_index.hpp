#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/policy.hpp>
#include <vipauth/result.hpp>

namespace vipauth::vctl::auth {

// Records by the index that `list` shows.

/// Digits, with a minus before them or not: anything else is wrong usage.
bool is_integer(std::string_view text);

/// The index of one of `count` records.
/// \return kNotFound  `invalid index 9`
Result<std::size_t> parse_index(const std::string& text, std::size_t count);

/// Refuses when what stands at the indices is no longer what was shown.
/// \return kConflict
Result<void> check_unchanged(const Policy& shown, const Policy& current,
                             const std::vector<std::size_t>& indices);

}  // namespace vipauth::vctl::auth
