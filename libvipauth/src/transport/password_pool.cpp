#include "transport/password_pool.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/quiet_threads.hpp"
#include "transport/zmq_support.hpp"

namespace vipauth {

PasswordPool::PasswordPool(const ZapAuthenticator& authenticator, const WakeUp& done, std::size_t threads,
                           std::size_t queue)
    : authenticator_(authenticator), done_(done), capacity_(queue), capacity_for_penalised_((queue + 3) / 4) {
  try {
    for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i) {
      threads_.push_back(start_thread([this] { work(); }));
    }
  } catch (...) {
    stop();
    throw;
  }
}

PasswordPool::~PasswordPool() { stop(); }

void PasswordPool::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool PasswordPool::offer(ZapExchange& exchange, bool is_penalised) {
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() >= capacity_) return false;
    if (is_penalised && penalised_waiting_ >= capacity_for_penalised_) return false;
    waiting_.push_back({std::move(exchange), is_penalised});
    if (is_penalised) ++penalised_waiting_;
  }
  changed_.notify_one();
  return true;
}

std::vector<PasswordPool::Answer> PasswordPool::take_answers() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(answers_, {});
}

void PasswordPool::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    ZapExchange exchange = std::move(waiting_.front().exchange);
    if (waiting_.front().is_penalised) --penalised_waiting_;
    waiting_.pop_front();
    lock.unlock();
    try {
      ZapReply reply = authenticator_.handle(exchange.request());
      lock.lock();
      answers_.push_back({std::move(exchange), std::move(reply)});
      done_.ring();
    } catch (const std::exception&) {  // no memory: this one stays unanswered, and its client tries again
      if (!lock.owns_lock()) lock.lock();
    }
  }
}

}  // namespace vipauth
