#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mini_bus {

/// The arguments of a small program: options with a value, and the rest.
class Arguments {
 public:
  Arguments(int argc, char** argv) : left_(argv + 1, argv + argc) {}

  /// Takes out `name VALUE`.
  std::optional<std::string> take_option(std::string_view name) {
    const auto found = std::find(left_.begin(), left_.end(), name);
    if (found == left_.end() || found + 1 == left_.end()) return std::nullopt;
    std::string value = std::move(*(found + 1));
    left_.erase(found, found + 2);
    return value;
  }

  bool take_flag(std::string_view name) {
    const auto found = std::find(left_.begin(), left_.end(), name);
    if (found == left_.end()) return false;
    left_.erase(found);
    return true;
  }

  /// Takes out the first that is left.
  std::optional<std::string> take_next() {
    if (left_.empty()) return std::nullopt;
    std::string next = std::move(left_.front());
    left_.erase(left_.begin());
    return next;
  }

  const std::vector<std::string>& left() const { return left_; }

 private:
  std::vector<std::string> left_;
};

}  // namespace mini_bus
