#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/id_slots.hpp"

namespace vipauth {

/// Names of users and agents, each kept once and known by a number from 0 on.
class NameTable {
 public:
  using Id = std::uint32_t;
  static constexpr Id kNone = IdSlots::kNone;
  /// ZAP's limit on a string, and ZeroMQ's on a routing id: nobody can have a longer name.
  static constexpr std::size_t kMaxBytes = 255;

  /// \return kNone  longer than kMaxBytes
  Id intern(std::string_view name);
  Id find(std::string_view name) const noexcept;
  /// The view lives as long as the table.
  std::string_view operator[](Id id) const noexcept;
  std::size_t size() const noexcept { return places_.size(); }

 private:
  static constexpr std::size_t kBlockBits = 16;
  static constexpr std::size_t kBlockBytes = std::size_t{1} << kBlockBits;

  static std::uint32_t hash_of(std::string_view name) noexcept;
  Id find(std::uint32_t hash, std::string_view name) const noexcept;
  std::uint32_t store(std::string_view name);

  std::vector<std::unique_ptr<char[]>> blocks_;  // each name: a byte that tells its length, and the name
  std::size_t used_ = kBlockBytes;               // of the last block
  std::vector<std::uint32_t> places_;            // block and offset of each name
  IdSlots slots_;
};

}  // namespace vipauth
