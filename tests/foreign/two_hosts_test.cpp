// Two routers on two hosts, which are network namespaces.

#include <cstdlib>
#include <string>

#include "support/catch.hpp"
#include "support/paths.hpp"
#include "support/temp_home.hpp"

namespace vipauth::test {
namespace {

bool works(const char* command) { return std::system(command) == 0; }

}  // namespace

TEST_CASE("VipRouter: an agent of another host joins, is approved, works, and is denied") {
  if (!works("/usr/bin/python3 -c 'import zmq' 2>/dev/null")) {
    WARN("skipped: python3-zmq is not installed");
    return;
  }
  if (!works("ip netns add vip-try 2>/dev/null && ip netns delete vip-try")) {
    WARN("skipped: only root may make network namespaces");
    return;
  }
  const TempHome folder;
  const std::string command = "timeout -s INT 200 /usr/bin/python3 -B " VIPAUTH_SOURCE_DIR
                              "/tests/foreign/two_hosts.py " EXAMPLES_DIR " " +
                              folder.path().string() + " >" + (folder / "output").string() + " 2>&1";
  const bool is_good = works(command.c_str());
  INFO(folder.read("output"));
  CHECK(is_good);
}

}  // namespace vipauth::test
