// The smallest example servers, in C++, C and Python, as processes.

#include <cstdlib>
#include <string>
#include <vector>

#include "server_process.hpp"
#include "support/catch.hpp"
#include "support/curve_peers.hpp"
#include "support/paths.hpp"

namespace vipauth::test {
namespace {

std::string ask(CurveClient& client, const std::string& topic) {
  send(client.socket, {topic});
  const auto answer = receive(client.socket);
  return answer ? answer->back() : "no answer";
}

/// alice is let in, told what she may, and who is not known is kept out.
void check_server(const std::vector<std::string>& command) {
  const TempHome home;
  const CurveKeyPair alice_keys = CurveKeyPair::generate();
  home.write("auth.json", auth_json({curve_record("alice", alice_keys.public_key)}));
  home.write("protected_topics.json",
             R"({"write-protect": [{"topic": "closed", "capabilities": ["can_publish"]}]})");
  std::vector<std::string> whole = command;
  whole.push_back(home.path().string());
  whole.emplace_back("tcp://127.0.0.1:*");
  const ServerProcess server(whole);
  REQUIRE(server.addresses.size() == 1);
  const std::string endpoint = server.addresses[0].endpoint;
  const CurveKey key = must(CurveKey::parse(server.addresses[0].key));

  zmq::context_t context;
  CurveClient alice(context, endpoint, key, alice_keys, "alice");
  CHECK(ask(alice, "open") == "allowed");
  CHECK(ask(alice, "closed").find("requires capabilities ['can_publish']") != std::string::npos);
  CurveClient impostor(context, endpoint, key, alice_keys, "control");
  CHECK(ask(impostor, "open").find("'control'") != std::string::npos);
  CurveClient stranger(context, endpoint, key, CurveKeyPair::generate());
  CHECK(stranger.becomes(ConnectionState::kWaiting));
}

}  // namespace

TEST_CASE("embedding: guards a bus in C++") { check_server({EXAMPLES_DIR "/embedding"}); }

TEST_CASE("embedding_c: guards a bus in C") { check_server({EXAMPLES_DIR "/embedding_c"}); }

TEST_CASE("vipauth for Python: guards a bus of pyzmq") {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  WARN("skipped: Python cannot load a library that is built with a sanitizer");
  return;
#endif
  if (std::system("/usr/bin/python3 -c 'import zmq' 2>/dev/null") != 0) {
    WARN("skipped: python3-zmq is not installed");
    return;
  }
  check_server({"/usr/bin/python3", VIPAUTH_SOURCE_DIR "/examples/python/server.py"});
}

}  // namespace vipauth::test
