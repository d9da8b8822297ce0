#include "model/name_list.hpp"

namespace vipauth {

Result<std::vector<std::string>> parse_name_list(const Json& json) {
  std::vector<std::string> out;
  if (json.is_null() || (json.is_string() && json.as_string().empty())) return out;
  if (!json.is_array()) {
    return Error{ErrorCode::kInvalidArgument, "must be a list of names, not " + std::string(json.kind_name()),
                 ""};
  }
  for (std::size_t i = 0; i < json.as_array().size(); ++i) {
    const Json& item = json.as_array()[i];
    if (!item.is_string()) {
      return Error{ErrorCode::kInvalidArgument,
                   "each of a list of names must be a string, not " + std::string(item.kind_name()),
                   json_pointer("", i)};
    }
    out.push_back(item.as_string());
  }
  return out;
}

}  // namespace vipauth
