#pragma once

// What the files of engine_bench share.

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include <vipauth/policy_snapshot.hpp>

#include "homes.hpp"
#include "support.hpp"

namespace bench {

/// A service that stands while the program runs, and what it decides by.
struct Bus {
  explicit Bus(const std::function<void(const fs::path&)>& write) : service(open(home.path(), write)) {}

  const vipauth::PolicySnapshot& snapshot() const { return *version.snapshot; }

  TempFolder home;
  vipauth::AuthService service;
  vipauth::LivePolicy::Version version = service.policy()->current();

 private:
  static vipauth::AuthService open(const fs::path& home, const std::function<void(const fs::path&)>& write) {
    write(home);
    return open_service(home);
  }
};

/// The bus of write_policy(records), made when it is first asked for.
const Bus& bus_of(std::size_t records);

/// Users out of so many, in an order that no cache foresees.
std::vector<std::size_t> users_out_of(std::size_t records, std::size_t count);

/// Registers WHAT/WHO/SIZE. `prepare` is called once, before what it returns is measured: that is given a
/// number that counts up.
template <typename Prepare>
void add(const std::string& what, const std::string& who, std::size_t size, const Prepare& prepare) {
  const std::string name = what + '/' + who + '/' + std::to_string(size);
  const auto prepared = std::make_shared<std::optional<decltype(prepare())>>();
  benchmark::RegisterBenchmark(name.c_str(), [prepare, prepared](benchmark::State& state) {
    if (!*prepared) prepared->emplace(prepare());
    auto& once = **prepared;
    std::size_t number = 0;
    for (auto _ : state) benchmark::DoNotOptimize(once(number++));
  });
}

using Sizes = std::vector<std::size_t>;

void add_authentications(const Arguments& arguments);
void add_calls(const Arguments& arguments);
void add_topics(const Arguments& arguments);
void add_threads(const Arguments& arguments);
void add_worst(const Arguments& arguments);

}  // namespace bench
