#include "fleet/pending_exchange.hpp"

#include <cstddef>
#include <utility>

#include "fleet/checked_keys.hpp"
#include "fleet/pending_values.hpp"
#include "fleet/range_reader.hpp"

namespace vipauth::fleet {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{5};
/// An approval over the bus holds the lock of pending.json while it waits for the thread that this runs on.
constexpr std::chrono::milliseconds kPatienceForLock{20};
/// Two buses of a site may tell as many as each has.
constexpr std::size_t kMostRead = 2 * PendingStore::Limits().total;

std::string id_of(const PendingRequest& request) {
  return std::string(to_string(request.mechanism)) + ":" + request.credentials;
}

bool has(const std::map<std::string, std::string>& names, const PendingRequest& request) {
  const auto found = names.find(id_of(request));
  return found != names.end() && found->second == request.user_id;
}

/// True where there is more to tell than that it asked again a short while ago.
bool is_news(const PendingRequest& here, const PendingRequest& there) {
  PendingRequest seen_then = here;
  seen_then.last_seen = there.last_seen;
  seen_then.retries = there.retries;
  if (pending_value(seen_then) != pending_value(there)) return true;
  const auto since = here.last_seen - there.last_seen;
  return since >= PendingExchange::kBetweenSightings || -since >= PendingExchange::kBetweenSightings;
}

}  // namespace

Result<void> PendingExchange::exchange() {
  auto done = exchange_once();
  const std::lock_guard lock(mutex_);
  problem_ = done ? std::nullopt : std::optional(done.error());
  return done;
}

std::optional<Error> PendingExchange::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

Result<void> PendingExchange::exchange_once() {
  const auto local = home_.load_pending();
  if (!local) return local.error();
  if (local->pending.empty() && told_.empty()) {
    deleted_.clear();
    return {};
  }
  auto told = tell(*local, steady_clock::now() + kPatience);
  const auto taken_away = take_away(*local);
  return told ? taken_away : told;
}

Result<PendingExchange::Present> PendingExchange::read_store(EtcdClient::Deadline deadline) const {
  Present out;
  const std::string prefix = layout_.pending_prefix();
  const auto take = [&](KeyValue&& value) -> std::optional<std::string> {
    if (out.requests.size() == kMostRead) {
      out.is_whole = false;
      return prefix_end(prefix);
    }
    auto request = parse_pending(value.value);
    const auto id = layout_.pending_id(value.key);
    if (!id) return std::nullopt;
    const bool is_its_own = request && id_of(*request) == *id;
    out.requests[*id] = {value.mod_revision, is_its_own ? std::optional(*std::move(request)) : std::nullopt};
    return std::nullopt;
  };
  if (auto read = read_range(client_, prefix, {take, take}, deadline); !read) return read.error();
  return out;
}

Result<void> PendingExchange::tell(const PendingState& local, EtcdClient::Deadline deadline) {
  const auto present = read_store(deadline);
  if (!present) return present.error();
  const auto& stored = present->requests;
  Names told;
  for (const auto& [id, user_id] : told_) {
    const auto found = stored.find(id);
    if (found == stored.end()) {
      (present->is_whole ? deleted_ : told)[id] = user_id;
    } else if (found->second.request && found->second.request->user_id == user_id) {
      told[id] = user_id;
    }
  }
  std::optional<Error> problem;
  std::size_t count = stored.size();
  Names here;
  CheckedWrites writes(client_, deadline);
  for (const PendingRequest& request : local.pending) {
    const std::string id = id_of(request);
    if (has(deleted_, request)) continue;
    here[id] = request.user_id;
    std::string value = pending_value(request);
    const auto found = stored.find(id);
    const bool is_there = found != stored.end();
    if (is_there && found->second.request) {
      // Another bus of the site tells of it, or this one has, before it was started again.
      if (found->second.request->user_id != request.user_id) continue;
      told[id] = request.user_id;
      if (!is_news(request, *found->second.request)) continue;
    } else if (const auto readable = parse_pending(value); !readable) {
      problem = readable.error();
      continue;
    } else if (!is_there && count >= PendingStore::Limits().total) {
      problem = Error{ErrorCode::kLimitExceeded,
                      "more than " + std::to_string(PendingStore::Limits().total) + " wait at this site", ""};
      continue;
    }
    if (!is_there) ++count;
    told[id] = request.user_id;
    auto added = writes.add(layout_.pending_key(layout_.site(), id), std::move(value),
                            is_there ? found->second.revision : 0);
    if (!added) return added;
  }
  for (auto own = told.begin(); own != told.end();) {
    const auto still = here.find(own->first);
    const bool is_here = still != here.end() && still->second == own->second;
    const auto found = stored.find(own->first);
    if (is_here || found == stored.end()) {  // or not read
      ++own;
      continue;
    }
    auto added =
        writes.add(layout_.pending_key(layout_.site(), own->first), std::nullopt, found->second.revision);
    if (!added) return added;
    own = told.erase(own);
  }
  const auto written = writes.finish();
  if (!written) return written.error();
  if (*written) told_ = std::move(told);  // else the next exchange sees what it was
  if (problem) return *problem;
  return {};
}

Result<void> PendingExchange::take_away(const PendingState& local) {
  Names still;
  for (const PendingRequest& request : local.pending) {
    if (has(deleted_, request)) still[id_of(request)] = request.user_id;
  }
  deleted_ = std::move(still);
  if (deleted_.empty()) return {};
  const auto removed = home_.edit_pending(
      [&](PendingState& present) -> Result<void> {
        std::erase_if(present.pending, [&](const PendingRequest& request) { return has(deleted_, request); });
        return {};
      },
      kPatienceForLock);
  if (removed) {
    deleted_.clear();
    return {};
  }
  if (removed.error().code == ErrorCode::kBusy) return {};  // the next exchange takes it away
  return removed;
}

}  // namespace vipauth::fleet
