#pragma once

#include <chrono>
#include <thread>

namespace vipauth::test {

/// Asks `condition` again and again until it holds; false where it never did. The patience is no measure of
/// speed: it only bounds a test that fails.
template <typename Condition>
bool eventually(const Condition& condition, std::chrono::milliseconds patience = std::chrono::seconds(60)) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace vipauth::test
