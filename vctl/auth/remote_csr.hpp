#pragma once

#include <vipauth/csr_store.hpp>
#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

#include "context.hpp"

namespace vipauth::vctl::auth {

/// A request for a certificate as `remote list --json` has it.
Json csr_document(const CsrEntry& entry);

/// Whether there is such a request, damaged or not.
bool knows(const CsrStore& requests, const CommonName& name);

/// Prints what a decision did. One that the broker does not know of yet holds, but is reported.
/// \param verb  "approved"
int report_csr(const Context& context, const char* verb, const Result<CsrDecision>& decision);

}  // namespace vipauth::vctl::auth
