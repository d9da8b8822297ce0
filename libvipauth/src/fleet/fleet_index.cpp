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

/// Reads what ranks_text() wrote, one rank after the other.
class RankRuns {
 public:
  explicit RankRuns(std::string text) : text_(std::move(text)) {}

  /// \return  nothing: there are no more, or they are not of that form, or do not grow
  std::optional<std::uint64_t> next() {
    if (left_ == 0 && !read_run()) return std::nullopt;
    if ((step_ == 0 && !is_first_) || step_ > std::numeric_limits<std::uint64_t>::max() - last_)
      return std::nullopt;
    is_first_ = false;
    --left_;
    last_ += step_;
    return last_;
  }
  /// All have been taken.
  bool is_done() const { return left_ == 0 && at_ == text_.size(); }

 private:
  bool read_run() {
    const char* const begin = text_.data();
    const char* const end = begin + text_.size();
    const char* at = begin + at_;
    if (at_ != 0) {
      if (at == end || *at != ',') return false;
      ++at;
    }
    const auto step = std::from_chars(at, end, step_, 16);
    if (step.ec != std::errc()) return false;
    at = step.ptr;
    left_ = 1;
    if (at != end && *at == 'x') {
      const auto count = std::from_chars(at + 1, end, left_, 10);
      if (count.ec != std::errc() || left_ == 0) return false;
      at = count.ptr;
    }
    at_ = static_cast<std::size_t>(at - begin);
    return true;
  }

  const std::string text_;
  std::size_t at_ = 0;
  std::uint64_t step_ = 0;
  std::uint64_t last_ = 0;
  std::size_t left_ = 0;  // of the run
  bool is_first_ = true;
};

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
class FleetContent::Restoring final : public PolicyDocumentSink {
 public:
  Restoring(const Json& index, bool has_site) : index_(index), out_(has_site) {}

  /// To be called before anything else. \return kInvalidArgument  it is no index
  Result<void> begin() {
    for (const Kind kind : kLists) {
      if (auto done = begin_list(kind); !done) return done;
    }
    for (const Kind kind : kNamed) {
      if (auto done = begin_names(kind); !done) return done;
    }
    for (const Scope scope : kScopes) {
      for (const Kind kind : kMembers) {
        if (auto done = take_members(scope, kind); !done) return done;
      }
    }
    if (!out_.has_site_ && tells_of_site()) return no_index("/site");
    return {};
  }

  void on_allow(Json record) override { take_item(Kind::kAllow, record); }
  void on_deny(Json record) override { take_item(Kind::kDeny, record); }
  void on_role(std::string name, Json capabilities) override {
    take_named(Kind::kRole, std::move(name), capabilities);
  }
  void on_group(std::string name, Json roles) override { take_named(Kind::kGroup, std::move(name), roles); }
  void on_other(std::string name, Json value) override {
    other_.push_back({std::move(name), std::move(value)});
  }

  void take(const TopicDocument& topics) {
    for (const Kind kind : {Kind::kWriteProtect, Kind::kReadProtect}) {
      const Json* list = topics.to_json().find(to_string(kind));
      if (list == nullptr || !list->is_array()) continue;
      for (const Json& item : list->as_array()) take_item(kind, item);
    }
  }

  /// \return kConflict  the index is of other documents
  Result<FleetContent> finish(const TopicDocument& topics) && {
    if (conflict_) return *std::move(conflict_);
    for (const Kind kind : kLists) {
      for (const Cursor& cursor : cursors_[kind]) {
        if (!cursor.is_done()) return of_another(to_string(kind));
      }
    }
    for (const Kind kind : kNamed) {
      const Names& hidden = hidden_[kind];
      const bool all_hidden = std::all_of(hidden.begin(), hidden.end(),
                                          [&](const auto& item) { return out_.is_hidden(kind, item.first); });
      if (!there_[kind].empty() || !all_hidden) return of_another(to_string(kind));
    }
    for (const Kind kind : kMembers) {
      Json expected = kind == Kind::kPolicyMembers ? Json(std::move(other_)) : topics.to_json();
      for (const std::string_view name : {"version", "write-protect", "read-protect"}) {
        if (is_reserved_member(kind, name)) expected.erase(name);
      }
      Json::Object members = out_.members(Scope::kFleet, kind);
      for (Json::Member& member : out_.members(Scope::kSite, kind)) members.push_back(std::move(member));
      if (Json(std::move(members)) != expected) return of_another("members");
    }
    return std::move(out_);
  }

 private:
  /// How far a list of one scope has been taken.
  struct Cursor {
    List* list;
    std::vector<Json> stand_ins;  // of those without a rank
    std::size_t next_stand_in = 0;
    RankRuns ranks;
    bool is_done() const { return next_stand_in == stand_ins.size() && ranks.is_done(); }
  };

  const Json* find(Scope scope, Kind kind) const {
    const Json* of_scope = index_.find(member_name(scope));
    return of_scope == nullptr ? nullptr : of_scope->find(to_string(kind));
  }

  static std::string location_of(Scope scope, Kind kind) {
    return json_pointer(json_pointer("", member_name(scope)), to_string(kind));
  }

  Result<void> begin_list(Kind kind) {
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
          if (!text || is_rank(*text)) return no_index(location);
          list.malformed.insert(*std::move(text));
        }
      }
      std::vector<Json> stand_ins;
      stand_ins.reserve(list.malformed.size());
      for (const std::string& name : list.malformed) {
        stand_ins.push_back(without_rank({scope, kind, 0, name, true}));
      }
      cursors_[kind].push_back({&list, std::move(stand_ins), 0, RankRuns(ranks->as_string())});
    }
    return {};
  }

  bool tells_of_site() const {
    return out_.site_.size() > 0 ||
           std::any_of(cursors_.begin(), cursors_.end(),
                       [](const auto& list) { return !list.second.back().ranks.is_done(); }) ||
           std::any_of(there_.begin(), there_.end(), [](const auto& names) { return !names.second.empty(); });
  }

  void take_item(Kind kind, const Json& item) {
    if (conflict_) return;
    for (Cursor& cursor : cursors_[kind]) {
      if (cursor.is_done()) continue;
      if (cursor.next_stand_in < cursor.stand_ins.size()) {
        if (item == cursor.stand_ins[cursor.next_stand_in++]) return;
        break;
      }
      const auto rank = cursor.ranks.next();
      if (!rank) break;
      auto& ranked = cursor.list->ranked;
      ranked.emplace_hint(ranked.end(), *rank, item.dump());
      return;
    }
    conflict_ = of_another(to_string(kind));
  }

  Result<void> begin_names(Kind kind) {
    const Json* of_site = find(Scope::kSite, kind);
    if (of_site == nullptr || !of_site->is_object()) return no_index(location_of(Scope::kSite, kind));
    for (const Json::Member& member : of_site->as_object()) {
      if (member.value.is_string()) {
        hidden_[kind][member.name] = member.value.as_string();
      } else {
        there_[kind].insert(member.name);
      }
    }
    out_.site_.*names_at(kind) = hidden_[kind];
    return {};
  }

  void take_named(Kind kind, std::string name, const Json& value) {
    const Scope scope = there_[kind].erase(name) > 0 ? Scope::kSite : Scope::kFleet;
    (out_.part(scope).*names_at(kind))[std::move(name)] = value.dump();
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
  std::map<Kind, std::vector<Cursor>> cursors_;  // the fleet's, and the site's
  std::map<Kind, std::set<std::string>> there_;  // names of the site that count, and are still to come
  std::map<Kind, Names> hidden_;                 // those that do not
  Json::Object other_;
  std::optional<Error> conflict_;
};

Result<FleetContent> FleetContent::restore(
    const std::function<Result<void>(PolicyDocumentSink&)>& read_policy, const TopicDocument& topics,
    const Json& index) {
  const Json* version = index.find("version");
  const Json* has_site = index.find("has_site");
  if (version == nullptr || has_site == nullptr || !has_site->is_bool()) return no_index("");
  if (*version != Json(kIndexVersion)) {
    return Error{ErrorCode::kUnsupported, "this index of a fleet's policy is not of version 1", "/version"};
  }
  Restoring restoring(index, has_site->as_bool());
  if (auto begun = restoring.begin(); !begun) return begun.error();
  if (auto read = read_policy(restoring); !read) return read.error();
  restoring.take(topics);
  return std::move(restoring).finish(topics);
}

}  // namespace vipauth::fleet
