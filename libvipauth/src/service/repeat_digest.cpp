#include "service/repeat_digest.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <vipauth/auth_record.hpp>

#include "service/repeat_key.hpp"
#include "text/ip_network.hpp"

namespace vipauth {
namespace {

SeededDigest refusal_key(const AuditEvent& event, std::string_view of = "") {
  RepeatKey key(AuditEvent::kMaxRefusalTextBytes);
  key.add(of);
  key.add(event.reason ? to_string(*event.reason) : std::string_view());
  for (const std::string* part : {&event.user_id, &event.mechanism, &event.credentials, &event.domain,
                                  &event.address, &event.question, &event.callee, &event.subject}) {
    key.add(*part);
  }
  return key.digest();
}

}  // namespace

/// \param most    different keys; what is beyond is one number for each reason
/// \param singly  how often of each is written
bool RepeatDigest::take(const AuditEvent& event, const SeededDigest& key, std::size_t most,
                        std::size_t singly, RepeatTable& table) {
  auto known = table.seen.find(key);
  if (known == table.seen.end()) {
    if (table.seen.size() >= most) {
      table.hold_back_rest(event.kind, event.allowed, event.reason, event.time);
      return false;
    }
    known = table.seen.emplace(key, RepeatTable::Repeated(event)).first;
  }
  if (known->second.written < singly) {
    ++known->second.written;
    return true;
  }
  known->second.hold_back(event.time);
  return false;
}

/// Takes an event of somebody who has a share of the table only.
bool RepeatDigest::take_of(Share share, const AuditEvent& event, const SeededDigest& key, std::size_t most,
                           std::size_t singly, RepeatTable& table) {
  if (!table.seen.contains(key)) {
    const auto of_owner = table.singly_of.try_emplace(share.owner).first;
    if (of_owner->second >= std::max<std::size_t>(share.keys, 1)) {
      share.others.kind = event.kind;
      share.others.time = event.time;
      share.others.allowed = event.allowed;
      return take(share.others, refusal_key(share.others, "others"), most, 0, table);
    }
    if (table.seen.size() < most) {
      ++of_owner->second;
    } else if (of_owner->second == 0) {
      table.singly_of.erase(of_owner);  // owners, too, may be many
    }
  }
  return take(event, key, most, singly, table);
}

bool RepeatDigest::take_refusal(const AuditEvent& event) {
  Share share{event.user_id.substr(0, AuditEvent::kMaxRefusalTextBytes), limits_.per_user, {}};
  share.others.user_id = event.user_id;
  share.others.message = "other refusals of this user, so many that they were only counted";
  return take_of(std::move(share), event, refusal_key(event), limits_.refusals, 1, users_);
}

bool RepeatDigest::take_stranger(const AuditEvent& event) {
  const std::string address = canonical_address(event.address);
  Share share{source_of(address, IpAddress::parse(address)), limits_.per_address, {}};
  share.others.reason = event.reason;
  share.others.address = share.owner;
  share.others.message = "others of this address, so many that they were only counted";
  RepeatTable& table = event.reason == Reason::kDenied ? denied_
                       : event.mechanism == "PLAIN"    ? passwords_
                                                       : strangers_;
  return take_of(std::move(share), event, refusal_key(event), limits_.strangers, 1, table);
}

bool RepeatDigest::take(const AuditEvent& event) {
  if (event.kind == AuditEvent::Kind::kRefusal) return take_refusal(event);
  const bool is_stranger = event.kind == AuditEvent::Kind::kAuthentication && !event.allowed.value_or(false);
  return !is_stranger || take_stranger(event);
}

std::vector<Json> RepeatDigest::close(Timestamp now) {
  std::vector<Json> out;
  for (RepeatTable* table : {&strangers_, &denied_, &passwords_, &users_}) table->move_lines_to(out, now);
  return out;
}

}  // namespace vipauth
