#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <vipauth/audit_change.hpp>

#include "store/file_content.hpp"

namespace vipauth {

/// The same of a JSON file, given what it held before the edit and after it. Large ones are read by blocks.
std::optional<std::string> audit_change(const std::filesystem::path& file, const FileContent& before,
                                        const FileContent& after, const EditOptions& options,
                                        StrictModes strict_modes);

/// The folder of the audit log of a home.
std::filesystem::path audit_folder_of(const std::filesystem::path& home);

}  // namespace vipauth
