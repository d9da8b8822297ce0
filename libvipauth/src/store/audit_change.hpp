#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <vipauth/audit_event.hpp>
#include <vipauth/file_edit.hpp>
#include <vipauth/strict_modes.hpp>

namespace vipauth {

/// Adds an edit of a file that has been made to the audit log of its folder, where there is one (`audit`).
/// An edit never fails for its audit: taking a right from somebody must not.
/// \return a warning where it could not be added
std::optional<std::string> audit_change(const std::filesystem::path& file, std::string_view before,
                                        std::string_view after, const EditOptions& options,
                                        StrictModes strict_modes);

/// The same of an event that the caller has made, but for its kind, its time, who, by what, and the file.
std::optional<std::string> audit_change(const std::filesystem::path& file, AuditEvent event,
                                        const EditOptions& options, StrictModes strict_modes);

/// The folder of the audit log of a home.
std::filesystem::path audit_folder_of(const std::filesystem::path& home);

}  // namespace vipauth
