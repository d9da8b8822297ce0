#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include <vipauth/policy.hpp>
#include <vipauth/result.hpp>

#include "store/file_edit.hpp"

namespace vipauth {

/// A peer in the history and the audit log.
inline std::string who_of_peer(std::string_view user_id) { return std::string(kPeerEditor).append(user_id); }

/// For whom auth.json is edited. By default: for the embedder, who may do everything.
struct Behalf {
  /// Whether an edit touches what was decided already, or only a peer that waits for a decision.
  enum class Touches { kRecords, kPending };
  /// Looks at an edit under the lock of the file, before it is written; its error keeps the file as it is.
  using Check = std::function<Result<void>(const Policy& before, const Policy& after, Touches touches)>;

  std::string who = {};  ///< for the history; empty: as the service's options say
  Check check = {};
  std::chrono::milliseconds patience = std::chrono::seconds(60);  ///< for the lock of each file
};

/// Of an edit that a peer asks for by a message: who holds a lock must not keep a bus from all others.
inline constexpr std::chrono::milliseconds kPeerPatience{1000};

}  // namespace vipauth
