// authenticate() by a CURVE key, beside a map of keys, and beside looking through all records as VOLTTRON
// does.

#include <algorithm>
#include <array>
#include <cstdint>

#include <absl/container/flat_hash_map.h>

#include "engine_bench.hpp"

namespace bench {
namespace {

using vipauth::CurveKey;

constexpr std::size_t kQuestions = std::size_t{1} << 16;

/// Keys to ask for: of records, or of nobody.
std::vector<CurveKey> questions(std::size_t records, bool known) {
  std::vector<CurveKey> out;
  out.reserve(kQuestions);
  for (const std::size_t user : users_out_of(records, kQuestions)) {
    out.push_back(known ? key_of(user) : stranger_of(user));
  }
  return out;
}

auto ours(std::size_t records, bool known) {
  return [&bus = bus_of(records), known, keys = questions(records, known)](std::size_t i) {
    const auto answer = bus.snapshot().authenticator.authenticate(request_of(keys[i % kQuestions]));
    if (answer.decision.allowed() != known) give_up("authenticate() is wrong");
    return answer.decision.reason();
  };
}

auto map_of_abseil(std::size_t records, bool known) {
  absl::flat_hash_map<CurveKey::Bytes, std::uint32_t> map;
  map.reserve(records);
  for (std::size_t i = 0; i < records; ++i) map.emplace(key_of(i).bytes(), static_cast<std::uint32_t>(i));
  return [map = std::move(map), known, keys = questions(records, known)](std::size_t i) {
    const auto found = map.find(keys[i % kQuestions].bytes());
    if ((found != map.end()) != known) give_up("the map is wrong");
    return known ? found->second : 0U;
  };
}

auto scan(std::size_t records, bool known) {
  std::vector<std::string> stored;
  stored.reserve(records);
  for (std::size_t i = 0; i < records; ++i) stored.push_back(key_of(i).to_base64url());
  return [stored = std::move(stored), known, keys = questions(records, known)](std::size_t i) {
    const std::string key = keys[i % kQuestions].to_base64url();
    const auto found = std::find(stored.begin(), stored.end(), key);
    if ((found != stored.end()) != known) give_up("the scan is wrong");
    return found - stored.begin();
  };
}

}  // namespace

void add_authentications(const Arguments& arguments) {
  for (const bool known : {true, false}) {
    const std::string what = known ? "authenticate_hit" : "authenticate_miss";
    for (const std::size_t records :
         arguments.pick(Sizes{1000, 10'000, 100'000, 1'000'000}, Sizes{1000, 100'000}, Sizes{1000})) {
      add(what, "absl", records, [=] { return map_of_abseil(records, known); });
      add(what, "ours", records, [=] { return ours(records, known); });
      if (records <= 10'000) add(what, "scan", records, [=] { return scan(records, known); });
    }
  }
}

}  // namespace bench
