#include <vipauth/pending_store.hpp>

#include <algorithm>
#include <list>
#include <mutex>
#include <numeric>

#include "base/string_hash.hpp"
#include "store/atomic_file.hpp"
#include "store/json_file.hpp"
#include "store/json_members.hpp"

namespace vipauth {
namespace {

constexpr int kVersion = 1;
constexpr std::chrono::seconds kPatience{60};

std::string key_of(Mechanism mechanism, std::string_view credentials) {
  return std::string(to_string(mechanism)) + ":" + std::string(credentials);
}

// The file

Json to_json(const PendingRequest& request) {
  return Json(Json::Object{{"mechanism", Json(to_string(request.mechanism))},
                           {"credentials", Json(request.credentials)},
                           {"domain", Json(request.domain)},
                           {"address", Json(request.address)},
                           {"user_id", Json(request.user_id)},
                           {"first_seen", Json(format_timestamp(request.first_seen))},
                           {"last_seen", Json(format_timestamp(request.last_seen))},
                           {"retries", Json(static_cast<std::int64_t>(request.retries))}});
}

Json to_json(const DecidedPeer& peer) {
  return Json(Json::Object{{"mechanism", Json(to_string(peer.mechanism))},
                           {"credentials", Json(peer.credentials)},
                           {"domain", peer.domain},
                           {"address", peer.address}});
}

template <typename Item>
Json to_json(const std::vector<Item>& items) {
  Json::Array out;
  out.reserve(items.size());
  for (const Item& item : items) out.push_back(to_json(item));
  return Json(std::move(out));
}

Mechanism mechanism_of(JsonMembers& members) {
  const auto parsed = parse_mechanism(members.text("mechanism"));
  if (!parsed) members.fail("mechanism", "must be a mechanism");
  return parsed.value_or(Mechanism::kCurve);
}

PendingRequest read_request(JsonMembers& members) {
  return {mechanism_of(members),     members.text("credentials"), members.text("domain"),
          members.text("address"),   members.text("user_id"),     members.time("first_seen"),
          members.time("last_seen"), members.count("retries")};
}

DecidedPeer read_peer(JsonMembers& members) {
  return {mechanism_of(members), members.text("credentials"), members.any("domain"), members.any("address")};
}

template <typename Item>
Result<std::vector<Item>> read_list(const Json& document, std::string_view name, Item (*read)(JsonMembers&)) {
  const std::string location = json_pointer("", name);
  const Json* list = document.find(name);
  if (list == nullptr || !list->is_array())
    return Error{ErrorCode::kInvalidArgument, "must be a list", location};
  std::vector<Item> out;
  for (std::size_t i = 0; i < list->as_array().size(); ++i) {
    JsonMembers members(list->as_array()[i], json_pointer(location, i), ErrorCode::kInvalidArgument);
    Item item = read(members);
    if (members.error()) return *members.error();
    out.push_back(std::move(item));
  }
  return out;
}

Result<PendingState> read_state(const std::filesystem::path& path, StrictModes strict_modes) {
  auto file = read_json_file(path, strict_modes);
  if (!file && file.error().code == ErrorCode::kNotFound) return PendingState{};
  if (!file) return file.error();
  const Json* version = file->document.find("version");
  if (version == nullptr || !(*version == Json(kVersion))) {
    return in_file(Error{ErrorCode::kUnsupported,
                         "this file is not of version 1: move it away, or upgrade the program", "/version"},
                   path);
  }
  auto pending = read_list<PendingRequest>(file->document, "pending", read_request);
  if (!pending) return in_file(pending.error(), path);
  auto decided = read_list<DecidedPeer>(file->document, "decided", read_peer);
  if (!decided) return in_file(decided.error(), path);
  return PendingState{std::move(*pending), std::move(*decided)};
}

Result<void> write_state(const PendingState& state, const std::filesystem::path& path) {
  const Json document(Json::Object{
      {"version", Json(kVersion)}, {"pending", to_json(state.pending)}, {"decided", to_json(state.decided)}});
  return replace_file(path, document.dump_pretty() + "\n");
}

// The bounds

/// Keeps the newest of each address and of all, in the order that they had.
void enforce(std::vector<PendingRequest>& requests, const PendingStore::Limits& limits) {
  std::vector<std::size_t> newest_first(requests.size());
  std::iota(newest_first.rbegin(), newest_first.rend(), std::size_t{0});
  std::stable_sort(newest_first.begin(), newest_first.end(), [&](std::size_t a, std::size_t b) {
    return requests[a].last_seen > requests[b].last_seen;
  });
  StringMap<std::size_t> of_address;
  std::vector<bool> stays(requests.size(), false);
  std::size_t total = 0;
  for (const std::size_t i : newest_first) {
    if (total == limits.total) break;
    if (++of_address[requests[i].address] > limits.per_address) continue;
    stays[i] = true;
    ++total;
  }
  std::vector<PendingRequest> kept;
  kept.reserve(total);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (stays[i]) kept.push_back(std::move(requests[i]));
  }
  requests = std::move(kept);
}

/// What was noted and not yet written, newest last. Every operation takes bounded time.
class Unwritten {
 public:
  explicit Unwritten(PendingStore::Limits limits) : limits_(limits) {}

  bool empty() const { return by_key_.empty(); }

  void note(Mechanism mechanism, std::string_view credentials, std::string_view domain,
            std::string_view address, Timestamp now) {
    const std::string key = key_of(mechanism, credentials);
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) {
      add({mechanism, std::string(credentials), std::string(domain), std::string(address), make_user_id(),
           now, now, 1});
      return;
    }
    PendingRequest request = *found->second;
    erase(found->second);
    request.domain = domain;
    request.address = address;
    request.last_seen = now;
    ++request.retries;
    add(std::move(request));
  }

  /// Adds these sightings to what `state` knows.
  void merge_into(PendingState& state) const {
    StringMap<std::size_t> places;
    for (std::size_t i = 0; i < state.pending.size(); ++i) {
      places.emplace(key_of(state.pending[i].mechanism, state.pending[i].credentials), i);
    }
    for (const PendingRequest& seen : requests_) {
      const auto found = places.find(key_of(seen.mechanism, seen.credentials));
      if (found == places.end()) {
        state.pending.push_back(seen);
        continue;
      }
      PendingRequest& known = state.pending[found->second];
      known.domain = seen.domain;
      known.address = seen.address;
      known.last_seen = std::max(known.last_seen, seen.last_seen);
      known.retries += seen.retries;
    }
  }

  /// Puts back what could not be written; what was noted meanwhile is newer.
  void restore(const Unwritten& older) {
    Unwritten merged = older;
    for (const PendingRequest& request : requests_) merged.absorb(request);
    *this = std::move(merged);
  }

  Unwritten(const Unwritten& other) : limits_(other.limits_) {
    for (const PendingRequest& request : other.requests_) add(request);
  }
  Unwritten& operator=(Unwritten&& other) noexcept = default;
  Unwritten(Unwritten&& other) noexcept = default;

 private:
  using List = std::list<PendingRequest>;

  void absorb(const PendingRequest& newer) {
    PendingRequest request = newer;
    if (const auto found = by_key_.find(key_of(newer.mechanism, newer.credentials)); found != by_key_.end()) {
      request.user_id = found->second->user_id;
      request.first_seen = found->second->first_seen;
      request.retries += found->second->retries;
      erase(found->second);
    }
    add(std::move(request));
  }

  void add(PendingRequest request) {
    auto& of_address = by_address_[request.address];
    if (of_address.size() >= limits_.per_address) erase(of_address.front());
    if (requests_.size() >= limits_.total) erase(requests_.begin());
    const auto place = requests_.insert(requests_.end(), std::move(request));
    by_key_[key_of(place->mechanism, place->credentials)] = place;
    by_address_[place->address].push_back(place);
  }

  void erase(List::iterator place) {
    by_key_.erase(key_of(place->mechanism, place->credentials));
    const auto of_address = by_address_.find(place->address);
    of_address->second.remove(place);
    if (of_address->second.empty()) by_address_.erase(of_address);
    requests_.erase(place);
  }

  PendingStore::Limits limits_;
  List requests_;
  StringMap<List::iterator> by_key_;
  StringMap<std::list<List::iterator>> by_address_;
};

}  // namespace

const DecidedPeer* PendingState::find_decided(Mechanism mechanism, std::string_view credentials) const {
  const auto found = std::find_if(decided.begin(), decided.end(), [&](const DecidedPeer& peer) {
    return peer.mechanism == mechanism && peer.credentials == credentials;
  });
  return found == decided.end() ? nullptr : &*found;
}

struct PendingStore::Impl {
  Impl(std::filesystem::path a_path, Limits the_limits, Filter a_filter, StrictModes modes)
      : path(std::move(a_path)),
        limits{std::max<std::size_t>(the_limits.total, 1), std::max<std::size_t>(the_limits.per_address, 1)},
        filter(std::move(a_filter)),
        strict_modes(modes),
        unwritten(limits) {}

  std::filesystem::path path;
  Limits limits;
  Filter filter;
  StrictModes strict_modes;
  // Held, before the other, while notes go from memory into the file: they are always in one of the two.
  mutable std::mutex file_mutex;
  mutable std::mutex mutex;
  Unwritten unwritten;

  /// Merges, and leaves out what is decided or beyond the bounds.
  void settle(PendingState& state, const Unwritten& seen) const {
    seen.merge_into(state);
    if (filter) std::erase_if(state.pending, [&](const PendingRequest& request) { return !filter(request); });
    enforce(state.pending, limits);
  }

  Unwritten copy_unwritten() const {
    const std::lock_guard lock(mutex);
    return unwritten;
  }

  Unwritten take() {
    const std::lock_guard lock(mutex);
    return std::exchange(unwritten, Unwritten(limits));
  }

  void put_back(const Unwritten& seen) {
    const std::lock_guard lock(mutex);
    unwritten.restore(seen);
  }

  Result<PendingState> load() const {
    const std::lock_guard file_lock(file_mutex);
    auto state = read_state(path, strict_modes);
    if (!state) return state.error();
    const Unwritten seen = copy_unwritten();
    settle(*state, seen);
    return state;
  }

  Result<void> edit(const std::function<Result<void>(PendingState&)>& change,
                    std::chrono::milliseconds patience) {
    const auto lock = FileLock::acquire(path, patience);
    if (!lock) return lock.error();
    const std::lock_guard file_lock(file_mutex);
    auto state = read_state(path, strict_modes);
    if (!state) return state.error();
    const Unwritten seen = take();
    settle(*state, seen);
    auto done = change(*state);
    if (done) done = write_state(*state, path);
    if (!done) put_back(seen);
    return done;
  }
};

PendingStore::PendingStore(std::filesystem::path path, Limits limits, Filter filter, StrictModes strict_modes)
    : impl_(std::make_unique<Impl>(std::move(path), limits, std::move(filter), strict_modes)) {}
PendingStore::PendingStore(PendingStore&&) noexcept = default;
PendingStore& PendingStore::operator=(PendingStore&&) noexcept = default;
PendingStore::~PendingStore() = default;

bool PendingStore::note(Mechanism mechanism, std::string_view credentials, std::string_view domain,
                        std::string_view address, Timestamp now) {
  const std::lock_guard lock(impl_->mutex);
  const bool first = impl_->unwritten.empty();
  impl_->unwritten.note(mechanism, credentials, domain, address, now);
  return first;
}

bool PendingStore::has_unwritten() const {
  const std::lock_guard lock(impl_->mutex);
  return !impl_->unwritten.empty();
}

Result<void> PendingStore::flush(std::chrono::milliseconds patience) {
  if (!has_unwritten()) return {};
  return impl_->edit([](PendingState&) { return Result<void>(); }, patience);
}

Result<PendingState> PendingStore::load() const { return impl_->load(); }

Result<void> PendingStore::edit(const std::function<Result<void>(PendingState&)>& change,
                                std::chrono::milliseconds patience) {
  return impl_->edit(change, patience);
}

}  // namespace vipauth
