#include <vipauth/json.hpp>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>
#include <optional>
#include <unordered_set>

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include <vipauth/python_repr.hpp>

#include "text/json_builder.hpp"
#include "text/json_canonical.hpp"
#include "text/json_comments.hpp"
#include "text/json_write.hpp"

namespace vipauth {
namespace {

constexpr unsigned kParseFlags =
    rapidjson::kParseIterativeFlag | rapidjson::kParseInsituFlag | rapidjson::kParseNumbersAsStringsFlag;

constexpr std::size_t kMostCharacterBytes = 4;

/// Wipes a copy of a text when it goes: it may hold a secret, of which a caller wipes what it has itself.
struct Wiped {
  std::string& text;
  ~Wiped() { ::explicit_bzero(text.data(), text.size()); }
};

Result<Json> parse_plain(std::string_view text) {
  std::string buffer;  // in which strings are decoded where they stand
  buffer.reserve(text.size() + kMostCharacterBytes);
  const Wiped wiped{buffer};
  buffer = text;
  // RapidJSON's check takes what a first byte calls for, also behind the end.
  buffer.append(kMostCharacterBytes, '\0');
  JsonBuilder builder;
  rapidjson::InsituStringStream stream(buffer.data());
  rapidjson::Reader reader;
  // Validating byte by byte, as RapidJSON does, only serves to find the place.
  const rapidjson::ParseResult result =
      is_valid_utf8(text)
          ? reader.Parse<kParseFlags>(stream, builder)
          : reader.Parse < kParseFlags | rapidjson::kParseValidateEncodingFlag > (stream, builder);
  if (!result.IsError()) {
    if (stream.Tell() == text.size()) return builder.take();
    // RapidJSON takes a NUL for the end.
    return Error{ErrorCode::kParseError, "not JSON: a NUL character", line_and_column(text, stream.Tell())};
  }
  const std::string place = line_and_column(text, result.Offset());
  if (builder.error()) return builder.error()->at(place);
  std::string message = rapidjson::GetParseError_En(result.Code());
  if (!message.empty())
    message.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(message.front())));
  while (message.ends_with('.')) message.pop_back();
  return Error{ErrorCode::kParseError, "not JSON: " + message, place};
}

/// A number as sign, digits without zeros at either end, and the power of ten of the last digit.
struct Decimal {
  bool negative = false;
  std::string digits;  // empty: zero
  std::int64_t exponent = 0;

  friend bool operator==(const Decimal&, const Decimal&) = default;
};

Decimal to_decimal(std::string_view text) {
  Decimal out;
  if (text.starts_with('-')) {
    out.negative = true;
    text.remove_prefix(1);
  }
  const std::size_t mark = text.find_first_of("eE");
  if (mark != std::string_view::npos) {
    std::string_view power = text.substr(mark + 1);
    const bool below = power.starts_with('-');
    if (below || power.starts_with('+')) power.remove_prefix(1);
    for (const char c : power) {
      // A value this far from any other number of a JSON text compares equal only to itself, whatever comes
      // after.
      if (out.exponent < 1'000'000'000'000) out.exponent = out.exponent * 10 + (c - '0');
    }
    if (below) out.exponent = -out.exponent;
    text = text.substr(0, mark);
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '.') {
      out.exponent -= static_cast<std::int64_t>(text.size() - i - 1);
    } else {
      out.digits.push_back(text[i]);
    }
  }
  out.digits.erase(0, std::min(out.digits.find_first_not_of('0'), out.digits.size()));
  while (out.digits.ends_with('0')) {
    out.digits.pop_back();
    ++out.exponent;
  }
  if (out.digits.empty()) return Decimal{};
  return out;
}

Json::Number canonical_number(const Json::Number& number) {
  const Decimal decimal = to_decimal(number.digits);
  if (decimal.digits.empty()) return {"0"};
  const std::string sign = decimal.negative ? "-" : "";
  if (decimal.exponent == 0) return {sign + decimal.digits};
  return {sign + decimal.digits + "e" + std::to_string(decimal.exponent)};
}

bool equal_numbers(const Json::Number& a, const Json::Number& b) {
  return a.digits == b.digits || to_decimal(a.digits) == to_decimal(b.digits);
}

bool equal_objects(const Json::Object& a, const Json::Object& b) {
  if (a.size() != b.size()) return false;
  const auto is_same_name = [](const Json::Member& x, const Json::Member& y) { return x.name == y.name; };
  if (std::equal(a.begin(), a.end(), b.begin(), is_same_name)) {  // the usual case: no sorting
    return std::equal(a.begin(), a.end(), b.begin(),
                      [](const Json::Member& x, const Json::Member& y) { return x.value == y.value; });
  }
  const auto by_name = [](const Json::Object& object) {
    std::vector<const Json::Member*> sorted;
    sorted.reserve(object.size());
    for (const Json::Member& member : object) sorted.push_back(&member);
    std::sort(sorted.begin(), sorted.end(), [](const auto* x, const auto* y) { return x->name < y->name; });
    return sorted;
  };
  const auto left = by_name(a);
  const auto right = by_name(b);
  return std::equal(left.begin(), left.end(), right.begin(),
                    [](const auto* x, const auto* y) { return x->name == y->name && x->value == y->value; });
}

std::string text_of(const rapidjson::StringBuffer& buffer) { return {buffer.GetString(), buffer.GetSize()}; }

}  // namespace

// Defined here because Member, which a Json may hold, is complete only after Json.
Json::Json() noexcept = default;
Json::Json(const Json& other) = default;
Json::Json(Json&& other) noexcept = default;
Json& Json::operator=(const Json& other) = default;
Json& Json::operator=(Json&& other) noexcept = default;
Json::~Json() = default;

Json::Json(std::nullptr_t) noexcept {}
Json::Json(bool value) noexcept : value_(value) {}
Json::Json(std::int64_t value) : value_(Number{std::to_string(value)}) {}
Json::Json(int value) : Json(static_cast<std::int64_t>(value)) {}
Json::Json(Number value) : value_(std::move(value)) {}
Json::Json(std::string value) : value_(std::move(value)) {}
Json::Json(std::string_view value) : value_(std::string(value)) {}
Json::Json(const char* value) : value_(std::string(value)) {}
Json::Json(Array value) : value_(std::move(value)) {}
Json::Json(Object value) : value_(std::move(value)) {}

Json Json::strings(const std::vector<std::string>& values) {
  return Json(Array(values.begin(), values.end()));
}

Result<Json> Json::parse(std::string_view text, Comments comments) {
  if (comments == Comments::kRefuse) return parse_plain(text);
  auto parsed = parse_with_comments(text);
  if (!parsed) return parsed.error();
  return std::move(parsed->value);
}

Result<Json::Parsed> Json::parse_with_comments(std::string_view text) {
  auto plain = parse_plain(text);
  if (plain) return Parsed{std::move(*plain), false};  // a comment would have been an error
  auto blanked = blank_comments(text);
  if (!blanked) return blanked.error();
  const Wiped wiped{blanked->text};
  if (!blanked->found) return plain.error();
  auto value = parse_plain(blanked->text);
  if (!value) return value.error();
  return Parsed{std::move(*value), true};
}

std::string Json::dump() const {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  write_json(writer, *this);
  return text_of(buffer);
}

std::string Json::dump_pretty() const {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  writer.SetIndent(' ', 2);
  write_json(writer, *this);
  return text_of(buffer);
}

std::string_view Json::kind_name() const noexcept {
  constexpr std::string_view kNames[] = {"null", "a boolean", "a number", "a string", "a list", "an object"};
  return kNames[value_.index()];
}

namespace {

void make_canonical(Json& json) {
  if (json.is_number()) {
    json = canonical_number(json.as_number());
  } else if (json.is_array()) {
    for (Json& item : json.as_array()) make_canonical(item);
  } else if (json.is_object()) {
    for (Json::Member& member : json.as_object()) make_canonical(member.value);
    std::sort(json.as_object().begin(), json.as_object().end(),
              [](const Json::Member& a, const Json::Member& b) { return a.name < b.name; });
  }
}

}  // namespace

Json Json::canonical() const {
  Json out = *this;
  make_canonical(out);
  return out;
}

namespace {

template <typename Writer>
void write_canonical(Writer& writer, const Json& json) {
  if (json.is_number()) {
    write_json(writer, Json(canonical_number(json.as_number())));
  } else if (json.is_array()) {
    writer.StartArray();
    for (const Json& item : json.as_array()) write_canonical(writer, item);
    writer.EndArray();
  } else if (json.is_object()) {
    std::vector<const Json::Member*> sorted;
    sorted.reserve(json.as_object().size());
    for (const Json::Member& member : json.as_object()) sorted.push_back(&member);
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
    writer.StartObject();
    for (const Json::Member* member : sorted) {
      write_json_text(writer, member->name);
      write_canonical(writer, member->value);
    }
    writer.EndObject();
  } else {
    write_json(writer, json);
  }
}

}  // namespace

std::string canonical_text(const Json& json) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  write_canonical(writer, json);
  return text_of(buffer);
}

const Json* Json::find(std::string_view name) const noexcept {
  const auto* object = std::get_if<Object>(&value_);
  if (object == nullptr) return nullptr;
  const auto found =
      std::find_if(object->begin(), object->end(), [&](const Member& m) { return m.name == name; });
  return found == object->end() ? nullptr : &found->value;
}

Json* Json::find(std::string_view name) noexcept {
  return const_cast<Json*>(std::as_const(*this).find(name));
}

std::string Json::text_at(std::string_view name) const {
  const Json* member = find(name);
  return member != nullptr && member->is_string() ? member->as_string() : std::string();
}

void Json::set(std::string_view name, Json value) {
  if (is_null()) value_ = Object();
  if (Json* present = find(name)) {
    *present = std::move(value);
  } else {
    as_object().push_back({std::string(name), std::move(value)});
  }
}

bool Json::erase(std::string_view name) {
  auto* object = std::get_if<Object>(&value_);
  return object != nullptr && std::erase_if(*object, [&](const Member& m) { return m.name == name; }) > 0;
}

bool operator==(const Json& a, const Json& b) {
  if (a.value_.index() != b.value_.index()) return false;
  if (a.is_number()) return equal_numbers(a.as_number(), b.as_number());
  if (a.is_object()) return equal_objects(a.as_object(), b.as_object());
  if (a.is_array()) return a.as_array() == b.as_array();
  if (a.is_string()) return a.as_string() == b.as_string();
  if (a.is_bool()) return a.as_bool() == b.as_bool();
  return true;
}

namespace {

/// Where the text first leaves ASCII, or a little before.
std::size_t length_of_ascii(std::string_view text) noexcept {
  constexpr std::uint64_t kHighBits = 0x8080'8080'8080'8080U;
  std::size_t at = 0;
  for (std::uint64_t word = 0; at + sizeof word <= text.size(); at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    if ((word & kHighBits) != 0) return at;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}

}  // namespace

bool is_valid_utf8(std::string_view text) noexcept {
  struct Discard {
    void Put(char) noexcept {}
  } out;
  text.remove_prefix(length_of_ascii(text));  // the usual case needs no decoder
  rapidjson::MemoryStream in(text.data(), text.size());
  while (in.Tell() < text.size()) {
    if (!rapidjson::UTF8<>::Validate(in, out)) return false;
  }
  return in.Tell() == text.size();
}

std::string json_pointer(std::string_view base, std::string_view step) {
  std::string pointer(base);
  pointer += '/';
  for (const char c : step) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

std::string json_pointer(std::string_view base, std::size_t index) {
  return std::string(base) + "/" + std::to_string(index);
}

}  // namespace vipauth
