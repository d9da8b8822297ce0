#include "web/base64.hpp"

#include <string>

#include "support/catch.hpp"

using namespace vipauth::web;

TEST_CASE("base64: the vectors of RFC 4648") {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    CHECK(to_base64(bytes) == text);
    CHECK(from_base64(text) == bytes);
  }
}

TEST_CASE("base64: all bytes, at all lengths") {
  std::string bytes;
  for (int i = 0; i < 600; ++i) {
    const std::string text = to_base64(bytes);
    CHECK(text.size() == (bytes.size() + 2) / 3 * 4);
    CHECK(from_base64(text) == bytes);
    bytes += static_cast<char>(i * 7 % 256);
  }
  const std::string large(3'000'001, '\xfe');
  CHECK(from_base64(to_base64(large)) == large);
}

TEST_CASE("base64: what encoding does not make is refused") {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "=", "==", "====", "Zg==Zg==", "Zm8=Zg==", " Zg=",
                           "Zg==\n", "Zg= ", "Z g=", "Zm9v ", "Zh==", "Zm9=", "Zm-_", "Zm9\xc3", "Z=g="}) {
    INFO(text);
    CHECK_FALSE(from_base64(text));
  }
  CHECK_FALSE(from_base64(std::string("Zg=\0", 4)));
}
