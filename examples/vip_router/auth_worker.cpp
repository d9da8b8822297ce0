#include "auth_worker.hpp"

#include <exception>
#include <utility>

#include <vipauth/json_rpc.hpp>
#include <vipauth/session.hpp>

namespace vip_router {
namespace {

std::size_t bytes_of(const AuthWorker::Job& job) {
  std::size_t bytes = 0;
  for (const std::string& argument : job.arguments) bytes += argument.size();
  return bytes;
}

}  // namespace

AuthWorker::AuthWorker(vipauth::AuthService& service, std::function<void()> ready)
    : service_(service), peer_(service), ready_(std::move(ready)), thread_([this] { work(); }) {}

AuthWorker::~AuthWorker() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool AuthWorker::post(Job job) {
  const std::size_t bytes = bytes_of(job);
  {
    const std::scoped_lock lock(mutex_);
    if (jobs_.size() >= kMaxJobs || bytes_ + bytes > kMaxBytes) return false;
    const auto found = waiting_.find(job.acceptance.user_id);
    const Waiting present = found != waiting_.end() ? found->second : Waiting{};
    if (present.jobs >= kMaxJobsOfOne || present.bytes + bytes > kMaxBytesOfOne) return false;
    waiting_[job.acceptance.user_id] = {present.jobs + 1, present.bytes + bytes};
    bytes_ += bytes;
    jobs_.push_back(std::move(job));
  }
  changed_.notify_all();
  return true;
}

void AuthWorker::forget(const Job& job) {
  bytes_ -= bytes_of(job);
  const auto own = waiting_.find(job.acceptance.user_id);
  own->second.bytes -= bytes_of(job);
  if (--own->second.jobs == 0) waiting_.erase(own);
}

void AuthWorker::cancel(std::uint64_t caller) {
  const std::scoped_lock lock(mutex_);
  if (at_hand_ == caller) at_hand_ = kNobody;
  std::erase_if(jobs_, [&](const Job& job) {
    if (job.caller != caller) return false;
    forget(job);
    return true;
  });
}

std::vector<AuthWorker::Answer> AuthWorker::take() {
  std::vector<Answer> taken;
  {
    const std::scoped_lock lock(mutex_);
    taken.swap(answers_);
  }
  changed_.notify_all();
  return taken;
}

std::vector<std::string> AuthWorker::answer(const Job& job) {
  vipauth::Session session = service_.session(job.acceptance);
  // The policy may have moved since the router asked.
  if (!session.verify_sender(job.identity)) return {};
  return peer_.answer(session, job.identity, job.arguments);
}

void AuthWorker::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || (!jobs_.empty() && answers_.size() < kMaxAnswers); });
    if (stopping_) return;
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    forget(job);
    at_hand_ = job.caller;
    lock.unlock();
    Answer done{job.caller, job.identity, job.id, {}};
    try {
      done.arguments = answer(job);
    } catch (const std::exception& error) {  // no memory: the bus goes on
      done.arguments = {vipauth::RpcResponse{
          {}, vipauth::RpcError{vipauth::RpcError::kUnhandledException, error.what(), {}}}
                            .to_json()
                            .dump()};
    }
    lock.lock();
    if (at_hand_ == kNobody) {  // it went meanwhile, and what it declared since would outlive it
      lock.unlock();
      service_.forget_methods(job.identity);
      lock.lock();
      continue;
    }
    at_hand_ = kNobody;
    answers_.push_back(std::move(done));
    ready_();
  }
}

}  // namespace vip_router
