#include <vipauth/method_registry.hpp>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "base/string_hash.hpp"
#include "engine/policy_index.hpp"

namespace vipauth {
namespace {

struct Declared {
  std::vector<DeclaredMethod> methods;
  StringMap<std::size_t> places;
  std::string owner;
};

const ListedMethods* listed_of(const PolicyIndex& records, std::string_view identity) {
  const auto found = records.methods().find(identity);
  return found == records.methods().end() ? nullptr : &found->second;
}

bool by_name(const MethodRequirement& a, const MethodRequirement& b) {
  return std::tie(a.identity, a.method) < std::tie(b.identity, b.method);
}

}  // namespace

struct MethodRegistry::Declarations {
  StringMap<std::shared_ptr<const Declared>> agents;

  const Declared* find(std::string_view identity) const {
    const auto found = agents.find(identity);
    return found == agents.end() ? nullptr : found->second.get();
  }
};

MethodRegistry::MethodRegistry(std::shared_ptr<const PolicyIndex> records,
                               std::shared_ptr<const Declarations> declarations)
    : records_(std::move(records)), declarations_(std::move(declarations)) {}

MethodRegistry MethodRegistry::create(std::shared_ptr<const PolicyIndex> records) {
  return {std::move(records), std::make_shared<const Declarations>()};
}

MethodRegistry MethodRegistry::create(const Policy& policy) { return create(index_of(policy)); }

Result<std::span<const std::string>> MethodRegistry::required(std::string_view callee,
                                                              std::string_view method) const {
  if (const ListedMethods* records = listed_of(*records_, callee)) {
    if (records->unreadable) {
      return Error{ErrorCode::kInvalidArgument, "must map methods to lists of capabilities",
                   json_pointer("/allow", *records->unreadable) + "/rpc_method_authorizations"};
    }
    const auto listed = records->methods.find(method);
    if (listed != records->methods.end() && listed->second.settled) {
      return std::span<const std::string>(listed->second.required);
    }
  }
  const DeclaredMethod* declared = find_declared(callee, method);
  if (declared == nullptr) return std::span<const std::string>();
  return std::span<const std::string>(declared->capabilities);
}

std::vector<MethodRequirement> MethodRegistry::requirements(std::string_view identity) const {
  const ListedMethods* records = listed_of(*records_, identity);
  std::set<std::string_view> methods;
  if (records != nullptr) {
    if (records->unreadable) return {};
    for (const auto& [method, listed] : records->methods) methods.insert(method);
  }
  if (const Declared* declared = declarations_->find(identity)) {
    for (const DeclaredMethod& method : declared->methods) methods.insert(method.name);
  }
  std::vector<MethodRequirement> out;
  for (const std::string_view method : methods) {
    const auto names = *required(identity, method);
    out.push_back(
        {std::string(identity), std::string(method), std::vector<std::string>(names.begin(), names.end())});
  }
  return out;
}

std::vector<MethodRequirement> MethodRegistry::requirements() const {
  std::vector<MethodRequirement> out;
  const auto append = [&](const std::string& identity) {
    for (MethodRequirement& requirement : requirements(identity)) out.push_back(std::move(requirement));
  };
  for (const auto& [identity, callee] : records_->methods()) append(identity);
  for (const auto& [identity, declared] : declarations_->agents) {
    if (!records_->methods().contains(identity)) append(identity);
  }
  std::sort(out.begin(), out.end(), by_name);
  return out;
}

std::vector<std::string> MethodRegistry::unreadable() const {
  std::vector<std::string> out;
  for (const auto& [identity, callee] : records_->methods()) {
    if (callee.unreadable) out.push_back(identity);
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool MethodRegistry::knows(std::string_view identity) const {
  return records_->gives_identity(records_->names().find(identity));
}

// ---- What agents declare ----

Result<MethodRegistry> MethodRegistry::declare(std::string_view identity, std::vector<DeclaredMethod> methods,
                                               std::string_view owner) const {
  const auto& agents = declarations_->agents;
  if (const Declared* present = declarations_->find(identity);
      present != nullptr && present->methods == methods && present->owner == owner) {
    return *this;
  }
  if (agents.size() >= kMaxAgents && !agents.contains(identity)) {
    return Error{ErrorCode::kLimitExceeded,
                 "more than " + std::to_string(kMaxAgents) + " agents have declared their methods", ""};
  }
  const auto of_owner = [&](const auto& agent) {
    return agent.second->owner == owner && agent.first != identity;
  };
  if (!owner.empty() &&
      static_cast<std::size_t>(std::count_if(agents.begin(), agents.end(), of_owner)) >= kMaxAgentsOfOwner) {
    return Error{ErrorCode::kLimitExceeded,
                 "one user declares the methods of at most " + std::to_string(kMaxAgentsOfOwner) + " agents",
                 ""};
  }
  auto declared = std::make_shared<Declared>();
  for (std::size_t i = 0; i < methods.size(); ++i) declared->places.emplace(methods[i].name, i);
  declared->methods = std::move(methods);
  declared->owner = owner;
  auto next = std::make_shared<Declarations>(*declarations_);
  next->agents.insert_or_assign(std::string(identity), std::move(declared));
  return MethodRegistry(records_, std::move(next));
}

MethodRegistry MethodRegistry::forget(std::string_view identity) const {
  if (declarations_->find(identity) == nullptr) return *this;
  auto next = std::make_shared<Declarations>(*declarations_);
  next->agents.erase(std::string(identity));
  return {records_, std::move(next)};
}

MethodRegistry MethodRegistry::with_declarations_of(const MethodRegistry& other) const {
  return {records_, other.declarations_};
}

const std::vector<DeclaredMethod>* MethodRegistry::declaration(std::string_view identity) const {
  const Declared* declared = declarations_->find(identity);
  return declared == nullptr ? nullptr : &declared->methods;
}

const std::string* MethodRegistry::declared_by(std::string_view identity) const {
  const Declared* declared = declarations_->find(identity);
  return declared == nullptr ? nullptr : &declared->owner;
}

const DeclaredMethod* MethodRegistry::find_declared(std::string_view identity,
                                                    std::string_view method) const {
  const Declared* declared = declarations_->find(identity);
  if (declared == nullptr) return nullptr;
  const auto place = declared->places.find(method);
  return place == declared->places.end() ? nullptr : &declared->methods[place->second];
}

bool MethodRegistry::lacks_declaration(std::string_view identity) const {
  const Declared* declared = declarations_->find(identity);
  if (declared == nullptr || !knows(identity)) return false;
  const ListedMethods* records = listed_of(*records_, identity);
  if (records == nullptr) return !declared->methods.empty();
  return std::any_of(declared->methods.begin(), declared->methods.end(), [&](const DeclaredMethod& method) {
    const auto listed = records->methods.find(method.name);
    return listed == records->methods.end() || (!listed->second.settled && !method.capabilities.empty());
  });
}

std::vector<std::string> MethodRegistry::changed_since(const MethodRegistry& before) const {
  // A method that requires nothing is as one that is not there.
  const auto that_require = [](const MethodRegistry& registry, std::string_view identity) {
    std::vector<MethodRequirement> out = registry.requirements(identity);
    std::erase_if(out, [](const MethodRequirement& r) { return r.capabilities.empty(); });
    for (MethodRequirement& r : out) std::sort(r.capabilities.begin(), r.capabilities.end());
    return out;
  };
  static const ListedMethods kNone;
  const auto records_in = [](const MethodRegistry& registry,
                             std::string_view identity) -> const ListedMethods& {
    const ListedMethods* records = listed_of(*registry.records_, identity);
    return records == nullptr ? kNone : *records;
  };

  std::set<std::string> out;
  const auto look_at = [&](const std::string& identity) {
    const ListedMethods& now = records_in(*this, identity);
    const ListedMethods& then = records_in(before, identity);
    const bool same_declaration = declarations_->find(identity) == before.declarations_->find(identity);
    if (same_declaration && now == then) return;
    if (now.unreadable.has_value() != then.unreadable.has_value() ||
        that_require(*this, identity) != that_require(before, identity)) {
      out.insert(identity);
    }
  };
  if (records_ != before.records_) {
    for (const auto& [identity, callee] : records_->methods()) look_at(identity);
    for (const auto& [identity, callee] : before.records_->methods()) look_at(identity);
  }
  if (declarations_ != before.declarations_) {
    for (const auto& [identity, declared] : declarations_->agents) look_at(identity);
    for (const auto& [identity, declared] : before.declarations_->agents) look_at(identity);
  }
  return {out.begin(), out.end()};
}

}  // namespace vipauth
