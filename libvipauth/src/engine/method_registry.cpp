#include <vipauth/method_registry.hpp>

#include <algorithm>
#include <tuple>

#include "base/string_hash.hpp"

namespace vipauth {
namespace {

struct Callee {
  StringMap<std::vector<std::string>> methods;
  std::string ill_typed;  // the location of a record that cannot be read, if there is one
};

bool requires_nothing(const std::vector<std::string>& names) {
  return names.empty() || (names.size() == 1 && names.front().empty());
}

void add_each_once(const std::vector<std::string>& names, std::vector<std::string>& out) {
  for (const std::string& name : names) {
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  }
}

}  // namespace

struct MethodRegistry::Index {
  StringMap<Callee> callees;
};

MethodRegistry::MethodRegistry(std::shared_ptr<const Index> index) : index_(std::move(index)) {}

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
      std::vector<std::string>& required = callee.methods[method];
      if (!requires_nothing(names)) add_each_once(names, required);
    }
  }
  return MethodRegistry(std::move(index));
}

Result<std::span<const std::string>> MethodRegistry::required(std::string_view callee,
                                                              std::string_view method) const {
  const auto found = index_->callees.find(callee);
  if (found == index_->callees.end()) return std::span<const std::string>();
  if (!found->second.ill_typed.empty()) {
    return Error{ErrorCode::kInvalidArgument, "must map methods to lists of capabilities",
                 found->second.ill_typed};
  }
  const auto names = found->second.methods.find(method);
  if (names == found->second.methods.end()) return std::span<const std::string>();
  return std::span<const std::string>(names->second);
}

std::vector<MethodRequirement> MethodRegistry::requirements() const {
  std::vector<MethodRequirement> out;
  for (const auto& [identity, callee] : index_->callees) {
    if (!callee.ill_typed.empty()) continue;
    for (const auto& [method, names] : callee.methods) out.push_back({identity, method, names});
  }
  std::sort(out.begin(), out.end(), [](const MethodRequirement& a, const MethodRequirement& b) {
    return std::tie(a.identity, a.method) < std::tie(b.identity, b.method);
  });
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

}  // namespace vipauth
