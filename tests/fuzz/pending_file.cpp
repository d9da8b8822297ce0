// A pending.json: what is read is written so that it is read again; what cannot be read stays.
#include <vipauth/pending_store.hpp>

#include "fuzz.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;

namespace {

constexpr Timestamp kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21);

std::string shown(const PendingState& state) {
  std::string out;
  for (const PendingRequest& each : state.pending) {
    out += std::string(to_string(each.mechanism)) + Json(each.credentials).dump() + Json(each.domain).dump() +
           Json(each.address).dump() + Json(each.user_id).dump() + format_timestamp(each.first_seen) +
           format_timestamp(each.last_seen) + std::to_string(each.retries) + "\n";
  }
  for (const DecidedPeer& each : state.decided) {
    out += std::string(to_string(each.mechanism)) + Json(each.credentials).dump() + each.domain.dump() +
           each.address.dump() + "\n";
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const test::TempHome folder;
  const std::string_view content = text_of(data, size);
  folder.write("pending.json", content);
  const PendingStore::Limits limits{8, 3};
  PendingStore store(folder / "pending.json", limits);
  const auto state = store.load();
  if (!state) {
    require_good(state.error(), size);
    store.note(Mechanism::kCurve, "key", "vip", "10.0.0.1", kNow);
    const bool is_written = store.flush().has_value();
    require(!is_written && store.has_unwritten(), "wrote over what cannot be read");
    require_same(folder.read("pending.json"), content);
    return 0;
  }
  require(state->pending.size() <= limits.total);
  const auto edited = store.edit([](PendingState&) { return Result<void>(); });
  require(edited.has_value(), edited ? "" : edited.error().to_string());
  const auto again = PendingStore(folder / "pending.json", limits).load();
  require(again.has_value(), again ? "" : again.error().to_string());
  require_same(shown(*again), shown(*state));

  store.note(Mechanism::kCurve, "a new key", "vip", "10.0.0.1", kNow);
  const auto flushed = store.flush();
  require(flushed.has_value());
  const auto noted = PendingStore(folder / "pending.json", limits).load();
  require(noted && noted->pending.size() <= limits.total);
  require(noted->decided.size() == state->decided.size());
  return 0;
}
