#include "network.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>

#include <sched.h>

namespace vipauth::fleet_drill {
namespace {

bool run(const std::string& command) {
  return std::system(("PATH=/usr/sbin:/usr/bin:/sbin:/bin " + command + " 2>/dev/null").c_str()) == 0;
}

void must_run(const std::string& command) {
  if (!run(command)) throw std::runtime_error("this failed: " + command);
}

}  // namespace

bool Network::is_possible() {
  const std::string name = "vipauth-try-" + std::to_string(::getpid());
  if (::geteuid() != 0 || !run("ip netns add " + name)) return false;
  return run("ip netns del " + name);
}

Network::Network() {
  // Of 198.18.0.0/15, for tests of networks (RFC 2544).
  const unsigned number = static_cast<unsigned>(::getpid()) % 16384U;
  const std::string net = "198.18." + std::to_string(number / 64) + ".";
  const unsigned first = number % 64 * 4;
  name_ = "vipauth-" + std::to_string(::getpid());
  cable_ = "vd" + std::to_string(::getpid());
  address_ = net + std::to_string(first + 1);
  const std::string inside = "ip -n " + name_ + " ";
  must_run("ip netns add " + name_);
  must_run("ip link add " + cable_ + " type veth peer name there netns " + name_);
  must_run("ip address add " + address_ + "/30 dev " + cable_);
  must_run(inside + "address add " + net + std::to_string(first + 2) + "/30 dev there");
  must_run(inside + "link set lo up");
  must_run(inside + "link set there up");
  mend();
}

Network::~Network() { run("ip netns del " + name_); }

void Network::cut() { must_run("ip link set " + cable_ + " down"); }
void Network::mend() { must_run("ip link set " + cable_ + " up"); }

void enter_network(const std::string& name) {
  const int file = ::open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC);
  const bool is_there = file >= 0 && ::setns(file, CLONE_NEWNET) == 0;
  if (file >= 0) ::close(file);
  if (!is_there) throw std::runtime_error("cannot enter the network " + name);
}

}  // namespace vipauth::fleet_drill
