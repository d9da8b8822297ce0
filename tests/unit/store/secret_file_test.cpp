#include <vipauth/secret_file.hpp>

#include "support/catch.hpp"
#include "support/temp_home.hpp"

namespace vipauth::test {

TEST_CASE("read_secret_file: takes the one line of a private file") {
  const TempHome home;
  for (const std::string text : {"secret word", "secret word\n", "secret word\r\n", "secret word\n\n"}) {
    home.write("password", text);
    const auto secret = read_secret_file(home / "password");
    REQUIRE(secret);
    CHECK(*secret == "secret word");
  }
  home.set_mode("password", 0644);
  CHECK(read_secret_file(home / "password").error().code == ErrorCode::kPermissionDenied);
  CHECK(read_secret_file(home / "password", StrictModes::kOff));
}

TEST_CASE("read_secret_file: refuses a file with anything else and does not show it") {
  const TempHome home;
  const std::vector<std::string> texts{"",
                                       "\n",
                                       "\nsecret",
                                       "secret\nword\n",
                                       std::string("sec\0ret", 7),
                                       std::string(kMaxSecretBytes + 1, 's')};
  for (const std::string& text : texts) {
    home.write("password", text);
    const auto secret = read_secret_file(home / "password");
    REQUIRE_FALSE(secret);
    CHECK(secret.error().to_string().find("secret\n") == std::string::npos);
  }
  CHECK(read_secret_file(home / "none").error().code == ErrorCode::kNotFound);
  std::filesystem::create_symlink(home / "password", home / "link");
  CHECK_FALSE(read_secret_file(home / "link"));
}

}  // namespace vipauth::test
