#include "service/repeat_digest.hpp"

#include <algorithm>
#include <string_view>

namespace vipauth {
namespace {

/// Most keys that are let in and counted apart in one interval. As many records has hardly a policy.
constexpr std::size_t kMostAccepted = 10'000;

/// Joins what makes two events the same. Each part has its length before it, so that no two can run together.
class Key {
 public:
  Key& add(std::string_view part) {
    part = part.substr(0, AuditEvent::kMaxTextBytes);
    text_ += std::to_string(part.size());
    text_ += ':';
    text_ += part;
    return *this;
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string refusal_key(const AuditEvent& event) {
  Key key;
  key.add(event.reason ? to_string(*event.reason) : std::string_view());
  for (const std::string* part : {&event.user_id, &event.mechanism, &event.credentials, &event.domain,
                                  &event.address, &event.question, &event.callee, &event.subject}) {
    key.add(*part);
  }
  return key.take();
}

std::string peer_key(const AuditEvent& event) {
  return Key().add(event.user_id).add(event.mechanism).add(event.credentials).take();
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

/// \param most    different keys; what is beyond is one number
/// \param singly  how often of each is written
bool RepeatDigest::take(const AuditEvent& event, std::string key, std::size_t most, std::size_t singly,
                        Table& table) {
  auto known = table.seen.find(key);
  if (known == table.seen.end()) {
    if (table.seen.size() >= most) {
      table.rest.first.kind = event.kind;
      table.rest.first.allowed = event.allowed;
      hold_back(event, table.rest);
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

bool RepeatDigest::take_refusal(const AuditEvent& event) {
  std::string key = refusal_key(event);
  if (!users_.seen.contains(key)) {
    std::size_t& of_user = refusals_of_[event.user_id.substr(0, AuditEvent::kMaxTextBytes)];
    if (of_user >= limits_.per_user) {
      AuditEvent others;
      others.kind = event.kind;
      others.time = event.time;
      others.allowed = event.allowed;
      others.user_id = event.user_id;
      others.message = "other refusals of this user, so many that they were only counted";
      return take(others, peer_key(others), limits_.refusals, 0, users_);
    }
    if (users_.seen.size() < limits_.refusals) {
      ++of_user;
    } else if (of_user == 0) {
      refusals_of_.erase(event.user_id);  // users, too, may be many
    }
  }
  return take(event, std::move(key), limits_.refusals, 1, users_);
}

bool RepeatDigest::take(const AuditEvent& event) {
  if (event.kind == AuditEvent::Kind::kRefusal) return take_refusal(event);
  if (event.kind != AuditEvent::Kind::kAuthentication) return true;
  if (event.allowed.value_or(false)) {
    return take(event, peer_key(event), kMostAccepted, limits_.accepted, accepted_);
  }
  return take(event, refusal_key(event), limits_.strangers, 1, strangers_);
}

std::vector<Json> RepeatDigest::close(Timestamp now) {
  std::vector<Json> out;
  for (Table* table : {&accepted_, &strangers_, &users_}) {
    std::vector<Repeated*> repeats;
    for (auto& [key, repeated] : table->seen) {
      if (repeated.more > 0) repeats.push_back(&repeated);
    }
    std::sort(repeats.begin(), repeats.end(),
              [](const Repeated* a, const Repeated* b) { return a->last < b->last; });
    for (Repeated* repeated : repeats) {
      out.push_back(line_of(std::move(repeated->first), repeated->more, repeated->since, repeated->last));
    }
    if (Repeated& rest = table->rest; rest.more > 0) {
      rest.first.message = "others, so many that they were only counted";
      out.push_back(line_of(std::move(rest.first), rest.more, rest.since, now));
    }
    *table = {};
  }
  refusals_of_.clear();
  return out;
}

}  // namespace vipauth
