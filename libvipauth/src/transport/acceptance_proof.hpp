#pragma once

#include <string>
#include <string_view>

namespace vipauth {

/// A property of each message of a peer that a ZapServer of this process accepted.
///
/// A peer of a socket without ZAP may send any properties it likes, those of an acceptance too. What it
/// cannot know is this value, which is another one in each process and never leaves it.
inline constexpr std::string_view kMetadataProof = "X-Vip-Proof";

const std::string& acceptance_proof();

}  // namespace vipauth
