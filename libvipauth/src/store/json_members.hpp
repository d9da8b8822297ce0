#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <vipauth/clock.hpp>
#include <vipauth/error.hpp>
#include <vipauth/json.hpp>

namespace vipauth {

/// Reads typed members of an object; the first that is missing or ill-typed is remembered.
class JsonMembers {
 public:
  /// \param object    must outlive it
  /// \param location  a JSON Pointer to it
  /// \param code      of errors
  JsonMembers(const Json& object, std::string location, ErrorCode code)
      : object_(object), location_(std::move(location)), code_(code) {}

  std::string text(std::string_view name);
  Json any(std::string_view name) const;
  std::uint64_t count(std::string_view name);
  Timestamp time(std::string_view name);
  /// Nothing where it is missing.
  std::optional<Timestamp> optional_time(std::string_view name);

  void fail(std::string_view name, std::string message);
  const std::optional<Error>& error() const { return error_; }

 private:
  const Json& object_;
  std::string location_;
  ErrorCode code_;
  std::optional<Error> error_;
};

}  // namespace vipauth
