#pragma once

#include <cerrno>

#include <zmq.h>

namespace vipauth {

/// What a call of libzmq returns, called again as often as a signal interrupted it before it did anything.
template <typename Call>
int uninterrupted(const Call& call) {
  int result = call();
  while (result < 0 && zmq_errno() == EINTR) result = call();
  return result;
}

}  // namespace vipauth
