#pragma once

#include <string>

#include <vipauth/json.hpp>

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

}  // namespace vipauth
