#include <vipauth/capability_resolver.hpp>

#include <algorithm>
#include <optional>
#include <utility>

#include <vipauth/python_repr.hpp>

#include "engine/grant_profiles.hpp"
#include "engine/policy_index.hpp"

namespace vipauth {
namespace {

constexpr std::uint32_t kNone = PolicyIndex::kNone;

std::string constraint_text(const CompiledRestriction& restriction, const TemplateSubject& holder) {
  return restriction.parameter + (restriction.pattern ? " matching pattern " : "=") +
         python_str(restriction.constraint_for(holder));
}

/// A grant, and the record that it is held by.
struct Held {
  const Grant* grant = nullptr;
  std::uint32_t record = kNone;
  TemplateSubject holder = {};  // where the grant names it

  std::string source() const {
    return grant->source ? *grant->source : json_pointer("/allow", record) + "/capabilities";
  }

  HeldGrant written_out() const {
    HeldGrant out{{grant->capability, {}}, source()};
    for (const CompiledRestriction& restriction : grant->restrictions) {
      out.capability.restrictions.push_back({restriction.parameter, restriction.constraint_for(holder)});
    }
    return out;
  }
};

/// The best that any of the grants says, and which grant says it.
struct BestVerdict {
  GrantVerdict verdict{GrantVerdict::Kind::kUnknownParameter, nullptr};
  Held held;
};

Decision unknown_user(std::string_view user_id) {
  return Decision::refuse(Reason::kUnknown, "user " + python_repr(Json(user_id)) + " is not known");
}

}  // namespace

struct CapabilityResolver::Index {
  std::shared_ptr<const PolicyIndex> records;
  std::shared_ptr<const Activity> active;
  IpcTrust ipc_trust;

  /// The first of `id` and those of the same user behind it that is active.
  std::uint32_t first_active(std::uint32_t id) const {
    while (id != kNone && !active->allow[id]) id = records->allow()[id].next_of_user;
    return id;
  }

  std::uint32_t first_record(std::string_view user_id) const {
    const NameTable::Id name = records->names().find(user_id);
    return name == NameTable::kNone ? kNone : first_active(records->first_of_user(name));
  }

  /// Calls `visit` with each active record of a user, in file order, until it returns false.
  template <typename Visit>
  void for_each_record(std::uint32_t first, Visit visit) const {
    for (std::uint32_t id = first; id != kNone; id = first_active(records->allow()[id].next_of_user)) {
      if (!visit(id)) return;
    }
  }

  /// Nothing of a grant that does not count for who holds the record.
  std::optional<Held> held_by(std::uint32_t id, const Grant& grant) const {
    if (!grant.names_holder) return Held{&grant, id};
    const TemplateSubject holder = records->holder_of(id);
    if (!grant.counts_for(holder)) return std::nullopt;
    return Held{&grant, id, holder};
  }

  /// Everything that a user holds, sorted by capability, and then in the order of the file.
  std::vector<Held> all(std::uint32_t first) const {
    std::vector<Held> out;
    for_each_record(first, [&](std::uint32_t id) {
      for (const Grant* grant : records->grants_of(id)) {
        if (const auto held = held_by(id, *grant)) out.push_back(*held);
      }
      return true;
    });
    std::stable_sort(out.begin(), out.end(),
                     [](const Held& a, const Held& b) { return a.grant->capability < b.grant->capability; });
    return out;
  }

  /// Those of one capability.
  template <typename Visit>
  void for_each_named(std::uint32_t first, std::string_view capability, Visit visit) const {
    bool goes_on = true;
    for_each_record(first, [&](std::uint32_t id) {
      for (const Grant* grant : named_grants(records->grants_of(id), capability)) {
        const auto held = held_by(id, *grant);
        goes_on = !held || visit(*held);
        if (!goes_on) break;
      }
      return goes_on;
    });
  }

  /// The first record with which a user would have too many records, or hold too many grants.
  std::uint32_t first_excess_of(NameTable::Id user) const {
    std::size_t grants = 0;
    std::size_t count = 0;
    for (std::uint32_t id = records->first_of_user(user); id != kNone;
         id = records->allow()[id].next_of_user) {
      if (active->allow[id]) grants += records->grant_count(id);
      if (grants > kMaxGrantsPerUser || ++count > kMaxRecordsPerUser) return id;
    }
    return kNone;
  }

  /// The first such record of the file.
  std::uint32_t first_excess() const {
    std::uint32_t out = kNone;
    for (NameTable::Id name = 0; name < records->names().size(); ++name) {
      out = std::min(out, first_excess_of(name));
    }
    return out;
  }

  std::vector<std::string> names_held(std::uint32_t first) const {
    std::vector<std::string> names;
    for (const Held& held : all(first)) {
      if (names.empty() || names.back() != held.grant->capability) names.push_back(held.grant->capability);
    }
    return names;
  }

  std::vector<std::string> locations(std::uint32_t first) const {
    std::vector<std::string> out;
    for_each_record(first, [&](std::uint32_t id) {
      out.push_back(json_pointer("/allow", id));
      return true;
    });
    return out;
  }

  template <typename Check>
  BestVerdict best_of(std::uint32_t first, std::string_view capability, Check check) const {
    BestVerdict best;
    for_each_named(first, capability, [&](const Held& held) {
      const GrantVerdict verdict = check(held);
      if (best.held.grant == nullptr || verdict.kind > best.verdict.kind) best = {verdict, held};
      return verdict.kind != GrantVerdict::Kind::kAccepted;
    });
    return best;
  }

  /// Each name is held by a grant that `check` accepts. `missing()` says what for, `restricted(best)`
  /// refuses.
  template <typename Check, typename What, typename Restricted>
  Decision authorize(std::uint32_t first, std::span<const std::string> required, Check check, What what,
                     Restricted restricted) const {
    BestVerdict refusing;
    for (const std::string& name : required) {
      BestVerdict best = best_of(first, name, check);
      if (best.held.grant == nullptr) return missing_capability(what(), required, first);
      const bool is_first_refusal =
          best.verdict.kind != GrantVerdict::Kind::kAccepted && refusing.held.grant == nullptr;
      if (is_first_refusal) refusing = best;
    }
    if (refusing.held.grant != nullptr) return restricted(refusing);
    return Decision::allow(Reason::kAllowed);
  }

  Decision missing_capability(const std::string& what, std::span<const std::string> required,
                              std::uint32_t first) const {
    return Decision::refuse(Reason::kMissingCapability,
                            what + " requires capabilities " +
                                python_repr(std::vector<std::string>(required.begin(), required.end())) +
                                ", but capability list " + python_repr(names_held(first)) + " was provided",
                            locations(first));
  }
};

// ---- Making ----

CapabilityResolver::CapabilityResolver(std::shared_ptr<const Index> index) : index_(std::move(index)) {}

Result<CapabilityResolver> CapabilityResolver::create(const Policy& policy, Timestamp now,
                                                      IpcTrust ipc_trust) {
  auto records = index_of(policy);
  auto active = std::make_shared<const Activity>(activity_at(*records, now));
  return create(std::move(records), std::move(active), ipc_trust);
}

Result<CapabilityResolver> CapabilityResolver::create(const Policy& policy, const std::vector<bool>& records,
                                                      IpcTrust ipc_trust) {
  auto active = std::make_shared<Activity>();
  active->allow = records;
  return create(index_of(policy, records), std::move(active), ipc_trust);
}

Result<CapabilityResolver> CapabilityResolver::create(std::shared_ptr<const PolicyIndex> records,
                                                      std::shared_ptr<const Activity> active,
                                                      IpcTrust ipc_trust) {
  auto index = std::make_shared<const Index>(Index{std::move(records), std::move(active), ipc_trust});
  const std::uint32_t excess = index->first_excess();
  if (excess != kNone) {
    return Error{ErrorCode::kLimitExceeded,
                 "the user has more than " + std::to_string(kMaxRecordsPerUser) +
                     " records, or holds more than " + std::to_string(kMaxGrantsPerUser) + " grants",
                 json_pointer("/allow", excess)};
  }
  return CapabilityResolver(std::move(index));
}

// ---- Telling ----

UserRef CapabilityResolver::find(std::string_view user_id) const {
  const std::uint32_t first = index_->first_record(user_id);
  if (first != kNone) return {user_id, UserRef::Kind::kOfRecords, first};
  const bool is_trusted = index_->ipc_trust.accepts_user(user_id);
  return {user_id, is_trusted ? UserRef::Kind::kTrusted : UserRef::Kind::kUnknown, kNone};
}

bool CapabilityResolver::knows(std::string_view user_id) const {
  return find(user_id).kind_ != UserRef::Kind::kUnknown;
}

std::vector<std::string> CapabilityResolver::capabilities_of(std::string_view user_id) const {
  return index_->names_held(index_->first_record(user_id));
}

std::vector<std::string> CapabilityResolver::users() const {
  const NameTable& names = index_->records->names();
  std::vector<std::string> out;
  for (NameTable::Id name = 0; name < names.size(); ++name) {
    if (index_->first_active(index_->records->first_of_user(name)) != kNone) out.emplace_back(names[name]);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<HeldGrant> CapabilityResolver::grants_of(std::string_view user_id) const {
  std::vector<HeldGrant> out;
  for (const Held& held : index_->all(index_->first_record(user_id))) {
    out.push_back(held.written_out());
  }
  return out;
}

std::vector<HeldGrant> CapabilityResolver::grants_of(std::string_view user_id,
                                                     std::string_view capability) const {
  std::vector<HeldGrant> out;
  index_->for_each_named(index_->first_record(user_id), capability, [&](const Held& held) {
    out.push_back(held.written_out());
    return true;
  });
  return out;
}

std::vector<std::string> CapabilityResolver::records_of(std::string_view user_id) const {
  return index_->locations(index_->first_record(user_id));
}

std::vector<std::string> CapabilityResolver::sources_of(std::string_view user_id,
                                                        std::string_view capability) const {
  std::vector<std::string> out;
  index_->for_each_named(index_->first_record(user_id), capability, [&](const Held& held) {
    out.push_back(held.source());
    return true;
  });
  return out;
}

// ---- Deciding ----

namespace {

Decision restricted_call(std::string_view user_id, std::string_view method, const BestVerdict& best,
                         const CallArguments& arguments) {
  const CompiledRestriction& restriction = *best.verdict.restriction;
  const std::string user = "User " + python_str(Json(user_id));
  const std::string call = "method " + python_str(Json(method));
  if (best.verdict.kind == GrantVerdict::Kind::kUnknownParameter) {
    return Decision::refuse(Reason::kUnknownParameter,
                            user + " capability is not defined properly. " + call +
                                " does not have a parameter " + restriction.parameter,
                            {best.held.source()});
  }
  return Decision::refuse(Reason::kRestricted,
                          user + " can call " + call + " only with " +
                              constraint_text(restriction, best.held.holder) + " but called with " +
                              restriction.parameter + "=" +
                              python_str(*arguments.find(restriction.parameter)),
                          {best.held.source()});
}

Decision restricted_topic(std::string_view user_id, std::string_view action, std::string_view topic,
                          const BestVerdict& best) {
  return Decision::refuse(Reason::kRestricted,
                          "User " + python_str(Json(user_id)) + " can " + std::string(action) +
                              " topics only with " +
                              constraint_text(*best.verdict.restriction, best.held.holder) +
                              " but the topic is " + python_str(Json(topic)),
                          {best.held.source()});
}

}  // namespace

Decision CapabilityResolver::authorize_call(const UserRef& user, std::string_view method,
                                            std::span<const std::string> required,
                                            const CallArguments& arguments) const {
  if (user.kind_ == UserRef::Kind::kUnknown) return unknown_user(user.user_id_);
  if (required.empty()) return Decision::allow(Reason::kUnprotected);
  return index_->authorize(
      user.first_, required,
      [&](const Held& held) { return check_call(*held.grant, arguments, held.holder); },
      [&] { return "method \"" + python_str(Json(method)) + "\""; },
      [&](const BestVerdict& best) { return restricted_call(user.user_id_, method, best, arguments); });
}

Decision CapabilityResolver::authorize_topic(const UserRef& user, std::string_view action,
                                             std::string_view topic,
                                             std::span<const std::string> required) const {
  if (user.kind_ == UserRef::Kind::kUnknown) return unknown_user(user.user_id_);
  if (required.empty()) return Decision::allow(Reason::kUnprotected);
  return index_->authorize(
      user.first_, required, [&](const Held& held) { return check_topic(*held.grant, topic, held.holder); },
      [&] { return "to " + std::string(action) + " topic \"" + python_str(Json(topic)) + "\""; },
      [&](const BestVerdict& best) { return restricted_topic(user.user_id_, action, topic, best); });
}

}  // namespace vipauth
