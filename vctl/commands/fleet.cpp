#include "auth/fleet.hpp"

#include "commands/commands.hpp"

namespace vipauth::vctl {

std::vector<Command> fleet_commands() {
  Command push =
      verb("push", "make what a fleet shares (--store) what the files of the home say", auth::push);
  push.over_store = OverStore::kWorks;
  push.note =
      "Of any size: buses keep what they have until all is there. A push that was broken off is finished by "
      "another one.";
  push.json = R"({"pushed": {"written": true, "keys": 12, "resumed": false}})";
  Command pull = verb("pull", "make the files of the home what a fleet shares (--store)", auth::pull);
  pull.over_store = OverStore::kWorks;
  pull.note = "Each file is edited once, and undo takes it back.";
  pull.json = R"({"pulled": {"written": true, "records": 12}})";
  Command unfollow =
      verb("unfollow", "end that the home is a bus's copy of a store; its files stay", auth::unfollow);
  unfollow.note = "Stop the bus before: it would begin again.";
  unfollow.json = R"({"unfollowed": "etcd://..."})";
  std::vector<Command> out;
  out.push_back(std::move(push));
  out.push_back(std::move(pull));
  out.push_back(std::move(unfollow));
  return out;
}

}  // namespace vipauth::vctl
