#include "fleet/csr_listing.hpp"

#include <vipauth/json.hpp>

namespace vipauth::fleet {
namespace {

// What one site may make an administrator read.
constexpr std::size_t kMostKeysOfSite = 10'000;
constexpr std::size_t kMostBytesOfSite = std::size_t{64} << 20U;
constexpr std::size_t kMostWarningsOfSite = 10;

FleetCsr::Asked shown(const CsrAsked& asked) {
  return {std::string(to_string(asked.verb)), asked.who, asked.time};
}

}  // namespace

std::optional<std::string> CsrListing::take(const KeyValue& from, bool is_too_large) {
  const auto site = layout_.site_of_csr(from.key);
  if (!site) return std::nullopt;
  if (*site != site_) begin(*site);
  bytes_ += from.key.size() + from.value.size();
  if (++keys_ > kMostKeysOfSite || bytes_ > kMostBytesOfSite) {
    warnings_.push_back(site_ + ": there is more than is read of one site");
    return prefix_end(layout_.csr_prefix(site_));
  }
  const auto key = layout_.parse_csr(from.key);
  if (!key) return std::nullopt;
  if (is_too_large) {
    warn(from.key, Error{ErrorCode::kLimitExceeded, "is longer than any answer", ""});
  } else {
    take_value(*key, from);
  }
  return std::nullopt;
}

std::vector<FleetCsr> CsrListing::entries() && {
  std::vector<FleetCsr> out;
  out.reserve(entries_.size());
  for (auto& [at, entry] : entries_) {
    if (const auto asked = asked_.find(at); asked != asked_.end()) entry.asked = shown(asked->second);
    if (const auto answer = answers_.find(at); answer != answers_.end() && answer->second.problem) {
      entry.failed = {{std::string(to_string(answer->second.verb)), answer->second.who, answer->second.time},
                      *answer->second.problem};
    }
    out.push_back(std::move(entry));
  }
  return out;
}

void CsrListing::begin(const std::string& site) {
  site_ = site;
  keys_ = bytes_ = warned_ = 0;
}

void CsrListing::warn(const std::string& key, const Error& error) {
  constexpr std::size_t kMostShown = 200;
  if (++warned_ > kMostWarningsOfSite) return;
  warnings_.push_back(site_ + ": " + Json(key.substr(0, kMostShown)).dump() +
                      " is not understood: " + error.to_string());
  if (warned_ == kMostWarningsOfSite) warnings_.push_back(site_ + ": what is more of this is not told");
}

void CsrListing::take_value(const CsrKey& key, const KeyValue& from) {
  if (!key.name) return warn(from.key, Error{ErrorCode::kInvalidArgument, "it ends in no common name", ""});
  const At at{key.site, *key.name};
  switch (key.kind) {
    case CsrKey::Kind::kRequest:
      if (auto entry = parse_csr_value(*key.name, from.value)) {
        entries_.emplace(at, FleetCsr{key.site, *std::move(entry), {}, {}});
      } else {
        warn(from.key, entry.error());
      }
      return;
    case CsrKey::Kind::kDecision:
      if (auto asked = parse_asked(from.value)) asked_.emplace(at, *std::move(asked));
      return;
    case CsrKey::Kind::kAnswer:
      if (auto answer = parse_answer(from.value)) answers_.emplace(at, *std::move(answer));
      return;
  }
}

}  // namespace vipauth::fleet
