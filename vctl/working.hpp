#pragma once

#include <memory>
#include <string>
#include <utility>

#include "context.hpp"

namespace vipauth::vctl {

/// Tells a person at a terminal what takes so long, while it lives: nothing at first (Env::patience), then a
/// line on the standard error with the seconds passed, which it takes away at the end. Nobody else may write
/// to the standard error meanwhile: put it around work, not around output or questions.
class Working {
 public:
  Working(const Context& context, std::string what);
  Working(const Working&) = delete;
  Working& operator=(const Working&) = delete;
  ~Working();

 private:
  class Display;
  std::unique_ptr<Display> display_;  // none where nobody looks
};

/// What `work` returns, with a line for whoever waits.
template <typename Work>
auto while_working(const Context& context, std::string what, Work work) {
  const Working working(context, std::move(what));
  return work();
}

}  // namespace vipauth::vctl
