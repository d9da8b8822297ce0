#include "text/json_write.hpp"

#include <algorithm>

#include <rapidjson/memorystream.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace vipauth {
namespace {

std::string replace_invalid(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    rapidjson::MemoryStream in(text.data(), text.size());
    unsigned code_point = 0;
    const bool is_valid = rapidjson::UTF8<>::Decode(in, &code_point);
    const std::size_t length = is_valid ? in.Tell() : 1;
    out += is_valid ? text.substr(0, length) : "\xef\xbf\xbd";
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace

bool is_plain_text(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x7f; });
}

std::string ascii_json_string(std::string_view text) {
  const std::string valid = is_valid_utf8(text) ? std::string(text) : replace_invalid(text);
  rapidjson::GenericStringBuffer<rapidjson::ASCII<>> buffer;
  rapidjson::Writer<decltype(buffer), rapidjson::UTF8<>, rapidjson::ASCII<>> writer(buffer);
  writer.String(valid.data(), static_cast<rapidjson::SizeType>(valid.size()));
  std::string out(buffer.GetString(), buffer.GetSize());
  for (std::size_t at = out.find('\x7f'); at != std::string::npos; at = out.find('\x7f', at)) {
    out.replace(at, 1, "\\u007f");
  }
  return out;
}

}  // namespace vipauth
