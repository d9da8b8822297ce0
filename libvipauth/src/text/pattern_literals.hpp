#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <vipauth/pattern.hpp>

namespace vipauth {

// What every value that a pattern matches must hold: for finding, among many patterns, the few to try. It
// says less than the pattern, never more: a value that does not hold it is not matched.

/// What such a value starts with, byte by byte: a literal's own text; of a regular expression what is plain
/// text at its beginning. Empty: nothing is known, so for each that begins with a class or a group, and for
/// each with a `|`.
std::string literal_prefix(const Pattern& pattern);

/// Texts of which such a value holds at least one.
using LiteralGroup = std::vector<std::string>;

/// A pattern with more texts in a group is taken for one without.
inline constexpr std::size_t kMaxLiteralGroup = 64;

/// Groups of texts: such a value, folded, holds at least one text of each group. The texts are folded, and of
/// at least kMinLiteralBytes before that. None: nothing is known. Compiles a regular expression again: takes
/// tens of microseconds.
/// Source: RE2's filtered_re2.h: what does not pass a pattern's filter is not matched by the pattern.
std::vector<LiteralGroup> literal_groups(const Pattern& pattern);

inline constexpr std::size_t kMinLiteralBytes = 3;

/// Calls `visit` with each byte of the text as literal_groups() folds it: small letters, and one byte 0x80
/// for each character that is not in ASCII. U+0130 and U+212A, whose small letters are, become those. `text`
/// must be valid UTF-8.
template <typename Visit>
void for_each_folded(std::string_view text, Visit visit) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      visit(static_cast<unsigned char>(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte));
    } else if (byte == 0xe2 && text.substr(i).starts_with("\u212a")) {  // the Kelvin sign
      visit(static_cast<unsigned char>('k'));
      i += 2;
    } else if (byte == 0xc4 && text.substr(i).starts_with("\u0130")) {  // I with a dot
      visit(static_cast<unsigned char>('i'));
      i += 1;
    } else if (byte == 0xc5 && text.substr(i).starts_with("\u017f")) {  // the long s
      visit(static_cast<unsigned char>('s'));
      i += 1;
    } else if ((byte & 0xc0U) != 0x80U) {
      visit(static_cast<unsigned char>(0x80));
    }
  }
}

}  // namespace vipauth
