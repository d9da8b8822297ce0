#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <vipauth/result.hpp>

namespace vipauth {

/// A JSON value that forgets nothing: members keep their order, numbers keep their digits.
///
/// Two values are equal as semantics 5 says: numbers by exact decimal value (1 equals 1.0; no rounding), a
/// boolean is never a number, lists in order, objects by their members in any order.
class VIPAUTH_EXPORT Json {
 public:
  /// Nesting deeper than this is refused: the text may be hostile.
  static constexpr std::size_t kMaxDepth = 100;

  /// A number as it was written ("1", "-0.50", "1e30"). parse() refuses what no double can hold.
  struct Number {
    std::string digits;
  };
  struct Member;
  using Array = std::vector<Json>;
  using Object = std::vector<Member>;

  Json() noexcept;  ///< null
  Json(const Json& other);
  Json(Json&& other) noexcept;
  Json& operator=(const Json& other);
  Json& operator=(Json&& other) noexcept;
  ~Json();

  // NOLINTBEGIN(google-explicit-constructor): a value is as good as the JSON of it
  Json(std::nullptr_t) noexcept;
  Json(bool value) noexcept;
  Json(std::int64_t value);
  Json(int value);
  Json(Number value);
  Json(std::string value);
  Json(std::string_view value);
  Json(const char* value);
  Json(Array value);
  Json(Object value);
  // NOLINTEND(google-explicit-constructor)
  static Json strings(const std::vector<std::string>& values);

  /// What else than RFC 8259 a text may hold.
  enum class Comments { kRefuse, kAccept };

  struct Parsed;
  /// Reads one JSON document (UTF-8). Comments, where accepted: `//` and `#` to the end of the line, `/* */`.
  /// \return kParseError     with `location` "LINE:COLUMN"; duplicate members are an error too
  /// \return kLimitExceeded  nested deeper than kMaxDepth
  /// Source: RFC 8259; semantics 2 (duplicate members).
  static Result<Json> parse(std::string_view text, Comments comments = Comments::kRefuse);

  /// Reads a document and says whether it held comments, which writing it again would lose.
  static Result<Parsed> parse_with_comments(std::string_view text);

  /// Writes in one line, or (pretty) indented by two spaces. Only ASCII: other characters are escaped, so
  /// that the text reads the same in every locale and holds nothing that a terminal would obey.
  std::string dump() const;
  std::string dump_pretty() const;

  /// The one form of all values that are equal to this one: members sorted by name, numbers without needless
  /// digits. Its dump() is a key that equal values share.
  Json canonical() const;

  bool is_null() const noexcept { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const noexcept { return std::holds_alternative<bool>(value_); }
  bool is_number() const noexcept { return std::holds_alternative<Number>(value_); }
  bool is_string() const noexcept { return std::holds_alternative<std::string>(value_); }
  bool is_array() const noexcept { return std::holds_alternative<Array>(value_); }
  bool is_object() const noexcept { return std::holds_alternative<Object>(value_); }
  /// "null", "a boolean", "a number", "a string", "a list", "an object": for messages.
  std::string_view kind_name() const noexcept;

  // The value, of which the kind must have been asked before.
  bool as_bool() const { return std::get<bool>(value_); }
  const Number& as_number() const { return std::get<Number>(value_); }
  const std::string& as_string() const { return std::get<std::string>(value_); }
  std::string& as_string() { return std::get<std::string>(value_); }
  const Array& as_array() const { return std::get<Array>(value_); }
  Array& as_array() { return std::get<Array>(value_); }
  const Object& as_object() const { return std::get<Object>(value_); }
  Object& as_object() { return std::get<Object>(value_); }

  /// The member of that name, or nullptr where this is no object or has none.
  const Json* find(std::string_view name) const noexcept;
  Json* find(std::string_view name) noexcept;
  /// The text of the member of that name; empty where there is none, or it is no string.
  std::string text_at(std::string_view name) const;
  /// Sets a member in its place, or appends it. A null value becomes an object first.
  void set(std::string_view name, Json value);
  /// Removes a member; false where there was none.
  bool erase(std::string_view name);

  friend VIPAUTH_EXPORT bool operator==(const Json& a, const Json& b);

 private:
  std::variant<std::monostate, bool, Number, std::string, Array, Object> value_;
};

struct Json::Member {
  std::string name;
  Json value;
};

struct Json::Parsed {
  Json value;
  bool had_comments = false;
};

/// True where `text` is valid UTF-8 (no surrogates, no overlong forms).
VIPAUTH_EXPORT bool is_valid_utf8(std::string_view text) noexcept;

/// A JSON Pointer with one more step, escaped. Source: RFC 6901.
VIPAUTH_EXPORT std::string json_pointer(std::string_view base, std::string_view step);
VIPAUTH_EXPORT std::string json_pointer(std::string_view base, std::size_t index);

}  // namespace vipauth
