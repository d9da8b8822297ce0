// Two documents, 0xFF between them: what an audit shows of their difference, read as wholes and by blocks.
#include "model/document_change.hpp"

#include <vipauth/audit_event.hpp>

#include "fuzz.hpp"
#include "model/policy_document.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;

namespace {

constexpr std::string_view kPassword = "a password that nobody sees";

/// A password in the records of both lists, wherever there is room for one.
Json with_passwords(Json document) {
  for (const char* const list : {"allow", "deny"}) {
    Json* records = document.find(list);
    if (records == nullptr || !records->is_array()) continue;
    for (Json& record : records->as_array()) {
      if (!record.is_object()) continue;
      record.set("mechanism", "PLAIN");
      record.set("credentials", kPassword);
    }
  }
  return document;
}

/// What an audit line holds.
std::string audited(const AuditedChange& change) {
  AuditEvent event;
  event.kind = AuditEvent::Kind::kChange;
  event.before = change.before;
  event.after = change.after;
  event.digest = change.digest;
  return to_json(event).dump();
}

bool holds_password(const Json& json) { return json.dump().find(kPassword) != std::string::npos; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parts = parts_of(text_of(data, size), 2);
  auto before = Json::parse(parts.front());
  auto after = Json::parse(parts.back());
  if (!before || !after || !before->is_object() || !after->is_object()) {
    return 0;
  }
  const DocumentChange change = change_between(*before, *after);
  const bool is_none = change.before.is_null() && change.after.is_null();
  const DocumentChange none = change_between(*after, *after);
  require(none.before.is_null() && none.after.is_null(), none.before.dump());
  if (before->canonical().dump() == after->canonical().dump()) require(is_none, change.before.dump());
  const DocumentChange back = change_between(*after, *before);
  require((back.before.is_null() && back.after.is_null()) == is_none);

  const AuditedChange whole = audited_change(*before, *after);
  require_same(whole.digest, content_digest(*after));
  const auto open = [](std::string_view text) -> OpenDocument {
    return [text] { return reader_of(text, 11); };
  };
  const auto streamed = audited_change(open(parts.front()), open(parts.back()), DocumentForm::kAsItIs);
  if (streamed) require_same(audited(*streamed), audited(whole));
  const auto of_policies = audited_change(open(parts.front()), open(parts.back()), DocumentForm::kAuthFile);
  if (of_policies) {
    const auto policy_before = PolicyDocument::read(reader_of(parts.front()));
    const auto policy_after = PolicyDocument::read(reader_of(parts.back()));
    require(policy_before && policy_after, "read as what it is not");
    require_same(audited(*of_policies),
                 audited(audited_change(policy_before->to_json(), policy_after->to_json())));
  }

  const Json with = with_passwords(*after);
  if (holds_password(*before) || holds_password(*after)) return 0;
  const AuditedChange hidden = audited_change(*before, with);
  require(!holds_password(hidden.before) && !holds_password(hidden.after), audited(hidden));
  const AuditedChange gone = audited_change(with, *before);
  require(!holds_password(gone.before) && !holds_password(gone.after), audited(gone));
  return 0;
}
