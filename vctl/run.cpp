#include "run.hpp"

#include <exception>
#include <optional>
#include <ostream>
#include <string>
#include <variant>

#include "command_line.hpp"
#include "output.hpp"
#include "platform.hpp"
#include "store.hpp"

namespace vipauth::vctl {
namespace {

constexpr const char* kOnFiles = "this verb works on the files of a home, on the machine that has them";

/// Connects to what the verb is to work on in the place of files, where one is named.
/// \return an exit code where it cannot
std::optional<int> connect(Context& context, const CommandLine& command) {
  const auto& address = command.options.vip_address;
  const auto& store = command.options.store;
  if (address && store) {
    return fail_usage(context,
                      "--store: takes the place of files, and so does --vip-address: give one of them");
  }
  if (address) {
    if (command.over_bus == OverBus::kRefused) {
      return fail_usage(context, std::string("--vip-address: ") + kOnFiles);
    }
    if (command.over_bus == OverBus::kWorks) {
      auto platform = Platform::connect(context, *address);
      if (!platform) return fail(context, platform.error());
      context.platform = *std::move(platform);
    }
  }
  if (store) {
    if (command.over_store == OverStore::kRefused) {
      return fail_usage(context, std::string("--store: ") + kOnFiles);
    }
  }
  if (store && command.over_store == OverStore::kWorks) {
    auto opened = open_store(context, *store);
    if (!opened) return fail(context, opened.error().at("--store"));
    context.store = *std::move(opened);
  }
  return std::nullopt;
}

int run_or_throw(std::span<const std::string> arguments, Env& env) {
  const auto parsed = parse_command_line(arguments);
  if (const auto* notice = std::get_if<Notice>(&parsed)) {
    (notice->exit_code == kExitDone ? env.out : env.err) << notice->text;
    return notice->exit_code;
  }
  const auto& command = std::get<CommandLine>(parsed);
  Context context{env, command.options, command.command};
  if (const auto failed = connect(context, command)) return *failed;
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
