#pragma once

#include <string_view>

namespace vipauth::test::model {

/// A string that starts and ends with `/` and has at least two characters (semantics 1).
bool is_expression(std::string_view pattern);

/// Whether a pattern is good: a literal, or an expression of the part of RE2's syntax that generated worlds
/// use. Everything else counts as bad, so that a world must hold no other good one.
bool is_good_pattern(std::string_view pattern);

/// Whether a good pattern matches the whole value (semantics 1). It walks the expression with the set of all
/// places that a match may have reached: slow, obvious, without backtracking, and without RE2.
///
/// Of characters beyond ASCII it takes all for letters.
bool matches_whole(std::string_view pattern, std::string_view value);

}  // namespace vipauth::test::model
