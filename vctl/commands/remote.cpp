#include "auth/remote.hpp"

#include "commands/commands.hpp"

namespace vipauth::vctl {
namespace {

const std::string kDocument = R"({"kind": ..., "user_id": ..., "address": ..., "status": ..., ...})";
constexpr const char* kCommas = "delimit multiple entries with comma";

/// Which of two things a name stands for.
Argument kind(std::optional<auth::RemoteKind>& target) {
  return option({"--kind"}, "KIND", "csr or credentials, where both have that name",
                [&target](const std::string& text) -> Result<void> {
                  if (text != "csr" && text != "credentials") {
                    return Error{ErrorCode::kInvalidArgument,
                                 "must be csr or credentials, not \"" + text + "\"", ""};
                  }
                  target = text == "csr" ? auth::RemoteKind::kCsr : auth::RemoteKind::kCredentials;
                  return {};
                })
      .of({"csr", "credentials"});
}

Command list() {
  const auto options = std::make_shared<auth::RemoteListOptions>();
  Command command =
      verb("list", "lists approved, denied, and pending certs and credentials", options, auth::remote_list);
  command.arguments.push_back(
      option({"--status"}, "STATUS", options->status, "Specify approved, denied, or pending")
          .of({"approved", "denied", "pending"}));
  command.json = R"({"remote": [)" + kDocument + "]}";
  return command;
}

Command approve() {
  const auto options = std::make_shared<auth::RemoteApproveOptions>();
  Command command =
      verb("approve", "approves pending or denied remote connection", options, auth::remote_approve);
  command.arguments = {
      positional("USER_ID", options->user_id, "user_id of pending or denied credential to approve"),
      option({"--user_id"}, "NAME", options->new_user_id, "the name that it gets"),
      option({"--identity"}, "IDENTITY", options->identity, "the VIP identity that it may use"),
      option({"--roles"}, "ROLES", options->roles, kCommas),
      option({"--groups"}, "GROUPS", options->groups, kCommas),
      option({"--capabilities"}, "CAPABILITIES", options->capabilities, std::string(kCommas) + ", or JSON"),
      flag({"--any_address"}, options->any_address,
           "let it in from any address, not only from the one that it asked from"),
      option({"--credentials"}, "KEY", options->credentials,
             "the public key that the peer must have: who waits under its name with another is not let in"),
      option({"--fingerprint"}, "FINGERPRINT", options->fingerprint,
             "the key that the request for a certificate must be for"),
      kind(options->kind)};
  command.note = "A request for a certificate takes none of the options but --fingerprint and --kind.";
  command.json = R"({"approved": )" + kDocument + "}";
  return command;
}

Command deny() {
  const auto options = std::make_shared<auth::RemoteUser>();
  Command command = verb("deny", "denies pending or approved remote connection", options, auth::remote_deny);
  command.arguments.push_back(
      positional("USER_ID", options->user_id, "user_id of pending or approved credential to deny"));
  command.arguments.push_back(kind(options->kind));
  command.json = R"({"denied": )" + kDocument + "}";
  return command;
}

Command forget() {
  const auto options = std::make_shared<auth::RemoteUser>();
  Command command =
      verb("delete", "forgets a remote connection, which must ask again", options, auth::remote_delete);
  command.arguments.push_back(positional("USER_ID", options->user_id, "user_id of credential to delete"));
  command.arguments.push_back(kind(options->kind));
  command.json = R"({"deleted": )" + kDocument + "}";
  return command;
}

Command sync() {
  Command command =
      verb("sync", "make the broker's users those whose certificates are approved", auth::remote_sync);
  command.json = R"({"approved": ["..."]})";
  return command;
}

}  // namespace

std::vector<Command> remote_commands() {
  Command remote = group("remote", "manage pending RMQ certs and ZMQ credentials");
  remote.commands = with_store(with_bus(OverBus::kWorks, {list(), approve(), deny(), forget()}));
  remote.commands.push_back(sync());
  return {remote};
}

}  // namespace vipauth::vctl
