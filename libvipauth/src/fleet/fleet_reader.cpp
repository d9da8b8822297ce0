#include "fleet/fleet_reader.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace vipauth::fleet {
namespace {

using Kind = FleetKey::Kind;

constexpr std::int64_t kPageKeys = 1000;
constexpr int kMostTries = 5;  // when what is being read is compacted meanwhile

/// Reads the keys of a range in pages, all as of the revision that the first answer tells.
class Reader {
 public:
  Reader(const EtcdClient& client, const FleetLayout& layout, const ReadProgress& progress,
         EtcdClient::Deadline deadline)
      : client_(client),
        layout_(layout),
        progress_(progress),
        deadline_(deadline),
        state_(!layout.site().empty()) {}

  Result<FleetState> read() {
    for (const Scope scope : {Scope::kFleet, Scope::kSite}) {
      const std::string prefix = layout_.scope_prefix(scope);
      if (prefix.empty()) continue;
      std::string from = prefix;
      // Lists lie between the other keys, each behind the one before.
      for (const Kind list : {Kind::kAllow, Kind::kDeny, Kind::kReadProtect, Kind::kWriteProtect}) {
        const std::string begin = prefix + std::string(to_string(list)) + "/";
        const std::string end = prefix_end(begin);
        // What was decided about strangers is for administrators, and between these two.
        if (list == Kind::kDeny) {
          const std::string decided = layout_.decided_prefix(scope);
          if (auto done = read_pages(from, decided); !done) return done.error();
          from = prefix_end(decided);
        }
        if (auto done = read_pages(from, begin); !done) return done.error();
        if (auto done = read_list(scope, list, begin, end); !done) return done.error();
        from = end;
      }
      if (auto done = read_pages(from, prefix_end(prefix)); !done) return done.error();
    }
    // All of one revision: what one guard says of both, the other's keys say, too.
    for (Stand& stand : state_.stands) stand.reached = state_.revision;
    return std::move(state_);
  }

 private:
  /// \param key  of the last that was taken over; nothing: there was none
  Result<std::optional<std::string>> take(RangeQuestion question, bool& has_more) {
    question.revision = state_.revision;
    auto answer = client_.range(question, deadline_);
    while (!answer && answer.error().code == ErrorCode::kLimitExceeded && question.limit > 1) {
      question.limit /= 2;  // large records
      answer = client_.range(question, deadline_);
    }
    if (!answer) return answer.error();
    if (state_.revision == 0) state_.revision = answer->revision;
    has_more = answer->has_more;
    std::optional<std::string> last;
    for (KeyValue& value : answer->values) {
      last = value.key;
      state_.apply(layout_, {std::move(value.key), std::move(value.value)}, value.mod_revision);
    }
    keys_ += answer->values.size();
    if (progress_ && !answer->values.empty()) progress_(keys_);
    return last;
  }

  Result<void> read_pages(std::string from, const std::string& end) {
    bool has_more = from < end;
    while (has_more) {
      const auto last = take({.key = from, .range_end = end, .limit = kPageKeys}, has_more);
      if (!last) return last.error();
      if (!*last) return {};
      from = **last + '\0';
    }
    return {};
  }

  /// By windows of ranks: etcd counts what is behind a page in the range that it is asked for.
  Result<void> read_list(Scope scope, Kind list, const std::string& begin, const std::string& end) {
    constexpr std::uint64_t kWindow = FleetContent::kRankStep * static_cast<std::uint64_t>(kPageKeys);
    std::string from = begin;
    for (;;) {
      const auto next = first_key(from, end);
      if (!next) return next.error();
      if (!*next) return {};
      from = **next;
      // One window after the other, until one is empty.
      for (;;) {
        const auto key = layout_.parse(from);
        const bool has_rank = key && !key->is_malformed && key->rank <= ~std::uint64_t{0} - kWindow;
        const std::string until =
            has_rank ? std::min(layout_.key({scope, list, key->rank + kWindow}), end) : end;
        const std::size_t before = keys_;
        if (auto done = read_pages(from, until); !done) return done;
        from = until;
        if (keys_ == before || until == end) break;
      }
    }
  }

  Result<std::optional<std::string>> first_key(const std::string& from, const std::string& end) const {
    if (from >= end) return std::optional<std::string>();
    const auto answer = client_.range(
        {.key = from, .range_end = end, .limit = 1, .revision = state_.revision, .keys_only = true},
        deadline_);
    if (!answer) return answer.error();
    if (answer->values.empty()) return std::optional<std::string>();
    return std::optional(answer->values.front().key);
  }

  const EtcdClient& client_;
  const FleetLayout& layout_;
  const ReadProgress& progress_;
  const EtcdClient::Deadline deadline_;
  FleetState state_;
  std::size_t keys_ = 0;
};

}  // namespace

void FleetState::apply(const FleetLayout& layout, const Mutation& mutation, std::int64_t at_revision) {
  const auto key = layout.parse(mutation.key);
  if (!key) return;
  if (key->kind != Kind::kGuard) return content.apply(*key, mutation.value);
  Stand& changed = stand(key->scope);
  changed.guard = FleetGuard::parse(mutation.value.value_or(""));
  changed.guard_revision = mutation.value ? at_revision : 0;
  changed.reached = at_revision;
  // Of another site than the layout's, the other guard will never come.
  const std::string& other = changed.guard.with_site;
  if (!other.empty() && other == layout.site()) changed.last_of_both = at_revision;
}

Result<FleetState> read_fleet(const EtcdClient& client, const FleetLayout& layout,
                              const ReadProgress& progress, EtcdClient::Deadline deadline) {
  for (int tries = 1;; ++tries) {
    auto state = Reader(client, layout, progress, deadline).read();
    if (state || state.error().code != ErrorCode::kConflict || tries == kMostTries) return state;
  }
}

}  // namespace vipauth::fleet
