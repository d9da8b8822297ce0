#include "auth/add_known_host.hpp"
#include "auth/list_known_hosts.hpp"
#include "auth/probe.hpp"
#include "auth/remove_known_host.hpp"
#include "commands/commands.hpp"

namespace vipauth::vctl {
namespace {

Command add_known_host() {
  const auto options = std::make_shared<auth::AddKnownHostOptions>();
  Command command =
      verb("add-known-host", "add server public key to known-hosts file", options, auth::add_known_host);
  command.arguments.push_back(
      option({"--host"}, "HOST", options->host, "where the server is: HOST:PORT, or its VIP address")
          .required());
  command.arguments.push_back(
      option({"--serverkey"}, "SERVERKEY", options->serverkey, "its public key").required());
  command.note = "Another key of the same host is replaced.";
  command.json =
      R"({"host": "...", "serverkey": "...", "fingerprint": "SHA256:...", "replaced": "..." or null})";
  return command;
}

Command list_known_hosts() {
  Command command = verb("list-known-hosts", "list entries from known-hosts file", auth::list_known_hosts);
  command.json =
      R"({"known_hosts": [{"host": "...", "serverkey": "...", "fingerprint": "SHA256:..." or "problem": "..."}]})";
  return command;
}

Command remove_known_host() {
  const auto options = std::make_shared<auth::RemoveKnownHostOptions>();
  Command command =
      verb("remove-known-host", "remove entry from known-hosts file", options, auth::remove_known_host);
  command.arguments.push_back(
      positional("HOST", options->host, "the host as it is listed, or its VIP address").required());
  command.json = R"({"removed": ["127.0.0.1:22916"]})";
  return command;
}

Command probe() {
  const auto options = std::make_shared<auth::ProbeOptions>();
  Command command =
      verb("probe", "connect to an address, and say what a client meets there", options, auth::probe);
  command.arguments.push_back(positional(
      "ADDRESS", options->address,
      "where to connect to; #IDENTITY behind it: as that agent of the home, by default control.connection"));
  command.note =
      "Exit code: 0 accepted; 2 refused, or waiting for approval; 1 anything else. It waits for ten seconds "
      "at most.";
  command.json =
      R"({"state": "accepted", "user_id": "A", "identity": "a"} or {"state": "pending", "advice": "..."})";
  return command;
}

}  // namespace

std::vector<Command> host_commands() {
  std::vector<Command> out;
  out.push_back(probe());
  out.push_back(add_known_host());
  out.push_back(list_known_hosts());
  out.push_back(remove_known_host());
  return out;
}

}  // namespace vipauth::vctl
