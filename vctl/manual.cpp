#include "manual.hpp"

#include <algorithm>
#include <string_view>

#include <vipauth/version.hpp>

namespace vipauth::vctl {
namespace {

/// Text that troff prints as it is.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (out.empty() && (c == '.' || c == '\'')) {
      out += "\\&";
      out += c;
    } else {
      out += c;
    }
  }
  return out;
}

std::string bold(std::string_view text) { return "\\fB" + plain(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + plain(text) + "\\fR"; }

std::string synopsis(const Argument& argument) {
  std::string value = italic(argument.value_name);
  if (argument.kind == Argument::Kind::kOption) value = bold(argument.names.front()) + " " + value;
  if (argument.kind == Argument::Kind::kFlag) value = bold(argument.names.front());
  if (argument.count == Argument::Count::kMany) value += "...";
  return argument.is_required ? value : "[" + value + "]";
}

std::string described(const Argument& argument) {
  std::string names;
  if (argument.kind == Argument::Kind::kPositional) {
    names = italic(argument.value_name);
  } else {
    for (const std::string& name : argument.names) names += (names.empty() ? "" : ", ") + bold(name);
    if (!argument.value_name.empty()) names += " " + italic(argument.value_name);
  }
  return ".TP\n" + names + "\n" + plain(argument.description) + "\n";
}

std::string paragraphs(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) out += ".PP\n" + plain(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string described(const Command& command, const std::string& path) {
  std::string out;
  if (command.run) {
    out += ".SS " + plain(path) + "\n";
    out += plain(command.description) + "\n.PP\n" + bold(path);
    for (const Argument& argument : command.arguments) out += "\n" + synopsis(argument);
    out += "\n";
    for (const Argument& argument : command.arguments) out += described(argument);
    out += paragraphs(command.note);
    for (const std::string& name : command.other_names) out += ".PP\nAlso " + bold(name) + ".\n";
    if (!command.json.empty()) out += ".PP\nWith " + bold("--json") + ": " + plain(command.json) + "\n";
  }
  for (const Command& below : command.commands) out += described(below, path + " " + below.name);
  return out;
}

}  // namespace

std::string manual_page(const Command& root) {
  std::string out = ".TH VCTL 1 \"\" \"vipauth " VIPAUTH_VERSION "\" \"User Commands\"\n";
  out += ".SH NAME\nvctl, volttron\\-ctl \\- administer who may connect to, call on and publish to a bus\n";
  out += ".SH SYNOPSIS\n" + bold(root.name) + " [" + italic("OPTION") + "]... " + bold("auth") + " " +
         italic("COMMAND") + " [" + italic("ARGUMENT") + "]...\n";
  out += ".SH DESCRIPTION\n";
  out +=
      "Works on the files of a home folder, whether a bus runs on them or not; a running bus takes a change "
      "up by "
      "itself.\nOptions may stand before and after the command, with hyphens for underscores.\n";
  out += ".SH OPTIONS\n.TP\n" + bold("-h") + ", " + bold("--help") + "\nprint a help text\n";
  out += ".TP\n" + bold("--version") + "\nprint the version\n";
  for (const Argument& argument : root.arguments) out += described(argument);
  out += ".SH COMMANDS\n";
  for (const Command& below : root.commands) out += described(below, root.name + " " + below.name);
  out +=
      ".SH EXIT STATUS\n.TP\n0\ndone, or allowed\n.TP\n1\nfailed\n.TP\n2\ndenied: what was asked is "
      "refused\n";
  out += ".TP\n64\nthe command line makes no sense\n";
  out += ".SH ENVIRONMENT\n.TP\n" + bold("VOLTTRON_HOME") + "\nthe home folder, unless " + bold("--home") +
         " names one\n";
  out += ".SH FILES\n.TP\n" + italic("~/.volttron") + "\nthe home folder, unless another is named\n";
  out += ".TP\n" + italic("auth.json") + "\nwho may connect, and what they hold\n";
  out += ".TP\n" + italic("protected_topics.json") + "\nwhat publishing to topics requires\n";
  return out;
}

}  // namespace vipauth::vctl
