#pragma once

#include <string>
#include <string_view>

#include <rapidjson/rapidjson.h>

#include <vipauth/json.hpp>

namespace vipauth {

/// True where a JSON string may hold the text as it is, but for quotes, backslashes and control characters,
/// which any writer escapes. Beyond ASCII, and for DEL, it takes an escape of ours.
bool is_plain_text(std::string_view text);

/// The text as a JSON string in ASCII; RapidJSON would let one control character through: DEL. U+FFFD stands
/// for each byte that is not UTF-8; RapidJSON would write half a string.
std::string ascii_json_string(std::string_view text);

/// Hands a text to a writer of RapidJSON.
template <typename Writer>
void write_json_text(Writer& writer, std::string_view text) {
  if (is_plain_text(text)) {
    writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  } else {
    const std::string escaped = ascii_json_string(text);
    writer.RawValue(escaped.data(), escaped.size(), rapidjson::kStringType);
  }
}

/// The same of any value.
template <typename Writer>
void write_json(Writer& writer, const Json& json) {
  if (json.is_string()) {
    write_json_text(writer, json.as_string());
  } else if (json.is_null()) {
    writer.Null();
  } else if (json.is_bool()) {
    writer.Bool(json.as_bool());
  } else if (json.is_number()) {
    const std::string& digits = json.as_number().digits;
    writer.RawValue(digits.data(), digits.size(), rapidjson::kNumberType);
  } else if (json.is_array()) {
    writer.StartArray();
    for (const Json& item : json.as_array()) write_json(writer, item);
    writer.EndArray();
  } else {
    writer.StartObject();
    for (const Json::Member& member : json.as_object()) {
      write_json_text(writer, member.name);
      write_json(writer, member.value);
    }
    writer.EndObject();
  }
}

}  // namespace vipauth
