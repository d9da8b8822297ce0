#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <vipauth/audit_event.hpp>
#include <vipauth/file_edit.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// Adds an edit of a file that has been made to the audit log of its folder, where there is one (`audit`).
/// AuthFile and TopicsFile do so themselves. An edit never fails for its audit: taking a right from somebody
/// must not.
/// \param event  `before` and `after`, and perhaps `digest`; the rest comes from the other arguments
/// \return a warning where it could not be added
VIPAUTH_EXPORT std::optional<std::string> audit_change(const std::filesystem::path& file, AuditEvent event,
                                                       const EditOptions& options, StrictModes strict_modes);

}  // namespace vipauth
