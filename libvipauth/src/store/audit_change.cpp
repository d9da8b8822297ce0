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

bool is_audited(const fs::path& file) { return may_be_there(audit_folder_of(folder_of(file))); }

Json document_of(const FileContent& content) {
  const auto text = content.text();
  auto document = text ? Json::parse(*text, Json::Comments::kAccept) : Result<Json>(text.error());
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

std::optional<std::string> audit_change(const fs::path& file, const FileContent& before,
                                        const FileContent& after, const EditOptions& options,
                                        StrictModes strict_modes) {
  if (!is_audited(file)) return std::nullopt;
  auto change =
      audited_change([&] { return before.reader(); }, [&] { return after.reader(); }, DocumentForm::kAsItIs);
  if (!change) change = audited_change(document_of(before), document_of(after));
  AuditEvent event;
  event.before = std::move(change->before);
  event.after = std::move(change->after);
  event.digest = std::move(change->digest);
  return audit_change(file, std::move(event), options, strict_modes);
}

}  // namespace vipauth
