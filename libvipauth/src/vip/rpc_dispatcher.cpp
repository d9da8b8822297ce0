#include <vipauth/rpc_dispatcher.hpp>

namespace vipauth {
namespace {

/// Source: Python's inspect.Parameter.kind.
std::string_view kind_name(Parameter::Kind kind) {
  switch (kind) {
    case Parameter::Kind::kPositional: return "POSITIONAL_OR_KEYWORD";
    case Parameter::Kind::kKeywordOnly: return "KEYWORD_ONLY";
    case Parameter::Kind::kVarPositional: return "VAR_POSITIONAL";
    case Parameter::Kind::kVarKeyword: return "VAR_KEYWORD";
  }
  return {};
}

}  // namespace

Json inspected(const std::vector<Parameter>& parameters, std::string_view doc) {
  Json::Object params;
  for (const Parameter& parameter : parameters) {
    Json shown(Json::Object{{"kind", kind_name(parameter.kind)}});
    if (parameter.default_value) shown.set("default", *parameter.default_value);
    params.push_back({parameter.name, std::move(shown)});
  }
  return Json::Object{{"params", std::move(params)}, {"doc", doc}};
}

}  // namespace vipauth
