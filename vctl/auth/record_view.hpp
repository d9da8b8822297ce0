#pragma once

#include <cstddef>
#include <iosfwd>

#include <vipauth/json.hpp>
#include <vipauth/policy.hpp>

namespace vipauth::vctl::auth {

/// A record of auth.json as users see it: fields in a fixed order, those left out with what they mean, and
/// never a password or its hash. A record that is not understood is shown as it was written.
Json shown_record(const Policy::Entry& entry);

/// A blank line, "INDEX: 0", and the record.
void print_record(std::ostream& out, std::size_t index, const Policy::Entry& entry);

}  // namespace vipauth::vctl::auth
