#include "auth/remove.hpp"

#include <algorithm>
#include <ostream>

#include "auth/record_index.hpp"
#include "auth/record_view.hpp"
#include "home.hpp"
#include "output.hpp"
#include "prompt.hpp"

namespace vipauth::vctl::auth {
namespace {

/// Each index once, in the order given.
Result<std::vector<std::size_t>> parse_indices(const std::vector<std::string>& texts, std::size_t count) {
  std::vector<std::size_t> out;
  for (const std::string& text : texts) {
    const auto index = parse_index(text, count);
    if (!index) return index.error();
    if (std::find(out.begin(), out.end(), *index) == out.end()) out.push_back(*index);
  }
  return out;
}

std::string summary(const std::vector<std::size_t>& indices) {
  std::string list;
  for (const std::size_t index : indices) list += (list.empty() ? "" : ", ") + std::to_string(index);
  return (indices.size() == 1 ? "removed entry at index [" : "removed entries at indices [") + list + "]";
}

}  // namespace

int remove(const RemoveOptions& options, const Context& context) {
  for (const std::string& text : options.indices) {
    if (!is_integer(text)) return fail_usage(context, "argument indices: invalid int value: '" + text + "'");
  }
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  if (auto own = home->check_edited_here(); !own) return fail(context, own.error());
  const auto shown = home->load_policy();
  if (!shown) return fail(context, shown.error());
  const auto indices = parse_indices(options.indices, shown->allow().size());
  if (!indices) return fail(context, indices.error());

  context.dialog() << "This action will delete the following:\n";
  for (const std::size_t index : *indices) print_record(context.dialog(), index, shown->allow()[index]);
  if (!options.is_sure && !ask_yes_no(context, "Do you wish to delete? [y/N] ", false).value_or(false)) {
    return fail(context, Error{ErrorCode::kConflict, "not confirmed: nothing is removed", ""});
  }

  const auto edited = home->edit_policy([&](Policy& policy) -> Result<void> {
    if (auto unchanged = check_unchanged(*shown, policy, *indices); !unchanged) return unchanged;
    return policy.remove_allow(*indices);
  });
  if (!edited) return fail(context, edited.error());

  if (context.options.json) {
    Json::Array removed;
    for (const std::size_t index : *indices) {
      removed.emplace_back(Json::Object{{"index", static_cast<std::int64_t>(index)},
                                        {"record", shown_record(shown->allow()[index])}});
    }
    print_document(context, Json::Object{{"removed", std::move(removed)}});
  } else {
    context.env.out << summary(*indices) << '\n';
  }
  context.env.out.flush();
  for (const std::string& warning : edited->warnings) warn(context, warning);
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
