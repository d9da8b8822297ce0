#pragma once

#include <optional>
#include <string>

#include "model/document_change.hpp"
#include "model/document_outline.hpp"

namespace vipauth {

// What content_digest() and an audit line hold of a document, of one that is read by blocks.

/// \param outline  of the document
/// \return what content_digest() does; nothing: the document cannot be read so
std::optional<std::string> shown_digest(const OpenDocument& document, const DocumentOutline& outline);

/// What an audit line holds of a document that is all new.
/// \return nothing  it cannot be read so, or it is small
std::optional<AuditedChange> large_beginning(const OpenDocument& document, DocumentForm form);

}  // namespace vipauth
