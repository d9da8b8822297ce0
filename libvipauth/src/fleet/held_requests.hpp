#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <vipauth/pending_store.hpp>

#include "fleet/etcd_client.hpp"
#include "fleet/fleet_layout.hpp"

namespace vipauth::fleet {

/// By what strangers are noted, and who was decided about: "CURVE:...".
std::string id_of(const PendingRequest& request);
std::string id_of(const DecidedPeer& peer);

/// The strangers who wait, and what was decided about whom, with when each key was written.
struct HeldRequests {
  /// A key as it was read.
  struct Known {
    std::int64_t revision = 0;
    std::optional<std::string> text;  ///< as it would be written here; nothing: not understood, or not shown
  };
  using ById = std::map<std::string, Known>;

  PendingState state;
  std::string left_out;                  ///< in one line; empty: nothing was
  std::map<std::string, Known> pending;  ///< by key
  std::array<ById, 2> decided;           ///< by Scope

  const ById& decided_of(Scope scope) const noexcept { return decided[static_cast<std::size_t>(scope)]; }
  /// Null: there is none.
  const Known* find_decided(Scope scope, const std::string& id) const;
};

/// Makes these of the keys of a cluster, in their order, without one: whatever they hold, of a site no more
/// than PendingStore::Limits::total are taken, and no site's keys change what is taken of another's.
class HeldRequestsReader {
 public:
  /// \param layout  it must outlive this object
  explicit HeldRequestsReader(const FleetLayout& layout) : layout_(layout) {}

  // \return  a key to go on from, where those before it do not matter; nothing: the next one
  std::optional<std::string> take_pending(const KeyValue& value);
  /// The fleet's come before the site's.
  std::optional<std::string> take_decided(Scope scope, const KeyValue& value);
  HeldRequests finish() &&;

 private:
  void leave_out(const std::string& why);

  const FleetLayout& layout_;
  HeldRequests held_;
  std::string site_;
  std::size_t of_site_ = 0;
  std::size_t left_out_ = 0;
  std::string first_;
};

}  // namespace vipauth::fleet
