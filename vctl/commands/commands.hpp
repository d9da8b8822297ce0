#pragma once

#include <vector>

#include "command.hpp"

namespace vipauth::vctl {

/// The whole tree of commands, below `vctl`. Its arguments write into `options`, and into what each verb
/// holds itself.
Command root_command(CommonOptions& options);

/// The options that every command takes.
std::vector<Argument> common_arguments(CommonOptions& options);

// The verbs below `auth`, by what they work on.

std::vector<Command> record_commands();       ///< add, update, list, remove ...
std::vector<Command> role_commands();         ///< roles and groups
std::vector<Command> host_commands();         ///< known hosts
std::vector<Command> key_commands();          ///< key pairs, server keys, agents with keys of their own
std::vector<Command> remote_commands();       ///< strangers who wait for a decision
std::vector<Command> rpc_commands();          ///< what callers of an agent's methods need
std::vector<Command> file_commands();         ///< topic rules; the history of files
std::vector<Command> fleet_commands();        ///< between a home and what a fleet shares
std::vector<Command> audit_commands();        ///< the audit log
std::vector<Command> certificate_commands();  ///< certificates, and the web service that gives them
std::vector<Command> question_commands();     ///< what asks the policy, and changes nothing

}  // namespace vipauth::vctl
