#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <vipauth/clock.hpp>
#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

namespace vipauth::fleet {

/// Reads an object that somebody else has written, member by member, and keeps the first mistake.
class ValueMembers {
 public:
  /// Of the texts that plain_text() reads. Source: ZeroMQ RFC 27, whose strings are of an octet of length.
  static constexpr std::size_t kMaxTextBytes = 255;

  /// \param object  it must outlive this object
  explicit ValueMembers(const Json& object) : object_(object) {}

  // What is not of its form is a mistake, and an empty value.

  std::string text(std::string_view name);
  /// A text of at most kMaxTextBytes that means nothing to a terminal.
  std::string plain_text(std::string_view name);
  Timestamp time(std::string_view name);
  /// The same; nothing where there is no such member.
  std::optional<Timestamp> optional_time(std::string_view name);
  std::uint64_t count(std::string_view name);

  void fail(std::string_view name, std::string message);
  const std::optional<Error>& error() const { return error_; }

 private:
  const Json& object_;
  std::optional<Error> error_;
};

/// True where a text is UTF-8, and without control characters.
bool is_plain(std::string_view text);

/// A text made such, and no longer than that many bytes.
std::string made_plain(std::string_view text, std::size_t most_bytes = ValueMembers::kMaxTextBytes);

/// The object that a value is.
/// \return kLimitExceeded  longer than `most_bytes`; kParseError  no JSON; kInvalidArgument  no object
Result<Json> object_of(std::string_view text, std::size_t most_bytes, std::string_view what);

}  // namespace vipauth::fleet
