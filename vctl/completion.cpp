#include "completion.hpp"

#include <functional>
#include <set>
#include <string_view>
#include <vector>

#include "shell_text.hpp"

namespace vipauth::vctl {
namespace {

/// Calls `visit` with each command and its words, "vctl auth add", groups before what is in them.
void walk(const Command& command, const std::string& path,
          const std::function<void(const Command&, const std::string&)>& visit) {
  visit(command, path);
  for (const Command& below : command.commands) walk(below, path + " " + below.name, visit);
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : between) + word;
  return out;
}

std::vector<std::string> all_names(const Command& command) {
  std::vector<std::string> out{command.name};
  out.insert(out.end(), command.other_names.begin(), command.other_names.end());
  return out;
}

/// Options of a command and of every command: the root's stand anywhere.
std::vector<const Argument*> options_of(const Command& command, const Command& root) {
  std::vector<const Argument*> out;
  for (const Command* from : {&command, &root}) {
    for (const Argument& argument : from->arguments) {
      if (argument.kind != Argument::Kind::kPositional) out.push_back(&argument);
    }
    if (&command == &root) break;
  }
  return out;
}

bool names_a_path(const Argument& argument) {
  return argument.value_name == "FILE" || argument.value_name == "DIR" || argument.value_name == "OLD" ||
         argument.value_name == "NEW";
}

/// The lines of a case statement that tell the path of the next word from the path so far and the word.
std::string path_cases(const Command& root, const char* indent) {
  std::string out;
  walk(root, root.name, [&](const Command& command, const std::string& path) {
    for (const Command& below : command.commands) {
      std::vector<std::string> patterns;
      for (const std::string& name : all_names(below)) {
        std::string words = path;
        words.append(" ").append(name);
        patterns.push_back(shell_quote(words));
      }
      out += indent + joined(patterns, " | ") + ") path=" + shell_quote(path + " " + below.name) + " ;;\n";
    }
  });
  return out;
}

/// Options that take a value, as patterns of a case statement.
std::string value_options(const Command& root) {
  std::set<std::string> names;
  walk(root, root.name, [&](const Command& command, const std::string&) {
    for (const Argument& argument : command.arguments) {
      if (argument.kind == Argument::Kind::kOption)
        names.insert(argument.names.begin(), argument.names.end());
    }
  });
  return joined({names.begin(), names.end()}, " | ");
}

/// What the words up to the present one say: the shell function begins with it in both shells.
std::string find_path(const Command& root, const char* word_array, const char* first, const char* current) {
  std::string out;
  out += "  local path=" + shell_quote(root.name) + " word i\n";
  out += "  for ((i = " + std::string(first) + "; i < " + current + "; i++)); do\n";
  out += "    word=${" + std::string(word_array) + "[i]}\n";
  out += "    case $word in\n      " + value_options(root) + ") ((i++)); continue ;;\n    esac\n";
  out += "    case \"$path $word\" in\n" + path_cases(root, "      ") + "    esac\n";
  return out + "  done\n";
}

std::string bash_values(const Argument& argument) {
  if (!argument.choices.empty()) {
    return "mapfile -t COMPREPLY < <(compgen -W " + shell_quote(joined(argument.choices, " ")) +
           " -- \"$current\")";
  }
  if (argument.value_name == "DIR") return "mapfile -t COMPREPLY < <(compgen -d -- \"$current\")";
  if (names_a_path(argument)) return "mapfile -t COMPREPLY < <(compgen -f -- \"$current\")";
  return "COMPREPLY=()";
}

std::string bash_case(const Command& command, const Command& root, const std::string& path) {
  std::vector<std::string> words;
  std::vector<std::string> flags{"--help", "--version"};
  std::string values;
  for (const Argument* option : options_of(command, root)) {
    flags.insert(flags.end(), option->names.begin(), option->names.end());
    if (option->kind != Argument::Kind::kOption) continue;
    values += "        " + joined(option->names, " | ") + ") " + bash_values(*option) + "; return ;;\n";
  }
  words.reserve(command.commands.size());
  for (const Command& below : command.commands) words.push_back(below.name);
  bool takes_files = false;
  for (const Argument& argument : command.arguments) {
    if (argument.kind != Argument::Kind::kPositional) continue;
    words.insert(words.end(), argument.choices.begin(), argument.choices.end());
    takes_files = takes_files || names_a_path(argument);
  }
  std::string out = "    " + shell_quote(path) + ")\n      case $previous in\n" + values + "      esac\n";
  out += "      options=" + shell_quote(joined(flags, " ")) + "\n";
  out += "      words=" + shell_quote(joined(words, " ")) + "\n";
  if (takes_files) out += "      files=yes\n";
  return out + "      ;;\n";
}

/// "name:description", as zsh's _describe takes it.
std::string zsh_item(const std::string& name, const std::string& description) {
  std::string safe;
  for (const char c : name) {
    if (c == ':') safe += '\\';
    safe += c;
  }
  return shell_quote(safe + ":" + description);
}

std::string zsh_case(const Command& command, const Command& root, const std::string& path) {
  std::string options =
      zsh_item("--help", "print a help text") + " " + zsh_item("--version", "print the version");
  std::string values;
  for (const Argument* option : options_of(command, root)) {
    for (const std::string& name : option->names) options += " " + zsh_item(name, option->description);
    if (option->kind != Argument::Kind::kOption) continue;
    const std::string action = !option->choices.empty()      ? "compadd -- " + joined(option->choices, " ")
                               : option->value_name == "DIR" ? "_files -/"
                               : names_a_path(*option)       ? "_files"
                                                             : "_message " + shell_quote(option->value_name);
    values += "        " + joined(option->names, " | ") + ") " + action + "; return ;;\n";
  }
  std::string commands;
  for (const Command& below : command.commands) {
    commands += (commands.empty() ? "" : " ") + zsh_item(below.name, below.description);
  }
  bool takes_files = false;
  for (const Argument& argument : command.arguments) {
    if (argument.kind != Argument::Kind::kPositional) continue;
    for (const std::string& choice : argument.choices) {
      commands += (commands.empty() ? "" : " ") + zsh_item(choice, argument.description);
    }
    takes_files = takes_files || names_a_path(argument);
  }
  std::string out = "    " + shell_quote(path) + ")\n      case $previous in\n" + values + "      esac\n";
  out += "      options=(" + options + ")\n      commands=(" + commands + ")\n";
  if (takes_files) out += "      files=yes\n";
  return out + "      ;;\n";
}

}  // namespace

std::string bash_completion(const Command& root) {
  std::string out = "# Completes " + root.name + " in bash. Made by `" + root.name + " completion bash`.\n";
  out += "_vctl() {\n";
  out += "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n";
  out += "  local options='' words='' files=''\n";
  out += find_path(root, "COMP_WORDS", "1", "COMP_CWORD");
  out += "  case $path in\n";
  walk(root, root.name,
       [&](const Command& command, const std::string& path) { out += bash_case(command, root, path); });
  out += "  esac\n";
  out +=
      "  if [[ $current == -* ]]; then\n    mapfile -t COMPREPLY < <(compgen -W \"$options\" -- "
      "\"$current\")\n";
  out += "  elif [[ $files ]]; then\n    mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n";
  out += "  else\n    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n  fi\n}\n";
  return out + "complete -o filenames -F _vctl vctl volttron-ctl\n";
}

std::string zsh_completion(const Command& root) {
  std::string out = "#compdef vctl volttron-ctl\n";
  out += "# Completes " + root.name + " in zsh. Made by `" + root.name + " completion zsh`.\n";
  out += "_vctl() {\n";
  out += "  local current=$words[CURRENT] previous=$words[CURRENT-1] files=''\n";
  out += "  local -a options commands\n";
  out += find_path(root, "words", "2", "CURRENT");
  out += "  case $path in\n";
  walk(root, root.name,
       [&](const Command& command, const std::string& path) { out += zsh_case(command, root, path); });
  out += "  esac\n";
  out += "  if [[ $current == -* ]]; then\n    _describe option options\n";
  out += "  elif [[ -n $files ]]; then\n    _files\n";
  out += "  else\n    _describe command commands\n  fi\n}\n";
  return out + "_vctl \"$@\"\n";
}

}  // namespace vipauth::vctl
