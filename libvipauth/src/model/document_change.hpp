#pragma once

#include <functional>
#include <optional>
#include <string>

#include <vipauth/json.hpp>

#include "text/json_items.hpp"

namespace vipauth {

/// What two contents of auth.json, or of protected_topics.json, do not have in common, for an audit.
///
/// Of lists the entries that only one has; of a record that only changed, its user_id and the fields that
/// differ; of roles and groups those that differ. Credentials are shown where they are a public key or a
/// pattern; all others, and members that are not known, stand as "(not shown)". Both null: no difference.
struct DocumentChange {
  Json before;
  Json after;
};
DocumentChange change_between(const Json& before, const Json& after);

/// SHA-256 of a content in its canonical form without what is not shown, so that it tells nothing of a
/// password.
std::string content_digest(const Json& document);

/// Both, of what was before and what is after.
struct AuditedChange {
  Json before;
  Json after;
  std::string digest;
};
AuditedChange audited_change(const Json& before, const Json& after);

/// How a document is to be taken: as it is written, or as the auth.json of the present version that it is,
/// with the members that Policy::to_json writes in any case.
enum class DocumentForm { kAsItIs, kAuthFile };

/// Begins to read a document; called each time that it has to be read.
using OpenDocument = std::function<ReadBytes()>;

/// The same of documents that are read by blocks, more than once: of what they have in common no more than 16
/// bytes a record are kept.
/// \param before  null: there was none; then `after` is what an audit line holds of it, and is cut as there
/// \return nothing  one of them is not of that form, or cannot be read so: comments, members in disorder
std::optional<AuditedChange> audited_change(const OpenDocument& before, const OpenDocument& after,
                                            DocumentForm form);

}  // namespace vipauth
