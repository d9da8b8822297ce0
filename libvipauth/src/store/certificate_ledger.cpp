#include "store/certificate_ledger.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "store/atomic_file.hpp"
#include "store/json_file.hpp"
#include "store/json_members.hpp"

namespace vipauth {
namespace {

using Purpose = IssuedCertificate::Purpose;
using Operation = LedgerNote::Operation;

constexpr int kVersion = 1;

constexpr std::array<std::pair<Operation, std::string_view>, 5> kOperations = {
    {{Operation::kApprove, "approve"},
     {Operation::kDeny, "deny"},
     {Operation::kRemove, "remove"},
     {Operation::kIssue, "issue"},
     {Operation::kRevoke, "revoke"}}};

constexpr std::array kPurposes = {Purpose::kRoot, Purpose::kServer, Purpose::kClient, Purpose::kRequested};

std::string_view name_of(Operation operation) {
  const auto* found = std::find_if(kOperations.begin(), kOperations.end(),
                                   [&](const auto& item) { return item.first == operation; });
  return found->second;
}

Json to_json(const LedgerEntry& entry) {
  Json out(Json::Object{{"name", Json(entry.name)},
                        {"purpose", Json(to_string(entry.purpose))},
                        {"serial", Json(entry.serial)},
                        {"key_fingerprint", Json(entry.key_fingerprint)}});
  if (entry.revoked_at) out.set("revoked_at", Json(format_timestamp(*entry.revoked_at)));
  out.set("certificate", Json(entry.pem));
  return out;
}

Json to_json(const LedgerNote& note) {
  return Json(Json::Object{{"operation", Json(name_of(note.operation))},
                           {"name", Json(note.name)},
                           {"who", Json(note.who)},
                           {"command", Json(note.command)},
                           {"before", note.before},
                           {"after", note.after}});
}

Json to_json(const LedgerState& state) {
  Json::Array issued;
  issued.reserve(state.entries.size());
  for (const LedgerEntry& entry : state.entries) issued.push_back(to_json(entry));
  Json out(Json::Object{{"version", Json(kVersion)},
                        {"root_key_fingerprint", Json(state.root_fingerprint)},
                        {"crl_number", Json(static_cast<std::int64_t>(state.crl_number))},
                        {"issued", Json(std::move(issued))}});
  if (state.in_progress) out.set("in_progress", to_json(*state.in_progress));
  return out;
}

Purpose purpose_of(JsonMembers& members) {
  const std::string name = members.text("purpose");
  const auto* found = std::find_if(kPurposes.begin(), kPurposes.end(),
                                   [&](Purpose purpose) { return to_string(purpose) == name; });
  if (found == kPurposes.end()) members.fail("purpose", "must be root, server, client or requested");
  return found == kPurposes.end() ? Purpose::kClient : *found;
}

Operation operation_of(JsonMembers& members) {
  const std::string name = members.text("operation");
  const auto* found = std::find_if(kOperations.begin(), kOperations.end(),
                                   [&](const auto& item) { return item.second == name; });
  if (found == kOperations.end()) members.fail("operation", "is not one of this version");
  return found == kOperations.end() ? Operation::kIssue : found->first;
}

/// A serial number: it is compared as text, and so has one form only.
std::string serial_of(JsonMembers& members) {
  std::string out = members.text("serial");
  if (out.empty() || out.find_first_not_of("0123456789ABCDEF") != std::string::npos) {
    members.fail("serial", "must be hexadecimal, in capitals");
  }
  return out;
}

Result<LedgerEntry> read_entry(const Json& json, std::string location) {
  JsonMembers members(json, std::move(location), ErrorCode::kParseError);
  LedgerEntry out;
  out.name = members.text("name");
  out.purpose = purpose_of(members);
  out.serial = serial_of(members);
  out.key_fingerprint = members.text("key_fingerprint");
  out.pem = members.text("certificate");
  out.revoked_at = members.optional_time("revoked_at");
  if (members.error()) return *members.error();
  return out;
}

Result<LedgerNote> read_note(const Json& json) {
  JsonMembers members(json, "/in_progress", ErrorCode::kParseError);
  LedgerNote out;
  out.operation = operation_of(members);
  out.name = members.text("name");
  out.who = members.text("who");
  out.command = members.text("command");
  out.before = members.any("before");
  out.after = members.any("after");
  if (members.error()) return *members.error();
  if (auto name = CommonName::parse(out.name); !name) return name.error().at("/in_progress/name");
  return out;
}

Result<LedgerState> read_state(const Json& document) {
  const Json* version = document.find("version");
  if (version == nullptr || !(*version == Json(kVersion))) {
    return Error{ErrorCode::kUnsupported,
                 "this ledger is not of version 1: restore it from a backup, or upgrade the program",
                 "/version"};
  }
  JsonMembers members(document, "", ErrorCode::kParseError);
  LedgerState out;
  out.root_fingerprint = members.text("root_key_fingerprint");
  out.crl_number = members.count("crl_number");
  if (members.error()) return *members.error();
  const Json* issued = document.find("issued");
  if (issued == nullptr || !issued->is_array()) {
    return Error{ErrorCode::kParseError, "must be a list", "/issued"};
  }
  for (std::size_t i = 0; i < issued->as_array().size(); ++i) {
    auto entry = read_entry(issued->as_array()[i], json_pointer("/issued", i));
    if (!entry) return entry.error();
    out.entries.push_back(std::move(*entry));
  }
  if (const Json* note = document.find("in_progress")) {
    auto read = read_note(*note);
    if (!read) return read.error();
    out.in_progress = std::move(*read);
  }
  return out;
}

}  // namespace

bool LedgerState::has_serial(std::string_view serial) const {
  return std::any_of(entries.begin(), entries.end(),
                     [&](const LedgerEntry& entry) { return entry.serial == serial; });
}

bool LedgerState::is_revoked(std::string_view serial) const {
  return std::any_of(entries.begin(), entries.end(), [&](const LedgerEntry& entry) {
    return entry.serial == serial && entry.revoked_at.has_value();
  });
}

const LedgerEntry* LedgerState::newest(std::string_view name) const {
  const auto found = std::find_if(entries.rbegin(), entries.rend(),
                                  [&](const LedgerEntry& entry) { return entry.name == name; });
  return found == entries.rend() ? nullptr : &*found;
}

const LedgerEntry* LedgerState::current(std::string_view name) const {
  const LedgerEntry* found = newest(name);
  return found == nullptr || found->revoked_at ? nullptr : found;
}

const LedgerEntry* LedgerState::current(std::string_view name, Purpose purpose) const {
  const LedgerEntry* found = current(name);
  return found == nullptr || found->purpose != purpose ? nullptr : found;
}

Result<std::shared_ptr<const LedgerState>> CertificateLedger::load() const {
  const std::lock_guard lock(mutex_);
  const auto before = FileVersion::of(path_);
  if (state_ && before && before == version_) return state_;
  state_ = nullptr;
  auto file = read_json_file(path_, strict_modes_, Sensitivity::kSecret);
  if (!file && file.error().code == ErrorCode::kNotFound) return std::make_shared<const LedgerState>();
  if (!file) return file.error();
  auto read = read_state(file->document);
  if (!read) return in_file(read.error(), path_);
  auto state = std::make_shared<const LedgerState>(std::move(*read));
  if (before && before->is_settled() && before == FileVersion::of(path_)) {
    version_ = before;
    state_ = state;
  }
  return state;
}

Result<void> CertificateLedger::save(const LedgerState& state) const {
  return replace_file(path_, to_json(state).dump_pretty() + "\n");
}

}  // namespace vipauth
