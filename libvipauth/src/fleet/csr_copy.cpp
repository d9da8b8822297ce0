#include "fleet/csr_copy.hpp"

#include <utility>

#include "fleet/csr_values.hpp"

namespace vipauth::fleet {
namespace {

constexpr std::size_t kMostKeys = 20'000;
constexpr std::size_t kMostBytes = std::size_t{256} << 20U;

}  // namespace

void CsrCopy::take(KeyValue&& from) { put(std::move(from.key), std::move(from.value), from.mod_revision); }

void CsrCopy::apply(const Mutation& mutation, std::int64_t revision) {
  const auto found = keys_.find(mutation.key);
  if (found != keys_.end() && found->second.revision >= revision) return;
  if (mutation.value) return put(mutation.key, *mutation.value, revision);
  if (found == keys_.end()) return;
  bytes_ -= found->second.value.size();
  keys_.erase(found);
}

bool CsrCopy::is_too_large() const noexcept { return keys_.size() > kMostKeys || bytes_ > kMostBytes; }

CsrCopy::HeldKeys CsrCopy::of(CsrKey::Kind kind) const {
  const std::string prefix = layout_->csr_prefix(layout_->site(), kind);
  return {keys_.lower_bound(prefix), keys_.lower_bound(prefix_end(prefix))};
}

bool CsrCopy::has(const std::string& key, std::int64_t revision) const {
  const auto found = keys_.find(key);
  return found != keys_.end() && found->second.revision == revision;
}

void CsrCopy::put(std::string key, std::string value, std::int64_t revision) {
  if (!layout_->parse_csr(key)) return;
  if (value.size() > kMaxCsrBytes) value.clear();
  Held& held = keys_[std::move(key)];
  bytes_ += value.size();
  bytes_ -= held.value.size();
  held = {std::move(value), revision};
}

}  // namespace vipauth::fleet
