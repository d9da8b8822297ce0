#include "auth/history.hpp"

#include <ostream>
#include <string>
#include <vector>

#include <vipauth/file_history.hpp>

#include "home.hpp"
#include "output.hpp"

namespace vipauth::vctl::auth {
namespace {

Json document(const Generation& generation) {
  return Json::Object{{"generation", static_cast<std::int64_t>(generation.number)},
                      {"time", format_timestamp(generation.time)},
                      {"user", generation.who},
                      {"command", generation.command},
                      {"bytes", static_cast<std::int64_t>(generation.bytes)}};
}

}  // namespace

int history(const HistoryOptions& options, const Context& context) {
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  const auto file = options.file == HistoryOf::kAuth ? home->auth_path() : home->topics_path();
  std::vector<std::string> warnings;
  const auto generations = FileHistory(file, context.options.strict_modes).list(&warnings);
  for (const std::string& warning : warnings) warn(context, warning);
  if (!generations) return fail(context, generations.error());

  if (context.options.json) {
    Json::Array shown;
    for (const Generation& generation : *generations) shown.push_back(document(generation));
    print_document(context, Json::Object{{"history", std::move(shown)}});
  } else if (generations->empty()) {
    context.env.out << "No history of " << printable(file.string()) << '\n';
  } else {
    std::vector<Row> rows{{"GENERATION", "TIME", "USER", "COMMAND"},
                          {"----------", "----", "----", "-------"}};
    for (const Generation& generation : *generations) {
      rows.push_back({std::to_string(generation.number), format_timestamp(generation.time), generation.who,
                      generation.command.empty() ? "-" : generation.command});
    }
    context.env.out << format_table(rows);
  }
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
