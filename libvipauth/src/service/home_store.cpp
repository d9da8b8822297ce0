#include <vipauth/home_store.hpp>

#include <set>
#include <string>
#include <utility>

#include "service/folder_watcher.hpp"
#include "service/policy_keeper.hpp"
#include "store/atomic_file.hpp"

namespace vipauth {
namespace {

class HomeWatch final : public StoreWatch {
 public:
  explicit HomeWatch(std::function<void(const StoreChanges&)> on_change) : on_change_(std::move(on_change)) {}

  Result<void> start(const std::filesystem::path& home) {
    return watcher_.start(home, {[this](const std::set<std::string>& names) { tell(names); },
                                 [] { return std::chrono::milliseconds(-1); }});
  }

 private:
  void tell(const std::set<std::string>& names) const {
    const auto has_changed = [&](std::string_view name) {
      return names.empty() || names.contains(std::string(name));
    };
    const StoreChanges changes{has_changed(kAuthFile), has_changed(kTopicsFile), has_changed(kPendingFile)};
    if (changes.policy || changes.topics || changes.pending) on_change_(changes);
  }

  const std::function<void(const StoreChanges&)> on_change_;
  FolderWatcher watcher_;  // last: its thread uses the above
};

/// What is not written yet is empty.
template <typename Content>
Result<Content> or_empty(Result<Content> loaded) {
  if (!loaded && loaded.error().code == ErrorCode::kNotFound) return Content();
  return loaded;
}

}  // namespace

Result<PolicyStore::Version> PolicyStore::load_version() const {
  auto policy = load_policy();
  if (!policy) return policy.error();
  auto topics = load_topics();
  if (!topics) return topics.error();
  return Version{*std::move(policy), *std::move(topics)};
}

HomeStore::HomeStore(const std::filesystem::path& home, StrictModes strict_modes,
                     std::shared_ptr<PendingStore> pending)
    : auth_file_(home / kAuthFile, strict_modes),
      topics_file_(home / kTopicsFile, strict_modes),
      pending_(std::move(pending)) {
  if (pending_) return;
  pending_ = std::make_shared<PendingStore>(home / kPendingFile, PendingStore::Limits(),
                                            PendingStore::Filter(), strict_modes);
}

Result<Policy> HomeStore::load_policy() const { return or_empty(auth_file_.load()); }

Result<TopicDocument> HomeStore::load_topics() const { return or_empty(topics_file_.load_document()); }

Result<PendingState> HomeStore::load_pending() const { return pending_->load(); }

Result<EditReport> HomeStore::edit_policy(const AuthFile::Change& change, const EditOptions& options) {
  return auth_file_.edit(change, options);
}

Result<EditReport> HomeStore::edit_topics(const TopicsFile::Change& change, const EditOptions& options) {
  return topics_file_.edit(change, options);
}

Result<void> HomeStore::edit_pending(const PendingChange& change, std::chrono::milliseconds patience) {
  return pending_->edit(change, patience);
}

Result<std::unique_ptr<StoreWatch>> HomeStore::watch(std::function<void(const StoreChanges&)> on_change) {
  auto watch = std::make_unique<HomeWatch>(std::move(on_change));
  if (auto started = watch->start(folder_of(auth_file_.path())); !started) return started.error();
  return std::unique_ptr<StoreWatch>(std::move(watch));
}

}  // namespace vipauth
