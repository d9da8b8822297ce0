#include "service/refusal_digest.hpp"

#include <algorithm>
#include <string_view>

namespace vipauth {
namespace {

/// What makes two refusals the same. Each part has its length before it, so that no two can run together.
std::string key_of(const AuditEvent& event) {
  std::string key;
  const auto add = [&](std::string_view part) {
    key += std::to_string(part.size());
    key += ':';
    key += part.substr(0, AuditEvent::kMaxTextBytes);
  };
  add(event.reason ? to_string(*event.reason) : std::string_view());
  add(event.user_id);
  add(event.mechanism);
  add(event.credentials);
  add(event.domain);
  add(event.address);
  add(event.question);
  add(event.callee);
  add(event.subject);
  return key;
}

}  // namespace

bool RefusalDigest::take(const AuditEvent& event) {
  if (event.allowed.value_or(true)) return true;
  if (event.kind == AuditEvent::Kind::kAuthentication) return take(event, strangers_);
  return event.kind != AuditEvent::Kind::kRefusal || take(event, users_);
}

bool RefusalDigest::take(const AuditEvent& event, Table& table) {
  std::string key = key_of(event);
  if (const auto known = table.seen.find(key); known != table.seen.end()) {
    ++known->second.more;
    known->second.last = event.time;
    ++repeated_;
    return false;
  }
  if (table.seen.size() < table.most) {
    table.seen.emplace(std::move(key), Repeated{event, 0, event.time});
    return true;
  }
  if (table.rest.count++ == 0) table.rest.first = event.time;
  table.rest.last = event.time;
  ++repeated_;
  return false;
}

std::vector<Json> RefusalDigest::close(Timestamp now) {
  std::vector<Json> out;
  for (Table* table : {&strangers_, &users_}) {
    std::vector<Json> lines;
    for (auto& [key, repeated] : table->seen) {
      if (repeated.more == 0) continue;
      AuditEvent event = std::move(repeated.first);
      event.repeats = repeated.more;
      Json line = to_json(event);
      line.set("since", format_timestamp(event.time));
      line.set("time", format_timestamp(repeated.last));
      lines.push_back(std::move(line));
    }
    std::sort(lines.begin(), lines.end(), [](const Json& a, const Json& b) {
      return a.find("time")->as_string() < b.find("time")->as_string();
    });
    out.insert(out.end(), lines.begin(), lines.end());
    if (table->rest.count > 0) {
      out.push_back(Json::Object{{"time", format_timestamp(now)},
                                 {"kind", table == &strangers_ ? "authentication" : "refusal"},
                                 {"allowed", false},
                                 {"message", "refusals of so many peers that these were only counted"},
                                 {"repeats", static_cast<std::int64_t>(table->rest.count)},
                                 {"since", format_timestamp(table->rest.first)}});
    }
    table->seen.clear();
    table->rest = {};
  }
  repeated_ = 0;
  return out;
}

}  // namespace vipauth
