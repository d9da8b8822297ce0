#pragma once

#include <string>

#include <rapidcheck.h>

namespace vipauth::test {

/// A topic of pieces that are in the texts of rules, too, so that the two meet.
rc::Gen<std::string> any_topic();
/// The topic of a rule: a literal, or an expression of many shapes. Good ones all.
rc::Gen<std::string> any_rule_text();

}  // namespace vipauth::test
