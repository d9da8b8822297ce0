#include "model/whole_number.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace vipauth {

std::optional<int> whole_number(const Json* json) {
  if (json == nullptr || !json->is_number()) return std::nullopt;
  const std::string& digits = json->as_number().digits;
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (value < 0 || value != std::floor(value)) return std::nullopt;
  return static_cast<int>(std::min(value, 1e6));
}

}  // namespace vipauth
