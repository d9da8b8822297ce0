#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <vipauth/auth_peer.hpp>
#include <vipauth/auth_service.hpp>
#include <vipauth/vip_message.hpp>

namespace vip_router {

/// The peer `platform.auth` on a thread of its own: its methods wait for the disk, and the bus does not.
class AuthWorker {
 public:
  // What waits: all together, and of one user.
  static constexpr std::size_t kMaxJobs = 1000;
  static constexpr std::size_t kMaxJobsOfOne = 100;
  static constexpr std::size_t kMaxBytes = std::size_t{16} * 1024 * 1024;
  static constexpr std::size_t kMaxBytesOfOne = std::size_t{4} * 1024 * 1024;

  struct Job {
    std::uint64_t caller = 0;  ///< the number of the peer
    std::string identity;      ///< that it speaks under
    vipauth::Acceptance acceptance;
    std::string id;  ///< of the message
    std::vector<std::string> arguments;
  };
  struct Answer {
    std::uint64_t caller = 0;
    std::string identity;
    std::string id;
    std::vector<std::string> arguments;  ///< none: there is nothing to answer
  };

  /// \param service  must outlive it
  /// \param ready    is called on its thread when there are answers
  AuthWorker(vipauth::AuthService& service, std::function<void()> ready);
  AuthWorker(const AuthWorker&) = delete;
  AuthWorker& operator=(const AuthWorker&) = delete;
  ~AuthWorker();  ///< finishes the job at hand

  /// False where as many wait as may.
  bool post(Job job);
  /// Drops what waits of a peer that has gone. The job at hand is finished, and what it declared forgotten.
  void cancel(std::uint64_t caller);
  std::vector<Answer> take();

 private:
  static constexpr std::size_t kMaxAnswers = 100;
  static constexpr std::uint64_t kNobody = 0;  // peers are counted from 1

  struct Waiting {
    std::size_t jobs = 0;
    std::size_t bytes = 0;
  };

  void work();
  std::vector<std::string> answer(const Job& job);
  void forget(const Job& job);

  vipauth::AuthService& service_;
  vipauth::AuthPeer peer_;
  std::function<void()> ready_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::map<std::string, Waiting, std::less<>> waiting_;  // of each user
  std::uint64_t at_hand_ = kNobody;                      // whose job is being done
  std::size_t bytes_ = 0;                                // of all jobs
  std::vector<Answer> answers_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace vip_router
