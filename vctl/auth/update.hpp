#pragma once

#include <optional>
#include <string>

#include "auth/record_fields.hpp"
#include "context.hpp"

namespace vipauth::vctl::auth {

struct UpdateOptions {
  std::string index;                   ///< as `list` shows it
  FieldTexts fields;                   ///< those given
  std::optional<std::string> cleared;  ///< names of fields, with commas between
  bool is_enabled = false;
  bool is_disabled = false;
};

/// Changes an allow record in its place: what the options name, or, where there is none, what is answered
/// to questions that show the present values.
/// --json: {"index": 3, "record": {...}}
int update(const UpdateOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
