#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include <vipauth/pending_store.hpp>
#include <vipauth/policy_store.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// The files of one home as a store: auth.json, protected_topics.json and pending.json.
class VIPAUTH_EXPORT HomeStore final : public PolicyStore {
 public:
  /// \param pending  the home's pending.json, where the caller notes strangers in it; null: one of its own
  explicit HomeStore(const std::filesystem::path& home, StrictModes strict_modes = StrictModes::kOn,
                     std::shared_ptr<PendingStore> pending = nullptr);

  Result<Policy> load_policy() const override;
  Result<TopicDocument> load_topics() const override;
  Result<PendingState> load_pending() const override;

  Result<EditReport> edit_policy(const AuthFile::Change& change, const EditOptions& options = {}) override;
  Result<EditReport> edit_topics(const TopicsFile::Change& change, const EditOptions& options = {}) override;
  /// No other edit of pending.json is made until `change` returns.
  Result<void> edit_pending(const PendingChange& change,
                            std::chrono::milliseconds patience = std::chrono::seconds(60)) override;

  /// \return kNotFound, kPermissionDenied, kIoError  the folder cannot be watched
  Result<std::unique_ptr<StoreWatch>> watch(std::function<void(const StoreChanges&)> on_change) override;

 private:
  AuthFile auth_file_;
  TopicsFile topics_file_;
  std::shared_ptr<PendingStore> pending_;
};

}  // namespace vipauth
