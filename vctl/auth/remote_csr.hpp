#pragma once

#include <vipauth/fleet_csrs.hpp>
#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

#include "context.hpp"

namespace vipauth::vctl::auth {

/// A request for a certificate as `remote list --json` has it.
Json csr_document(const FleetCsr& csr);

/// Warns of what was asked of the site, and is not done.
void warn_about(const Context& context, const FleetCsr& csr);

/// Prints what a decision did. One that the broker does not know of yet holds, but is reported.
/// \param verb  "approved"
int report_csr(const Context& context, const char* verb, const Result<FleetCsrDecision>& at_site);

}  // namespace vipauth::vctl::auth
