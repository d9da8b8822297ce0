#pragma once

namespace vipauth {

/// Whether a file is refused that other users than its owner and root could have changed, or, where it holds
/// a secret, could have read. Source: OpenSSH, sshd_config(5), StrictModes.
enum class StrictModes { kOn, kOff };

}  // namespace vipauth
