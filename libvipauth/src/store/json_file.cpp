#include "store/json_file.hpp"

#include <cstring>

#include "store/atomic_file.hpp"

namespace vipauth {

Error in_file(const Error& error, const std::filesystem::path& file) {
  return error.at(file.filename().string());
}

Result<JsonFile> read_json_file(const std::filesystem::path& file, StrictModes strict_modes,
                                Sensitivity sensitivity) {
  auto text = read_file(file, strict_modes, sensitivity);
  if (!text) return text.error();
  auto parsed = Json::parse_with_comments(*text);
  if (!parsed) {
    if (sensitivity == Sensitivity::kSecret) ::explicit_bzero(text->data(), text->size());
    return in_file(parsed.error(), file);
  }
  return JsonFile{std::move(*text), std::move(parsed->value), parsed->had_comments};
}

Result<Json> read_object_file(const std::filesystem::path& file, StrictModes strict_modes,
                              Sensitivity sensitivity, std::string_view members) {
  const auto text = read_file(file, strict_modes, sensitivity);
  if (!text && text.error().code == ErrorCode::kNotFound) return Json(Json::Object());
  if (!text) return text.error();
  if (text->empty()) return Json(Json::Object());
  auto document = Json::parse(*text);
  if (!document) return in_file(document.error(), file);
  if (document->is_object()) return document;
  return in_file(
      Error{ErrorCode::kInvalidArgument,
            "must be an object of " + std::string(members) + ", not " + std::string(document->kind_name()),
            ""},
      file);
}

}  // namespace vipauth
