#include "store/strict_modes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vipauth/auth_file.hpp>
#include <vipauth/key_store.hpp>
#include <vipauth/topics_file.hpp>

#include "store/atomic_file.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;

using Catch::EndsWith;

namespace {

constexpr uid_t kCaller = 1000;
constexpr uid_t kSomebody = 1001;

struct stat status_of(uid_t owner, mode_t mode) {
  struct stat status{};
  status.st_uid = owner;
  status.st_mode = S_IFREG | mode;
  return status;
}

bool is_good(uid_t owner, mode_t mode, Sensitivity sensitivity, uid_t caller = kCaller,
             uid_t folder_owner = kCaller, bool is_group_private = false) {
  return check_file_modes(status_of(owner, mode), "/h/f", sensitivity, folder_owner, caller, is_group_private)
      .has_value();
}

}  // namespace

TEST_CASE("strict modes: others may not write a file, and read none that is secret") {
  for (const mode_t mode : {0600U, 0644U, 0400U, 0755U, 0444U}) {
    CHECK(is_good(kCaller, mode, Sensitivity::kPublic));
  }
  for (const mode_t mode : {0620U, 0602U, 0666U, 0777U, 01602U}) {
    CHECK_FALSE(is_good(kCaller, mode, Sensitivity::kPublic));
    CHECK_FALSE(is_good(kCaller, mode, Sensitivity::kSecret));
  }
  for (const mode_t mode : {0600U, 0400U, 0700U}) CHECK(is_good(kCaller, mode, Sensitivity::kSecret));
  for (const mode_t mode : {0640U, 0604U}) CHECK_FALSE(is_good(kCaller, mode, Sensitivity::kSecret));
}

TEST_CASE("strict modes: a file belongs to who uses it, or to root") {
  CHECK(is_good(kCaller, 0600, Sensitivity::kSecret));
  CHECK(is_good(0, 0600, Sensitivity::kSecret));
  CHECK_FALSE(is_good(kSomebody, 0600, Sensitivity::kPublic));
  CHECK_FALSE(is_good(kSomebody, 0600, Sensitivity::kPublic, kCaller, kSomebody));
  // Root works on the home of a service.
  CHECK(is_good(kCaller, 0600, Sensitivity::kSecret, 0, kCaller));
  CHECK_FALSE(is_good(kSomebody, 0600, Sensitivity::kSecret, 0, kCaller));
}

TEST_CASE("strict modes: others may not write the folder, sticky or not") {
  const auto folder_is_good = [](uid_t owner, mode_t mode, uid_t caller) {
    return check_folder_modes(status_of(owner, mode), "/h", caller, false).has_value();
  };
  CHECK(folder_is_good(kCaller, 0755, kCaller));
  CHECK(folder_is_good(0, 0755, kCaller));
  CHECK(folder_is_good(kSomebody, 0755, 0));
  CHECK_FALSE(folder_is_good(kSomebody, 0755, kCaller));
  for (const mode_t mode : {0775U, 0757U, 01777U, 02770U})
    CHECK_FALSE(folder_is_good(kCaller, mode, kCaller));
}

TEST_CASE("strict modes: the message gives the command to type") {
  const auto message = [](uid_t owner, mode_t mode, Sensitivity sensitivity, const char* path) {
    return check_file_modes(status_of(owner, mode), path, sensitivity, kCaller, kCaller, false)
        .error()
        .message;
  };
  CHECK_THAT(message(kCaller, 0664, Sensitivity::kPublic, "/h/auth.json"),
             EndsWith("(mode 0664): chmod go-w \"/h/auth.json\""));
  CHECK_THAT(message(kCaller, 0644, Sensitivity::kSecret, "/h/keystore"),
             EndsWith("(mode 0644): chmod 600 \"/h/keystore\""));
  CHECK_THAT(message(kSomebody, 0600, Sensitivity::kPublic, "/h/f"),
             EndsWith("(uid 1001): chown 1000 \"/h/f\""));
  // A name that a shell would obey.
  CHECK_THAT(message(kCaller, 0666, Sensitivity::kPublic, "/h/$(x)`y`\"\\"),
             EndsWith("chmod go-w \"/h/\\$(x)\\`y\\`\\\"\\\\\""));
  CHECK_THAT(check_folder_modes(status_of(kCaller, 01777), "/h", kCaller, false).error().message,
             EndsWith("(mode 1777): chmod go-w \"/h\""));
}

TEST_CASE("strict modes: read_file refuses, and reads again after the chmod") {
  const TempHome home;
  home.write("file", "content");
  const auto code = [&](StrictModes modes = StrictModes::kOn,
                        Sensitivity sensitivity = Sensitivity::kPublic) {
    const auto content = read_file(home / "file", modes, sensitivity);
    return content ? std::string(*content) : std::string(to_string(content.error().code));
  };
  home.set_mode("file", 0644);
  CHECK(code() == "content");
  CHECK(code(StrictModes::kOn, Sensitivity::kSecret) == "permission_denied");
  CHECK(code(StrictModes::kOff, Sensitivity::kSecret) == "content");
  home.set_mode("file", 0646);
  CHECK(code() == "permission_denied");
  CHECK(code(StrictModes::kOff) == "content");
  home.set_mode("file", 0600);
  CHECK(code(StrictModes::kOn, Sensitivity::kSecret) == "content");

  home.set_mode(".", 01777);
  CHECK(code() == "permission_denied");
  CHECK(code(StrictModes::kOff) == "content");
  std::filesystem::remove(home / "file");
  CHECK(code() == "permission_denied");
  CHECK(code(StrictModes::kOff) == "not_found");
  home.set_mode(".", 0700);
  CHECK(code() == "not_found");
}

TEST_CASE("strict modes: a group of the owner alone is no other") {
  for (const mode_t mode : {0660U, 0664U})
    CHECK(is_good(kCaller, mode, Sensitivity::kPublic, kCaller, kCaller, true));
  CHECK(is_good(kCaller, 0660, Sensitivity::kSecret, kCaller, kCaller, true));
  CHECK_FALSE(is_good(kCaller, 0664, Sensitivity::kSecret, kCaller, kCaller, true));
  CHECK_FALSE(is_good(kCaller, 0666, Sensitivity::kPublic, kCaller, kCaller, true));
  CHECK(check_folder_modes(status_of(kCaller, 0775), "/h", kCaller, true));
  CHECK_FALSE(check_folder_modes(status_of(kCaller, 0777), "/h", kCaller, true));
}

TEST_CASE("strict modes: which group is the owner's alone") {
  constexpr gid_t kNoSuchGroup = 987654;
  struct stat status = status_of(0, 0660);
  CHECK(has_private_group(status));  // root's group is root's alone
  // Another user's group, a group of another name, and one that there is not.
  for (const gid_t foreign : {gid_t{4}, gid_t{65534}, kNoSuchGroup}) {
    status.st_gid = foreign;
    CHECK_FALSE(has_private_group(status));
  }
  status.st_uid = 65534;  // nobody's group is called nogroup
  status.st_gid = 65534;
  CHECK_FALSE(has_private_group(status));
}

TEST_CASE("strict modes: a file of another user is refused") {
  const TempHome home;
  home.write("file", "content");
  if (::geteuid() != 0) return;
  constexpr uid_t kOther = 4711;
  REQUIRE(::chown((home / "file").c_str(), kOther, kOther) == 0);
  CHECK(read_file(home / "file").error().code == ErrorCode::kPermissionDenied);
  REQUIRE(::chown(home.path().c_str(), kOther, kOther) == 0);
  CHECK(read_file(home / "file"));  // root, in the home of that user
  home.set_mode(".", 0755);
  home.set_mode("file", 0644);
  ChildProcess nobody([&] {
    if (!drop_privileges()) return 3;
    if (read_file(home / "file", StrictModes::kOff)) return read_file(home / "file") ? 2 : 0;
    return 1;
  });
  CHECK(nobody.wait() == 0);
}

TEST_CASE("strict modes: each file of a home is refused, and nothing is written") {
  const TempHome home;
  const std::string policy = R"({"version": {"major": 1, "minor": 4}})";
  home.write("auth.json", policy);
  home.write("protected_topics.json", "{}");
  REQUIRE(KeyStore(home / "keystore").load_or_create());
  const std::string keys = home.read("keystore");
  for (const char* name : {"auth.json", "protected_topics.json", "keystore"}) home.set_mode(name, 0666);

  const auto add_role = [](Policy& changed) { return changed.add_role("r", Json()); };
  const auto add_topic = [](TopicDocument& changed) {
    return changed.add(TopicList::kWriteProtect, "t", {"c"});
  };
  CHECK(AuthFile(home / "auth.json").load().error().code == ErrorCode::kPermissionDenied);
  CHECK(AuthFile(home / "auth.json").edit(add_role).error().code == ErrorCode::kPermissionDenied);
  CHECK(TopicsFile(home / "protected_topics.json").load().error().code == ErrorCode::kPermissionDenied);
  CHECK(TopicsFile(home / "protected_topics.json").edit(add_topic).error().code ==
        ErrorCode::kPermissionDenied);
  CHECK(KeyStore(home / "keystore").load_or_create().error().code == ErrorCode::kPermissionDenied);
  CHECK(home.read("auth.json") == policy);
  CHECK(home.read("protected_topics.json") == "{}");
  CHECK(home.read("keystore") == keys);
  CHECK_FALSE(home.has("history"));

  CHECK(AuthFile(home / "auth.json", StrictModes::kOff).edit(add_role));
  CHECK(TopicsFile(home / "protected_topics.json", StrictModes::kOff).edit(add_topic));
  CHECK(KeyStore(home / "keystore", StrictModes::kOff).load());
  home.set_mode("keystore", 0604);
  CHECK(KeyStore(home / "keystore").load().error().code == ErrorCode::kPermissionDenied);
  home.set_mode("keystore", 0600);
  CHECK(KeyStore(home / "keystore").load());
}

TEST_CASE("strict modes: a folder that cannot be looked at is refused, one that is not there is not") {
  const TempHome home;
  std::filesystem::create_symlink("loop", home / "loop");
  const auto refused = check_folder_at(home / "loop", StrictModes::kOn);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kIoError);
  CHECK_THAT(refused.error().message, Catch::Contains((home / "loop").string()));
  CHECK(check_folder_at(home / "loop", StrictModes::kOff));
  CHECK(check_folder_at(home / "none", StrictModes::kOn));
}
