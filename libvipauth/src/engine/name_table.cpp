#include "engine/name_table.hpp"

#include <algorithm>

#include "base/hash.hpp"

namespace vipauth {

std::uint32_t NameTable::hash_of(std::string_view name) noexcept {
  return static_cast<std::uint32_t>(seeded_hash(name));
}

NameTable::Id NameTable::find(std::uint32_t hash, std::string_view name) const noexcept {
  return slots_.find(hash, [&](Id id) { return (*this)[id] == name; });
}

NameTable::Id NameTable::find(std::string_view name) const noexcept { return find(hash_of(name), name); }

NameTable::Id NameTable::intern(std::string_view name) {
  if (name.size() > kMaxBytes) return kNone;
  const std::uint32_t hash = hash_of(name);
  const Id known = find(hash, name);
  if (known != kNone) return known;
  places_.push_back(store(name));
  const Id id = static_cast<Id>(places_.size() - 1);
  slots_.insert(hash, id);
  return id;
}

std::string_view NameTable::operator[](Id id) const noexcept {
  const std::uint32_t place = places_[id];
  const char* stored = blocks_[place >> kBlockBits].get() + (place & (kBlockBytes - 1));
  return {stored + 1, static_cast<unsigned char>(*stored)};
}

std::uint32_t NameTable::store(std::string_view name) {
  if (used_ + 1 + name.size() > kBlockBytes) {
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(kBlockBytes));
    used_ = 0;
  }
  char* place = blocks_.back().get() + used_;
  *place = static_cast<char>(static_cast<unsigned char>(name.size()));
  std::copy(name.begin(), name.end(), place + 1);
  const auto stored = static_cast<std::uint32_t>((blocks_.size() - 1) << kBlockBits | used_);
  used_ += 1 + name.size();
  return stored;
}

}  // namespace vipauth
