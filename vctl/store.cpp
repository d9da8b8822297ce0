#include "store.hpp"

#include <utility>

namespace vipauth::vctl {
namespace {

class RefusingStore final : public PolicyStore {
 public:
  explicit RefusingStore(Error why) : why_(std::move(why)) {}

  Result<Policy> load_policy() const override { return Policy(); }
  Result<TopicDocument> load_topics() const override { return TopicDocument(); }
  Result<PendingState> load_pending() const override { return PendingState(); }
  Result<EditReport> edit_policy(const AuthFile::Change&, const EditOptions&) override { return why_; }
  Result<EditReport> edit_topics(const TopicsFile::Change&, const EditOptions&) override { return why_; }
  Result<void> edit_pending(const PendingChange&, std::chrono::milliseconds) override { return why_; }
  Result<std::unique_ptr<StoreWatch>> watch(std::function<void(const StoreChanges&)>) override {
    return why_;
  }

 private:
  const Error why_;
};

}  // namespace

Result<std::shared_ptr<PolicyStore>> open_store(const Context& context, const std::string& address) {
  if (context.env.open_store) return context.env.open_store(address);
  return Error{ErrorCode::kUnsupported, "this vctl was built without etcd", ""};
}

std::shared_ptr<PolicyStore> refusing_store(Error why) {
  return std::make_shared<RefusingStore>(std::move(why));
}

}  // namespace vipauth::vctl
