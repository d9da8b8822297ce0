#include "engine/policy_index.hpp"

#include <algorithm>
#include <set>
#include <unordered_set>

#include <vipauth/capability_resolver.hpp>

#include "model/method_authorizations.hpp"
#include "model/policy_parts.hpp"

namespace vipauth {
namespace {

template <typename T>
T& at(std::vector<T>& by_name, NameTable::Id name, T empty) {
  if (name >= by_name.size()) by_name.resize(name + std::size_t{1}, empty);
  return by_name[name];
}

bool requires_nothing(const std::vector<std::string>& names) {
  return names.empty() || (names.size() == 1 && names.front().empty());
}

void add_each_once(const std::vector<std::string>& names, std::vector<std::string>& out) {
  for (const std::string& name : names) {
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  }
}

/// The credentials that no domain and no address can save.
class DeniedCredentials {
 public:
  DeniedCredentials(const PolicyIndex& index, const std::vector<bool>& active) : index_(index) {
    const RecordTable& deny = index.deny();
    for (RecordTable::Id id = 0; id < deny.size(); ++id) {
      if (!active[id] || deny[id].place != 0) continue;
      switch (deny[id].kind) {
        case CompactRecord::Kind::kKey: keys_.insert(deny.first_of_key(CurveKey(deny[id].key))); break;
        case CompactRecord::Kind::kPattern: patterns_.push_back(&deny.pattern(id)); break;
        case CompactRecord::Kind::kPassword: passwords_.insert({deny[id].user, deny.password(id)}); break;
        case CompactRecord::Kind::kNull: null_ = true; break;
        case CompactRecord::Kind::kUnreadable: break;
      }
    }
  }

  bool match(RecordTable::Id allow_record) const {
    const CompactRecord& record = index_.allow()[allow_record];
    switch (record.kind) {
      case CompactRecord::Kind::kKey: return match(CurveKey(record.key));
      case CompactRecord::Kind::kPassword:
        return passwords_.contains({record.user, index_.allow().password(allow_record)});
      case CompactRecord::Kind::kNull: return null_;
      default: return false;
    }
  }

 private:
  bool match(const CurveKey& key) const {
    if (!keys_.empty() && keys_.contains(index_.deny().first_of_key(key))) return true;
    if (patterns_.empty()) return false;
    const std::string text = key.to_base64url();
    return std::any_of(patterns_.begin(), patterns_.end(),
                       [&](const Pattern* p) { return p->matches(text); });
  }

  const PolicyIndex& index_;
  std::unordered_set<RecordTable::Id> keys_;  // the first record of each
  std::vector<const Pattern*> patterns_;
  std::set<std::pair<NameTable::Id, std::string>> passwords_;
  bool null_ = false;
};

void read_some(const Policy& policy, const std::vector<bool>& records, PolicyIndexBuilder& builder) {
  auto is_taken = records.begin();
  for (const Policy::Entry& entry : policy.allow()) {
    if (*is_taken++) {
      hand_over_allow(entry, builder);
    } else {
      builder.skip_allow();
    }
  }
  for (const Policy::Role& role : policy.roles()) builder.on_role(role);
  for (const Policy::Group& group : policy.groups()) builder.on_group(group);
}

}  // namespace

// ---- Building ----

CompactRecord PolicyIndexBuilder::compact(const AuthRecord& record) {
  CompactRecord out;
  out.user = index_->names_.intern(record.user_id);
  if (!record.identity.empty()) out.identity = index_->names_.intern(record.identity);
  out.place = index_->tables_.place_of(record);
  out.period = index_->tables_.period_of(record);
  out.enabled = record.enabled;
  return out;
}

void PolicyIndexBuilder::on_allow(const AuthRecord& record) {
  if (std::max(record.user_id.size(), record.identity.size()) > NameTable::kMaxBytes) {
    index_->allow_.add_unreadable({});  // nobody can have such a name
    return;
  }
  CompactRecord compacted = compact(record);
  compacted.grants = index_->profiles_.intern(record.capabilities, record.roles, record.groups,
                                              {record.user_id, record.identity});
  const auto id = index_->allow_.add(compacted, record.credentials);
  chain_user(id, compacted.user);
  own(compacted.user, id, compacted.user);
  if (record.identity.empty()) return;
  own(compacted.identity, id, compacted.user);
  auto& is_identity = index_->is_identity_;
  if (compacted.identity >= is_identity.size()) is_identity.resize(compacted.identity + std::size_t{1});
  is_identity[compacted.identity] = true;
  list_methods(record.identity, record.rpc_method_authorizations, id);
}

void PolicyIndexBuilder::on_unreadable_allow(const Json& source, const Error& /*problem*/) {
  const std::string user_id = source.text_at("user_id");
  const std::string identity = source.text_at("identity");
  CompactRecord record;
  record.user = index_->names_.intern(user_id);
  const auto id = index_->allow_.add_unreadable(record);
  if (!user_id.empty()) own(record.user, id, record.user);
  if (identity.empty()) return;
  own(index_->names_.intern(identity), id, record.user);
  // A mistake elsewhere in the record must not open the methods that it protects.
  const Json* methods = source.find("rpc_method_authorizations");
  if (methods != nullptr) list_methods(identity, parse_method_authorizations(*methods), id);
}

void PolicyIndexBuilder::on_deny(const AuthRecord& record) {
  index_->deny_.add(compact(record), record.credentials);
}

void PolicyIndexBuilder::on_unreadable_deny(const Json& /*source*/, const Error& problem) {
  index_->deny_.add_unreadable({});
  if (!index_->bad_deny_record_) index_->bad_deny_record_ = problem;
}

void PolicyIndexBuilder::on_role(const Policy::Role& role) {
  index_->profiles_.add_role(role.name, role.capabilities);
}

void PolicyIndexBuilder::on_group(const Policy::Group& group) {
  index_->profiles_.add_group(group.name, group.roles);
}

void PolicyIndexBuilder::chain_user(std::uint32_t record, NameTable::Id user) {
  std::uint32_t& last = at(last_of_user_, user, PolicyIndex::kNone);
  if (last == PolicyIndex::kNone) {
    at(index_->first_of_user_, user, PolicyIndex::kNone) = record;
  } else {
    index_->allow_[last].next_of_user = record;
  }
  last = record;
}

void PolicyIndexBuilder::own(NameTable::Id name, std::uint32_t record, NameTable::Id user) {
  if (name == NameTable::kNone) return;
  std::uint32_t& owner = at(index_->owners_, name, PolicyIndex::kNone);
  if (owner == PolicyIndex::kNone) {
    owner = record;
  } else if (index_->allow_[owner & ~PolicyIndex::kSeveral].user != user) {
    owner |= PolicyIndex::kSeveral;
  }
}

void PolicyIndexBuilder::list_methods(const std::string& identity, const MethodAuthorizations& authorizations,
                                      std::uint32_t id) {
  if (authorizations.methods.empty() && !authorizations.ill_typed) return;
  ListedMethods& callee = index_->methods_[identity];
  if (authorizations.ill_typed) callee.unreadable = id;
  for (const auto& [method, names] : authorizations.methods) {
    ListedMethod& listed = callee.methods[method];
    listed.settled = listed.settled || !names.empty();
    if (!requires_nothing(names)) add_each_once(names, listed.required);
  }
}

std::shared_ptr<const PolicyIndex> PolicyIndexBuilder::finish() && {
  PolicyIndex& index = *index_;
  index.profiles_.expand(CapabilityResolver::kMaxGrantsPerUser);
  for (RecordTable::Id id = 0; id < index.allow_.size(); ++id) {
    const CompactRecord& record = index.allow_[id];
    if (!index.profiles_.is_template(record.grants)) continue;
    index.profiles_.expand_for(id, record.grants, index.holder_of(id));
  }
  return std::move(index_);
}

std::shared_ptr<const PolicyIndex> index_of(const Policy& policy, const std::vector<bool>& records) {
  PolicyIndexBuilder builder;
  if (records.empty()) {
    read_parts(policy, builder);
  } else {
    read_some(policy, records, builder);
  }
  return std::move(builder).finish();
}

// ---- A moment ----

Activity activity_at(const PolicyIndex& index, Timestamp now) {
  Activity out;
  const auto counts = [&](const CompactRecord& record) {
    return record.kind != CompactRecord::Kind::kUnreadable && record.enabled &&
           index.tables().is_within(record.period, now);
  };
  out.deny.reserve(index.deny().size());
  for (RecordTable::Id id = 0; id < index.deny().size(); ++id) out.deny.push_back(counts(index.deny()[id]));
  const DeniedCredentials denied(index, out.deny);
  out.allow.reserve(index.allow().size());
  for (RecordTable::Id id = 0; id < index.allow().size(); ++id) {
    out.allow.push_back(counts(index.allow()[id]) && !denied.match(id));
  }
  out.next_change = index.tables().next_change(now);
  return out;
}

}  // namespace vipauth
