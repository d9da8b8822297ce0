#pragma once

#include <cstddef>
#include <filesystem>
#include <iterator>
#include <stdexcept>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace vipauth::test {

/// How many descriptors this process has open.
inline std::size_t open_descriptors() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(files), end(files))) -
         1;  // that of the iterator itself
}

/// While it lives, this process may open only so many more.
class FewDescriptors {
 public:
  explicit FewDescriptors(std::size_t more) {
    if (::getrlimit(RLIMIT_NOFILE, &before_) != 0) throw std::runtime_error("getrlimit");
    // New ones have the lowest numbers that are free, and the limit is one of numbers.
    std::vector<int> next(more + 1);
    for (int& number : next) number = ::dup(STDOUT_FILENO);
    for (const int number : next) ::close(number);
    const rlimit few{static_cast<rlim_t>(next.back()), before_.rlim_max};
    if (next.back() < 0 || ::setrlimit(RLIMIT_NOFILE, &few) != 0) throw std::runtime_error("setrlimit");
  }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace vipauth::test
