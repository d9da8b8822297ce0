#include "store.hpp"

#include <utility>

#ifdef VCTL_WITH_WEB
#include <vipauth/etcd_store.hpp>
#include <vipauth/store_address.hpp>

#include "etcd_access.hpp"
#endif

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
#ifdef VCTL_WITH_WEB
  const auto parsed = StoreAddress::parse(address);
  if (!parsed) return parsed.error();
  auto store = EtcdStore::open(*parsed, etcd_options(context));
  if (!store) return store.error();
  return std::shared_ptr<PolicyStore>(*std::move(store));
#else
  return Error{ErrorCode::kUnsupported, "this vctl was built without etcd", ""};
#endif
}

Result<PushedToStore> push_to_store(const Context& context, const Policy& policy, const TopicDocument& topics,
                                    const EditOptions& options, const PushTold& told) {
#ifdef VCTL_WITH_WEB
  if (auto* etcd = dynamic_cast<EtcdStore*>(context.store.get())) {
    const auto report = etcd->push(
        policy, topics, [&](const EtcdStore::PushProgress& progress) { told(progress.done, progress.total); },
        options);
    if (!report) return report.error();
    return PushedToStore{report->changed > 0, report->changed, report->resumed};
  }
#endif
  static_cast<void>(told);
  const auto edited = context.store->edit_policy(
      [&](Policy& present) -> Result<void> {
        present = policy;
        return {};
      },
      options);
  if (!edited) return edited.error();
  const auto edited_topics = context.store->edit_topics(
      [&](TopicDocument& present) -> Result<void> {
        present = topics;
        return {};
      },
      options);
  if (!edited_topics) return edited_topics.error();
  return PushedToStore{edited->written || edited_topics->written, std::nullopt, false};
}

Result<std::vector<Error>> store_problems(const Context& context) {
#ifdef VCTL_WITH_WEB
  if (const auto* etcd = dynamic_cast<const EtcdStore*>(context.store.get())) return etcd->problems();
#endif
  static_cast<void>(context);
  return std::vector<Error>();
}

std::shared_ptr<PolicyStore> refusing_store(Error why) {
  return std::make_shared<RefusingStore>(std::move(why));
}

}  // namespace vipauth::vctl
