#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/curve_key.hpp>
#include <vipauth/json.hpp>
#include <vipauth/result.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// The `known_hosts` file of a home: the server keys that were found to be right, by address.
/// `{"127.0.0.1:22916": "<key>", "@": "<key>"}`, as VOLTTRON writes and reads it.
///
/// Every change is one transaction: lock, read again, change, temporary file, fsync, rename. A file that
/// cannot be read is refused and left untouched; entries that are not understood stay in it. Any number of
/// processes may change it at once.
/// Source: VOLTTRON keystore.py, KnownHostsStore.
class KnownHosts {
 public:
  struct Entry {
    std::string host;
    Json source;           ///< as it is written
    Result<CurveKey> key;  ///< or why it is none; `location` is a JSON Pointer
  };

  /// What a change did.
  struct Report {
    bool written = false;                  ///< false: it was so already
    std::vector<std::string> hosts;        ///< the entries that it is about, the one of VOLTTRON's name first
    std::optional<Json> replaced;          ///< what stood there before, where that was something else
    std::optional<CurveKey> replaced_key;  ///< the same, where that was a key
  };

  explicit KnownHosts(std::filesystem::path path, StrictModes strict_modes = StrictModes::kOn)
      : path_(std::move(path)), strict_modes_(strict_modes) {}

  const std::filesystem::path& path() const noexcept { return path_; }

  /// The name that VOLTTRON files an address under: "127.0.0.1:22916" for "tcp://127.0.0.1:22916?ipv6=1", "@"
  /// for "ipc://@/home/v/.volttron/run/vip.socket". A password in the address is left out.
  /// \return kInvalidArgument  no name remains, it holds a control character, or is longer than kMaxBytes
  VIPAUTH_EXPORT static Result<std::string> host_key(std::string_view address);
  static constexpr std::size_t kMaxBytes = 4096;

  /// All entries, in file order; a missing file has none.
  /// \return kParseError, kInvalidArgument  not a JSON object; kPermissionDenied, kIoError
  VIPAUTH_EXPORT Result<std::vector<Entry>> load() const;

  /// The server key of an address; nothing where none is known. Of the platforms on one host that listen on
  /// abstract sockets, all of which VOLTTRON files under "@", the one with this very name is preferred.
  /// \return kParseError  there is an entry, but its value is no key; and what load() returns
  VIPAUTH_EXPORT Result<std::optional<CurveKey>> find(std::string_view address) const;

  /// Adds the server key of an address, or puts it in the place of another.
  /// \return what host_key() and load() return; kBusy after `patience` without the lock
  VIPAUTH_EXPORT Result<Report> add(std::string_view address, const CurveKey& key,
                                    std::chrono::milliseconds patience = std::chrono::seconds(60)) const;

  /// Puts `to` in the place of `from`, whatever the host.
  VIPAUTH_EXPORT Result<Report> replace_key(
      const CurveKey& from, const CurveKey& to,
      std::chrono::milliseconds patience = std::chrono::seconds(60)) const;

  /// Removes the entry of an address, be it a key or not.
  /// \return kNotFound  there is none
  VIPAUTH_EXPORT Result<Report> remove(std::string_view address,
                                       std::chrono::milliseconds patience = std::chrono::seconds(60)) const;

 private:
  std::filesystem::path path_;
  StrictModes strict_modes_;
};

}  // namespace vipauth
