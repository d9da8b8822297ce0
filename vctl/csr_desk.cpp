#include "csr_desk.hpp"

#include <utility>

#include "home.hpp"
#include "working.hpp"

#ifdef VCTL_WITH_WEB
#include <vipauth/store_address.hpp>

#include "etcd_access.hpp"
#endif

namespace vipauth::vctl {
namespace {

class HomeDesk final : public CsrDesk {
 public:
  HomeDesk(EditNote note, CsrStore requests) : note_(std::move(note)), requests_(std::move(requests)) {}

  Result<std::vector<FleetCsr>> list(std::vector<std::string>& warnings) override {
    auto entries = requests_.list(&warnings);
    if (!entries) return entries.error();
    std::vector<FleetCsr> out;
    for (CsrEntry& entry : *entries) out.push_back({"", std::move(entry), {}, {}});
    return out;
  }
  bool knows(const CommonName& name) override {
    const auto entry = requests_.get(name);
    return entry || entry.error().code != ErrorCode::kNotFound;
  }
  Result<FleetCsrDecision> approve(const CommonName& name, const std::string& key_fingerprint) override {
    return at_home(requests_.approve(name, note_, key_fingerprint));
  }
  Result<FleetCsrDecision> deny(const CommonName& name) override {
    return at_home(requests_.deny(name, note_));
  }
  Result<FleetCsrDecision> remove(const CommonName& name) override {
    return at_home(requests_.remove(name, note_));
  }

 private:
  static Result<FleetCsrDecision> at_home(Result<CsrDecision> decision) {
    if (!decision) return std::move(decision).error();
    return FleetCsrDecision{"", *std::move(decision)};
  }

  const EditNote note_;
  CsrStore requests_;
};

#ifdef VCTL_WITH_WEB
class StoreDesk final : public CsrDesk {
 public:
  StoreDesk(const Context& context, std::unique_ptr<FleetCsrs> csrs)
      : context_(context), csrs_(std::move(csrs)) {}

  /// Reads them once: a verb asks several times.
  Result<std::vector<FleetCsr>> list(std::vector<std::string>& warnings) override {
    if (!all_) {
      auto all = while_working(context_, "reading the store", [&] { return csrs_->list(&warnings_); });
      if (!all) return all;
      all_ = *std::move(all);
    }
    warnings.insert(warnings.end(), warnings_.begin(), warnings_.end());
    return *all_;
  }
  bool knows(const CommonName& name) override {
    std::vector<std::string> ignored;
    const auto all = list(ignored);
    if (!all) return false;
    for (const FleetCsr& one : *all) {
      if (one.request.common_name == name) return true;
    }
    return false;
  }
  Result<FleetCsrDecision> approve(const CommonName& name, const std::string& key_fingerprint) override {
    return decide(&FleetCsrs::approve, name, key_fingerprint);
  }
  Result<FleetCsrDecision> deny(const CommonName& name) override {
    return decide(&FleetCsrs::deny, name, "");
  }
  Result<FleetCsrDecision> remove(const CommonName& name) override {
    return decide(&FleetCsrs::remove, name, "");
  }

 private:
  using Decide = Result<FleetCsrDecision> (FleetCsrs::*)(const CommonName&, const FleetCsrs::Options&);
  Result<FleetCsrDecision> decide(Decide which, const CommonName& name, const std::string& key_fingerprint) {
    FleetCsrs::Options options;
    options.key_fingerprint = key_fingerprint;
    options.note = edit_note(context_);
    options.patience = context_.options.timeout;
    options.clock = context_.env.clock;
    return while_working(context_, "waiting for the site", [&] { return ((*csrs_).*which)(name, options); });
  }

  const Context& context_;
  const std::unique_ptr<FleetCsrs> csrs_;
  std::optional<std::vector<FleetCsr>> all_;
  std::vector<std::string> warnings_;
};
#endif

}  // namespace

std::unique_ptr<CsrDesk> desk_of(const Context& context, CsrStore requests) {
  return std::make_unique<HomeDesk>(edit_note(context), std::move(requests));
}

Result<std::shared_ptr<CsrDesk>> open_store_desk(const Context& context) {
  const std::string& address = *context.options.store;
  if (context.env.open_csr_desk) return context.env.open_csr_desk(address);
#ifdef VCTL_WITH_WEB
  const auto parsed = StoreAddress::parse(address);
  if (!parsed) return parsed.error();
  auto csrs = FleetCsrs::open(*parsed, etcd_options(context));
  if (!csrs) return csrs.error();
  return std::shared_ptr<CsrDesk>(std::make_shared<StoreDesk>(context, *std::move(csrs)));
#else
  return Error{ErrorCode::kUnsupported, "this vctl was built without etcd", ""};
#endif
}

}  // namespace vipauth::vctl
