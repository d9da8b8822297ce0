#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "model/document_change.hpp"

namespace vipauth {

/// A member of the root of a document by its parts.
struct MemberOutline {
  enum class Kind { kList, kObject, kValue };

  /// Some of it, by no more than a digest: the value, a member of an object, or neighbours in a list.
  struct Part {
    TextDigest digest{};
    std::uint32_t items = 1;

    friend bool operator==(const Part&, const Part&) = default;
    friend auto operator<=>(const Part&, const Part&) = default;
  };

  Kind kind = Kind::kValue;
  std::vector<Part> parts;

  /// An object is the same in any order.
  bool is_same_as(const MemberOutline& other) const;
};

/// What a document has, by the names of the members of its root.
using DocumentOutline = std::map<std::string, MemberOutline>;

/// Whether an outline is to be compared with another, or only says what has any parts.
enum class OutlineDetail { kDigests, kPresence };

/// \param document  null: there is none, and its outline is empty
/// \return nothing  the document is not of that form, or cannot be read by blocks
std::optional<DocumentOutline> outline_of(const OpenDocument& document, DocumentForm form,
                                          OutlineDetail detail);

}  // namespace vipauth
