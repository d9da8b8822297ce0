#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <vipauth/audit_change.hpp>

namespace vipauth {

/// The same of a JSON file, given its texts before and after the edit.
std::optional<std::string> audit_change(const std::filesystem::path& file, std::string_view before,
                                        std::string_view after, const EditOptions& options,
                                        StrictModes strict_modes);

/// The folder of the audit log of a home.
std::filesystem::path audit_folder_of(const std::filesystem::path& home);

}  // namespace vipauth
