#include "auth/certs.hpp"
#include "auth/csr_request.hpp"
#include "auth/serve.hpp"
#include "auth/web_user.hpp"
#include "commands/commands.hpp"

namespace vipauth::vctl {
namespace {

const std::string kCertificate =
    R"({"name": "...", "purpose": "...", "serial": "...", "not_after": "...", "state": "...", ...})";

Command init() {
  Command command = verb("init", "make the root certificate of the instance", auth::certs_init);
  command.note = "A root that is there already stays.";
  command.json = R"({"root": )" + kCertificate + R"(, "path": "..."})";
  return command;
}

Command list() {
  Command command = verb("list", "list the certificates that the instance has issued", auth::certs_list);
  command.json = R"({"certificates": [)" + kCertificate + "]}";
  return command;
}

Command create() {
  const auto options = std::make_shared<auth::CertsCreateOptions>();
  Command command =
      verb("create", "make a key and a certificate for an agent, an administrator or a server here", options,
           auth::certs_create);
  command.arguments = {
      positional("NAME", options->name, "the common name, which begins with that of the instance"),
      list_option({"--host"}, "HOST", options->hosts, "of a server: its host names and IP addresses")};
  command.note =
      "What is there, and serves, stays. A broker needs one with --host; who shows one whose name is a "
      "user_id "
      "that holds allow_auth_modifications administers the web service.";
  command.json = R"({"certificate": "...", "key": "...", "authority": "..."})";
  return command;
}

Command renew() {
  const auto options = std::make_shared<auth::CertsRenewOptions>();
  Command command =
      verb("renew", "issue another certificate to a name that has one", options, auth::certs_renew);
  command.arguments = {
      positional("NAME", options->name, "the common name"),
      flag({"--new_key"}, options->with_new_key, "with a new key; the certificate before is revoked")};
  command.note =
      "An agent of another platform gets it when it asks the next time. A revoked one is never renewed.";
  command.json = R"({"renewed": )" + kCertificate + "}";
  return command;
}

Command revoke() {
  const auto options = std::make_shared<auth::CertsName>();
  Command command = verb("revoke", "take a certificate back, for good", options, auth::certs_revoke);
  command.arguments.push_back(positional("NAME", options->name, "the common name"));
  command.json = R"({"revoked": "..."})";
  return command;
}

Command crl() {
  const auto options = std::make_shared<auth::CertsCrlOptions>();
  Command command =
      verb("crl", "bring the revocation list up to date, and tell where it is", options, auth::certs_crl);
  command.arguments.push_back(flag({"--print"}, options->is_printed, "print the list itself"));
  command.json = R"({"path": "...", "folder": "...", "crl": "..."})";
  return command;
}

Command request() {
  const auto options = std::make_shared<auth::CsrRequestOptions>();
  Command command = verb("request", "ask another platform for a certificate, or how that stands", options,
                         auth::csr_request);
  command.arguments = {positional("URL", options->url, "its web address: https://HOST:PORT"),
                       option({"--identity"}, "IDENTITY", "the agent that it is for (default: vctl)",
                              [options](const std::string& text) -> Result<void> {
                                options->identity = text;
                                return {};
                              }),
                       option({"--instance"}, "NAME", options->instance,
                              "this instance (default: instance-name of the configuration)"),
                       option({"--ca"}, "FILE", options->authorities,
                              "the authority that has signed the server's certificate"),
                       option({"--fingerprint"}, "FINGERPRINT", options->fingerprint,
                              "or the SHA-256 fingerprint of the server's certificate"),
                       flag({"--wait"}, options->waits, "ask again, every 5 seconds, until it is decided")};
  command.note = "Exits with 0 where it is approved, 2 where it is denied, 1 while it is pending.";
  command.json =
      R"({"status": "PENDING", "common_name": "...", "key_fingerprint": "...", "certificate": null, "key": "...", )"
      R"("authority": null, "message": "...", "reached": true, "discovery": {...}})";
  return command;
}

Command add_user() {
  const auto options = std::make_shared<auth::WebUserAddOptions>();
  Command command = verb("add", "let somebody log in to the web service", options, auth::web_user_add);
  command.arguments = {
      positional("NAME", options->name, "the name to log in with"),
      option({"--groups"}, "GROUPS", options->groups, "delimit multiple entries with comma (default: admin)"),
      flag({"--replace"}, options->replaces, "one that is there gets another password, and these groups")};
  command.note = "The password is asked for; where nobody types, it is the first line of the standard input.";
  command.json = R"({"added": {"name": "...", "groups": ["admin"]}})";
  return command;
}

Command list_users() {
  Command command = verb("list", "list who may log in to the web service", auth::web_user_list);
  command.json = R"({"users": [{"name": "...", "groups": ["admin"]}]})";
  return command;
}

Command remove_user() {
  const auto options = std::make_shared<auth::WebUserName>();
  Command command = verb("remove", "let somebody log in no more", options, auth::web_user_remove);
  command.arguments.push_back(positional("NAME", options->name, "the name to log in with"));
  command.json = R"({"removed": "..."})";
  return command;
}

Command serve() {
  Command command =
      verb("serve", "run the web service of the instance, until it is ended by a signal", auth::serve);
  command.note =
      "The configuration says where: bind-web-address, web-ssl-cert, web-ssl-key, instance-name, "
      "vip-address, "
      "rmq-address, and rmq-management-url with the settings of RabbitMQ. With --store, whose address names "
      "a site "
      "(?site=NAME), the requests for certificates can be seen and decided there, too.";
  command.over_store = OverStore::kBeside;
  command.json = R"({"address": "https://...", "fingerprint": "...", "authority": "..."})";
  return command;
}

}  // namespace

std::vector<Command> certificate_commands() {
  Command certs = group("certs", "manage the certificates that the instance has issued");
  certs.commands = {init(), list(), create(), renew(), revoke(), crl()};
  Command csr = group("csr", "ask other platforms for certificates");
  csr.commands = {request()};
  Command web_user = group("web-user", "manage who may log in to the web service");
  web_user.commands = {add_user(), list_users(), remove_user()};
  return {certs, csr, web_user, serve()};
}

}  // namespace vipauth::vctl
