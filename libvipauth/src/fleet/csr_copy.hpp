#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "fleet/etcd_client.hpp"
#include "fleet/fleet_layout.hpp"

namespace vipauth::fleet {

/// What the store has of a site's requests for certificates, as far as is known here.
class CsrCopy {
 public:
  /// A key of the store. What is too long to be read is as good as empty.
  struct Held {
    std::string value;
    std::int64_t revision = 0;
    friend bool operator==(const Held&, const Held&) = default;
  };
  using HeldKeys = std::map<std::string, Held>;

  /// \param layout  it must outlive this object, and has a site
  explicit CsrCopy(const FleetLayout& layout) : layout_(&layout) {}

  // What is no key of the site's is left out.

  void take(KeyValue&& from);
  /// What was told, or written here. What is older than what is known changes nothing.
  void apply(const Mutation& mutation, std::int64_t revision);

  /// Others have put more there than requests for certificates can be.
  bool is_too_large() const noexcept;
  HeldKeys of(CsrKey::Kind kind) const;
  bool has(const std::string& key, std::int64_t revision) const;

 private:
  void put(std::string key, std::string value, std::int64_t revision);

  const FleetLayout* layout_;
  HeldKeys keys_;
  std::size_t bytes_ = 0;
};

}  // namespace vipauth::fleet
