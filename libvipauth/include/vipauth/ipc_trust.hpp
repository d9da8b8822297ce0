#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <vipauth/auth_record.hpp>
#include <vipauth/export.hpp>

namespace vipauth {

/// Whether NULL peers over IPC that run as this process's user are accepted without a record. Off unless
/// said.
///
/// libzmq presents such a peer's address as `localhost:UID:GID:PID`. Its user_id is then location_user_id().
/// Source: semantics 3.
struct IpcTrust {
  bool same_user = false;
  std::uint32_t own_uid = 0;

  VIPAUTH_EXPORT bool accepts_address(std::string_view address) const noexcept;
  /// True for the user_id of a peer that it accepts.
  VIPAUTH_EXPORT bool accepts_user(std::string_view user_id) const;
};

/// The user_id of a peer that is known by where it comes from: "domain,address,mechanism", with `,` and `\`
/// escaped.
/// Source: semantics 3; VOLTTRON auth_utils.py, dump_user.
VIPAUTH_EXPORT std::string location_user_id(std::string_view domain, std::string_view address,
                                            Mechanism mechanism);

}  // namespace vipauth
