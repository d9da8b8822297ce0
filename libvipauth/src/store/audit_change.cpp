#include "store/audit_change.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "model/document_change.hpp"
#include "store/atomic_file.hpp"
#include "store/audit_folder.hpp"
#include "store/history_folder.hpp"

namespace vipauth {
namespace {

namespace fs = std::filesystem;

bool is_audited(const fs::path& file) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(audit_folder_of(folder_of(file)), ignored));
}

Json document_of(std::string_view text) {
  auto document = Json::parse(text, Json::Comments::kAccept);
  return document ? std::move(*document) : Json();
}

}  // namespace

fs::path audit_folder_of(const fs::path& home) { return home / "audit"; }

std::optional<std::string> audit_change(const fs::path& file, AuditEvent event, const EditOptions& options,
                                        StrictModes strict_modes) {
  if (!is_audited(file)) return std::nullopt;
  constexpr std::chrono::milliseconds kMostPatience{5000};
  event.kind = AuditEvent::Kind::kChange;
  event.time = options.clock();
  event.who = editor_of(options.note);
  event.command = options.note.command;
  event.file = file.filename().string();
  // How many files stay is up to the service that writes most of them: here none is removed.
  AuditFolder::Limits limits;
  limits.files = 0;
  auto folder = AuditFolder::open(audit_folder_of(folder_of(file)), limits, strict_modes);
  auto written = folder
                     ? folder->append({to_json(event)}, event.time, std::min(options.patience, kMostPatience))
                     : Result<void>(folder.error());
  if (written) written = folder->sync();
  if (written) return std::nullopt;
  return "this change is not in the audit log: " + written.error().to_string();
}

std::optional<std::string> audit_change(const fs::path& file, std::string_view before, std::string_view after,
                                        const EditOptions& options, StrictModes strict_modes) {
  if (!is_audited(file)) return std::nullopt;
  const Json from = document_of(before);
  const Json to = document_of(after);
  DocumentChange change = change_between(from, to);
  AuditEvent event;
  event.before = std::move(change.before);
  event.after = std::move(change.after);
  event.digest = content_digest(to);
  return audit_change(file, std::move(event), options, strict_modes);
}

}  // namespace vipauth
