#include "fleet/range_reader.hpp"

#include <algorithm>
#include <utility>

namespace vipauth::fleet {
namespace {

constexpr std::int64_t kPageKeys = 500;
constexpr std::int64_t kShrinking = 8;

}  // namespace

Result<std::int64_t> read_range(const EtcdClient& client, const std::string& prefix,
                                const RangeVisitor& visitor, EtcdClient::Deadline deadline) {
  RangeQuestion question{.key = prefix, .range_end = prefix_end(prefix), .limit = kPageKeys};
  bool has_more = true;
  while (has_more && question.key < question.range_end) {
    auto answer = client.range(question, deadline);
    if (!answer && answer.error().code == ErrorCode::kLimitExceeded && !question.keys_only) {
      question.keys_only = question.limit == 1;
      question.limit = std::max<std::int64_t>(1, question.limit / kShrinking);
      continue;
    }
    if (!answer) return answer.error();
    if (question.revision == 0) question.revision = answer->revision;
    has_more = answer->has_more && !answer->values.empty();
    const auto& take = question.keys_only ? visitor.on_too_large : visitor.on_value;
    for (KeyValue& value : answer->values) {
      if (value.key < question.key) continue;  // left out
      std::string next = value.key + '\0';
      question.key = std::max(next, take(std::move(value)).value_or(next));
    }
    question.keys_only = false;
    question.limit = std::min(kPageKeys, question.limit * 2);
  }
  return question.revision;
}

}  // namespace vipauth::fleet
