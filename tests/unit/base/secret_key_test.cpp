#include <vipauth/secret_key.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <ostream>
#include <type_traits>
#include <utility>

#include "support/catch.hpp"

using namespace vipauth;

namespace {

using Bytes = std::array<std::uint8_t, SecretKey::kBytes>;

Bytes filled(std::uint8_t value) {
  Bytes bytes{};
  bytes.fill(value);
  return bytes;
}

bool holds(const SecretKey& key, std::uint8_t value) {
  const auto bytes = key.bytes();
  return std::all_of(bytes.begin(), bytes.end(), [&](std::uint8_t byte) { return byte == value; });
}

template <typename T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

}  // namespace

TEST_CASE("SecretKey: moving wipes the source") {
  SecretKey source(filled(0x5a));
  const SecretKey target(std::move(source));
  CHECK(holds(target, 0x5a));
  CHECK(holds(source, 0));  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("SecretKey: assigning by move overwrites the target and wipes the source") {
  SecretKey source(filled(0x5a));
  SecretKey target(filled(0x11));
  target = std::move(source);
  CHECK(holds(target, 0x5a));
  CHECK(holds(source, 0));  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("SecretKey: moved onto itself it stays") {
  SecretKey key(filled(0x5a));
  SecretKey& same = key;
  key = std::move(same);
  CHECK(holds(key, 0x5a));
}

TEST_CASE("SecretKey: destroying wipes the memory") {
  alignas(SecretKey) unsigned char memory[sizeof(SecretKey)] = {};
  auto* key = new (memory) SecretKey(filled(0x5a));
  CHECK(holds(*key, 0x5a));
  key->~SecretKey();
  const volatile unsigned char* left = memory;
  for (std::size_t i = 0; i < sizeof memory; ++i) CHECK(left[i] == 0);
}

TEST_CASE("SecretKey: cannot be copied, printed or made by accident") {
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<SecretKey>);
  STATIC_REQUIRE_FALSE(std::is_copy_assignable_v<SecretKey>);
  STATIC_REQUIRE_FALSE(std::is_default_constructible_v<SecretKey>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<Bytes, SecretKey>);
  STATIC_REQUIRE_FALSE(Printable<SecretKey>);
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<SecretKey>);
}
