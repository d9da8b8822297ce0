#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <vipauth/clock.hpp>
#include <vipauth/common_name.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

#include "base/string_hash.hpp"

namespace vipauth {

/// How often and when requests were seen: in memory, and, after flush(), in `csr_seen.json`. Asking again
/// must not cost a write; what a kill loses are counts. May be used from any thread.
class CsrSightings {
 public:
  struct Sighting {
    std::uint64_t count = 0;
    Timestamp last{};
  };

  CsrSightings(std::filesystem::path file, StrictModes strict_modes)
      : file_(std::move(file)), strict_modes_(strict_modes) {}

  void note(const CommonName& name, Timestamp now);
  /// What is known of a name: of the file as it was read last, and since.
  Sighting of(const CommonName& name);
  /// Reads the file anew.
  Result<void> reload();
  /// Adds what was noted to the file, and leaves out of it all but `names`.
  Result<void> flush(const std::vector<CommonName>& names);
  bool has_unwritten() const;
  /// Of a name that is no more.
  Result<void> forget(const CommonName& name);

 private:
  using Table = StringMap<Sighting>;

  Result<Table> read() const;
  Result<void> write(const Table& table) const;

  std::filesystem::path file_;
  StrictModes strict_modes_;
  mutable std::mutex mutex_;
  bool is_read_ = false;
  Table written_;
  Table unwritten_;
};

}  // namespace vipauth
