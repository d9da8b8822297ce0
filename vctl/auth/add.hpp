#pragma once

#include "auth/record_fields.hpp"
#include "context.hpp"

namespace vipauth::vctl::auth {

struct AddOptions {
  FieldTexts fields;  ///< those given
  bool is_disabled = false;
  bool adds_known_host = false;
};

/// Adds a record to the allow list: from the options, or, where there is none, from answers to questions.
/// --json: {"index": 3, "record": {...}}
int add(const AddOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
