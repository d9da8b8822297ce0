#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <vipauth/agent_key_stores.hpp>

#include "running_router.hpp"
#include "support/catch.hpp"
#include "support/paths.hpp"

namespace vipauth::test {
namespace {

using namespace std::string_literals;
using vip_router::VipRouter;

/// A home that knows alice, bob, an administrator, and the agent "callee", whose method "guarded" requires a
/// capability.
struct Cast {
  Cast() {
    home.write("config", "[volttron]\ninstance-name = volttron1\nbind-web-address = https://here:8443\n");
    home.write("protected_topics.json",
               R"({"write-protect": [{"topic": "secret/", "capabilities": ["can_pub"]}]})");
    write_records();
  }

  void write_records(Json::Object capabilities_of_bob = {{"may_call", Json::Object{{"x", 1}}}}) const {
    Json callees = curve_record("callee", callee.public_key);
    callees.set("identity", "callee");
    callees.set("rpc_method_authorizations", Json::Object{{"guarded", Json::Array{"may_call"}}});
    Json bobs = curve_record("bob", bob.public_key);
    bobs.set("capabilities", std::move(capabilities_of_bob));
    Json admins = curve_record("admin", admin.public_key);
    admins.set("capabilities", Json::Object{{"allow_auth_modifications", Json()}});
    home.replace("auth.json", auth_json({curve_record("alice", alice.public_key), bobs, callees, admins}));
  }

  /// For the foreign client, who takes them as text.
  std::string keys() const {
    Json out;
    const auto add = [&](const char* user, const CurveKeyPair& keys) {
      CurveKey::Bytes secret{};
      std::copy_n(keys.secret_key.bytes().begin(), secret.size(), secret.begin());
      out.set(user, Json::Array{keys.public_key.to_base64url(), CurveKey(secret).to_base64url()});
    };
    add("alice", alice);
    add("bob", bob);
    add("callee", callee);
    add("admin", admin);
    return out.dump();
  }

  TempHome home;
  CurveKeyPair alice = CurveKeyPair::generate();
  CurveKeyPair bob = CurveKeyPair::generate();
  CurveKeyPair callee = CurveKeyPair::generate();
  CurveKeyPair admin = CurveKeyPair::generate();
};

}  // namespace

TEST_CASE("VipRouter: speaks to a foreign client frame by frame") {
  if (std::system("/usr/bin/python3 -c 'import zmq' 2>/dev/null") != 0) {
    WARN("skipped: python3-zmq is not installed");
    return;
  }
  const Cast cast;
  const RunningRouter router(cast.home);
  const std::string command = "/usr/bin/python3 -B " VIPAUTH_SOURCE_DIR "/tests/integration/vip_frames.py " +
                              router.endpoint() + " " + router.key().to_base64url() + " >" +
                              (cast.home / "output").string() + " 2>&1";
  std::FILE* python = ::popen(command.c_str(), "w");
  REQUIRE(python != nullptr);
  const std::string keys = cast.keys();
  std::fwrite(keys.data(), 1, keys.size(), python);
  const int status = ::pclose(python);
  INFO(cast.home.read("output"));
  CHECK(status == 0);
}

}  // namespace vipauth::test
