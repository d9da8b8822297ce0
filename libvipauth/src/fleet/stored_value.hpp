#pragma once

#include <string>
#include <string_view>

#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

#include "fleet/fleet_layout.hpp"

namespace vipauth::fleet {

/// What a value stands for in a document. What is not JSON, or too deep for a document to be written of it,
/// is stood for by not_understood(): it does not vanish.
Json value_of(const std::string& text);

/// A JSON value that no reader takes for a record, a rule, a role or a group, in any form. It says why, and
/// holds nothing of the value, which may be secret.
Json not_understood(std::string_view why);

/// What a key of a list stands for whose rank is none.
Json without_rank(const FleetKey& key);

/// True where `text` stands for `value`, with its order and digits, of which `dump` is value.dump().
bool stands_for(const std::string& text, const std::string& dump);

/// The text of a value that is to be stored.
/// \return kInvalidArgument  it would not be read as the same: text that is not UTF-8, a member twice, nested too deep
Result<std::string> text_of(const Json& value);

}  // namespace vipauth::fleet
