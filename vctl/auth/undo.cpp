#include "auth/undo.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <vipauth/file_history.hpp>

#include "auth/way_back.hpp"
#include "home.hpp"
#include "output.hpp"
#include "prompt.hpp"

namespace vipauth::vctl::auth {
namespace {

/// Of changes that let nobody more in.
constexpr std::size_t kMostLines = 50;
constexpr const char* kAllowRecord = "allow record";
constexpr const char* kDenyRecord = "deny record";

/// A part of a file that has a name.
struct Item {
  std::string what;  ///< "allow record"
  std::string name;
  std::string content;
  Json source = {};  ///< of a record

  auto key() const { return std::tie(what, name, content); }
};

struct ItemChange {
  std::string change;  ///< "add", "remove", "change"
  std::string what;
  std::string name;
  std::vector<std::string> fields = {};  ///< of a changed record, sorted
};

// ---- What a file consists of ----

void add_records(const std::vector<Policy::Entry>& entries, const char* what, std::vector<Item>& items) {
  for (const Policy::Entry& entry : entries) {
    const Json* user_id = entry.source.find("user_id");
    const bool is_named = user_id != nullptr && user_id->is_string() && !user_id->as_string().empty();
    const std::string derived = entry.record ? entry.record->user_id : "(not understood)";
    items.push_back({what, is_named ? user_id->as_string() : derived, entry.source.dump(), entry.source});
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
  add_records(policy.allow(), kAllowRecord, items);
  add_records(policy.deny(), kDenyRecord, items);
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

/// A field of a record; one that is left out counts as what that means.
Json field_of(const Json& record, const std::string& name) {
  const Json* value = record.find(name);
  if (value != nullptr) return *value;
  return name == "enabled" ? Json(true) : Json();
}

std::vector<std::string> changed_fields(const Json& from, const Json& to) {
  std::set<std::string> names;
  for (const Json* record : {&from, &to}) {
    if (!record->is_object()) continue;
    for (const Json::Member& member : record->as_object()) names.insert(member.name);
  }
  std::vector<std::string> out;
  for (const std::string& name : names) {
    if (field_of(from, name) != field_of(to, name)) out.push_back(name);
  }
  return out;
}

bool has(const std::vector<std::string>& names, const char* name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Adds what became of the items of one name. Of several, those that differ least belong together, and those
/// of one key before others.
void add_changes(const std::vector<Item>& gone, const std::vector<Item>& come, std::vector<ItemChange>& out) {
  constexpr std::size_t kMostPairs = 10'000;
  struct Pair {
    std::size_t distance;
    std::size_t from;
    std::size_t to;
    std::vector<std::string> fields;
  };
  std::vector<Pair> pairs;
  const bool is_compared = gone.size() * come.size() <= kMostPairs;
  for (std::size_t i = 0; i < gone.size(); ++i) {
    for (std::size_t j = is_compared ? 0 : i; j < (is_compared ? come.size() : std::min(i + 1, come.size()));
         ++j) {
      auto fields = changed_fields(gone[i].source, come[j].source);
      const std::size_t distance = fields.size() + (has(fields, "credentials") ? 100 : 0);
      pairs.push_back({distance, i, j, std::move(fields)});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return a.distance < b.distance; });
  std::vector<bool> is_gone(gone.size(), true);
  std::vector<bool> is_come(come.size(), true);
  for (Pair& pair : pairs) {
    if (!is_gone[pair.from] || !is_come[pair.to]) continue;
    is_gone[pair.from] = is_come[pair.to] = false;
    out.push_back({"change", gone[pair.from].what, gone[pair.from].name, std::move(pair.fields)});
  }
  for (std::size_t i = 0; i < gone.size(); ++i) {
    if (is_gone[i]) out.push_back({"remove", gone[i].what, gone[i].name});
  }
  for (std::size_t i = 0; i < come.size(); ++i) {
    if (is_come[i]) out.push_back({"add", come[i].what, come[i].name});
  }
}

enum class Weight { kDeny, kLetsIn, kOther };

/// Deny records, and what may let more in than before.
Weight weight_of(const ItemChange& change) {
  if (change.what == kDenyRecord) return Weight::kDeny;
  if (change.what == kAllowRecord) {
    if (change.change == "add") return Weight::kLetsIn;
    for (const char* field : {"enabled", "not_before", "not_after", "address", "domain", "mechanism",
                              "credentials", "identity", "user_id"}) {
      if (has(change.fields, field)) return Weight::kLetsIn;
    }
  }
  const bool is_rule = change.what.ends_with(" rule");
  return is_rule && change.change != "add" ? Weight::kLetsIn : Weight::kOther;
}

/// What makes of the first list the second, by weight; each place in the file counts, not its order.
std::vector<ItemChange> changes_between(std::vector<Item> from, std::vector<Item> to) {
  const auto before = [](const Item& a, const Item& b) { return a.key() < b.key(); };
  std::sort(from.begin(), from.end(), before);
  std::sort(to.begin(), to.end(), before);
  std::vector<Item> gone;
  std::vector<Item> come;
  std::set_difference(from.begin(), from.end(), to.begin(), to.end(), std::back_inserter(gone), before);
  std::set_difference(to.begin(), to.end(), from.begin(), from.end(), std::back_inserter(come), before);

  std::map<std::pair<std::string, std::string>, std::pair<std::vector<Item>, std::vector<Item>>> by_name;
  for (Item& item : gone) by_name[{item.what, item.name}].first.push_back(std::move(item));
  for (Item& item : come) by_name[{item.what, item.name}].second.push_back(std::move(item));
  std::vector<ItemChange> out;
  for (const auto& [name, items] : by_name) add_changes(items.first, items.second, out);
  std::stable_sort(out.begin(), out.end(),
                   [](const ItemChange& a, const ItemChange& b) { return weight_of(a) < weight_of(b); });
  return out;
}

void print_changes(std::ostream& out, const std::vector<ItemChange>& changes) {
  if (changes.empty()) out << "  no record, role, group or rule: only form, order or comments\n";
  std::size_t others = 0;
  for (const ItemChange& change : changes) {
    if (weight_of(change) == Weight::kOther && ++others > kMostLines) continue;
    out << "  " << change.change << ' ' << change.what << " \"" << printable(change.name) << '"';
    for (std::size_t i = 0; i < change.fields.size(); ++i) {
      out << (i == 0 ? ": " : ", ") << printable(change.fields[i]);
    }
    out << '\n';
  }
  if (others > kMostLines) out << "  and " << others - kMostLines << " more\n";
}

Json document(std::uint64_t generation, const std::vector<ItemChange>& changes) {
  Json::Array shown;
  for (const ItemChange& change : changes) {
    shown.emplace_back(Json::Object{{"change", change.change},
                                    {"what", change.what},
                                    {"name", change.name},
                                    {"fields", Json::strings(change.fields)}});
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

/// Of the agents of this home: those whose key store would have a key without a record, and what to do then.
void warn_of_lost_keys(const Context& context, const Home& home, const Policy& present,
                       const Policy& put_back) {
  const AgentKeyStores stores = home.agent_key_stores();
  const auto identities = stores.identities();
  if (!identities) {
    warn(context, "whether an agent's key loses its record is unknown: " + identities.error().to_string());
    return;
  }
  for (const std::string& identity : *identities) {
    const auto store = stores.find(identity);
    const auto pair = store ? store->load() : Result<CurveKeyPair>(store.error());
    if (!pair || !has_record(present, pair->public_key) || has_record(put_back, pair->public_key)) continue;
    warn(context, "this takes away the only record of the key of \"" + printable(identity) +
                      "\": it cannot connect then. Afterwards, " +
                      way_back(put_back, identity, *store, pair->public_key));
  }
}

/// The same for both files: `File` is AuthFile or TopicsFile, `Content` what it holds.
template <typename File, typename Content, typename Warn>
int undo_file(const UndoOptions& options, const Context& context, const File& file,
              const Result<Content>& shown, const EditOptions& edit_options, const Warn& warn_of) {
  if (!shown) return fail(context, shown.error());
  const auto generation = find_generation(file.path(), options, context);
  if (!generation) return fail(context, generation.error());
  const auto former = file.load_generation(generation->number);
  if (!former) return fail(context, former.error());

  const auto changes = changes_between(items_of(*shown), items_of(*former));
  context.dialog() << printable(headline(*generation)) << '\n';
  print_changes(context.dialog(), changes);
  context.dialog().flush();
  warn_of(*shown, *former);
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
  if (auto own = home->check_edited_here(); !own) return fail(context, own.error());
  if (options.topics) {
    return undo_file(options, context, home->topics_file(), home->load_topics(), home->edit_options(),
                     [](const TopicDocument&, const TopicDocument&) {});
  }
  return undo_file(options, context, home->auth_file(), home->load_policy(), home->edit_options(),
                   [&](const Policy& present, const Policy& put_back) {
                     warn_of_lost_keys(context, *home, present, put_back);
                   });
}

}  // namespace vipauth::vctl::auth
