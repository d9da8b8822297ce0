#include "run.hpp"

#include <exception>
#include <ostream>
#include <variant>

#include "command_line.hpp"
#include "output.hpp"
#include "platform.hpp"

namespace vipauth::vctl {
namespace {

int run_or_throw(std::span<const std::string> arguments, Env& env) {
  const auto parsed = parse_command_line(arguments);
  if (const auto* notice = std::get_if<Notice>(&parsed)) {
    (notice->exit_code == kExitDone ? env.out : env.err) << notice->text;
    return notice->exit_code;
  }
  const auto& command = std::get<CommandLine>(parsed);
  Context context{env, command.options, command.command};
  if (const auto& address = command.options.vip_address) {
    if (command.over_bus == OverBus::kRefused) {
      return fail_usage(
          context, "--vip-address: this verb works on the files of a home, on the machine that has them");
    }
    if (command.over_bus == OverBus::kWorks) {
      auto platform = Platform::connect(context, *address);
      if (!platform) return fail(context, platform.error());
      context.platform = *std::move(platform);
    }
  }
  return command.verb(context);
}

}  // namespace

int run(std::span<const std::string> arguments, Env& env) {
  int exit_code = kExitFailed;
  try {
    exit_code = run_or_throw(arguments, env);
  } catch (const std::exception& error) {  // out of memory, a file system that fails between two looks
    env.err << "error: " << printable(error.what()) << '\n';
  }
  env.out.flush();
  if (env.out.good()) return exit_code;
  env.err << "error: the output could not be written\n";
  return exit_code == kExitDone ? kExitFailed : exit_code;
}

}  // namespace vipauth::vctl
