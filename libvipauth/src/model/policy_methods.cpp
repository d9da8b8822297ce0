// Edits of what callers of a method need.

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include <vipauth/policy.hpp>
#include <vipauth/python_repr.hpp>

#include "model/policy_parts.hpp"

namespace vipauth {
namespace {

/// Of methods and capabilities that registrations have written into the records of one identity.
constexpr std::size_t kMostListedBytes = std::size_t{256} * 1024;

constexpr std::string_view kField = "rpc_method_authorizations";

/// Most names that a message tells: there may be any number of records.
constexpr std::size_t kMaxTold = 20;

using Names = std::vector<std::string>;

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void add_each_once(const Names& names, Names& out) {
  for (const std::string& name : names) {
    if (!contains(out, name)) out.push_back(name);
  }
}

/// ['a', 'b'], and how many more where there are too many to tell.
std::string told(Names names) {
  const std::size_t rest = names.size() > kMaxTold ? names.size() - kMaxTold : 0;
  names.resize(names.size() - rest);
  return python_repr(names) + (rest == 0 ? "" : " and " + std::to_string(rest) + " more");
}

std::string quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

bool requires_nothing(const Names& names) { return names.empty() || names == Names{""}; }

Error unknown_identity(const std::vector<Policy::Entry>& entries, std::string_view identity) {
  Names known;
  std::string hint;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto& record = entries[i].record;
    if (!record) continue;
    if (!record->identity.empty()) known.push_back(record->identity);
    const bool is_meant = record->identity.empty() && record->user_id == identity;
    if (is_meant && hint.empty()) {
      hint = "; the record at index [" + std::to_string(i) + "] has that user_id, and no identity";
    }
  }
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  const std::string others = known.empty() ? "none has any" : "there are " + told(std::move(known));
  return Error{ErrorCode::kNotFound, "no record has the identity " + quoted(identity) + ": " + others + hint,
               ""};
}

/// The records of an agent, all of which together say what its methods require.
Result<std::vector<std::size_t>> records_of(const std::vector<Policy::Entry>& entries,
                                            std::string_view identity) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto& record = entries[i].record;
    if (!record || record->identity.empty() || record->identity != identity) continue;
    if (record->rpc_method_authorizations.ill_typed) {
      return Error{ErrorCode::kInvalidArgument, "must map methods to lists of capabilities",
                   json_pointer(json_pointer(json_pointer("", kAllow), i), kField)};
    }
    out.push_back(i);
  }
  if (out.empty()) return unknown_identity(entries, identity);
  return out;
}

/// What a record lists for a method; nullptr where it does not list it.
const Names* listed(const Policy::Entry& entry, std::string_view method) {
  for (const auto& [name, capabilities] : entry.record->rpc_method_authorizations.methods) {
    if (name == method) return &capabilities;
  }
  return nullptr;
}

void set_listed(Policy::Entry& entry, std::size_t index,
                const std::vector<std::pair<std::string, Names>>& lists) {
  Json source = entry.source;
  Json methods = source.find(kField) == nullptr ? Json() : *source.find(kField);
  for (const auto& [method, names] : lists) methods.set(method, Json::strings(names));
  source.set(kField, std::move(methods));
  entry = make_entry(std::move(source), kAllow, index);
}

void set_listed(Policy::Entry& entry, std::size_t index, std::string_view method, const Names& names) {
  set_listed(entry, index, {{std::string(method), names}});
}

}  // namespace

Result<void> Policy::add_rpc_authorizations(std::string_view identity, std::string_view method,
                                            const std::vector<std::string>& capabilities) {
  if (contains(capabilities, "")) {
    return Error{ErrorCode::kInvalidArgument, "a capability must have a name", ""};
  }
  const auto records = records_of(allow_, identity);
  if (!records) return records.error();
  std::size_t target = records->front();
  bool is_listed = false;
  Names required;
  for (const std::size_t index : *records) {
    const Names* names = listed(allow_[index], method);
    if (names == nullptr) continue;
    if (!is_listed) target = index;
    is_listed = true;
    add_each_once(*names, required);
  }
  Names after = is_listed ? *listed(allow_[target], method) : Names();
  if (after == Names{""}) after.clear();
  const std::size_t before = after.size();
  for (const std::string& capability : capabilities) {
    if (!contains(required, capability) && !contains(after, capability)) after.push_back(capability);
  }
  if (after.size() != before) set_listed(allow_[target], target, method, after);
  return {};
}

Result<void> Policy::remove_rpc_authorizations(std::string_view identity, std::string_view method,
                                               const std::vector<std::string>& capabilities) {
  const auto records = records_of(allow_, identity);
  if (!records) return records.error();
  Names methods;
  Names required;
  for (const std::size_t index : *records) {
    for (const auto& [name, names] : allow_[index].record->rpc_method_authorizations.methods) {
      add_each_once({name}, methods);
      if (name == method && !requires_nothing(names)) add_each_once(names, required);
    }
  }
  if (!contains(methods, std::string(method))) {
    return Error{ErrorCode::kNotFound,
                 quoted(identity) + " lists no method " + quoted(method) + ": it lists " + told(methods), ""};
  }
  for (const std::string& capability : capabilities) {
    if (contains(required, capability)) continue;
    const std::string what = required.empty() ? "nothing" : told(required);
    return Error{ErrorCode::kNotFound,
                 quoted(method) + " of " + quoted(identity) + " does not require " + quoted(capability) +
                     ": it requires " + what,
                 ""};
  }
  for (const std::size_t index : *records) {
    const Names* names = listed(allow_[index], method);
    if (names == nullptr || requires_nothing(*names)) continue;
    Names kept;
    for (const std::string& name : *names) {
      if (!contains(capabilities, name)) kept.push_back(name);
    }
    if (kept.size() == names->size()) continue;
    if (kept.empty()) kept.emplace_back();
    set_listed(allow_[index], index, method, kept);
  }
  return {};
}

Result<void> Policy::declare_rpc_authorizations(
    std::string_view identity, const std::vector<std::pair<std::string, std::vector<std::string>>>& declared,
    std::size_t most_methods) {
  const auto records = records_of(allow_, identity);
  if (!records) return records.error();

  struct Place {
    std::size_t record;
    bool settled;
  };
  const auto bytes_of = [](const std::string& method, const std::vector<std::string>& names) {
    return std::accumulate(names.begin(), names.end(), method.size(),
                           [](std::size_t sum, const std::string& name) { return sum + name.size(); });
  };
  std::map<std::string, Place, std::less<>> places;
  std::size_t bytes = 0;
  for (const std::size_t index : *records) {
    for (const auto& [method, names] : allow_[index].record->rpc_method_authorizations.methods) {
      bytes += bytes_of(method, names);
      Place& place = places.try_emplace(method, Place{index, false}).first->second;
      place.settled = place.settled || !names.empty();
    }
  }

  std::map<std::size_t, std::vector<std::pair<std::string, Names>>> changes;
  for (const auto& [method, capabilities] : declared) {
    const auto [place, is_new] = places.try_emplace(method, Place{records->front(), false});
    if (!is_new && (place->second.settled || capabilities.empty())) continue;
    changes[place->second.record].emplace_back(method, capabilities);
    bytes += bytes_of(method, capabilities);
  }
  if (changes.empty()) return {};
  if (places.size() > most_methods) {
    return Error{ErrorCode::kLimitExceeded,
                 "the records of " + quoted(identity) + " would list more than " +
                     std::to_string(most_methods) + " methods",
                 ""};
  }
  // What code declared once stays listed: an agent must not make the file grow by declaring ever other
  // methods.
  if (bytes > kMostListedBytes) {
    return Error{
        ErrorCode::kLimitExceeded,
        "the records of " + quoted(identity) + " would list more than 256 KiB of methods and capabilities",
        ""};
  }
  for (const auto& [index, lists] : changes) set_listed(allow_[index], index, lists);
  return {};
}

}  // namespace vipauth
