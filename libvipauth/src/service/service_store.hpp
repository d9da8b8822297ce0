#pragma once

#include <filesystem>
#include <memory>
#include <utility>

#include <vipauth/home_store.hpp>

namespace vipauth {

/// The store of a service: what it decides by, and who waits at its bus, is in the files of its home. Its
/// edits of the policy go to another store where there is one, which brings what they say to these files.
class ServiceStore final : public PolicyStore {
 public:
  /// \param edits  null: the home itself
  ServiceStore(const std::filesystem::path& home, StrictModes strict_modes,
               std::shared_ptr<PendingStore> pending, std::shared_ptr<PolicyStore> edits)
      : home_(home, strict_modes, std::move(pending)), edits_(std::move(edits)) {}

  /// Where edits go: nobody has said anything later.
  PolicyStore& edits() noexcept { return edits_ ? *edits_ : home_; }

  Result<Policy> load_policy() const override { return home_.load_policy(); }
  Result<TopicDocument> load_topics() const override { return home_.load_topics(); }
  Result<PendingState> load_pending() const override { return home_.load_pending(); }

  Result<EditReport> edit_policy(const AuthFile::Change& change, const EditOptions& options = {}) override {
    return edits().edit_policy(change, options);
  }
  Result<EditReport> edit_topics(const TopicsFile::Change& change, const EditOptions& options = {}) override {
    return edits().edit_topics(change, options);
  }
  Result<void> edit_pending(const PendingChange& change,
                            std::chrono::milliseconds patience = std::chrono::seconds(60)) override {
    return home_.edit_pending(change, patience);
  }

  Result<std::unique_ptr<StoreWatch>> watch(std::function<void(const StoreChanges&)> on_change) override {
    return home_.watch(std::move(on_change));
  }

 private:
  HomeStore home_;
  const std::shared_ptr<PolicyStore> edits_;
};

}  // namespace vipauth
