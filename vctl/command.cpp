#include "command.hpp"

#include <algorithm>
#include <utility>

namespace vipauth::vctl {
namespace {

/// Each name, and behind it its spelling with hyphens for underscores.
std::vector<std::string> with_hyphens(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& name : names) {
    out.push_back(name);
    std::string hyphened = name;
    std::replace(hyphened.begin(), hyphened.end(), '_', '-');
    if (hyphened != name) out.push_back(std::move(hyphened));
  }
  return out;
}

Argument make_positional(std::string name, std::string description, Argument::Count count) {
  Argument argument;
  argument.kind = Argument::Kind::kPositional;
  argument.value_name = name;
  argument.names = {std::move(name)};
  argument.description = std::move(description);
  argument.count = count;
  return argument;
}

template <typename Target>
auto store_first(Target& target) {
  return [&target](const std::vector<std::string>& values) -> Result<void> {
    target = values.front();
    return {};
  };
}

}  // namespace

Argument flag(std::vector<std::string> names, bool& target, std::string description) {
  Argument argument;
  argument.kind = Argument::Kind::kFlag;
  argument.names = with_hyphens(names);
  argument.description = std::move(description);
  argument.take = [&target](const std::vector<std::string>&) -> Result<void> {
    target = true;
    return {};
  };
  return argument;
}

Argument option(std::vector<std::string> names, std::string value_name, std::string description,
                std::function<Result<void>(const std::string&)> take) {
  Argument argument;
  argument.names = with_hyphens(names);
  argument.value_name = std::move(value_name);
  argument.description = std::move(description);
  argument.take = [take = std::move(take)](const std::vector<std::string>& values) {
    return take(values.front());
  };
  return argument;
}

Argument option(std::vector<std::string> names, std::string value_name, std::optional<std::string>& target,
                std::string description) {
  return option(std::move(names), std::move(value_name), std::move(description),
                [&target](const std::string& value) -> Result<void> {
                  target = value;
                  return {};
                });
}

Argument list_option(std::vector<std::string> names, std::string value_name,
                     std::optional<std::vector<std::string>>& target, std::string description) {
  Argument argument;
  argument.names = with_hyphens(names);
  argument.value_name = std::move(value_name);
  argument.description = std::move(description);
  argument.count = Argument::Count::kMany;
  argument.take = [&target](const std::vector<std::string>& values) -> Result<void> {
    target = values;
    return {};
  };
  return argument;
}

Argument positional(std::string name, std::string& target, std::string description) {
  Argument argument = make_positional(std::move(name), std::move(description), Argument::Count::kOne);
  argument.is_required = true;
  argument.take = store_first(target);
  return argument;
}

Argument positional(std::string name, std::optional<std::string>& target, std::string description) {
  Argument argument = make_positional(std::move(name), std::move(description), Argument::Count::kOne);
  argument.take = store_first(target);
  return argument;
}

Argument positionals(std::string name, std::vector<std::string>& target, std::string description) {
  Argument argument = make_positional(std::move(name), std::move(description), Argument::Count::kMany);
  argument.take = [&target](const std::vector<std::string>& values) -> Result<void> {
    target = values;
    return {};
  };
  return argument;
}

Command verb(std::string name, std::string description, int (*run)(const Context&)) {
  Command command;
  command.name = std::move(name);
  command.description = std::move(description);
  command.run = run;
  return command;
}

std::vector<Command> with_bus(OverBus over_bus, std::vector<Command> commands) {
  for (Command& command : commands) {
    command.over_bus = over_bus;
    command.commands = with_bus(over_bus, std::move(command.commands));
  }
  return commands;
}

std::vector<Command> with_store(std::vector<Command> commands) {
  for (Command& command : commands) {
    command.over_store = OverStore::kWorks;
    command.commands = with_store(std::move(command.commands));
  }
  return commands;
}

Command group(std::string name, std::string description) {
  Command command;
  command.name = std::move(name);
  command.description = std::move(description);
  return command;
}

}  // namespace vipauth::vctl
