#include <vipauth/method_registry.hpp>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "base/string_hash.hpp"

namespace vipauth {
namespace {

/// What records say of a method together.
struct Listed {
  std::vector<std::string> required;
  bool settled = false;  // something stands there, be it [""]: what the code declares does not count
  friend bool operator==(const Listed&, const Listed&) = default;
};

struct Callee {
  StringMap<Listed> methods;
  std::string ill_typed;  // the location of a record that cannot be read, if there is one
  friend bool operator==(const Callee&, const Callee&) = default;
};

struct Declared {
  std::vector<DeclaredMethod> methods;
  StringMap<std::size_t> places;
  std::string owner;
};

bool requires_nothing(const std::vector<std::string>& names) {
  return names.empty() || (names.size() == 1 && names.front().empty());
}

void add_each_once(const std::vector<std::string>& names, std::vector<std::string>& out) {
  for (const std::string& name : names) {
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  }
}

bool by_name(const MethodRequirement& a, const MethodRequirement& b) {
  return std::tie(a.identity, a.method) < std::tie(b.identity, b.method);
}

}  // namespace

struct MethodRegistry::Index {
  StringMap<Callee> callees;

  const Callee* find(std::string_view identity) const {
    const auto found = callees.find(identity);
    return found == callees.end() ? nullptr : &found->second;
  }
};

struct MethodRegistry::Declarations {
  StringMap<std::shared_ptr<const Declared>> agents;

  const Declared* find(std::string_view identity) const {
    const auto found = agents.find(identity);
    return found == agents.end() ? nullptr : found->second.get();
  }
};

MethodRegistry::MethodRegistry(std::shared_ptr<const Index> index,
                               std::shared_ptr<const Declarations> declarations)
    : index_(std::move(index)), declarations_(std::move(declarations)) {}

MethodRegistry MethodRegistry::create(const Policy& policy) {
  auto index = std::make_shared<Index>();
  for (std::size_t i = 0; i < policy.allow().size(); ++i) {
    const auto& record = policy.allow()[i].record;
    if (!record || record->identity.empty()) continue;
    Callee& callee = index->callees[record->identity];
    if (record->rpc_method_authorizations.ill_typed) {
      callee.ill_typed = json_pointer("/allow", i) + "/rpc_method_authorizations";
    }
    for (const auto& [method, names] : record->rpc_method_authorizations.methods) {
      Listed& listed = callee.methods[method];
      listed.settled = listed.settled || !names.empty();
      if (!requires_nothing(names)) add_each_once(names, listed.required);
    }
  }
  return {std::move(index), std::make_shared<const Declarations>()};
}

Result<std::span<const std::string>> MethodRegistry::required(std::string_view callee,
                                                              std::string_view method) const {
  if (const Callee* records = index_->find(callee)) {
    if (!records->ill_typed.empty()) {
      return Error{ErrorCode::kInvalidArgument, "must map methods to lists of capabilities",
                   records->ill_typed};
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
  const Callee* records = index_->find(identity);
  std::set<std::string_view> methods;
  if (records != nullptr) {
    if (!records->ill_typed.empty()) return {};
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
  for (const auto& [identity, callee] : index_->callees) append(identity);
  for (const auto& [identity, declared] : declarations_->agents) {
    if (!index_->callees.contains(identity)) append(identity);
  }
  std::sort(out.begin(), out.end(), by_name);
  return out;
}

std::vector<std::string> MethodRegistry::unreadable() const {
  std::vector<std::string> out;
  for (const auto& [identity, callee] : index_->callees) {
    if (!callee.ill_typed.empty()) out.push_back(identity);
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool MethodRegistry::knows(std::string_view identity) const { return index_->callees.contains(identity); }

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
  return MethodRegistry(index_, std::move(next));
}

MethodRegistry MethodRegistry::forget(std::string_view identity) const {
  if (declarations_->find(identity) == nullptr) return *this;
  auto next = std::make_shared<Declarations>(*declarations_);
  next->agents.erase(std::string(identity));
  return {index_, std::move(next)};
}

MethodRegistry MethodRegistry::with_declarations_of(const MethodRegistry& other) const {
  return {index_, other.declarations_};
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
  const Callee* records = index_->find(identity);
  const Declared* declared = declarations_->find(identity);
  if (records == nullptr || declared == nullptr) return false;
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
  static const Callee kNoRecord;
  const auto records_in = [](const MethodRegistry& registry, std::string_view identity) -> const Callee& {
    const Callee* records = registry.index_->find(identity);
    return records == nullptr ? kNoRecord : *records;
  };

  std::set<std::string> out;
  const auto look_at = [&](const std::string& identity) {
    const Callee& now = records_in(*this, identity);
    const Callee& then = records_in(before, identity);
    const bool same_declaration = declarations_->find(identity) == before.declarations_->find(identity);
    if (same_declaration && now == then) return;
    if (now.ill_typed.empty() != then.ill_typed.empty() ||
        that_require(*this, identity) != that_require(before, identity)) {
      out.insert(identity);
    }
  };
  if (index_ != before.index_) {
    for (const auto& [identity, callee] : index_->callees) look_at(identity);
    for (const auto& [identity, callee] : before.index_->callees) look_at(identity);
  }
  if (declarations_ != before.declarations_) {
    for (const auto& [identity, declared] : declarations_->agents) look_at(identity);
    for (const auto& [identity, declared] : before.declarations_->agents) look_at(identity);
  }
  return {out.begin(), out.end()};
}

}  // namespace vipauth
