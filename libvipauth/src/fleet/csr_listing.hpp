#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <vipauth/common_name.hpp>
#include <vipauth/fleet_csrs.hpp>

#include "fleet/csr_values.hpp"
#include "fleet/etcd_client.hpp"
#include "fleet/fleet_layout.hpp"

namespace vipauth::fleet {

/// Makes what administrators see of the keys of all sites, in their order, without a cluster: whatever they
/// hold, of a site no more is read than has bounds here, and no site's keys change what is told of another.
class CsrListing {
 public:
  /// \param layout  it must outlive this object
  explicit CsrListing(const FleetLayout& layout) : layout_(layout) {}

  /// \param is_too_large  the value is longer than any answer, and not in there
  /// \return  a key to go on from, where those before it do not matter; nothing: the next one
  std::optional<std::string> take(const KeyValue& from, bool is_too_large);
  /// By site and name.
  std::vector<FleetCsr> entries() &&;
  const std::vector<std::string>& warnings() const noexcept { return warnings_; }

 private:
  using At = std::pair<std::string, CommonName>;

  void begin(const std::string& site);
  void warn(const std::string& key, const Error& error);
  void take_value(const CsrKey& key, const KeyValue& from);

  const FleetLayout& layout_;
  std::map<At, FleetCsr> entries_;
  std::map<At, CsrAsked> asked_;
  std::map<At, CsrAnswer> answers_;
  std::vector<std::string> warnings_;
  std::string site_;
  std::size_t keys_ = 0;
  std::size_t bytes_ = 0;
  std::size_t warned_ = 0;
};

}  // namespace vipauth::fleet
