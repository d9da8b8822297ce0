#include <vipauth/result.hpp>

#include <memory>
#include <string>

#include "support/catch.hpp"

using namespace vipauth;

namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return Error{ErrorCode::kInvalidArgument, "odd", ""};
  return number / 2;
}

Result<void> check_even(int number) {
  if (number % 2 != 0) return Error{ErrorCode::kInvalidArgument, "odd", ""};
  return {};
}

}  // namespace

TEST_CASE("Result: holds a value or an error") {
  const auto good = half(4);
  REQUIRE(good.has_value());
  CHECK(*good == 2);
  CHECK(good.value() == 2);
  const auto bad = half(3);
  REQUIRE_FALSE(bad.has_value());
  CHECK(bad.error().message == "odd");
}

TEST_CASE("Result: without a value there is success or an error") {
  CHECK(check_even(4).has_value());
  CHECK_FALSE(check_even(3).has_value());
  CHECK(check_even(3).error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("Result: value_or gives the fallback for an error only") {
  CHECK(half(4).value_or(7) == 2);
  CHECK(half(3).value_or(7) == 7);
}

TEST_CASE("Result: value and error can be moved out, also where they cannot be copied") {
  Result<std::unique_ptr<int>> good(std::make_unique<int>(5));
  const std::unique_ptr<int> taken = *std::move(good);
  REQUIRE(taken != nullptr);
  CHECK(*taken == 5);
  Result<std::unique_ptr<int>> bad(Error{ErrorCode::kBusy, "later", "here"});
  const Error error = std::move(bad).error();
  CHECK(error.to_string() == "here: later");
}

TEST_CASE("Result: a value that is an error's message by type is still a value") {
  const Result<std::string> text("text");
  REQUIRE(text);
  CHECK(text->size() == 4);
}
