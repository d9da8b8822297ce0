#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <vipauth/pending_store.hpp>

namespace vipauth::fleet {

/// The value of "fleet/decided/<id>" and "sites/<site>/decided/<id>": where somebody may come from.
std::string decided_value(const DecidedPeer& peer);
/// Nothing: it is no such value, or longer than kMaxPendingBytes.
std::optional<DecidedPeer> parse_decided(std::string_view text);

/// Whether a site may say so: of single addresses alone, for a pattern could mean "from anywhere".
bool is_believed_of_site(const DecidedPeer& peer);

}  // namespace vipauth::fleet
