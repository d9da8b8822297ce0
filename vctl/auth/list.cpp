#include "auth/list.hpp"

#include <ostream>

#include "auth/record_view.hpp"
#include "home.hpp"
#include "output.hpp"

namespace vipauth::vctl::auth {
namespace {

Json listed(std::size_t index, const Policy::Entry& entry) {
  Json item(Json::Object{{"index", static_cast<std::int64_t>(index)}, {"record", shown_record(entry)}});
  if (!entry.record) item.set("problem", entry.record.error().to_string());
  return item;
}

}  // namespace

int list(const Context& context) {
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  const auto policy = home->load_policy();
  if (!policy) return fail(context, policy.error());

  const auto& entries = policy->allow();
  if (context.options.json) {
    Json::Array records;
    for (std::size_t i = 0; i < entries.size(); ++i) records.push_back(listed(i, entries[i]));
    print_document(context, Json::Object{{"records", std::move(records)}});
  } else if (entries.empty()) {
    context.env.out << "No entries in " << printable(home->shown_auth_place()) << '\n';
  } else {
    for (std::size_t i = 0; i < entries.size(); ++i) print_record(context.env.out, i, entries[i]);
  }
  context.env.out.flush();
  for (const Policy::Entry& entry : entries) {
    if (!entry.record) {
      warn(context, entry.record.error().at("auth.json").to_string() +
                        ": the record is not understood, and never matches");
    }
  }
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
