#include "auth/undo.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <vipauth/file_history.hpp>

#include "home.hpp"
#include "output.hpp"
#include "prompt.hpp"

namespace vipauth::vctl::auth {
namespace {

constexpr std::size_t kMostLines = 50;

/// A part of a file that has a name.
struct Item {
  std::string what;  ///< "allow record"
  std::string name;
  std::string content;

  friend auto operator<=>(const Item&, const Item&) = default;
};

struct ItemChange {
  std::string change;  ///< "add", "remove", "change"
  std::string what;
  std::string name;
};

// ---- What a file consists of ----

void add_records(const std::vector<Policy::Entry>& entries, const char* what, std::vector<Item>& items) {
  for (const Policy::Entry& entry : entries) {
    const Json* user_id = entry.source.find("user_id");
    const bool is_named = user_id != nullptr && user_id->is_string() && !user_id->as_string().empty();
    const std::string derived = entry.record ? entry.record->user_id : "(not understood)";
    items.push_back({what, is_named ? user_id->as_string() : derived, entry.source.dump()});
  }
}

template <typename NamedList>
void add_named(const NamedList& list, const char* what, std::vector<Item>& items) {
  for (const auto& item : list) items.push_back({what, item.name, item.source.dump()});
}

void add_rest(const Json& document, const std::vector<std::string>& known, std::vector<Item>& items) {
  if (!document.is_object()) return;
  for (const Json::Member& member : document.as_object()) {
    const bool is_known = std::find(known.begin(), known.end(), member.name) != known.end();
    if (!is_known) items.push_back({"member", member.name, member.value.dump()});
  }
}

std::vector<Item> items_of(const Policy& policy) {
  std::vector<Item> items;
  add_records(policy.allow(), "allow record", items);
  add_records(policy.deny(), "deny record", items);
  add_named(policy.roles(), "role", items);
  add_named(policy.groups(), "group", items);
  add_rest(policy.to_json(), {"allow", "deny", "roles", "groups"}, items);
  return items;
}

std::vector<Item> items_of(const TopicDocument& topics) {
  std::vector<Item> items;
  for (const TopicList list : {TopicList::kWriteProtect, TopicList::kReadProtect}) {
    for (const TopicRule& rule : topics.rules(list)) {
      items.push_back({std::string(to_string(list)) + " rule", rule.topic.text(),
                       Json::strings(rule.capabilities).dump()});
    }
  }
  add_rest(topics.to_json(), {"write-protect", "read-protect"}, items);
  return items;
}

// ---- What differs ----

/// What makes of the first list the second; each place in the file counts, not its order.
std::vector<ItemChange> changes_between(std::vector<Item> from, std::vector<Item> to) {
  std::sort(from.begin(), from.end());
  std::sort(to.begin(), to.end());
  std::vector<Item> gone;
  std::vector<Item> come;
  std::set_difference(from.begin(), from.end(), to.begin(), to.end(), std::back_inserter(gone));
  std::set_difference(to.begin(), to.end(), from.begin(), from.end(), std::back_inserter(come));

  std::map<std::pair<std::string, std::string>, std::pair<std::size_t, std::size_t>> counts;
  for (const Item& item : gone) ++counts[{item.what, item.name}].first;
  for (const Item& item : come) ++counts[{item.what, item.name}].second;
  std::vector<ItemChange> out;
  for (const auto& [item, count] : counts) {
    const std::size_t changed = std::min(count.first, count.second);
    const auto add = [&, what = item.first, name = item.second](const char* change, std::size_t times) {
      for (std::size_t i = 0; i < times; ++i) out.push_back({change, what, name});
    };
    add("change", changed);
    add("remove", count.first - changed);
    add("add", count.second - changed);
  }
  return out;
}

void print_changes(std::ostream& out, const std::vector<ItemChange>& changes) {
  if (changes.empty()) out << "  no record, role, group or rule: only form, order or comments\n";
  for (std::size_t i = 0; i < changes.size() && i < kMostLines; ++i) {
    out << "  " << changes[i].change << ' ' << changes[i].what << " \"" << printable(changes[i].name)
        << "\"\n";
  }
  if (changes.size() > kMostLines) out << "  and " << changes.size() - kMostLines << " more\n";
}

Json document(std::uint64_t generation, const std::vector<ItemChange>& changes) {
  Json::Array shown;
  for (const ItemChange& change : changes) {
    shown.emplace_back(Json::Object{{"change", change.change}, {"what", change.what}, {"name", change.name}});
  }
  return Json::Object{{"generation", static_cast<std::int64_t>(generation)}, {"changes", std::move(shown)}};
}

// ---- The verb ----

Result<Generation> find_generation(const std::filesystem::path& file, const UndoOptions& options,
                                   const Context& context) {
  std::vector<std::string> warnings;
  const auto generations = FileHistory(file, context.options.strict_modes).list(&warnings);
  for (const std::string& warning : warnings) warn(context, warning);
  if (!generations) return generations.error();
  if (generations->empty()) {
    return Error{ErrorCode::kNotFound, "there is nothing to undo: \"" + file.string() + "\" has no history",
                 ""};
  }
  if (!options.to) return generations->front();
  const auto found = std::find_if(generations->begin(), generations->end(),
                                  [&](const Generation& other) { return other.number == *options.to; });
  if (found != generations->end()) return *found;
  return Error{ErrorCode::kNotFound,
               "there is no generation " + std::to_string(*options.to) + ": vctl auth history lists them",
               ""};
}

std::string headline(const Generation& generation) {
  const std::string command = generation.command.empty() ? "an edit" : "\"" + generation.command + "\"";
  return "This action will put back what was there before " + command + " of " +
         format_timestamp(generation.time) + " by " + generation.who + ":";
}

/// The same for both files: `File` is AuthFile or TopicsFile, `Content` what it holds.
template <typename File, typename Content>
int undo_file(const UndoOptions& options, const Context& context, const File& file,
              const Result<Content>& shown, const EditOptions& edit_options) {
  if (!shown) return fail(context, shown.error());
  const auto generation = find_generation(file.path(), options, context);
  if (!generation) return fail(context, generation.error());
  const auto former = file.load_generation(generation->number);
  if (!former) return fail(context, former.error());

  const auto changes = changes_between(items_of(*shown), items_of(*former));
  context.dialog() << printable(headline(*generation)) << '\n';
  print_changes(context.dialog(), changes);
  if (!options.is_sure && !ask_yes_no(context, "Do you wish to undo? [y/N] ", false).value_or(false)) {
    return fail(context, Error{ErrorCode::kConflict, "not confirmed: nothing is undone", ""});
  }

  const auto restored = file.restore(
      generation->number,
      [&](const Content& present, const Content& put_back) -> Result<void> {
        if (present.to_json() == shown->to_json() && put_back.to_json() == former->to_json()) return {};
        return Error{ErrorCode::kConflict, "somebody has changed the file meanwhile: look again", ""};
      },
      edit_options);
  if (!restored) return fail(context, restored.error());

  if (context.options.json) {
    print_document(context, document(generation->number, changes));
  } else {
    context.env.out << (restored->written ? "went back to generation " : "is already as in generation ")
                    << generation->number << '\n';
  }
  context.env.out.flush();
  for (const std::string& warning : restored->warnings) warn(context, warning);
  return kExitDone;
}

}  // namespace

int undo(const UndoOptions& options, const Context& context) {
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  if (options.topics) {
    return undo_file(options, context, home->topics_file(), home->load_topics(), home->edit_options());
  }
  return undo_file(options, context, home->auth_file(), home->load_policy(), home->edit_options());
}

}  // namespace vipauth::vctl::auth
