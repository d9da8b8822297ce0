#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include <vipauth/auth_file.hpp>
#include <vipauth/pending_store.hpp>
#include <vipauth/policy.hpp>
#include <vipauth/result.hpp>
#include <vipauth/topic_document.hpp>
#include <vipauth/topics_file.hpp>

namespace vipauth {

/// What may be different from what was read before.
struct StoreChanges {
  bool policy = false;
  bool topics = false;
  bool pending = false;
};

/// Ends when it is destroyed, which no callback may do: none runs then, nor later.
class StoreWatch {
 public:
  StoreWatch() = default;
  StoreWatch(const StoreWatch&) = delete;
  StoreWatch& operator=(const StoreWatch&) = delete;
  virtual ~StoreWatch() = default;
};

/// Where a policy is kept: the files of one home (HomeStore), or what a fleet shares (EtcdStore).
///
/// Each edit is one transaction: what is there is read, `change` is made on it, and it is written if nobody
/// else has written meanwhile; else `change` is made again on what that left. So `change` may be called more
/// than once, and may depend on nothing but its argument. What is acknowledged is kept. `patience` bounds the
/// whole edit: waiting for others, and for a store that does not answer. No decision asks a store: buses
/// decide by what they have read. May be used from any thread.
class VIPAUTH_EXPORT PolicyStore {
 public:
  using PendingChange = std::function<Result<void>(PendingState&)>;

  PolicyStore() = default;
  PolicyStore(const PolicyStore&) = delete;
  PolicyStore& operator=(const PolicyStore&) = delete;
  virtual ~PolicyStore() = default;

  /// Nothing written yet is an empty policy. \return what AuthFile::load returns but kNotFound
  virtual Result<Policy> load_policy() const = 0;
  /// The same of what protects topics. \return what TopicsFile::load_document returns but kNotFound
  virtual Result<TopicDocument> load_topics() const = 0;
  virtual Result<PendingState> load_pending() const = 0;

  struct Version {
    Policy policy;
    TopicDocument topics;
  };
  /// The policy and what protects topics, of one moment where the store has such: EtcdStore reads both at one
  /// revision. \return what load_policy and load_topics return
  virtual Result<Version> load_version() const;

  /// \return what `change` and AuthFile::edit return; kConflict  again and again somebody was faster;
  ///         kIoError  the store cannot be reached: the message says where the change may have been made all
  ///         the same
  virtual Result<EditReport> edit_policy(const AuthFile::Change& change, const EditOptions& options = {}) = 0;
  virtual Result<EditReport> edit_topics(const TopicsFile::Change& change,
                                         const EditOptions& options = {}) = 0;
  /// The same of who waits. `change` may edit the policy of this store.
  virtual Result<void> edit_pending(const PendingChange& change,
                                    std::chrono::milliseconds patience = std::chrono::seconds(60)) = 0;

  /// Calls back, on a thread of the store's, some time after each change, whoever made it; several may be
  /// told at once.
  virtual Result<std::unique_ptr<StoreWatch>> watch(std::function<void(const StoreChanges&)> on_change) = 0;
};

}  // namespace vipauth
