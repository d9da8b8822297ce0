#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>
#include <vipauth/vip_address.hpp>

namespace vipauth {

/// The `config` file of a home: `name = value` lines below `[volttron]`.
///
/// Names may be in any case, with `_` for `-`. A value goes on in the lines below that are indented. Comments
/// begin with `;` or `#`. A value: what the file says, no file. Other sections are not read.
/// Source: VOLTTRON config.py, ArgumentParser.
class PlatformConfig {
 public:
  static constexpr std::size_t kMaxLineBytes = 8192;

  struct Setting {
    std::string name;  ///< in small letters, with `-`
    std::string value;
    std::size_t line = 0;  ///< from 1
  };

  /// An empty configuration.
  PlatformConfig() = default;

  /// \return kParseError     `location` is "LINE"; a name that has one value is given twice
  /// \return kLimitExceeded  a line longer than kMaxLineBytes
  VIPAUTH_EXPORT static Result<PlatformConfig> parse(std::string_view text);

  /// Reads the file; a missing one is empty.
  /// \return what parse() returns, with `location` "config:LINE"; kPermissionDenied, kIoError
  VIPAUTH_EXPORT static Result<PlatformConfig> load(const std::filesystem::path& path,
                                                    StrictModes strict_modes = StrictModes::kOn);

  const std::vector<Setting>& settings() const noexcept { return settings_; }

  /// The value of a setting; of one that stands several times, the last.
  VIPAUTH_EXPORT std::optional<std::string> get(std::string_view name) const;
  /// All values of a setting, in file order.
  VIPAUTH_EXPORT std::vector<std::string> get_all(std::string_view name) const;

  // The settings that VOLTTRON's setup writes.

  std::optional<std::string> instance_name() const { return get("instance-name"); }
  std::optional<std::string> message_bus() const { return get("message-bus"); }
  std::optional<std::string> bind_web_address() const { return get("bind-web-address"); }
  std::optional<std::string> web_ssl_cert() const { return get("web-ssl-cert"); }
  std::optional<std::string> web_ssl_key() const { return get("web-ssl-key"); }

  /// Where the bus listens: each `vip-address`, which may stand several times, or hold several with commas or
  /// lines between.
  /// \return what VipAddress::parse returns, with `location` "LINE: vip-address"
  VIPAUTH_EXPORT Result<std::vector<VipAddress>> vip_addresses() const;

 private:
  std::vector<Setting> settings_;
};

}  // namespace vipauth
