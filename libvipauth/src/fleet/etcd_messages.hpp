#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/result.hpp>

#include "fleet/etcd_client.hpp"

/// What etcd's gateway is asked and answers, as JSON: keys and values in base64, numbers of 64 bits as
/// strings, and what is zero, false or empty left out. Every answer may be hostile.
/// Source: etcd 3.4, rpc.proto; the JSON mapping of proto3.
namespace vipauth::fleet {

std::string range_text(const RangeQuestion& question);
std::string txn_text(const std::vector<Compare>& compares, const std::vector<Mutation>& mutations);
std::string watch_text(std::string_view key, std::string_view range_end, std::int64_t start_revision);
/// Of UTF-8. No other copy of the password is made, and the caller wipes this one.
std::string authenticate_text(std::string_view user, std::string_view password);

/// Whether a key is one of those; of an empty range_end `key` alone, of "\0" all from `key` on.
bool is_in_range(std::string_view one, std::string_view key, std::string_view range_end);

// \return kParseError  not of the form, out of range, or not what was asked for
Result<RangeAnswer> parse_range(std::string_view text, const RangeQuestion& question);
Result<TxnAnswer> parse_txn(std::string_view text);
Result<ClusterStatus> parse_status(std::string_view text);
/// What authenticates further requests: of visible ASCII only, for it goes into a header.
Result<std::string> parse_token(std::string_view text);

/// What etcd says in the place of an answer.
struct Refusal {
  int code = 0;         ///< of gRPC
  std::string message;  ///< short enough to be shown, and without control characters

  /// Who asks is unknown to it, or not any more: a new token may help.
  bool is_unauthenticated() const;
  bool is_auth_off() const;
  /// This member has none, and has not even begun: another one may have.
  bool is_without_leader() const;
  /// They choose one just now. Of what has begun nobody can say whether it will be done.
  bool is_leader_changing() const;
  Error to_error() const;
};
/// Of an answer other than 200. Nothing where it is not etcd that says it.
std::optional<Refusal> parse_refusal(std::string_view text);

/// Why a member did not answer.
struct Trouble {
  Error error;
  bool may_be_done = false;        ///< what was asked: it has got it, and has not refused it
  bool is_final = false;           ///< it would be the same elsewhere
  bool is_without_leader = false;  ///< for now: they choose one, or have just done so
};
/// Of an answer other than 200. \param origin  of the member: "http://host:2379"
Trouble trouble_of(std::string_view origin, int status, std::string_view body);

/// One message of a watch.
struct WatchAnswer {
  bool is_created = false;
  bool is_canceled = false;
  bool is_fragment = false;  ///< the rest of what happened at the last revision follows
  std::int64_t revision = 0;
  std::int64_t compact_revision = 0;
  std::optional<Refusal> refusal;
  std::vector<Mutation> events;
  std::vector<std::int64_t> revisions;
};
Result<WatchAnswer> parse_watch(std::string_view text);

}  // namespace vipauth::fleet
