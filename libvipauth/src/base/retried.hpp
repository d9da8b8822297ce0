#pragma once

#include <cerrno>

namespace vipauth {

/// What a system call returns, made again as often as a signal interrupted it before it did anything: some
/// file systems let signals interrupt calls that local ones do not. Not for close(), which has closed all the
/// same.
template <typename Call>
auto retried(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace vipauth
