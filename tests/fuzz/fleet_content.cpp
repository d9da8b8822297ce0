// What a fleet's store holds: a document that somebody wants it to become, then keys and their values in
// turn, 0xFF between all. The fleet's part is the same whatever a site has there, and a site's whatever
// another one has; documents and index are the whole of it; any document can be made of it.
#include <array>
#include <map>
#include <set>
#include <vector>

#include <openssl/err.h>

#include "fleet/csr_copy.hpp"
#include "fleet/csr_listing.hpp"
#include "fleet/decided_values.hpp"
#include "fleet/fleet_reader.hpp"
#include "fleet/held_requests.hpp"
#include "fleet/pending_values.hpp"
#include "fleet_texts.hpp"
#include "fuzz.hpp"
#include "support/policy_documents.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;
using namespace vipauth::fleet;

namespace {

using Kind = FleetKey::Kind;
using Keys = std::map<std::string, std::string>;

constexpr std::size_t kMostKeys = 24;
constexpr std::string_view kRoot = "/p/";
constexpr std::string_view kGone = "(gone)";  // in the place of a value: the key goes
constexpr const char* kSites[] = {"berlin", "berlin-2"};

const FleetLayout& layout_of(std::size_t site) {
  static const FleetLayout layouts[] = {{"p", kSites[0]}, {"p", kSites[1]}, {"p", ""}};
  return layouts[site];
}
constexpr std::size_t kAll = 2;

void require_good_all(const std::vector<Error>& errors, std::size_t size) {
  for (const Error& error : errors) require_good(error, size);
}

std::vector<std::string> texts(const Json& document, std::string_view list) {
  std::vector<std::string> out;
  const Json* items = document.find(list);
  if (items == nullptr || !items->is_array()) return out;
  for (const Json& item : items->as_array()) out.push_back(item.dump());
  return out;
}

std::vector<std::string> sorted(std::vector<std::string> all) {
  std::sort(all.begin(), all.end());
  return all;
}

// ---- Both parts together ----

/// What the fleet says comes first, or is all that there is, whatever the site adds.
void require_begins_with(const Json& whole, const Json& part) {
  for (const Json::Member& member : part.as_object()) {
    const Json* found = whole.find(member.name);
    require(found != nullptr, member.name);
    if (member.name == "roles" || member.name == "groups") {
      for (const Json::Member& named : member.value.as_object()) {
        const Json* same = found->find(named.name);
        require(same != nullptr && same->dump() == named.value.dump(), "a site changes what the fleet names");
      }
    } else if (member.name == "allow" || member.name == "deny" || member.name.ends_with("-protect")) {
      const auto of_fleet = texts(part, member.name);
      const auto all = texts(whole, member.name);
      require(of_fleet.size() <= all.size() && std::equal(of_fleet.begin(), of_fleet.end(), all.begin()),
              "a site changes the fleet's list");
    } else {
      require_same(found->dump(), member.value.dump());
    }
  }
}

void check_parts(const FleetContent& content, std::size_t size) {
  const FleetContent fleet = content.fleet_part();
  require(fleet.size() + content.site_part().size() == content.size());
  const auto policy = content.policy();
  const auto of_fleet = fleet.policy();
  require(policy.has_value() == of_fleet.has_value(), "a site keeps the fleet's policy from being read");
  if (policy) {
    require_begins_with(policy->to_json(), of_fleet->to_json());
  } else {
    require_good(policy.error(), size);
  }
  require(!fleet.policy_problem() || content.policy_problem());
  require(policy.has_value() || content.policy_problem());
  if (const auto problem = content.policy_problem()) require_good(*problem, size);

  const auto topics = content.topics();
  const auto topics_of_fleet = fleet.topics();
  if (topics) {
    require(topics_of_fleet.has_value(), "a site mends the fleet's rules");
    require_begins_with(topics->to_json(), topics_of_fleet->to_json());
  } else {
    require_good(topics.error(), size);
    const std::string& location = topics.error().location;
    require(location.starts_with("fleet/") || location.starts_with("site/"), topics.error().to_string());
  }
  require_good_all(content.problems(), size);
  for (const Kind kind : {Kind::kAllow, Kind::kDeny, Kind::kWriteProtect, Kind::kReadProtect}) {
    for (std::size_t i = 0; content.key_at(kind, i); ++i) {
      const FleetKey key = *content.key_at(kind, i);
      require(key.kind == kind && layout_of(0).parse(layout_of(0).key(key)) == key);
    }
  }
}

void check_index(const FleetContent& content) {
  const auto policy = content.policy();
  const auto topics = content.topics();
  if (!policy || !topics) return;
  std::string text;
  content.write_policy([&](std::string_view piece) {
    text += piece;
    return true;
  });
  const auto written = Json::parse(text);
  require(written.has_value(), text);
  require_same(written->dump(), policy->to_json().dump());
  const auto index = Json::parse(content.index().dump());
  require(index.has_value());
  const auto again = FleetContent::restore(
      [&](PolicyDocumentSink& sink) { return test::hand_over(*written, sink); }, *topics, *index);
  require(again.has_value(), again ? "" : again.error().to_string() + index->dump());
  require(again->size() == content.size());
  require_same(again->index().dump(), index->dump());
  require_same(again->policy()->to_json().dump(), policy->to_json().dump());
  require_same(again->topics()->to_json().dump(), topics->to_json().dump());
}

/// An index that somebody else has written, of the documents that are there: what it says besides them cannot
/// be what no store could.
void check_foreign_index(const FleetContent& content, std::string_view text) {
  const auto index = Json::parse(text);
  const auto policy = content.policy();
  const auto topics = content.topics();
  if (!index || index->find("has_site") == nullptr || !policy || !topics) return;
  const Json document = policy->to_json();
  const auto restored = FleetContent::restore(
      [&](PolicyDocumentSink& sink) { return test::hand_over(document, sink); }, *topics, *index);
  if (!restored) return require_good(restored.error(), text.size());
  require_same(restored->policy()->to_json().canonical().dump(), document.canonical().dump());
  require_same(restored->topics()->to_json().canonical().dump(), topics->to_json().canonical().dump());
  require(index->find("has_site")->as_bool() || restored->site_part().size() == 0, "a site's, without one");
  check_parts(*restored, text.size());
  check_index(*restored);
}

// ---- Edits ----

using Lists = std::array<const char*, 2>;
constexpr Lists kOfPolicy{"allow", "deny"};
constexpr Lists kOfTopics{"write-protect", "read-protect"};

Json without(const Lists& lists, Json document) {
  for (const char* list : lists) document.erase(list);
  return document;
}

void apply_all(FleetContent& content, const KeyChanges& changes) {
  for (const auto& [key, value] : changes) {
    // What is written is read again from the one form of the key.
    const auto parsed = layout_of(0).parse(layout_of(0).key(key));
    require(parsed == key, layout_of(0).key(key));
    content.apply(*parsed, value);
  }
}

/// What has no rank stays in front of all others, and the fleet's in front of the site's.
bool has_one_order(const FleetContent& content) {
  for (const Kind kind : {Kind::kAllow, Kind::kDeny, Kind::kWriteProtect, Kind::kReadProtect}) {
    const auto first = content.key_at(kind, 0);
    if (first && first->is_malformed) return false;
  }
  return content.site_part().size() == 0;
}

void require_became(const Json& now, const Json& wanted, const Lists& lists, bool is_in_order) {
  require_same(without(lists, now).canonical().dump(), without(lists, wanted).canonical().dump());
  for (const char* list : lists) {
    require(sorted(texts(now, list)) == sorted(texts(wanted, list)), now.dump() + "\n" + wanted.dump());
    if (is_in_order) require(texts(now, list) == texts(wanted, list), now.dump() + "\n" + wanted.dump());
  }
}

template <typename Document, typename Read>
void check_edit(const FleetContent& content, const Document& after, const Lists& lists, const Read& read,
                std::size_t size) {
  const auto before = read(content);
  if (!before) return;
  for (const Scope edits : {Scope::kFleet, Scope::kSite}) {
    const auto nothing = content.difference(*before, edits);
    if (!nothing) {
      // Of a version that the fleet does not keep, or what cannot be written as it was read.
      require_good(nothing.error(), size);
      continue;
    }
    require(nothing->empty(), "what is there is written again");
    const auto changes = content.difference(after, edits);
    if (!changes) {
      require_good(changes.error(), size);
      continue;
    }
    for (const auto& [key, value] : *changes) require(edits == Scope::kFleet || key.scope == Scope::kSite);
    FleetContent changed = content;
    apply_all(changed, *changes);
    const auto now = read(changed);
    require(now.has_value(), now ? "" : now.error().to_string());
    require_became(now->to_json(), after.to_json(), lists, edits == Scope::kFleet && has_one_order(content));
  }
}

void check_edits(const FleetContent& content, std::string_view text) {
  const auto document = Json::parse(text);
  if (!document) return;
  if (const auto after = Policy::parse(*document)) {
    check_edit(content, *after, kOfPolicy, [](const FleetContent& of) { return of.policy(); }, text.size());
  }
  if (const auto after = TopicDocument::parse(*document)) {
    check_edit(content, *after, kOfTopics, [](const FleetContent& of) { return of.topics(); }, text.size());
  }
}

// ---- What sites tell ----

std::string shown(const HeldRequests& held, std::string_view site) {
  std::string out;
  for (const PendingRequest& request : held.state.pending) {
    if (request.site.empty() || request.site == site) out += pending_value(request) + "\n";
  }
  return out;
}

std::string decided_text(const HeldRequests& held, bool is_of_all) {
  std::string out;
  for (const DecidedPeer& peer : held.state.decided) {
    const auto* of_fleet = held.find_decided(Scope::kFleet, id_of(peer));
    const bool counts_of_fleet = of_fleet != nullptr && of_fleet->text;
    require(counts_of_fleet || is_believed_of_site(peer) || peer.is_doubtful, "a site is believed");
    require(!counts_of_fleet || !peer.is_doubtful);
    if (is_of_all || counts_of_fleet) out += decided_value(peer) + "\n";
  }
  return out;
}

HeldRequests held_in(const Keys& keys, std::size_t site) {
  const FleetLayout& layout = layout_of(site);
  HeldRequestsReader reader(layout);
  for (const auto& [key, value] : keys) {
    if (key.starts_with(layout.pending_prefix())) (void)reader.take_pending({key, value, 1, 1});
  }
  for (const Scope scope : {Scope::kFleet, Scope::kSite}) {
    const std::string prefix = layout.decided_prefix(scope);
    for (const auto& [key, value] : keys) {
      if (!prefix.empty() && key.starts_with(prefix)) (void)reader.take_decided(scope, {key, value, 1, 1});
    }
  }
  return std::move(reader).finish();
}

void check_requests(const Keys& keys, std::size_t size) {
  const HeldRequests all = held_in(keys, kAll);
  for (std::size_t site = 0; site < kAll; ++site) {
    const HeldRequests own = held_in(keys, site);
    require_same(shown(all, kSites[site]), shown(own, kSites[site]));
    require_same(decided_text(own, false), decided_text(all, true));
    for (const auto& [key, known] : own.pending)
      require(key.starts_with(layout_of(site).pending_prefix()), key);
    if (!own.left_out.empty()) require_shown(own.left_out, size);
  }
  std::set<std::string> waiting;
  for (const PendingRequest& request : all.state.pending) {
    const std::string key = layout_of(kAll).pending_key(request.site, id_of(request));
    require(waiting.insert(key).second && keys.contains(key), "somebody waits of whom no key tells");
    const auto told = parse_pending(keys.at(key));
    require(told.has_value());
    require_same(pending_value(*told), pending_value(request));
  }
  if (!all.left_out.empty()) require_shown(all.left_out, size);
}

std::string shown(const FleetCsr& csr) {
  std::string out = csr.site + " " + csr_value(csr.request);
  if (csr.asked) out += " " + csr.asked->decision + " " + csr.asked->who;
  if (csr.failed) out += " " + csr.failed->asked.decision + " " + csr.failed->problem.to_string();
  return out;
}

std::vector<FleetCsr> listed(const Keys& keys, std::size_t site, std::size_t size) {
  CsrListing listing(layout_of(site));
  for (const auto& [key, value] : keys) (void)listing.take({key, value, 1, 1}, value == "too large");
  for (const std::string& warning : listing.warnings()) {
    require_shown(warning, size);
    require(!has_control_character(warning), warning);
  }
  return std::move(listing).entries();
}

void check_csrs(const Keys& keys, std::size_t size) {
  const auto all = listed(keys, kAll, size);
  for (std::size_t site = 0; site < kAll; ++site) {
    std::string of_all;
    std::string of_own;
    for (const FleetCsr& csr : all) {
      if (csr.site == kSites[site]) of_all += shown(csr) + "\n";
    }
    for (const FleetCsr& csr : listed(keys, site, size)) {
      require(csr.site == kSites[site], csr.site);
      of_own += shown(csr) + "\n";
    }
    require_same(of_all, of_own);

    // What the site itself knows of its keys, read at once, or told one by one, what is older also later.
    CsrCopy read(layout_of(site));
    CsrCopy told(layout_of(site));
    for (const auto& [key, value] : keys) {
      read.take({key, value, 2, 2});
      told.apply({key, "oldest", {}}, 1);
      told.apply({key, std::nullopt, {}}, 1);
      told.apply({key, value, {}}, 2);
      told.apply({key, "older", {}}, 1);
      told.apply({key, std::nullopt, {}}, 2);
    }
    for (const auto kind : {CsrKey::Kind::kRequest, CsrKey::Kind::kDecision, CsrKey::Kind::kAnswer}) {
      require(read.of(kind) == told.of(kind));
      for (const auto& [key, held] : read.of(kind)) {
        const auto parsed = layout_of(site).parse_csr(key);
        require(parsed && parsed->kind == kind && parsed->site == kSites[site], key);
        require(told.has(key, 2) && !told.has(key, 1));
      }
    }
  }
  for (const FleetCsr& csr : all) {
    const std::string key =
        layout_of(kAll).csr_key(csr.site, CsrKey::Kind::kRequest, csr.request.common_name);
    require(keys.contains(key), "a request is shown that is not there");
    const auto told = parse_csr_value(csr.request.common_name, keys.at(key));
    require(told.has_value());
    require_same(csr_value(*told), csr_value(csr.request));
  }
}

// ---- One after the other ----

FleetState state_of(const std::vector<Mutation>& mutations, std::size_t site) {
  FleetState state(!layout_of(site).site().empty());
  std::int64_t revision = 0;
  for (const Mutation& mutation : mutations) {
    state.apply(layout_of(site), mutation, ++revision);
    require(!state.is_partial() || state.stands[0].guard.partial || state.stands[1].guard.partial);
    static_cast<void>(state.is_half());
  }
  return state;
}

void check_state(const std::vector<Mutation>& mutations, const Keys& keys, std::size_t size) {
  const FleetState here = state_of(mutations, 0);
  // As they are read: in their order, each once.
  FleetState read(true);
  for (const auto& [key, value] : keys) read.apply(layout_of(0), {key, value, {}}, 1);
  require(read.content.has_same_policy(here.content) && read.content.has_same_topics(here.content));
  require(read.content.size() == here.content.size());

  std::vector<Mutation> without_other;
  for (const Mutation& mutation : mutations) {
    if (!mutation.key.starts_with(layout_of(1).scope_prefix(Scope::kSite))) without_other.push_back(mutation);
  }
  const FleetState alone = state_of(without_other, 0);
  require(alone.content.has_same_policy(here.content) && alone.content.has_same_topics(here.content),
          "another site changes what this one has");
  require(alone.stands[1].guard.edit == here.stands[1].guard.edit);
  const FleetState all = state_of(mutations, kAll);
  const FleetContent fleet = here.content.fleet_part();
  require(all.content.has_same_policy(fleet) && all.content.has_same_topics(fleet));
  check_parts(here.content, size);
  check_index(here.content);
  check_index(fleet);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = with_certificates(fuzz::text_of(data, size));
  const auto parts = parts_of(text, 1 + 2 * kMostKeys);
  std::vector<Mutation> mutations;
  Keys keys;
  for (std::size_t i = 1; i + 1 < parts.size(); i += 2) {
    const std::string key = std::string(kRoot) + std::string(parts[i]);
    if (parts[i + 1] == kGone) {
      keys.erase(key);
      mutations.push_back({key, std::nullopt, {}});
    } else {
      keys[key] = parts[i + 1];
      mutations.push_back({key, std::string(parts[i + 1]), {}});
    }
  }
  check_state(mutations, keys, text.size());
  check_requests(keys, text.size());
  check_csrs(keys, text.size());
  const FleetState here = state_of(mutations, 0);
  check_foreign_index(here.content, parts.front());
  check_edits(here.content, parts.front());
  check_edits(here.content.fleet_part(), parts.front());
  ERR_clear_error();
  return 0;
}
