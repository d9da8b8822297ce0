#include "model/method_authorizations.hpp"

#include <string>
#include <utility>
#include <vector>

#include "model/name_list.hpp"

namespace vipauth {

MethodAuthorizations parse_method_authorizations(const Json& json) {
  MethodAuthorizations out;
  if (json.is_null()) return out;
  if (!json.is_object()) {
    out.ill_typed = true;
    return out;
  }
  for (const Json::Member& member : json.as_object()) {
    auto names = parse_name_list(member.value);
    if (!names || !member.value.is_array()) {
      out.ill_typed = true;
    } else {
      out.methods.emplace_back(member.name, std::move(*names));
    }
  }
  return out;
}

}  // namespace vipauth
