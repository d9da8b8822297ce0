#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <vipauth/policy_store.hpp>

namespace vipauth::test {

/// What stores in memory share. Nobody waits there: an edit is made on what was read, and again where
/// somebody was faster.
class MemoryPlace {
 public:
  /// Called between a change of the policy and its being written, each time: somebody else's moment.
  std::function<void()> before_policy;
  /// The same of who waits.
  std::function<void()> before_pending;
  /// Called when an edit of the policy or of topics is written, before it returns: the bus that follows.
  std::function<void()> on_written;
  std::optional<Error> failure;  ///< of every edit from now on

 private:
  friend class MemoryStore;

  template <typename Content>
  struct Versioned {
    Content content;
    std::uint64_t revision = 0;
  };
  using Callback = std::function<void(const StoreChanges&)>;

  std::recursive_mutex mutex_;
  Versioned<Policy> policy_;
  Versioned<TopicDocument> topics_;
  Versioned<PendingState> pending_;
  std::recursive_mutex watches_mutex_;  // held while it is told
  std::list<Callback> watches_;
};

class MemoryStore final : public PolicyStore {
 public:
  explicit MemoryStore(std::shared_ptr<MemoryPlace> place = std::make_shared<MemoryPlace>())
      : place_(std::move(place)) {}

  MemoryPlace& place() { return *place_; }

  Result<Policy> load_policy() const override { return read(place_->policy_).content; }
  Result<TopicDocument> load_topics() const override { return read(place_->topics_).content; }
  Result<PendingState> load_pending() const override { return read(place_->pending_).content; }

  Result<EditReport> edit_policy(const AuthFile::Change& change, const EditOptions& /*options*/) override {
    return edit(place_->policy_, change, place_->before_policy, {true, false, false});
  }
  Result<EditReport> edit_topics(const TopicsFile::Change& change, const EditOptions& /*options*/) override {
    return edit(place_->topics_, change, {}, {false, true, false});
  }
  Result<void> edit_pending(const PendingChange& change, std::chrono::milliseconds /*patience*/) override {
    const auto done = edit(place_->pending_, change, place_->before_pending, {false, false, true});
    if (!done) return done.error();
    return {};
  }

  Result<std::unique_ptr<StoreWatch>> watch(std::function<void(const StoreChanges&)> on_change) override {
    return std::unique_ptr<StoreWatch>(std::make_unique<Watch>(place_, std::move(on_change)));
  }

 private:
  class Watch final : public StoreWatch {
   public:
    Watch(std::shared_ptr<MemoryPlace> place, MemoryPlace::Callback on_change) : place_(std::move(place)) {
      const std::lock_guard lock(place_->watches_mutex_);
      own_ = place_->watches_.insert(place_->watches_.end(), std::move(on_change));
    }
    ~Watch() override {
      const std::lock_guard lock(place_->watches_mutex_);
      place_->watches_.erase(own_);
    }

   private:
    std::shared_ptr<MemoryPlace> place_;
    std::list<MemoryPlace::Callback>::iterator own_;
  };

  template <typename Content>
  MemoryPlace::Versioned<Content> read(const MemoryPlace::Versioned<Content>& versioned) const {
    const std::lock_guard lock(place_->mutex_);
    return versioned;
  }

  static bool can_be_written(const Json& document) {
    const auto read = Json::parse(document.dump());
    return read && *read == document;
  }
  static bool can_be_written(const Policy& policy) { return can_be_written(policy.to_json()); }
  static bool can_be_written(const TopicDocument& topics) { return can_be_written(topics.to_json()); }
  static bool can_be_written(const PendingState&) { return true; }

  static bool are_same(const Policy& a, const Policy& b) { return a.to_json() == b.to_json(); }
  static bool are_same(const TopicDocument& a, const TopicDocument& b) { return a.to_json() == b.to_json(); }
  static bool are_same(const PendingState&, const PendingState&) { return false; }

  template <typename Content, typename Change>
  Result<EditReport> edit(MemoryPlace::Versioned<Content>& versioned, const Change& change,
                          const std::function<void()>& before_writing, const StoreChanges& what) {
    for (;;) {
      auto [next, revision] = read(versioned);
      const Content before = next;
      if (auto changed = change(next); !changed) return changed.error();
      if (const auto act = before_writing) act();  // which may take itself away
      if (place_->failure) return *place_->failure;
      if (!can_be_written(next)) return Error{ErrorCode::kInvalidArgument, "cannot be written", ""};
      {
        const std::lock_guard lock(place_->mutex_);
        if (versioned.revision != revision) continue;
        if (are_same(before, next)) return EditReport{};
        versioned = {std::move(next), revision + 1};
      }
      if (place_->on_written && !what.pending) place_->on_written();
      const std::lock_guard lock(place_->watches_mutex_);
      for (const auto& on_change : place_->watches_) on_change(what);
      return EditReport{.written = true, .warnings = {}};
    }
  }

  std::shared_ptr<MemoryPlace> place_;
};

}  // namespace vipauth::test
