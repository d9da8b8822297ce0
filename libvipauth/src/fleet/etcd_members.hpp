#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/etcd_options.hpp>
#include <vipauth/result.hpp>
#include <vipauth/store_address.hpp>

#include "fleet/etcd_client.hpp"
#include "fleet/etcd_messages.hpp"
#include "fleet/etcd_watch.hpp"
#include "web/http_client.hpp"

namespace vipauth::fleet {

/// The members of a cluster: asks one after the other, beginning with the one that answered last, as the user
/// that the options name. What etcd itself says is not asked again elsewhere, but "no leader".
class EtcdMembers {
 public:
  /// \return what EtcdClient::create returns
  static Result<std::unique_ptr<EtcdMembers>> create(const StoreAddress& address, EtcdOptions options);
  EtcdMembers(const EtcdMembers&) = delete;
  EtcdMembers& operator=(const EtcdMembers&) = delete;
  ~EtcdMembers();

  /// What may be asked of another member when one does not answer: questions, and what was never sent.
  enum class Repeat { kAlways, kUnlessSent };
  /// The body of an answer 200. \return what EtcdClient says
  Result<std::string> ask(std::string_view path, std::string_view body, Repeat repeat,
                          EtcdClient::Deadline until = {});

  /// Until it is stopped, or a watch that stood is over.
  WatchEnd watch(const WatchPlan& plan);

  void stop() noexcept { *stop_ = true; }

 private:
  using Time = std::chrono::steady_clock::time_point;

  /// Those of all members, one after the other.
  struct Troubles {
    std::vector<Error> errors;
    bool is_without_leader = false;
    void add(Trouble trouble);
    Error sum() const;
  };

  EtcdMembers(const StoreAddress& address, const EtcdOptions& options, web::HttpClient::Options http);

  /// Asks each member once. \return nothing  none has answered, nor has what was asked been done
  std::optional<Result<std::string>> ask_each(std::string_view path, std::string_view body, Repeat repeat,
                                              Time deadline, Troubles& troubles);
  std::optional<std::string> ask_member(std::size_t at, std::string_view path, std::string_view body,
                                        Time deadline, Trouble& trouble);
  /// \return nothing  the watch did not come to stand
  std::optional<WatchEnd> watch_member(std::size_t at, const WatchPlan& plan, Time deadline,
                                       Trouble& trouble);
  bool is_alive(std::size_t at, const WatchPlan& plan, Error& error);
  web::HttpClient::Request request_of(std::string_view path, std::string_view body, Time deadline) const;
  /// The token to ask with: empty where there is none. \return nothing  see the trouble: nothing was sent
  std::optional<std::string> token_for(std::size_t at, Time deadline, Trouble& trouble);
  /// Gets a token, unless there is one other than `old` by now. \return false  as above
  bool authenticate(std::size_t at, const std::string& old, Time deadline, Trouble& trouble);
  Trouble from_answer(std::size_t at, const web::HttpClient::Answer& answer) const;
  Trouble from_failure(const web::HttpClient::Failure& failure) const;
  void set_token(const std::string& token);
  void log(LogLevel level, const std::string& text) const;
  /// \return false  it is to stop
  bool pause_until(Time time) const;
  bool is_stopped() const noexcept { return *stop_; }
  std::size_t after(std::size_t at) const noexcept { return (at + 1) % members_.size(); }

  EtcdOptions options_;
  std::shared_ptr<std::atomic<bool>> stop_;
  std::vector<web::HttpClient> members_;
  std::atomic<std::size_t> first_{0};
  std::mutex mutex_;
  std::string token_;
  bool is_auth_off_ = false;  ///< the cluster has no users: there are no tokens
};

}  // namespace vipauth::fleet
