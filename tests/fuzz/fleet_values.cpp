// A value that somebody has put into a fleet's store, as each kind of value that there is: strangers who
// wait, what was decided, requests for certificates, decisions about them and answers, guards, and what
// becomes a part of a document.
#include <openssl/err.h>

#include <vipauth/certificate_request.hpp>
#include <vipauth/curve_key.hpp>
#include <vipauth/pattern.hpp>

#include "fleet/csr_values.hpp"
#include "fleet/decided_values.hpp"
#include "fleet/fleet_guard.hpp"
#include "fleet/pending_values.hpp"
#include "fleet/stored_value.hpp"
#include "fleet/value_members.hpp"
#include "fleet_texts.hpp"
#include "fuzz.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;
using namespace vipauth::fleet;

namespace {

constexpr std::size_t kMostText = ValueMembers::kMaxTextBytes;

/// Of what goes into logs and records.
void require_plain(std::string_view text,
                   const std::source_location& place = std::source_location::current()) {
  require(text.size() <= kMostText && is_plain(text), Json(text).dump(), place);
}

void check_pending(std::string_view text) {
  const auto request = parse_pending(text);
  if (!request) return require_quiet(request.error(), text.size());
  require(text.size() <= kMaxPendingBytes);
  // What is approved becomes a record of one peer at one place.
  require(request->mechanism == Mechanism::kCurve && request->site.empty());
  require(CurveKey::parse(request->credentials).has_value());
  require_same(CurveKey::parse(request->credentials)->to_base64url(), request->credentials);
  for (const std::string* place : {&request->domain, &request->address}) {
    require_plain(*place);
    require(!place->empty() && !Pattern::looks_like_regex(*place), *place);
  }
  require(request->user_id.size() == 36 && !has_control_character(request->user_id));
  const std::string written = pending_value(*request);
  const auto again = parse_pending(written);
  require(again.has_value(), written);
  require_same(pending_value(*again), written);
}

void check_decided(std::string_view text) {
  const auto peer = parse_decided(text);
  if (!peer) return;
  require(text.size() <= kMaxPendingBytes && !peer->is_doubtful);
  const std::string written = decided_value(*peer);
  if (written.size() > kMaxPendingBytes) return;  // more of it is escaped than was
  const auto again = parse_decided(written);
  require(again.has_value(), written);
  require_same(decided_value(*again), written);
  if (!is_believed_of_site(*peer)) return;
  // Not "from anywhere", in no form of it.
  const Json::Array places = peer->address.is_array() ? peer->address.as_array() : Json::Array{peer->address};
  require(!places.empty(), written);
  for (const Json& place : places) {
    require(place.is_string() && !place.as_string().empty() && !Pattern::looks_like_regex(place.as_string()),
            written);
  }
}

/// The name that the request in it is for; else another one.
CommonName name_in(std::string_view text) {
  const auto json = Json::parse(text);
  const auto request = CertificateRequest::parse(json ? json->text_at("csr") : std::string());
  return request ? request->common_name() : *CommonName::parse(kCsrName);
}

void check_csr(std::string_view text) {
  const CommonName name = name_in(text);
  const auto entry = parse_csr_value(name, text);
  const bool is_of_another = parse_csr_value(*CommonName::parse("somebody.else"), text).has_value();
  require(!is_of_another || name.text() == "somebody.else", "it is taken for another's");
  if (!entry) return require_quiet(entry.error(), text.size());
  require(text.size() <= kMaxCsrBytes && entry->common_name == name);
  require_plain(entry->address);
  const auto request = CertificateRequest::parse(entry->csr);
  require(request && request->common_name() == name);
  require_same(entry->key_fingerprint, request->key_fingerprint());
  require((entry->status == CsrStatus::kApproved) == entry->certificate.has_value());
  if (entry->certificate) {
    require(entry->certificate->common_name == name.text(), entry->certificate->common_name);
    require_same(entry->certificate->key_fingerprint, entry->key_fingerprint);
  }
  const std::string written = csr_value(*entry);
  const auto again = parse_csr_value(name, written);
  require(again.has_value(), written);
  require_same(csr_value(*again), written);
  require(!is_news(written, *entry), "it is told again and again");
}

/// What others have written in the place of what is told there.
void check_news(std::string_view text) {
  static const CsrEntry entry = [] {
    const auto request = CertificateRequest::parse(kCsr);
    require(request.has_value());
    return CsrEntry{request->common_name(),
                    CsrStatus::kPending,
                    "10.0.0.1",
                    request->pem(),
                    request->key_fingerprint(),
                    request->key_kind(),
                    Timestamp{},
                    Timestamp{},
                    3,
                    std::nullopt};
  }();
  if (is_news(text, entry)) return;
  const auto told = parse_csr_value(entry.common_name, text);
  require(told && told->status == entry.status && told->csr == entry.csr && told->address == entry.address,
          "what is told is wrong, and stays");
}

void check_asked(std::string_view text) {
  const auto asked = parse_asked(text);
  if (!asked) return require_quiet(asked.error(), text.size());
  require_plain(asked->who);
  require_plain(asked->command);
  require(!asked->who.empty() && !asked->id.empty() && !has_control_character(asked->id));
  require(asked->key_fingerprint.size() == 32 * 3 - 1 && !has_control_character(asked->key_fingerprint));
  const std::string written = asked_value(*asked);
  const auto again = parse_asked(written);
  require(again.has_value(), written);
  require_same(asked_value(*again), written);
}

void check_answer(std::string_view text) {
  const auto answer = parse_answer(text);
  if (!answer) return require_quiet(answer.error(), text.size());
  require_plain(answer->who);
  for (const auto* problem : {&answer->problem, &answer->broker_problem}) {
    if (*problem) require(is_plain((*problem)->message) && (*problem)->message.size() <= 1000);
  }
  for (const std::string& warning : answer->warnings) require(is_plain(warning) && warning.size() <= 1000);
  const std::string written = answer_value(*answer);
  require(written.size() <= kMaxCsrAnswerBytes);
  const auto again = parse_answer(written);
  require(again.has_value(), written);
  // An error is written with its code in front: once, and the same from then on.
  require(again->problem.has_value() == answer->problem.has_value());
  require(!answer->problem || again->problem->code == answer->problem->code);
  require(again->warnings == answer->warnings && again->id == answer->id && again->verb == answer->verb);
}

void check_guard(std::string_view text) {
  const FleetGuard guard = FleetGuard::parse(text);
  for (const std::string* member : {&guard.edit, &guard.who, &guard.command, &guard.time, &guard.with_site}) {
    require_plain(*member);
  }
  const std::string written = guard.to_text();
  require_same(FleetGuard::parse(written).to_text(), written);
}

void check_stored(std::string_view text) {
  const std::string stored(text);
  const Json value = value_of(stored);
  const std::string dump = value.dump();
  require(stands_for(stored, dump) && stands_for(dump, dump));
  require_same(value_of(dump).dump(), dump);
  const auto written = text_of(value);
  require(written.has_value(), dump);
  require_same(*written, dump);
  const auto parsed = Json::parse(text);
  if (!parsed) require(dump.find(kSecret) == std::string::npos, dump);
  // Of any document, also one that is too deep: it is written as it is read, or not at all.
  if (!parsed) return;
  if (const auto document = fleet::text_of(*parsed)) {
    require_same(value_of(*document).dump(), parsed->dump());
  } else {
    require_quiet(document.error(), text.size());
  }
}

void check_plain(std::string_view text) {
  for (const std::size_t most : {std::size_t{0}, std::size_t{7}, kMostText}) {
    const std::string made = made_plain(text, most);
    require(made.size() <= most && is_plain(made), Json(made).dump());
    require_same(made_plain(made, most), made);
    if (is_plain(text) && text.size() <= most) require_same(made, text);
    if (is_plain(text)) require(text.starts_with(made) && made.size() + 4 > std::min(most, text.size()));
  }
  const auto object = object_of(text, 64, "a value");
  if (!object) return require_quiet(object.error(), text.size());
  require(object->is_object() && text.size() <= 64);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = with_certificates(fuzz::text_of(data, size));
  check_pending(text);
  check_decided(text);
  check_csr(text);
  check_news(text);
  check_asked(text);
  check_answer(text);
  check_guard(text);
  check_stored(text);
  check_plain(text);
  ERR_clear_error();
  return 0;
}
