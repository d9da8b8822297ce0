#include "service/registration_brake.hpp"

namespace vipauth {
namespace {

/// Most identities that are remembered.
constexpr std::size_t kMost = 10'000;

}  // namespace

bool RegistrationBrake::is_news(std::string_view identity, std::string_view problem) {
  const std::lock_guard lock(mutex_);
  const auto known = problems_.find(identity);
  if (problem.empty()) {
    if (known != problems_.end()) problems_.erase(known);
    return false;
  }
  if (known != problems_.end()) {
    if (known->second == problem) return false;
    known->second = problem;
    return true;
  }
  if (problems_.size() >= kMost) problems_.erase(problems_.begin());
  problems_.emplace(identity, problem);
  return true;
}

}  // namespace vipauth
