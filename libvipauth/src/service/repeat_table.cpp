#include "service/repeat_table.hpp"

#include <algorithm>
#include <utility>

namespace vipauth {
namespace {

Json line_of(AuditEvent event, std::uint64_t repeats, Timestamp since, Timestamp last) {
  event.repeats = repeats;
  event.time = last;
  Json line = to_json(event);
  line.set("since", format_timestamp(since));
  return line;
}

}  // namespace

void RepeatTable::hold_back_rest(AuditEvent::Kind kind, std::optional<bool> allowed,
                                 std::optional<Reason> reason, Timestamp time) {
  Repeated& of_reason = rest[reason];
  of_reason.first->kind = kind;
  of_reason.first->allowed = allowed;
  of_reason.first->reason = reason;
  of_reason.hold_back(time);
}

void RepeatTable::move_lines_to(std::vector<Json>& out, Timestamp now) {
  std::vector<Repeated*> repeats;
  for (auto& [key, repeated] : seen) {
    if (repeated.more > 0) repeats.push_back(&repeated);
  }
  std::sort(repeats.begin(), repeats.end(),
            [](const Repeated* a, const Repeated* b) { return a->last < b->last; });
  for (Repeated* repeated : repeats) {
    out.push_back(line_of(std::move(*repeated->first), repeated->more, repeated->since, repeated->last));
  }
  for (auto& [reason, others] : rest) {
    others.first->message = "others, so many that they were only counted";
    out.push_back(line_of(std::move(*others.first), others.more, others.since, now));
  }
  *this = {};
}

}  // namespace vipauth
