#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

#include "store/strict_modes.hpp"

namespace vipauth {

/// A JSON file as it was read.
struct JsonFile {
  std::string text;
  Json document;
  bool had_comments = false;
};

/// Reads a JSON file, comments accepted.
/// \return what read_file returns; kParseError with `location` "FILE:LINE:COLUMN"
Result<JsonFile> read_json_file(const std::filesystem::path& file,
                                StrictModes strict_modes = StrictModes::kOn,
                                Sensitivity sensitivity = Sensitivity::kPublic);

/// Reads a file that holds one JSON object. A missing one holds nothing, nor does an empty one, which
/// VOLTTRON makes before it writes for the first time.
/// \param members  what is in it, for the message: "users"
/// \return what read_file returns, but for kNotFound; kParseError; kInvalidArgument  it is no object
Result<Json> read_object_file(const std::filesystem::path& file, StrictModes strict_modes,
                              Sensitivity sensitivity, std::string_view members);

/// The error, with the file's name before its place.
Error in_file(const Error& error, const std::filesystem::path& file);

}  // namespace vipauth
