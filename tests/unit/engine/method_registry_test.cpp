#include <vipauth/method_registry.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

TEST_CASE("MethodRegistry: lists what every method requires") {
  const MethodRegistry registry = MethodRegistry::create(
      policy("{'allow':[{'identity':'B','credentials':'" + kKeyA +
             "','rpc_method_authorizations':{'m':['x'],'open':['']}},{'identity':'B','enabled':false,'"
             "credentials':'" +
             kKeyB + "','rpc_method_authorizations':{'m':['y','x']}},{'identity':'A','credentials':'" +
             kKeyC + "','rpc_method_authorizations':5}]}"));
  const auto requirements = registry.requirements();
  REQUIRE(requirements.size() == 2);
  CHECK(requirements[0].identity == "B");
  CHECK(requirements[0].method == "m");
  CHECK(requirements[0].capabilities == std::vector<std::string>{"x", "y"});
  CHECK(requirements[1].capabilities.empty());
  CHECK(registry.unreadable() == std::vector<std::string>{"A"});
  CHECK(registry.knows("A"));
  CHECK_FALSE(registry.knows("C"));
}
