// What a fleet's documents do not tell of its keys.

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "fleet/fleet_content.hpp"
#include "fleet/stored_value.hpp"
#include "web/web_address.hpp"

namespace vipauth::fleet {
namespace {

using Kind = FleetKey::Kind;

constexpr int kIndexVersion = 1;
constexpr std::array kScopes{Scope::kFleet, Scope::kSite};
constexpr std::array kLists{Kind::kAllow, Kind::kDeny, Kind::kWriteProtect, Kind::kReadProtect};
constexpr std::array kNamed{Kind::kRole, Kind::kGroup};
constexpr std::array kMembers{Kind::kPolicyMembers, Kind::kTopicsMembers};

std::string_view member_name(Scope scope) { return scope == Scope::kFleet ? "fleet" : "site"; }

Error no_index(std::string_view location) {
  return Error{ErrorCode::kInvalidArgument, "this is no index of a fleet's policy", std::string(location)};
}

Error of_another(std::string_view what) {
  return Error{ErrorCode::kConflict,
               "the index is of another policy: it does not fit the " + std::string(what) + " that are here",
               ""};
}

// ---- Ranks: "100000x3,80000" is 100000, 200000, 300000, 380000, in hexadecimal digits but for the count
// ----

template <typename Number>
void append(std::string& out, Number number, int base) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
  out.append(digits.data(), end);
}

std::string ranks_text(const std::map<std::uint64_t, std::string>& ranked) {
  std::string out;
  std::uint64_t last = 0;
  std::uint64_t step = 0;
  std::size_t count = 0;
  const auto flush = [&] {
    if (count == 0) return;
    if (!out.empty()) out += ',';
    append(out, step, 16);
    if (count == 1) return;
    out += 'x';
    append(out, count, 10);
  };
  for (const auto& [rank, text] : ranked) {
    if (count == 0 || rank - last != step) {
      flush();
      step = rank - last;
      count = 0;
    }
    ++count;
    last = rank;
  }
  flush();
  return out;
}

/// \return  nothing: not of that form, ranks that do not grow, or more of them than `most`
std::optional<std::vector<std::uint64_t>> parse_ranks(std::string_view text, std::size_t most) {
  std::vector<std::uint64_t> out;
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  std::uint64_t last = 0;
  while (at != end) {
    std::uint64_t step = 0;
    std::size_t count = 1;
    const auto read_step = std::from_chars(at, end, step, 16);
    if (read_step.ec != std::errc()) return std::nullopt;
    at = read_step.ptr;
    if (at != end && *at == 'x') {
      const auto read_count = std::from_chars(at + 1, end, count, 10);
      if (read_count.ec != std::errc()) return std::nullopt;
      at = read_count.ptr;
    }
    if (count == 0 || count > most - out.size()) return std::nullopt;
    for (; count > 0; --count) {
      if ((step == 0 && !out.empty()) || step > std::numeric_limits<std::uint64_t>::max() - last)
        return std::nullopt;
      last += step;
      out.push_back(last);
    }
    if (at == end) break;
    if (*at != ',') return std::nullopt;
    ++at;
    if (at == end) return std::nullopt;
  }
  return out;
}

}  // namespace

Json FleetContent::index() const {
  Json::Object out{{"version", Json(kIndexVersion)}, {"has_site", Json(has_site_)}};
  for (const Scope scope : kScopes) {
    const Part& p = part(scope);
    Json::Object of_scope;
    for (const Kind kind : kLists) {
      const List& list = p.*list_at(kind);
      Json::Object of_list{{"ranks", Json(ranks_text(list.ranked))}};
      if (!list.malformed.empty()) {
        Json::Array malformed;  // in ASCII: they may be any bytes
        for (const std::string& name : list.malformed) malformed.emplace_back(web::path_part(name));
        of_list.push_back({"malformed", Json(std::move(malformed))});
      }
      of_scope.push_back({std::string(to_string(kind)), Json(std::move(of_list))});
    }
    if (scope == Scope::kSite) {
      for (const Kind kind : kNamed) {  // true: it is in the document; a text: the fleet's is there instead
        Json::Object names;
        for (const auto& [name, text] : p.*names_at(kind)) {
          names.push_back({name, is_hidden(kind, name) ? Json(value_of(text).dump()) : Json(true)});
        }
        of_scope.push_back({std::string(to_string(kind)), Json(std::move(names))});
      }
    }
    for (const Kind kind : kMembers) {
      const Members& text = p.*members_at(kind);
      if (text) of_scope.push_back({std::string(to_string(kind)), Json(value_of(*text).dump())});
    }
    out.push_back({std::string(member_name(scope)), Json(std::move(of_scope))});
  }
  return Json(std::move(out));
}

/// Takes the items of documents one after the other, as the index says.
class FleetContent::Restoring {
 public:
  Restoring(const Json& index, bool has_site) : index_(index), out_(has_site) {}

  Result<FleetContent> make(const Policy& policy, const TopicDocument& topics) {
    std::vector<const Json*> sources[kLists.size()];
    for (const Policy::Entry& entry : policy.allow()) sources[0].push_back(&entry.source);
    for (const Policy::Entry& entry : policy.deny()) sources[1].push_back(&entry.source);
    for (const std::size_t i : {std::size_t{2}, std::size_t{3}}) {
      const Json* list = topics.to_json().find(to_string(kLists[i]));
      if (list == nullptr || !list->is_array()) continue;
      for (const Json& item : list->as_array()) sources[i].push_back(&item);
    }
    for (std::size_t i = 0; i < kLists.size(); ++i) {
      if (auto done = take_list(kLists[i], sources[i]); !done) return done.error();
    }
    if (auto done = take_names(Kind::kRole, policy.roles()); !done) return done.error();
    if (auto done = take_names(Kind::kGroup, policy.groups()); !done) return done.error();
    for (const Scope scope : kScopes) {
      for (const Kind kind : kMembers) {
        if (auto done = take_members(scope, kind); !done) return done.error();
      }
    }
    if (!out_.has_site_ && out_.site_.size() > 0) return no_index("/site");
    return std::move(out_);
  }

 private:
  const Json* find(Scope scope, Kind kind) const {
    const Json* of_scope = index_.find(member_name(scope));
    return of_scope == nullptr ? nullptr : of_scope->find(to_string(kind));
  }

  static std::string location_of(Scope scope, Kind kind) {
    return json_pointer(json_pointer("", member_name(scope)), to_string(kind));
  }

  Result<void> take_list(Kind kind, const std::vector<const Json*>& items) {
    std::size_t next = 0;
    for (const Scope scope : kScopes) {
      const std::string location = location_of(scope, kind);
      const Json* of_list = find(scope, kind);
      const Json* ranks = of_list == nullptr ? nullptr : of_list->find("ranks");
      if (ranks == nullptr || !ranks->is_string()) return no_index(location);
      List& list = out_.part(scope).*list_at(kind);
      if (const Json* malformed = of_list->find("malformed")) {
        if (!malformed->is_array()) return no_index(location);
        for (const Json& name : malformed->as_array()) {
          auto text = name.is_string() ? from_path_part(name.as_string()) : std::nullopt;
          if (!text) return no_index(location);
          list.malformed.insert(*std::move(text));
        }
      }
      for (const std::string& name : list.malformed) {
        if (next >= items.size() || *items[next] != without_rank({scope, kind, 0, name, true}))
          return of_another(to_string(kind));
        ++next;
      }
      const auto parsed = parse_ranks(ranks->as_string(), items.size() - next);
      if (!parsed) return of_another(to_string(kind));
      for (const std::uint64_t rank : *parsed) {
        list.ranked.emplace_hint(list.ranked.end(), rank, items[next++]->dump());
      }
    }
    if (next != items.size()) return of_another(to_string(kind));
    return {};
  }

  template <typename Named>
  Result<void> take_names(Kind kind, const std::vector<Named>& named) {
    const Json* of_site = find(Scope::kSite, kind);
    if (of_site == nullptr || !of_site->is_object()) return no_index(location_of(Scope::kSite, kind));
    std::set<std::string_view> there;  // names of the site that count
    Names& hidden = out_.site_.*names_at(kind);
    for (const Json::Member& member : of_site->as_object()) {
      if (member.value.is_string()) {
        hidden[member.name] = member.value.as_string();
      } else {
        there.insert(member.name);
      }
    }
    const auto not_hidden = hidden;
    std::size_t found = 0;
    for (const Named& item : named) {
      const bool is_of_site = there.contains(item.name);
      found += is_of_site ? 1 : 0;
      (out_.part(is_of_site ? Scope::kSite : Scope::kFleet).*names_at(kind))[item.name] = item.source.dump();
    }
    const bool all_hidden = std::all_of(not_hidden.begin(), not_hidden.end(),
                                        [&](const auto& item) { return out_.is_hidden(kind, item.first); });
    if (found != there.size() || !all_hidden) return of_another(to_string(kind));
    return {};
  }

  Result<void> take_members(Scope scope, Kind kind) {
    const Json* text = find(scope, kind);
    if (text == nullptr) return {};
    if (!text->is_string()) return no_index(location_of(scope, kind));
    out_.part(scope).*members_at(kind) = text->as_string();
    return {};
  }

  const Json& index_;
  FleetContent out_;
};

Result<FleetContent> FleetContent::restore(const Policy& policy, const TopicDocument& topics,
                                           const Json& index) {
  const Json* version = index.find("version");
  const Json* has_site = index.find("has_site");
  if (version == nullptr || has_site == nullptr || !has_site->is_bool()) return no_index("");
  if (*version != Json(kIndexVersion)) {
    return Error{ErrorCode::kUnsupported, "this index of a fleet's policy is not of version 1", "/version"};
  }
  auto out = Restoring(index, has_site->as_bool()).make(policy, topics);
  if (!out) return out;
  for (const Kind kind : kMembers) {
    Json expected = kind == Kind::kPolicyMembers ? policy.other_members() : topics.to_json();
    for (const std::string_view name : {"version", "write-protect", "read-protect"}) {
      if (is_reserved_member(kind, name)) expected.erase(name);
    }
    Json::Object there = out->members(Scope::kFleet, kind);
    for (Json::Member& member : out->members(Scope::kSite, kind)) there.push_back(std::move(member));
    if (Json(std::move(there)) != expected) return of_another("members");
  }
  return out;
}

}  // namespace vipauth::fleet
