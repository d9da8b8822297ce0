#include "service/revocation.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string_view>

#include "base/hash.hpp"
#include "engine/policy_index.hpp"

namespace vipauth {
namespace {

/// A hash of who is accepted as whom: of the user, the credentials and the place.
std::uint64_t hash_of_accepted(const PolicyIndex& records, RecordTable::Id id) {
  const CompactRecord& record = records.allow()[id];
  std::string text(records.names()[record.user]);
  text += '\0';
  text += static_cast<char>(record.kind);
  switch (record.kind) {
    case CompactRecord::Kind::kKey: text.append(record.key.begin(), record.key.end()); break;
    case CompactRecord::Kind::kPattern: text += records.allow().pattern(id).text(); break;
    case CompactRecord::Kind::kPassword: text += records.allow().password(id); break;
    default: break;
  }
  text += '\0';
  text += records.tables().place_text(record.place);
  return seeded_hash(text);
}

template <typename Visit>
void for_each_accepted(const PolicySnapshot& policy, Visit visit) {
  for (RecordTable::Id id = 0; id < policy.records->allow().size(); ++id) {
    if (policy.active->allow[id]) visit(id);
  }
}

}  // namespace

std::vector<std::string> revoked_users(const PolicySnapshot& before, const PolicySnapshot& after) {
  const bool is_same = before.records == after.records && before.active->allow == after.active->allow;
  if (is_same) return {};
  std::vector<std::uint64_t> accepted;
  accepted.reserve(after.records->allow().size());
  for_each_accepted(after,
                    [&](RecordTable::Id id) { accepted.push_back(hash_of_accepted(*after.records, id)); });
  std::sort(accepted.begin(), accepted.end());
  std::set<std::string_view> users;
  for_each_accepted(before, [&](RecordTable::Id id) {
    const std::uint64_t hash = hash_of_accepted(*before.records, id);
    if (std::binary_search(accepted.begin(), accepted.end(), hash)) return;
    users.insert(before.records->names()[before.records->allow()[id].user]);
  });
  return {users.begin(), users.end()};
}

}  // namespace vipauth
