#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <vipauth/result.hpp>

namespace vipauth {

/// Where a fleet keeps its policy: "etcd://host:2379,host2:2379/prefix?site=berlin".
///
/// `etcd` is plain HTTP, `etcds` is TLS. Without a port it is 2379. The prefix has one part or more, none of
/// them empty, "." or ".."; a site is one such part, of at most 255 bytes. Both are of letters, digits and
/// "-._~".
struct StoreAddress {
  /// What an edit may write.
  enum class Edits {
    kFleet,  ///< what all sites share: `edit=fleet`, and where no site is named
    kSite,   ///< what the site adds: where one is named
  };
  struct Endpoint {
    std::string host;  ///< of an IPv6 address without brackets
    int port = 2379;
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
  };

  bool is_tls = true;
  std::vector<Endpoint> endpoints;  ///< members of one cluster, asked in turn until one answers
  std::string prefix;               ///< "vipauth/acme": neither begins nor ends with "/"
  std::string site;                 ///< empty: what all share, alone
  Edits edits = Edits::kFleet;
  /// `insecure-transport=true`: without TLS also where a member is another machine.
  bool allows_plain_network = false;

  /// \return kInvalidArgument  anything else; a user or password in it, with a message that does not repeat it
  VIPAUTH_EXPORT static Result<StoreAddress> parse(std::string_view text);
  VIPAUTH_EXPORT std::string to_string() const;  ///< which parse() reads as the same
  friend bool operator==(const StoreAddress&, const StoreAddress&) = default;
};

}  // namespace vipauth
