#include "fleet/csr_values.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <utility>

#include <vipauth/certificate.hpp>
#include <vipauth/certificate_request.hpp>
#include <vipauth/json.hpp>

#include "fleet/value_members.hpp"

namespace vipauth::fleet {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::chrono::minutes kBetweenSightings{5};
constexpr std::size_t kMostIdBytes = 64;
constexpr std::size_t kMostMessageBytes = 1000;
constexpr std::size_t kMostWarnings = 3;

constexpr std::array kStatuses{CsrStatus::kPending, CsrStatus::kApproved, CsrStatus::kDenied};
constexpr std::array kVerbs{CsrVerb::kApprove, CsrVerb::kDeny, CsrVerb::kDelete};
constexpr std::array kCodes{ErrorCode::kInvalidArgument, ErrorCode::kParseError, ErrorCode::kUnsupported,
                            ErrorCode::kLimitExceeded,   ErrorCode::kNotFound,   ErrorCode::kAlreadyExists,
                            ErrorCode::kConflict,        ErrorCode::kBusy,       ErrorCode::kPermissionDenied,
                            ErrorCode::kIoError,         ErrorCode::kUnavailable};

Json versioned() { return Json::Object{{"version", Json(kVersion)}}; }

/// An object of the version that is known here.
Result<Json> versioned_object(std::string_view text, std::size_t most_bytes, std::string_view what) {
  auto object = object_of(text, most_bytes, what);
  if (!object) return object;
  const Json* version = object->find("version");
  if (version != nullptr && *version == Json(kVersion)) return object;
  return Error{ErrorCode::kUnsupported, "is of a version that is not known here", "/version"};
}

template <typename Words>
typename Words::value_type word(ValueMembers& members, std::string_view name, const Words& words) {
  const std::string text = members.text(name);
  const auto found =
      std::find_if(words.begin(), words.end(), [&](auto one) { return to_string(one) == text; });
  if (found != words.end()) return *found;
  members.fail(name, "is none of the words that stand here");
  return words.back();
}

/// "AB:CD:...", of 32 bytes.
bool is_fingerprint(std::string_view text) {
  constexpr std::size_t kBytes = 32;
  if (text.size() != kBytes * 3 - 1) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_digit = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'A' && text[i] <= 'F');
    if (i % 3 == 2 ? text[i] != ':' : !is_digit) return false;
  }
  return true;
}

std::string fingerprint(ValueMembers& members) {
  std::string out = members.text("key_fingerprint");
  if (!is_fingerprint(out)) members.fail("key_fingerprint", "must be 32 bytes: AB:CD:...");
  return out;
}

std::string id(ValueMembers& members) {
  std::string out = members.text("id");
  const bool is_id =
      !out.empty() && out.size() <= kMostIdBytes && std::all_of(out.begin(), out.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
      });
  if (!is_id) members.fail("id", "must be of at most 64 letters, digits and \"-\"");
  return out;
}

Json error_json(const Error& error) {
  return Json::Object{{"code", Json(to_string(error.code))},
                      {"message", Json(made_plain(error.to_string(), kMostMessageBytes))}};
}

std::optional<Error> optional_error(ValueMembers& members, const Json& object, std::string_view name) {
  const Json* of = object.find(name);
  if (of == nullptr) return std::nullopt;
  ValueMembers inner(*of);
  const ErrorCode code = word(inner, "code", kCodes);
  std::string message = inner.text("message");
  if (inner.error()) members.fail(name, "must have a code and a message");
  return Error{code, made_plain(message, kMostMessageBytes), ""};
}

Result<std::optional<Certificate>> certificate_of(const Json& object, const CertificateRequest& request) {
  const Json* pem = object.find("certificate");
  const auto refuse = [](std::string message) {
    return Error{ErrorCode::kInvalidArgument, std::move(message), "/certificate"};
  };
  if (pem == nullptr || !pem->is_string()) return refuse("an approved request has one");
  auto certificate = Certificate::parse(pem->as_string());
  if (!certificate) return certificate.error().at("/certificate");
  if (certificate->common_name != request.common_name().text()) return refuse("is for another name");
  if (certificate->key_fingerprint != request.key_fingerprint()) return refuse("is for another key");
  return std::optional<Certificate>(*std::move(certificate));
}

}  // namespace

std::string_view to_string(CsrVerb verb) noexcept {
  switch (verb) {
    case CsrVerb::kApprove: return "approve";
    case CsrVerb::kDeny: return "deny";
    case CsrVerb::kDelete: return "delete";
  }
  return "";
}

// ---- How a request stands ----

std::string csr_value(const CsrEntry& entry) {
  constexpr std::uint64_t kMostRetries = std::numeric_limits<std::int64_t>::max();
  Json out = versioned();
  out.set("csr", Json(entry.csr));
  out.set("status", Json(to_string(entry.status)));
  out.set("address", Json(made_plain(entry.address)));
  if (entry.first_seen) out.set("first_seen", Json(format_timestamp(*entry.first_seen)));
  if (entry.last_seen) out.set("last_seen", Json(format_timestamp(*entry.last_seen)));
  out.set("retries", Json(static_cast<std::int64_t>(std::min(entry.retries, kMostRetries))));
  if (entry.certificate) out.set("certificate", Json(entry.certificate->pem));
  return out.dump();
}

Result<CsrEntry> parse_csr_value(const CommonName& name, std::string_view text) {
  const auto object = versioned_object(text, kMaxCsrBytes, "a request for a certificate");
  if (!object) return object.error();
  ValueMembers members(*object);
  const std::string pem = members.text("csr");
  const CsrStatus status = word(members, "status", kStatuses);
  std::string address = members.plain_text("address");
  const auto first_seen = members.optional_time("first_seen");
  const auto last_seen = members.optional_time("last_seen");
  const std::uint64_t retries = members.count("retries");
  if (members.error()) return *members.error();
  const auto request = CertificateRequest::parse(pem);
  if (!request) return request.error().at("/csr");
  if (request->common_name() != name) {
    return Error{ErrorCode::kInvalidArgument, "is a request for another name than its key's", "/csr"};
  }
  CsrEntry out{name,
               status,
               std::move(address),
               request->pem(),
               request->key_fingerprint(),
               request->key_kind(),
               first_seen,
               last_seen,
               retries,
               std::nullopt};
  if (status != CsrStatus::kApproved) return out;
  auto certificate = certificate_of(*object, *request);
  if (!certificate) return certificate.error();
  out.certificate = *std::move(certificate);
  return out;
}

bool is_news(std::string_view told, const CsrEntry& entry) {
  const std::string value = csr_value(entry);
  if (told == value) return false;
  auto before = Json::parse(told);
  auto after = Json::parse(value);
  if (!before || !after) return true;
  const auto seen_before = parse_timestamp(before->text_at("last_seen"));
  for (Json* one : {&*before, &*after}) {
    one->erase("last_seen");
    one->erase("retries");
  }
  if (!(*before == *after) || !seen_before || !entry.last_seen) return true;
  const auto since = *entry.last_seen - *seen_before;
  return since >= kBetweenSightings || -since >= kBetweenSightings;  // a clock may be set back
}

// ---- What is asked ----

std::string asked_value(const CsrAsked& asked) {
  Json out = versioned();
  out.set("id", Json(asked.id));
  out.set("decision", Json(to_string(asked.verb)));
  out.set("key_fingerprint", Json(asked.key_fingerprint));
  out.set("seen", Json(to_string(asked.seen)));
  out.set("who", Json(made_plain(asked.who)));
  out.set("command", Json(made_plain(asked.command)));
  out.set("time", Json(format_timestamp(asked.time)));
  return out.dump();
}

Result<CsrAsked> parse_asked(std::string_view text) {
  const auto object = versioned_object(text, kMaxCsrDecisionBytes, "a decision");
  if (!object) return object.error();
  ValueMembers members(*object);
  CsrAsked out;
  out.id = id(members);
  out.verb = word(members, "decision", kVerbs);
  out.key_fingerprint = fingerprint(members);
  out.seen = word(members, "seen", kStatuses);
  out.who = members.plain_text("who");
  if (out.who.empty()) members.fail("who", "must not be empty");
  out.command = members.plain_text("command");
  out.time = members.time("time");
  if (members.error()) return *members.error();
  return out;
}

// ---- What became of it ----

std::string answer_value(const CsrAnswer& answer) {
  Json out = versioned();
  out.set("id", Json(answer.id));
  out.set("decision", Json(to_string(answer.verb)));
  out.set("who", Json(made_plain(answer.who)));
  out.set("time", Json(format_timestamp(answer.time)));
  if (answer.problem) out.set("problem", error_json(*answer.problem));
  if (answer.broker_problem) out.set("broker_problem", error_json(*answer.broker_problem));
  Json::Array warnings;
  for (const std::string& warning : answer.warnings) {
    if (warnings.size() == kMostWarnings) break;
    warnings.emplace_back(made_plain(warning, kMostMessageBytes));
  }
  if (!warnings.empty()) out.set("warnings", Json(std::move(warnings)));
  return out.dump();
}

Result<CsrAnswer> parse_answer(std::string_view text) {
  const auto object = versioned_object(text, kMaxCsrAnswerBytes, "an answer");
  if (!object) return object.error();
  ValueMembers members(*object);
  CsrAnswer out;
  out.id = id(members);
  out.verb = word(members, "decision", kVerbs);
  out.who = members.plain_text("who");
  out.time = members.time("time");
  out.problem = optional_error(members, *object, "problem");
  out.broker_problem = optional_error(members, *object, "broker_problem");
  if (const Json* warnings = object->find("warnings")) {
    if (!warnings->is_array() || warnings->as_array().size() > kMostWarnings) {
      members.fail("warnings", "must be a short list");
    } else {
      for (const Json& warning : warnings->as_array()) {
        if (!warning.is_string()) members.fail("warnings", "must be texts");
        if (warning.is_string()) out.warnings.push_back(made_plain(warning.as_string(), kMostMessageBytes));
      }
    }
  }
  if (members.error()) return *members.error();
  return out;
}

}  // namespace vipauth::fleet
