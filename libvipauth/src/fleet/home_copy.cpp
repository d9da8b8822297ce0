#include "fleet/home_copy.hpp"

#include <charconv>
#include <string_view>
#include <utility>

#include <vipauth/policy_snapshot.hpp>
#include <vipauth/topic_protector.hpp>

#include "fleet/fleet_edit.hpp"

namespace vipauth::fleet {
namespace {

constexpr std::array kScopes{Scope::kFleet, Scope::kSite};
constexpr std::string_view kIsPart = "is_part";  // not all of the site is there

std::string_view member_of(Scope scope) { return scope == Scope::kFleet ? "fleet" : "site"; }

Json details_of(const Followed& followed, const Revisions& revisions) {
  Json out = Json::Object{{"index", followed.state.content.index()}};
  for (const Scope scope : kScopes) {
    const Stand& stand = followed.state.stand(scope);
    out.set(member_of(scope), Json(Json::Object{{"revision", Json(revisions[at(scope)])},
                                                {"guard_revision", Json(stand.guard_revision)},
                                                {"guard", Json(stand.guard.to_text())}}));
  }
  return out;
}

std::optional<std::int64_t> number_in(const Json& object, std::string_view name) {
  const Json* member = object.find(name);
  if (member == nullptr || !member->is_number()) return std::nullopt;
  const std::string& digits = member->as_number().digits;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number < 0) return std::nullopt;
  return number;
}

}  // namespace

HomeCopy::HomeCopy(const std::filesystem::path& home, StrictModes strict_modes, std::string store,
                   Clock clock)
    : store_(std::move(store)),
      clock_(std::move(clock)),
      auth_file_(home / "auth.json", strict_modes),
      topics_file_(home / "protected_topics.json", strict_modes),
      mark_(home, strict_modes) {}

bool HomeCopy::is_ours() const {
  const auto mark = mark_.load();
  return mark && *mark && (*mark)->is_unchanged && (*mark)->store == store_;
}

HomeCopy::Restored HomeCopy::restore() const {
  const auto unused = [](const std::string& why) {
    return Restored{{}, {}, "the home's own copy is not used: " + why, {}};
  };
  const auto mark = mark_.load();
  if (!mark) return unused(mark.error().to_string());
  if (!*mark) return {};
  if (!(*mark)->is_unchanged) return unused("its files were changed by somebody else");
  const Json* index = (*mark)->details.find("index");
  auto topics = topics_file_.load_document();
  if (!topics && topics.error().code == ErrorCode::kNotFound) topics = TopicDocument();
  if (!topics) return unused(topics.error().to_string());
  auto content =
      FleetContent::restore([this](PolicyDocumentSink& sink) { return auth_file_.load_document(sink); },
                            *topics, index != nullptr ? *index : Json());
  if (!content) return unused(content.error().to_string());
  if ((*mark)->details.find(kIsPart) != nullptr) {
    Restored out = unused("it has not all that the site adds");
    out.site = content->site_part();
    return out;
  }

  Restored out{.followed = Followed(), .synced_at = (*mark)->synced_at, .remark = {}, .site = {}};
  out.followed->state.content = *std::move(content);
  for (const Scope scope : kScopes) {
    const Json* of = (*mark)->details.find(member_of(scope));
    const auto revision = of != nullptr ? number_in(*of, "revision") : std::nullopt;
    const auto guard_revision = of != nullptr ? number_in(*of, "guard_revision") : std::nullopt;
    const Json* guard = of != nullptr ? of->find("guard") : nullptr;
    if (!revision || !guard_revision || guard == nullptr || !guard->is_string()) {
      return unused("it does not say how far it has come");
    }
    out.followed->revisions[at(scope)] = *revision;
    out.followed->state.stand(scope) = {FleetGuard::parse(guard->as_string()), *guard_revision};
  }
  return out;
}

EditOptions HomeCopy::edit_options(const Stands& stands) const {
  EditOptions out;
  out.clock = clock_;
  const Stand& fleet = stands[at(Scope::kFleet)];
  const Stand& site = stands[at(Scope::kSite)];
  const FleetGuard& last = fleet.guard_revision > site.guard_revision ? fleet.guard : site.guard;
  out.note = {last.who.empty() ? "the fleet" : last.who, "follow: " + last.command, false};
  return out;
}

Result<void> HomeCopy::write(const Followed& followed, Parts changed, OfSite of_site) const {
  const FleetContent& content = followed.state.content;
  if (followed.state.is_partial()) return push_under_way(followed.state.stands);
  const auto topics = content.topics();
  if (!topics) return topics.error();
  if (auto problem = content.policy_problem()) return *std::move(problem);
  const bool is_known = is_ours();
  if (!is_known) changed = {true, true};

  const EditOptions options = edit_options(followed.state.stands);
  const auto write_policy = [&] { return this->write_policy(content, *topics, is_known, options); };
  Result<EditReport> done = EditReport();
  if (changed.policy && changed.topics) {
    done = topics_file_.replace_with(*topics, write_policy, options);
  } else if (changed.policy) {
    done = write_policy();
  } else if (changed.topics) {
    done = topics_file_.edit(
        [&](TopicDocument& there) -> Result<void> {
          there = *topics;
          return {};
        },
        options);
  }
  if (!done) return done.error();
  Json details = details_of(followed, followed.revisions);
  if (of_site == OfSite::kSome) details.set(kIsPart, Json(true));
  return mark_.save(store_, details, clock_());
}

Result<EditReport> HomeCopy::write_policy(const FleetContent& content, const TopicDocument& topics,
                                          bool is_known, const EditOptions& options) const {
  const auto text = [&](const std::function<bool(std::string_view)>& write) -> Result<void> {
    content.write_policy(write);
    return {};
  };
  const auto compiles = [&](const AuthFile::LoadParts& load) -> Result<void> {
    const auto compiled = PolicySnapshot::compile_parts(load, TopicProtector(topics.rules()), clock_());
    if (!compiled) return compiled.error();
    return {};
  };
  return auth_file_.replace(text, is_known, compiles, options);
}

Result<void> HomeCopy::note_revisions(const Followed& followed, const Revisions& revisions) const {
  const auto mark = mark_.load();
  if (!mark) return mark.error();
  if (!*mark || !(*mark)->is_unchanged || (*mark)->store != store_) return {};
  if ((*mark)->details.find(kIsPart) != nullptr) return {};
  return mark_.save(store_, details_of(followed, revisions), (*mark)->synced_at);
}

}  // namespace vipauth::fleet
