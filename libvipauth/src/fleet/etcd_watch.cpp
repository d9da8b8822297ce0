#include "fleet/etcd_watch.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vipauth::fleet {
namespace {

Error wrong(const std::string& what) {
  return Error{ErrorCode::kParseError, "a watch that etcd does not make: " + what, "etcd"};
}

std::size_t size_of(const Mutation& mutation) {
  return sizeof mutation + mutation.key.size() + (mutation.value ? mutation.value->size() : 0);
}

}  // namespace

bool WatchReader::fail(Error error) {
  end_ = WatchEnd{WatchEnd::Why::kFailed, 0, std::move(error)};
  return false;
}

bool WatchReader::take(std::string_view data) {
  while (!end_ && !data.empty()) {
    const std::size_t newline = std::min(data.find('\n'), data.size());
    if (newline > EtcdClient::kMaxAnswerBytes - line_.size()) {
      return fail(Error{
          ErrorCode::kLimitExceeded,
          "a message of a watch has more than " + std::to_string(EtcdClient::kMaxAnswerBytes) + " bytes",
          "etcd"});
    }
    line_ += data.substr(0, newline);
    if (newline == data.size()) return true;
    data.remove_prefix(newline + 1);
    if (!take_line()) return false;
  }
  return !end_;
}

void WatchReader::finish() {
  if (!end_ && !line_.empty()) take_line();
}

bool WatchReader::take_line() {
  auto answer = parse_watch(line_);
  line_.clear();
  if (!answer) return fail(answer.error());
  ++answers_;
  return take_answer(*std::move(answer));
}

bool WatchReader::take_answer(WatchAnswer answer) {
  if (answer.refusal) return take_refusal(answer);
  if (answer.is_created) {
    if (is_standing_ || !answer.events.empty()) return fail(wrong("it is made twice"));
    is_standing_ = true;
    // Of what has happened before, nothing is told yet.
    if (plan_.start_revision == 0) told_ = answer.revision;
    return tell_time();
  }
  if (!is_standing_) return fail(wrong("it tells before it stands"));
  if (!answer.events.empty() || answer.is_fragment) return take_events(std::move(answer));
  if (!held_.events.empty()) return fail(wrong("a transaction has no end"));
  if (answer.revision < told_) return true;  // of a member that is behind: it has not told anything
  return tell({answer.revision, {}, {}});
}

bool WatchReader::take_refusal(const WatchAnswer& answer) {
  if (answer.compact_revision > 0) {
    end_ = WatchEnd{
        WatchEnd::Why::kCompacted, answer.compact_revision,
        Error{ErrorCode::kConflict,
              "what happened since revision " + std::to_string(plan_.start_revision) +
                  " is forgotten: only since " + std::to_string(answer.compact_revision) + " is kept",
              "etcd"}};
    return false;
  }
  is_unauthenticated_ = !is_standing_ && answer.refusal->is_unauthenticated();
  return fail(answer.refusal->to_error());
}

bool WatchReader::take_events(WatchAnswer answer) {
  std::int64_t last = held_.revisions.empty() ? told_ + 1 : held_.revisions.back();
  for (std::size_t i = 0; i < answer.events.size(); ++i) {
    if (answer.revisions[i] < last) return fail(wrong("it tells what is told already"));
    last = answer.revisions[i];
    if (!is_in_range(answer.events[i].key, plan_.key, plan_.range_end)) {
      return fail(wrong("it tells of a key that is not watched"));
    }
    held_bytes_ += size_of(answer.events[i]);
  }
  std::move(answer.events.begin(), answer.events.end(), std::back_inserter(held_.events));
  std::move(answer.revisions.begin(), answer.revisions.end(), std::back_inserter(held_.revisions));

  // Not the revision of the header: of what happened before the watch stood, more answers may follow.
  WatchEvents whole = std::exchange(held_, {});
  whole.revision = last;
  if (answer.is_fragment) {
    whole.revision = last - 1;
    const auto first = std::lower_bound(whole.revisions.begin(), whole.revisions.end(), last);
    const auto first_event = whole.events.begin() + (first - whole.revisions.begin());
    held_.events.assign(std::make_move_iterator(first_event), std::make_move_iterator(whole.events.end()));
    held_.revisions.assign(first, whole.revisions.end());
    whole.events.erase(first_event, whole.events.end());
    whole.revisions.erase(first, whole.revisions.end());
  }
  held_bytes_ = 0;
  for (const Mutation& mutation : held_.events) held_bytes_ += size_of(mutation);
  if (held_bytes_ > kMostHeldBytes) {
    return fail(Error{ErrorCode::kLimitExceeded,
                      "one transaction changes more than " + std::to_string(kMostHeldBytes) +
                          " bytes: what it left must be read, not watched",
                      "etcd"});
  }
  return whole.events.empty() || tell(std::move(whole));
}

bool WatchReader::tell_time() { return tell({told_, {}, {}}); }

bool WatchReader::tell(WatchEvents events) {
  told_ = events.revision;
  if ((*plan_.on_events)(events)) return true;
  end_ = WatchEnd{};
  return false;
}

}  // namespace vipauth::fleet
