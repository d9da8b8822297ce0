#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <vipauth/csr_store.hpp>
#include <vipauth/fleet_csrs.hpp>
#include <vipauth/result.hpp>

#include "context.hpp"

namespace vipauth::vctl {

/// The requests for certificates that a verb works on: those of a home, whose site has no name, or those that
/// a fleet's store tells of.
class CsrDesk {
 public:
  CsrDesk() = default;
  CsrDesk(const CsrDesk&) = delete;
  CsrDesk& operator=(const CsrDesk&) = delete;
  virtual ~CsrDesk() = default;

  /// What cannot be read is a line of `warnings`.
  virtual Result<std::vector<FleetCsr>> list(std::vector<std::string>& warnings) = 0;
  /// Whether there is such a request, damaged or not.
  virtual bool knows(const CommonName& name) = 0;

  // \return what CsrStore's functions, and FleetCsrs', return
  /// \param key_fingerprint  empty: any
  virtual Result<FleetCsrDecision> approve(const CommonName& name, const std::string& key_fingerprint) = 0;
  virtual Result<FleetCsrDecision> deny(const CommonName& name) = 0;
  virtual Result<FleetCsrDecision> remove(const CommonName& name) = 0;
};

/// Those of a home.
std::unique_ptr<CsrDesk> desk_of(const Context& context, CsrStore requests);

/// Those of the store that --store names.
/// \return kUnsupported  this program was built without such stores
Result<std::shared_ptr<CsrDesk>> open_store_desk(const Context& context);

}  // namespace vipauth::vctl
