#include "service/repeat_digest.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <vipauth/auth_record.hpp>

#include "text/ip_network.hpp"

namespace vipauth {
namespace {

/// Most keys that are let in and counted apart in one interval. As many records has hardly a policy.
constexpr std::size_t kMostAccepted = 10'000;

/// Joins what makes two events the same. Each part has its length before it, so that no two can run together.
class Key {
 public:
  explicit Key(std::size_t most) : most_(most) {}
  Key& add(std::string_view part) {
    part = part.substr(0, most_);
    text_ += std::to_string(part.size());
    text_ += ':';
    text_ += part;
    return *this;
  }
  std::string take() { return std::move(text_); }

 private:
  std::size_t most_;  // bytes of a part, as of a text that is written
  std::string text_;
};

std::string refusal_key(const AuditEvent& event) {
  Key key(AuditEvent::kMaxRefusalTextBytes);
  key.add(event.reason ? to_string(*event.reason) : std::string_view());
  for (const std::string* part : {&event.user_id, &event.mechanism, &event.credentials, &event.domain,
                                  &event.address, &event.question, &event.callee, &event.subject}) {
    key.add(*part);
  }
  return key.take();
}

std::string peer_key(const AuditEvent& event) {
  return Key(AuditEvent::kMaxTextBytes).add(event.user_id).add(event.mechanism).add(event.credentials).take();
}

Json line_of(AuditEvent event, std::uint64_t repeats, Timestamp since, Timestamp last) {
  event.repeats = repeats;
  event.time = last;
  Json line = to_json(event);
  line.set("since", format_timestamp(since));
  return line;
}

}  // namespace

void RepeatDigest::hold_back(const AuditEvent& event, Repeated& repeated) {
  if (repeated.more++ == 0) repeated.since = event.time;
  repeated.last = event.time;
}

/// \param most    different keys; what is beyond is one number for each reason
/// \param singly  how often of each is written
bool RepeatDigest::take(const AuditEvent& event, std::string key, std::size_t most, std::size_t singly,
                        Table& table) {
  auto known = table.seen.find(key);
  if (known == table.seen.end()) {
    if (table.seen.size() >= most) {
      Repeated& rest = table.rest[event.reason];
      rest.first.kind = event.kind;
      rest.first.allowed = event.allowed;
      rest.first.reason = event.reason;
      hold_back(event, rest);
      return false;
    }
    known = table.seen.emplace(std::move(key), Repeated{event}).first;
  }
  if (known->second.written < singly) {
    ++known->second.written;
    return true;
  }
  hold_back(event, known->second);
  return false;
}

/// Takes an event of somebody who has a share of the table only.
bool RepeatDigest::take_of(Share share, const AuditEvent& event, std::string key, std::size_t most,
                           std::size_t singly, Table& table) {
  if (!table.seen.contains(key)) {
    const auto of_owner = table.singly_of.try_emplace(share.owner).first;
    if (of_owner->second >= std::max<std::size_t>(share.keys, 1)) {
      share.others.kind = event.kind;
      share.others.time = event.time;
      share.others.allowed = event.allowed;
      return take(share.others, "others " + refusal_key(share.others), most, 0, table);
    }
    if (table.seen.size() < most) {
      ++of_owner->second;
    } else if (of_owner->second == 0) {
      table.singly_of.erase(of_owner);  // owners, too, may be many
    }
  }
  return take(event, std::move(key), most, singly, table);
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
  Table& table = event.reason == Reason::kDenied ? denied_
                 : event.mechanism == "PLAIN"    ? passwords_
                                                 : strangers_;
  return take_of(std::move(share), event, refusal_key(event), limits_.strangers, 1, table);
}

bool RepeatDigest::take_accepted(const AuditEvent& event) {
  Share share{event.user_id, limits_.keys_per_user, {}};
  share.others.reason = event.reason;
  share.others.user_id = event.user_id;
  share.others.message = "other keys of this user, so many that they were only counted";
  return take_of(std::move(share), event, peer_key(event), kMostAccepted, limits_.accepted, accepted_);
}

bool RepeatDigest::take(const AuditEvent& event) {
  if (event.kind == AuditEvent::Kind::kRefusal) return take_refusal(event);
  if (event.kind != AuditEvent::Kind::kAuthentication) return true;
  return event.allowed.value_or(false) ? take_accepted(event) : take_stranger(event);
}

std::vector<Json> RepeatDigest::close(Timestamp now) {
  std::vector<Json> out;
  for (Table* table : {&accepted_, &strangers_, &denied_, &passwords_, &users_}) {
    std::vector<Repeated*> repeats;
    for (auto& [key, repeated] : table->seen) {
      if (repeated.more > 0) repeats.push_back(&repeated);
    }
    std::sort(repeats.begin(), repeats.end(),
              [](const Repeated* a, const Repeated* b) { return a->last < b->last; });
    for (Repeated* repeated : repeats) {
      out.push_back(line_of(std::move(repeated->first), repeated->more, repeated->since, repeated->last));
    }
    for (auto& [reason, rest] : table->rest) {
      rest.first.message = "others, so many that they were only counted";
      out.push_back(line_of(std::move(rest.first), rest.more, rest.since, now));
    }
    *table = {};
  }
  return out;
}

}  // namespace vipauth
