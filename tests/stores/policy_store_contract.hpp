#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <vipauth/policy_store.hpp>

namespace vipauth::test {

/// Opens a store on one place, which held nothing before its test; each time another object.
using OpenStore = std::function<std::unique_ptr<PolicyStore>()>;

/// What every PolicyStore must do.
struct StoreCheck {
  std::string name;
  std::function<void(const OpenStore&)> run;
};

/// Each is for a place of its own.
const std::vector<StoreCheck>& policy_store_contract();

/// A change that adds an allow record.
AuthFile::Change add_user(const std::string& user_id, const std::string& key);

}  // namespace vipauth::test
