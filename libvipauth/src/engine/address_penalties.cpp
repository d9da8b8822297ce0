#include <vipauth/address_penalties.hpp>

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/hash.hpp"
#include "text/ip_network.hpp"

namespace vipauth {
namespace {

using Milliseconds = std::chrono::milliseconds;

constexpr Milliseconds kMostTime = std::chrono::hours(24);
constexpr std::size_t kMostSources = std::size_t{1} << 20;
// What a source has shown is remembered for this long after its time is over: a waiting peer that comes again
// every 30 seconds (libzmq's default) is no new one each time.
constexpr Milliseconds kMemory = std::chrono::minutes(2);
// Threads that read the clock one after the other may come here the other way round.
constexpr Milliseconds kJitter = std::chrono::seconds(1);

struct SeededHash {
  std::size_t operator()(const std::string& text) const noexcept {
    return static_cast<std::size_t>(seeded_hash(text));
  }
};

struct Record {
  Milliseconds until{};  // when its time is over
  std::uint64_t suppressed = 0;
  bool penalised = false;
  std::uint8_t oldest = 0;           // of `shown`, once it is full
  std::vector<std::uint32_t> shown;  // hashes of credentials

  /// \return true  it was there already
  bool remember(std::uint32_t hash) {
    if (std::find(shown.begin(), shown.end(), hash) != shown.end()) return true;
    if (shown.size() < AddressPenalties::kRemembered) {
      shown.push_back(hash);
    } else {
      shown[oldest] = hash;
      oldest = static_cast<std::uint8_t>((oldest + 1) % AddressPenalties::kRemembered);
    }
    return false;
  }
};

using Table = std::unordered_map<std::string, Record, SeededHash>;
using Entry = Table::value_type;
/// By the end of their time.
using Order = std::set<std::pair<Milliseconds, Entry*>>;

Error wrong(std::string message) {
  return Error{ErrorCode::kInvalidArgument, "penalties: " + std::move(message), ""};
}

}  // namespace

struct AddressPenalties::Impl {
  const Settings settings;
  const std::vector<IpNetwork> exempt;

  mutable std::mutex mutex;
  Table table;
  Order penalised;
  Order others;  // each entry of the table is in one of the two
  std::optional<Timestamp> last;
  Milliseconds time{};  // that has gone by since the first call: never set back
  std::uint64_t penalties = 0;
  std::uint64_t suppressed = 0;
  Report report;

  Impl(Settings the_settings, std::vector<IpNetwork> networks)
      : settings(std::move(the_settings)), exempt(std::move(networks)) {}

  bool is_exempt(const std::optional<IpAddress>& ip) const {
    return ip && std::any_of(exempt.begin(), exempt.end(),
                             [&](const IpNetwork& network) { return network.contains(*ip); });
  }

  // Under the mutex

  void advance(Timestamp now) {
    if (!last) last = now;
    if (now > *last) time += now - *last;
    if (now > *last || *last - now > kJitter) last = now;
    while (!penalised.empty() && penalised.begin()->first <= time) end_penalty(*penalised.begin()->second);
    while (!others.empty() && others.begin()->first + kMemory <= time) forget(*others.begin()->second);
  }

  Order& order_of(const Entry& entry) { return entry.second.penalised ? penalised : others; }
  void link(Entry& entry) { order_of(entry).emplace(entry.second.until, &entry); }
  void unlink(Entry& entry) { order_of(entry).erase({entry.second.until, &entry}); }

  void forget(Entry& entry) {
    unlink(entry);
    table.erase(table.find(entry.first));
  }

  void end_penalty(Entry& entry) {
    unlink(entry);
    note_end(entry);
    entry.second.penalised = false;
    entry.second.suppressed = 0;
    link(entry);
  }

  void note_end(const Entry& entry) {
    ++report.ended_count;
    if (report.ended.size() < kMaxNamed) report.ended.push_back({entry.first, entry.second.suppressed});
  }

  Entry& find_or_add(std::string source) {
    if (const auto found = table.find(source); found != table.end()) return *found;
    if (table.size() >= settings.max_sources) make_room();
    return *table.emplace(std::move(source), Record{.until = time}).first;
  }

  void make_room() {
    Entry& first = others.empty() ? *penalised.begin()->second : *others.begin()->second;
    if (first.second.penalised) note_end(first);
    forget(first);
  }

  Milliseconds cost(const Record& record, Failure failure, bool is_known) const {
    if (failure == Failure::kStranger) return is_known ? settings.retry : settings.stranger;
    // Who is penalised is told to try again, by an answer that does not say that it is denied.
    return is_known && record.penalised ? settings.retry : settings.refusal;
  }

  Verdict count(std::string source, Failure failure, std::uint32_t credentials) {
    Entry& entry = find_or_add(std::move(source));
    Record& record = entry.second;
    unlink(entry);
    const bool was_penalised = record.penalised;
    const bool is_known = record.remember(credentials);
    record.until =
        std::min(std::max(record.until, time) + cost(record, failure, is_known), time + settings.longest);
    record.penalised = was_penalised || record.until - time > settings.enforced_from;
    link(entry);
    if (was_penalised) {
      ++record.suppressed;
      ++report.suppressed;
      ++suppressed;
    } else if (record.penalised) {
      ++penalties;
      ++report.started_count;
      if (report.started.size() < kMaxNamed) report.started.push_back({entry.first, 0});
    }
    return {was_penalised, record.penalised && !was_penalised};
  }
};

AddressPenalties::AddressPenalties(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AddressPenalties::AddressPenalties(AddressPenalties&&) noexcept = default;
AddressPenalties& AddressPenalties::operator=(AddressPenalties&&) noexcept = default;
AddressPenalties::~AddressPenalties() = default;

Result<AddressPenalties> AddressPenalties::create(Settings settings) {
  for (const Milliseconds time :
       {settings.stranger, settings.retry, settings.refusal, settings.enforced_from, settings.longest}) {
    if (time < Milliseconds::zero() || time > kMostTime) return wrong("a time must be from 0 to 24 hours");
  }
  if (settings.max_sources == 0 || settings.max_sources > kMostSources) {
    return wrong("max_sources must be from 1 to " + std::to_string(kMostSources));
  }
  std::vector<IpNetwork> exempt;
  for (const std::string& text : settings.exempt) {
    auto network = IpNetwork::parse(text);
    if (!network) return wrong("exempt: " + network.error().message);
    exempt.push_back(std::move(*network));
  }
  return AddressPenalties(std::make_unique<Impl>(std::move(settings), std::move(exempt)));
}

AddressPenalties::Verdict AddressPenalties::count(std::string_view address, Failure failure,
                                                  std::string_view credentials, Timestamp now) {
  const auto ip = IpAddress::parse(address);
  if (impl_->is_exempt(ip)) return {};
  std::string source = source_of(address, ip);
  const auto hash = static_cast<std::uint32_t>(seeded_hash(credentials));
  const std::lock_guard lock(impl_->mutex);
  impl_->advance(now);
  return impl_->count(std::move(source), failure, hash);
}

bool AddressPenalties::is_penalised(std::string_view address, Timestamp now) const {
  const std::string source = source_of(address, IpAddress::parse(address));
  const std::lock_guard lock(impl_->mutex);
  impl_->advance(now);
  const auto found = impl_->table.find(source);
  return found != impl_->table.end() && found->second.penalised;
}

AddressPenalties::Counters AddressPenalties::counters(Timestamp now) const {
  const std::lock_guard lock(impl_->mutex);
  impl_->advance(now);
  return {impl_->table.size(), impl_->penalised.size(), impl_->penalties, impl_->suppressed};
}

AddressPenalties::Report AddressPenalties::take_report(Timestamp now) {
  const std::lock_guard lock(impl_->mutex);
  impl_->advance(now);
  Report out = std::exchange(impl_->report, {});
  out.penalised = impl_->penalised.size();
  return out;
}

}  // namespace vipauth
