#include "store/file_content.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include "base/sha256.hpp"
#include "support/catch.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

FileContent content_of(const TempHome& home, std::string_view name, std::string_view text) {
  home.write(name, text);
  auto content = FileContent::open(home / name, StrictModes::kOn);
  REQUIRE(content);
  return *std::move(content);
}

std::string copied(const FileContent& content) {
  std::string out;
  CHECK(content.writer()([&](std::string_view block) {
    out += block;
    return true;
  }));
  return out;
}

}  // namespace

TEST_CASE("FileContent: the same bytes each time, of whatever size") {
  const TempHome home;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{5}, std::size_t{65'536}, FileContent::kSmallBytes,
        FileContent::kSmallBytes + 1, 3 * FileContent::kSmallBytes}) {
    CAPTURE(size);
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; i += 7) text[i] = static_cast<char>('a' + i % 23);
    const FileContent content = content_of(home, "file", text);
    home.replace("file", "another");
    CHECK(content.size() == size);
    for (int i = 0; i < 2; ++i) {
      CHECK(*content.text() == text);
      CHECK(copied(content) == text);
      CHECK(*content.sha256() == sha256_hex(text));
    }
    CHECK(content.is_same_as(FileContent::of(text)));
    CHECK(FileContent::of(text).is_same_as(content));
    CHECK_FALSE(content.is_same_as(FileContent::of(text + "y")));
    CHECK_FALSE(FileContent::of(text + "y").is_same_as(content));
    if (size > 0) CHECK_FALSE(content.is_same_as(FileContent::of(text.substr(1) + "!")));
    CHECK(content.is_as_opened());
  }
}

TEST_CASE("FileContent: a small file stays as it was read, of a large one is told that it was written into") {
  const TempHome home;
  const FileContent small = content_of(home, "small", "text");
  home.write("small", "other");
  CHECK(small.is_as_opened());
  CHECK(*small.text() == "text");

  const FileContent large = content_of(home, "large", std::string(FileContent::kSmallBytes + 1, 'x'));
  std::ofstream(home / "large", std::ios::app) << "y";
  CHECK_FALSE(large.is_as_opened());
}

TEST_CASE("FileContent: what is not a file of ours is refused") {
  const TempHome home;
  CHECK(FileContent::open(home / "none", StrictModes::kOn).error().code == ErrorCode::kNotFound);
  home.write("file", "x");
  std::filesystem::create_symlink("file", home / "link");
  CHECK(FileContent::open(home / "link", StrictModes::kOn).error().code == ErrorCode::kPermissionDenied);
  home.set_mode("file", 0666);
  CHECK_FALSE(FileContent::open(home / "file", StrictModes::kOn));
  CHECK(FileContent::open(home / "file", StrictModes::kOff));
}
