// What users of vctl type: capabilities, names, methods.
#include <vipauth/capability.hpp>

#include "fuzz.hpp"
#include "value_text.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;

namespace {

void check_capabilities(std::string_view text) {
  const auto json = vctl::parse_capabilities_text(text);
  if (!json) return require_good(json.error(), text.size());
  const auto capabilities = parse_capabilities(*json);
  if (is_valid_utf8(text))
    require(capabilities.has_value(), capabilities ? "" : capabilities.error().to_string());
  if (!is_valid_utf8(text)) return;
  const std::string written = json->dump();
  const auto again = vctl::parse_capabilities_text(written);
  if (written == "null") return;  // none, of which the text is a name
  require(again.has_value(), written);
  require_same(again->dump(), written);
}

void check_loose_json(std::string_view text) {
  const auto strict = Json::parse(text);
  const auto loose = vctl::parse_loose_json(text);
  if (strict) {
    // A single quote in strict JSON is in a string, and stays.
    require(loose && loose->dump() == strict->dump(), text);
  } else if (!loose) {
    require_good(loose.error(), text.size());
  }
}

void check_arguments(std::string_view text) {
  std::vector<std::string> arguments;
  for (const std::string_view part : parts_of(text, 5)) arguments.emplace_back(part);
  const auto json = vctl::parse_capability_arguments(arguments);
  if (!json) return require_good(json.error(), text.size());
  const auto again = Json::parse(json->dump());
  require(again.has_value(), json->dump());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  check_capabilities(text);
  check_loose_json(text);
  check_arguments(text);
  const auto names = vctl::parse_names_text(text);
  if (!names) require_good(names.error(), size);
  const auto method = vctl::parse_method_text(text);
  if (method) {
    require_same(method->identity + "." + method->method, text);
    require(!method->identity.empty() && !method->method.empty());
    require(method->method.find('.') == std::string::npos);
  } else {
    require_good(method.error(), size);
  }
  for (const std::string& name : vctl::split_commas(text)) {
    require(!name.empty() && vctl::trim(name) == name && name.find(',') == std::string::npos);
  }
  const std::string shown = vctl::printable(text);
  require(is_valid_utf8(shown) && !has_control_character(shown), shown);
  require_same(vctl::printable(shown), shown);
  return 0;
}
