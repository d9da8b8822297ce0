#include "auth/way_back.hpp"

#include <algorithm>

#include "shell_text.hpp"

namespace vipauth::vctl::auth {

bool has_record(const Policy& policy, const CurveKey& key) {
  return std::any_of(policy.allow().begin(), policy.allow().end(), [&](const Policy::Entry& entry) {
    const CurveKey* present = entry.record ? std::get_if<CurveKey>(&entry.record->credentials) : nullptr;
    return present != nullptr && *present == key;
  });
}

std::string way_back(const Policy& policy, std::string_view identity, const KeyStore& store,
                     const CurveKey& key) {
  const auto former = store.previous().load();
  if (former && has_record(policy, former->public_key)) {
    return "put back its former key, which has one: mv " + shell_quote(store.previous().path().string()) +
           " " + shell_quote(store.path().string());
  }
  bool is_taken = false;
  for (std::size_t i = 0; i < policy.allow().size(); ++i) {
    const auto& record = policy.allow()[i].record;
    if (!record || record->user_id != identity) continue;
    is_taken = true;
    if (record->mechanism != Mechanism::kCurve) continue;
    return "give its record the key: " +
           shell_command({"update", std::to_string(i), "--credentials", key.to_base64url()});
  }
  if (is_taken) {
    return "add one of another user_id: " +
           shell_command({"add", "--credentials", key.to_base64url(), "--identity", std::string(identity)});
  }
  return "add one: " + shell_command({"create", "--", std::string(identity)});
}

}  // namespace vipauth::vctl::auth
