#include <vipauth/agent_key_stores.hpp>

#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <vector>

#include "support/catch.hpp"
#include "support/few_descriptors.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

unsigned mode_of(const std::filesystem::path& path) {
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777U;
}

}  // namespace

TEST_CASE("AgentKeyStores: a pair is made in private folders, and found again") {
  const TempHome home;
  const AgentKeyStores stores(home.path());
  CHECK(stores.identities()->empty());
  const auto made = stores.load_or_create("agent.one");
  REQUIRE(made);
  CHECK(home.has("keystores/agent.one/keystore.json"));
  CHECK(mode_of(home / "keystores") == 0700);
  CHECK(mode_of(home / "keystores/agent.one") == 0700);
  CHECK(mode_of(home / "keystores/agent.one/keystore.json") == 0600);
  CHECK(stores.load_or_create("agent.one")->public_key == made->public_key);
  CHECK(stores.find("agent.one")->load()->public_key == made->public_key);
  CHECK(stores.load_or_create("agent.two")->public_key != made->public_key);
  CHECK(*stores.identities() == std::vector<std::string>{"agent.one", "agent.two"});
}

TEST_CASE("AgentKeyStores: an identity that is no name of a folder is refused") {
  const TempHome home;
  const AgentKeyStores stores(home.path());
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("../x"), std::string("a/b"),
        std::string("/etc"), std::string("a\0b", 3), std::string("a\nb"), std::string("\x1b[2J"),
        std::string("\xff"), std::string(256, 'a')}) {
    const auto refused = stores.find(bad);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kInvalidArgument);
    CHECK_FALSE(stores.load_or_create(bad));
  }
  CHECK_FALSE(home.has("keystores"));
  CHECK(stores.load_or_create("..."));
  CHECK(stores.load_or_create(std::string(255, 'a')));
}

TEST_CASE("AgentKeyStores: only folders with a key store are agents") {
  const TempHome home;
  const AgentKeyStores stores(home.path());
  REQUIRE(stores.load_or_create("a"));
  std::filesystem::create_directory(home / "keystores/empty");
  home.write("keystores/file", "");
  CHECK(*stores.identities() == std::vector<std::string>{"a"});
}

TEST_CASE("AgentKeyStores: symbolic links are not followed") {
  const TempHome home;
  const TempHome elsewhere;
  std::filesystem::create_directory_symlink(elsewhere.path(), home / "keystores");
  const auto refused = AgentKeyStores(home.path()).load_or_create("a");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kPermissionDenied);
  CHECK(std::filesystem::is_empty(elsewhere.path()));
}

TEST_CASE("AgentKeyStores: a pair is removed by its public key alone") {
  const TempHome home;
  const AgentKeyStores stores(home.path());
  const auto made = stores.load_or_create("a");
  REQUIRE(made);
  CHECK(stores.remove("a", CurveKeyPair::generate().public_key).error().code == ErrorCode::kConflict);
  CHECK(home.has("keystores/a/keystore.json"));
  REQUIRE(stores.remove("a", made->public_key));
  CHECK_FALSE(home.has("keystores/a/keystore.json"));
  CHECK(stores.identities()->empty());
}

TEST_CASE("KeyStore: the next pair takes the place of the present one, which is kept") {
  const TempHome home;
  const KeyStore store(home / "keystore");
  const auto first = store.load_or_create();
  REQUIRE(first);
  CHECK(store.promote_next(CurveKeyPair::generate().public_key).error().code == ErrorCode::kNotFound);
  const auto next = store.next().load_or_create();
  REQUIRE(next);
  CHECK(store.load()->public_key == first->public_key);
  CHECK(store.promote_next(CurveKeyPair::generate().public_key).error().code == ErrorCode::kConflict);
  CHECK(store.load()->public_key == first->public_key);

  REQUIRE(store.promote_next(next->public_key));
  CHECK(store.load()->public_key == next->public_key);
  CHECK(store.previous().load()->public_key == first->public_key);
  CHECK(store.next().load().error().code == ErrorCode::kNotFound);
  CHECK(mode_of(home / "keystore") == 0600);
  CHECK(mode_of(home / "keystore.bak") == 0600);
  CHECK(store.promote_next(next->public_key));  // as after a crash
  CHECK(store.previous().load()->public_key == first->public_key);
}

TEST_CASE("KeyStore: a key store that cannot be read keeps its place") {
  const TempHome home;
  const KeyStore store(home / "keystore");
  const auto next = store.next().load_or_create();
  REQUIRE(next);
  home.write("keystore", "{}");
  CHECK_FALSE(store.promote_next(next->public_key));
  CHECK(home.read("keystore") == "{}");
  CHECK(home.has("keystore.next"));
}

TEST_CASE("AgentKeyStores: folders in which others could swap agents are refused") {
  const TempHome home;
  REQUIRE(AgentKeyStores(home.path()).load_or_create("a"));
  for (const char* folder : {"keystores", "."}) {
    home.set_mode(folder, 0707);
    const AgentKeyStores stores(home.path());
    CHECK(stores.find("a").error().code == ErrorCode::kPermissionDenied);
    CHECK(stores.load_or_create("b").error().code == ErrorCode::kPermissionDenied);
    CHECK(stores.identities().error().code == ErrorCode::kPermissionDenied);
    CHECK(AgentKeyStores(home.path(), StrictModes::kOff).find("a"));
    home.set_mode(folder, 0700);
    CHECK(stores.find("a"));
  }
  CHECK_FALSE(home.has("keystores/b"));
}

TEST_CASE("AgentKeyStores: key stores that cannot be listed are not taken for none") {
  const TempHome home;
  const AgentKeyStores stores(home.path());
  home.write("keystores", "");
  const auto of_a_file = stores.identities();
  REQUIRE_FALSE(of_a_file);
  CHECK(of_a_file.error().code == ErrorCode::kNotFound);
  CHECK_THAT(of_a_file.error().message, Catch::Contains((home / "keystores").string()));

  std::filesystem::remove(home / "keystores");
  REQUIRE(stores.load_or_create("a"));
  const auto without_descriptors = [&] {
    const FewDescriptors none(0);
    return stores.identities();
  }();
  REQUIRE_FALSE(without_descriptors);
  CHECK(without_descriptors.error().code == ErrorCode::kIoError);
  CHECK(*stores.identities() == std::vector<std::string>{"a"});
}
