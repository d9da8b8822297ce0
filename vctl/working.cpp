#include "working.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <ostream>
#include <thread>
#include <utility>

namespace vipauth::vctl {

class Working::Display {
 public:
  Display(Env& env, std::string what) : env_(env), what_(std::move(what)), thread_([this] { run(); }) {}
  Display(const Display&) = delete;
  Display& operator=(const Display&) = delete;

  ~Display() {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    over_.notify_one();
    thread_.join();
  }

 private:
  void run() {
    constexpr std::chrono::milliseconds kBetween{500};
    std::size_t width = 0;
    const auto begin = std::chrono::steady_clock::now();
    auto pause = env_.patience;
    std::unique_lock lock(mutex_);
    while (!over_.wait_for(lock, pause, [this] { return is_over_; })) {
      const auto passed =
          std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begin);
      const std::string line = what_ + " (" + std::to_string(passed.count()) + " s)";
      env_.err << '\r' << line << std::flush;
      width = line.size();
      pause = kBetween;
    }
    if (width > 0) env_.err << '\r' << std::string(width, ' ') << '\r' << std::flush;
  }

  Env& env_;
  std::string what_;
  std::mutex mutex_;
  std::condition_variable over_;
  bool is_over_ = false;
  std::thread thread_;  // last: it uses all of the above
};

Working::Working(const Context& context, std::string what)
    : display_(context.env.is_watched ? std::make_unique<Display>(context.env, std::move(what)) : nullptr) {}

Working::~Working() = default;

}  // namespace vipauth::vctl
