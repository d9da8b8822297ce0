#include "stores/policy_store_contract.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/policies.hpp"

namespace vipauth::test {
namespace {

using namespace std::chrono_literals;

constexpr int kThreads = 4;
constexpr int kEdits = 12;  // of each thread

/// A key that belongs to this number, and to no other.
std::string key_of(int number) {
  std::array<unsigned char, 32> bytes{};
  bytes[0] = static_cast<unsigned char>(number % 256);
  bytes[1] = static_cast<unsigned char>(number / 256);
  bytes[31] = 1;
  return CurveKey::from_bytes(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()))
      ->to_base64url();
}

PendingRequest request_of(int number) {
  PendingRequest request;
  request.credentials = key_of(number);
  request.domain = "vip";
  request.address = "10.0.0." + std::to_string(number);
  request.user_id = "00000000-0000-4000-8000-" + std::to_string(100'000'000'000 + number);
  request.first_seen = request.last_seen = kNow;
  request.retries = 1;
  return request;
}

Result<void> fail_with_conflict() { return Error{ErrorCode::kConflict, "the test refuses", "/here"}; }

Json content(const PolicyStore& store) {
  const auto loaded = store.load_policy();
  REQUIRE(loaded);
  return loaded->to_json();
}

Json topics(const PolicyStore& store) {
  const auto loaded = store.load_topics();
  REQUIRE(loaded);
  return loaded->to_json();
}

std::vector<std::string> users(const PolicyStore& store) {
  const auto loaded = store.load_policy();
  REQUIRE(loaded);
  std::vector<std::string> out;
  for (const Policy::Entry& entry : loaded->allow()) {
    REQUIRE(entry.record);
    out.push_back(entry.record->user_id);
  }
  return out;
}

std::vector<std::string> waiting(const PolicyStore& store) {
  const auto loaded = store.load_pending();
  REQUIRE(loaded);
  std::vector<std::string> out;
  for (const PendingRequest& request : loaded->pending) out.push_back(request.credentials);
  std::sort(out.begin(), out.end());
  return out;
}

bool has_user(const Policy& policy, std::string_view user_id) {
  return std::any_of(policy.allow().begin(), policy.allow().end(), [&](const Policy::Entry& entry) {
    return entry.record && entry.record->user_id == user_id;
  });
}

std::string comments_of(const Policy& policy, std::size_t index) {
  return policy.allow().at(index).source.text_at("comments");
}

/// What an edit came to; the error is shown where a test fails.
template <typename Done>
void must(const Result<Done>& done) {
  INFO((done ? std::string() : done.error().to_string()));
  REQUIRE(done);
}

template <typename Done>
ErrorCode code_of(const Result<Done>& failed) {
  REQUIRE_FALSE(failed);
  return failed.error().code;
}

/// An edit that gives way to others as often as it must.
template <typename Edit>
std::string insist(const Edit& edit) {
  for (;;) {
    const auto done = edit();
    if (done) return {};
    const bool may_go_on = done.error().code == ErrorCode::kConflict || done.error().code == ErrorCode::kBusy;
    if (!may_go_on) return done.error().to_string();
  }
}

/// Runs the work on some threads at once, each with its number and a store of its own. It checks nothing
/// itself.
/// \return what went wrong
std::vector<std::string> at_once(const OpenStore& open,
                                 const std::function<std::string(PolicyStore&, int)>& work) {
  std::vector<std::unique_ptr<PolicyStore>> stores;
  for (int i = 0; i < kThreads; ++i) stores.push_back(open());
  std::vector<std::string> problems(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back(
        [&, i] { problems[static_cast<std::size_t>(i)] = work(*stores[static_cast<std::size_t>(i)], i); });
  }
  for (std::thread& thread : threads) thread.join();
  std::erase(problems, std::string());
  return problems;
}

/// What a watch has told.
struct Told {
  std::atomic<int> policy = 0;
  std::atomic<int> topics = 0;
  std::atomic<int> pending = 0;

  std::function<void(const StoreChanges&)> callback() {
    return [this](const StoreChanges& changes) {
      if (changes.policy) ++policy;
      if (changes.topics) ++topics;
      if (changes.pending) ++pending;
    };
  }
};

std::unique_ptr<StoreWatch> watching(PolicyStore& store, Told& told) {
  auto watch = store.watch(told.callback());
  must(watch);
  REQUIRE(*watch != nullptr);
  return *std::move(watch);
}

Result<void> protect(TopicDocument& document, const std::string& topic) {
  return document.add(TopicList::kWriteProtect, topic, {"can_publish"});
}

// ---- Reading and writing ----

void nothing_is_empty(const OpenStore& open) {
  const auto store = open();
  CHECK(users(*store).empty());
  const auto policy = store->load_policy();
  CHECK(policy->deny().empty());
  CHECK(policy->roles().empty());
  const auto rules = store->load_topics();
  must(rules);
  CHECK(rules->rules(TopicList::kWriteProtect).empty());
  CHECK(waiting(*store).empty());
  CHECK(store->load_pending()->decided.empty());
}

void an_edit_is_kept(const OpenStore& open) {
  const auto store = open();
  const auto edited = store->edit_policy(add_user("alice", kKeyA));
  must(edited);
  CHECK(edited->written);
  CHECK(users(*store) == std::vector<std::string>{"alice"});
  CHECK(users(*open()) == std::vector<std::string>{"alice"});
  CHECK(content(*open()) == content(*store));
}

void all_that_is_said_is_kept(const OpenStore& open) {
  const Json written = json(R"({
    'version': {'major': 1, 'minor': 4}, 'site note': ['a', {'b': 1.50}],
    'allow': [{'user_id': 'b', 'credentials': ')" +
                            kKeyB + R"(', 'ticket': 7, 'enabled': false},
              {'user_id': 'a', 'mechanism': 'NULL', 'address': '/127[.]0[.]0[.]1/', 'credentials': null},
              {'user_id': 'c', 'credentials': 'no key', 'mechanism': 'CURVE'}],
    'deny': [{'user_id': 'd', 'credentials': ')" +
                            kKeyC + R"('}, {'user_id': 'a', 'credentials': ')" + kKeyA + R"('}],
    'roles': {'reader': ['READ'], 'a/b c%': {'CAN': {'x': '/.*/'}}, '': [], '\u00e4': ['X']},
    'groups': {'staff': ['reader', 'nobody']}})");
  const auto edited = open()->edit_policy([&](Policy& policy) -> Result<void> {
    policy = *Policy::parse(written);
    return {};
  });
  must(edited);
  // The order of roles and groups says nothing.
  CHECK(content(*open()).canonical().dump_pretty() == written.canonical().dump_pretty());
}

void lists_keep_their_order(const OpenStore& open) {
  const auto store = open();
  for (int i = 0; i < 5; ++i) must(store->edit_policy(add_user("user" + std::to_string(i), key_of(i))));
  must(store->edit_policy([](Policy& policy) { return policy.remove_allow({1, 3}); }));
  must(store->edit_policy(
      [](Policy& policy) { return policy.update_allow(1, json("{'comments': 'changed in its place'}")); }));
  must(store->edit_policy(add_user("last", key_of(9))));
  CHECK(users(*open()) == std::vector<std::string>{"user0", "user2", "user4", "last"});
  CHECK(comments_of(*open()->load_policy(), 1) == "changed in its place");
}

void one_edit_is_one(const OpenStore& open) {
  const auto store = open();
  must(store->edit_policy(add_user("old", kKeyA)));
  const auto both = [](Policy& policy) -> Result<void> {
    if (auto removed = policy.remove_allow({0}); !removed) return removed;
    if (auto added = add_user("new", kKeyA)(policy); !added) return added;
    if (auto role = policy.add_role("reader", json("['READ']")); !role) return role;
    return policy.add_group("staff", {"reader"});
  };
  must(store->edit_policy(both));
  const auto policy = open()->load_policy();
  REQUIRE(policy->allow().size() == 1);
  CHECK(policy->allow()[0].record->user_id == "new");
  CHECK(policy->find_role("reader") != nullptr);
  CHECK(policy->find_group("staff") != nullptr);
}

void what_fails_changes_nothing(const OpenStore& open) {
  const auto store = open();
  must(store->edit_policy(add_user("alice", kKeyA)));
  must(store->edit_topics([](TopicDocument& document) { return protect(document, "a"); }));
  must(store->edit_pending([](PendingState& state) -> Result<void> {
    state.pending.push_back(request_of(1));
    return {};
  }));
  const Json before = content(*store);
  const Json topics_before = topics(*store);
  const auto failed = store->edit_policy([](Policy& policy) -> Result<void> {
    if (auto added = add_user("bob", kKeyB)(policy); !added) return added;
    return fail_with_conflict();
  });
  CHECK(code_of(failed) == ErrorCode::kConflict);
  CHECK(failed.error().message == "the test refuses");
  CHECK(failed.error().location == "/here");
  CHECK(code_of(store->edit_policy(add_user("alice", kKeyB))) == ErrorCode::kAlreadyExists);
  CHECK(code_of(store->edit_topics([](TopicDocument& document) -> Result<void> {
          if (auto added = protect(document, "b"); !added) return added;
          return fail_with_conflict();
        })) == ErrorCode::kConflict);
  CHECK(code_of(store->edit_pending([](PendingState& state) {
          state.pending.clear();
          return fail_with_conflict();
        })) == ErrorCode::kConflict);
  for (const auto& reader : {open(), open()}) {
    CHECK(content(*reader) == before);
    CHECK(topics(*reader) == topics_before);
    CHECK(waiting(*reader) == std::vector<std::string>{key_of(1)});
  }
}

void what_changes_nothing_is_not_written(const OpenStore& open) {
  const auto store = open();
  must(store->edit_policy(add_user("alice", kKeyA)));
  must(store->edit_topics([](TopicDocument& document) { return protect(document, "a"); }));
  const auto same = store->edit_policy([](Policy&) -> Result<void> { return {}; });
  must(same);
  CHECK_FALSE(same->written);
  const auto back = store->edit_policy([](Policy& policy) -> Result<void> {
    if (auto added = policy.add_role("r", json("[]")); !added) return added;
    return policy.remove_role("r");
  });
  must(back);
  CHECK_FALSE(back->written);
  const auto same_topics = store->edit_topics([](TopicDocument&) -> Result<void> { return {}; });
  must(same_topics);
  CHECK_FALSE(same_topics->written);
  const auto other = store->edit_policy(add_user("bob", kKeyB));
  must(other);
  CHECK(other->written);
}

void what_cannot_be_written_is_refused(const OpenStore& open) {
  const auto store = open();
  must(store->edit_policy(add_user("alice", kKeyA)));
  const Json before = content(*store);
  const auto edited = store->edit_policy([](Policy& policy) {
    return policy.update_allow(0, Json::Object{{"note", Json("\xff is no UTF-8")}});
  });
  CHECK(code_of(edited) == ErrorCode::kInvalidArgument);
  CHECK(content(*open()) == before);
}

void topics_are_kept(const OpenStore& open) {
  const auto store = open();
  const auto edited = store->edit_topics([](TopicDocument& document) -> Result<void> {
    if (auto added = protect(document, "devices"); !added) return added;
    if (auto added = document.add(TopicList::kReadProtect, "/secret.*/", {}); !added) return added;
    return protect(document, "alerts");
  });
  must(edited);
  CHECK(edited->written);
  const auto loaded = open()->load_topics();
  must(loaded);
  const auto& rules = loaded->rules(TopicList::kWriteProtect);
  REQUIRE(rules.size() == 2);
  CHECK(rules[0].topic.text() == "devices");
  CHECK(rules[0].capabilities == std::vector<std::string>{"can_publish"});
  CHECK(rules[1].topic.text() == "alerts");
  REQUIRE(loaded->rules(TopicList::kReadProtect).size() == 1);
  CHECK(loaded->rules(TopicList::kReadProtect)[0].topic.text() == "/secret.*/");
  must(store->edit_topics([](TopicDocument& document) -> Result<void> {
    if (auto removed = document.remove(TopicList::kWriteProtect, "devices"); !removed) return removed.error();
    return {};
  }));
  CHECK(open()->load_topics()->rules(TopicList::kWriteProtect).size() == 1);
  CHECK(users(*open()).empty());
}

void pending_is_kept(const OpenStore& open) {
  const auto store = open();
  PendingRequest request = request_of(7);
  request.last_seen = kNow + 5s;
  request.retries = 3;
  const DecidedPeer decided{Mechanism::kCurve, key_of(8), json("'vip'"), json("['10.0.0.1', '10.0.0.2']")};
  must(store->edit_pending([&](PendingState& state) -> Result<void> {
    state.pending.push_back(request);
    state.decided.push_back(decided);
    return {};
  }));
  const auto loaded = open()->load_pending();
  must(loaded);
  REQUIRE(loaded->pending.size() == 1);
  const PendingRequest& kept = loaded->pending.front();
  CHECK(kept.mechanism == Mechanism::kCurve);
  CHECK(kept.credentials == request.credentials);
  CHECK(kept.domain == "vip");
  CHECK(kept.address == "10.0.0.7");
  CHECK(kept.user_id == request.user_id);
  CHECK(kept.first_seen == kNow);
  CHECK(kept.last_seen == kNow + 5s);
  CHECK(kept.retries == 3);
  const DecidedPeer* peer = loaded->find_decided(Mechanism::kCurve, key_of(8));
  REQUIRE(peer != nullptr);
  CHECK(peer->domain == decided.domain);
  CHECK(peer->address == decided.address);
  must(store->edit_pending([&](PendingState& state) -> Result<void> {
    state.pending.clear();
    return {};
  }));
  CHECK(waiting(*open()).empty());
  CHECK(open()->load_pending()->decided.size() == 1);
}

void policy_within_pending(const OpenStore& open) {
  const auto store = open();
  must(store->edit_pending([](PendingState& state) -> Result<void> {
    state.pending.push_back(request_of(1));
    return {};
  }));
  bool is_decided = false;
  must(store->edit_pending([&](PendingState& state) -> Result<void> {
    if (!is_decided) {
      if (auto edited = store->edit_policy(add_user("alice", key_of(1))); !edited) return edited.error();
    }
    is_decided = true;
    state.pending.clear();
    return {};
  }));
  CHECK(users(*open()) == std::vector<std::string>{"alice"});
  CHECK(waiting(*open()).empty());
}

// ---- Several at once ----

void no_edit_is_lost(const OpenStore& open) {
  const auto problems = at_once(open, [](PolicyStore& store, int thread) {
    for (int i = 0; i < kEdits; ++i) {
      const int number = thread * kEdits + i;
      const AuthFile::Change add = add_user("user" + std::to_string(number), key_of(number));
      if (auto problem = insist([&] { return store.edit_policy(add); }); !problem.empty()) return problem;
    }
    return std::string();
  });
  CHECK(problems == std::vector<std::string>());
  std::map<std::string, int> count;
  for (const std::string& user : users(*open())) ++count[user];
  CHECK(count.size() == kThreads * kEdits);
  for (const auto& [user, times] : count) {
    INFO(user);
    CHECK(times == 1);
  }
}

/// What is written is made from what is replaced: nobody counts from a number that somebody else has moved
/// on.
void no_edit_is_made_on_an_old_state(const OpenStore& open) {
  const auto first = open();
  must(first->edit_policy(add_user("counter", kKeyA)));
  must(first->edit_policy([](Policy& policy) { return policy.update_allow(0, json("{'comments': '0'}")); }));
  const auto count_on = [](Policy& policy) {
    const int present = std::stoi(comments_of(policy, 0));
    return policy.update_allow(0, Json::Object{{"comments", std::to_string(present + 1)}});
  };
  const auto problems = at_once(open, [&](PolicyStore& store, int) {
    for (int i = 0; i < kEdits; ++i) {
      if (auto problem = insist([&] { return store.edit_policy(count_on); }); !problem.empty())
        return problem;
    }
    return std::string();
  });
  CHECK(problems == std::vector<std::string>());
  CHECK(comments_of(*open()->load_policy(), 0) == std::to_string(kThreads * kEdits));
}

void no_topic_is_lost(const OpenStore& open) {
  const auto problems = at_once(open, [](PolicyStore& store, int thread) {
    for (int i = 0; i < kEdits; ++i) {
      const std::string topic = "topic" + std::to_string(thread) + "/" + std::to_string(i);
      const auto add = [&](TopicDocument& document) { return protect(document, topic); };
      if (auto problem = insist([&] { return store.edit_topics(add); }); !problem.empty()) return problem;
    }
    return std::string();
  });
  CHECK(problems == std::vector<std::string>());
  CHECK(open()->load_topics()->rules(TopicList::kWriteProtect).size() == kThreads * kEdits);
}

void no_stranger_is_lost(const OpenStore& open) {
  const auto problems = at_once(open, [](PolicyStore& store, int thread) {
    for (int i = 0; i < kEdits; ++i) {
      const auto add = [&](PendingState& state) -> Result<void> {
        state.pending.push_back(request_of(thread * kEdits + i));
        return {};
      };
      if (auto problem = insist([&] { return store.edit_pending(add); }); !problem.empty()) return problem;
    }
    return std::string();
  });
  CHECK(problems == std::vector<std::string>());
  const std::vector<std::string> all = waiting(*open());
  CHECK(all.size() == kThreads * kEdits);
  CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
}

/// Somebody else tries to come between what a change reads and what becomes of it. Where the store lets them,
/// the change is made again on what they left.
void a_change_is_made_on_what_others_left(const OpenStore& open) {
  const auto store = open();
  const auto other = open();
  int calls = 0;
  bool has_other_done = false;
  bool has_seen_other = false;
  const auto edited = store->edit_policy([&](Policy& policy) -> Result<void> {
    if (++calls == 1) {
      has_other_done =
          other->edit_policy(add_user("other", kKeyB), {.patience = 300ms, .note = {}}).has_value();
    }
    has_seen_other = has_user(policy, "other");
    return add_user("own", kKeyA)(policy);
  });
  must(edited);
  const std::vector<std::string> present = users(*open());
  CHECK(std::count(present.begin(), present.end(), "own") == 1);
  CHECK(std::count(present.begin(), present.end(), "other") == (has_other_done ? 1 : 0));
  CHECK(has_seen_other == has_other_done);
  CHECK((calls > 1) == has_other_done);
}

/// The same where what they left has no room for it.
void a_change_may_fail_on_what_others_left(const OpenStore& open) {
  const auto store = open();
  const auto other = open();
  bool has_tried = false;
  bool has_other_done = false;
  const auto edited = store->edit_policy([&](Policy& policy) -> Result<void> {
    if (!has_tried) {
      has_tried = true;
      has_other_done =
          other->edit_policy(add_user("alice", kKeyB), {.patience = 300ms, .note = {}}).has_value();
    }
    return add_user("alice", kKeyA)(policy);
  });
  CHECK(edited.has_value() != has_other_done);
  if (!edited) CHECK(edited.error().code == ErrorCode::kAlreadyExists);
  const auto policy = open()->load_policy();
  REQUIRE(policy->allow().size() == 1);
  CHECK(std::get<CurveKey>(policy->allow()[0].record->credentials) == key(has_other_done ? kKeyB : kKeyA));
}

// ---- Watching ----

void a_watch_tells_what_others_change(const OpenStore& open) {
  const auto store = open();
  const auto other = open();
  Told told;
  const auto watch = watching(*store, told);
  must(other->edit_policy(add_user("alice", kKeyA)));
  CHECK(eventually([&] { return told.policy > 0; }));
  must(other->edit_topics([](TopicDocument& document) { return protect(document, "a"); }));
  CHECK(eventually([&] { return told.topics > 0; }));
  must(other->edit_pending([](PendingState& state) -> Result<void> {
    state.pending.push_back(request_of(1));
    return {};
  }));
  CHECK(eventually([&] { return told.pending > 0; }));
  const int before = told.policy;
  must(other->edit_policy(add_user("bob", kKeyB)));
  CHECK(eventually([&] { return told.policy > before; }));
}

void a_watch_tells_what_the_store_itself_changes(const OpenStore& open) {
  const auto store = open();
  Told told;
  const auto watch = watching(*store, told);
  must(store->edit_policy(add_user("alice", kKeyA)));
  CHECK(eventually([&] { return told.policy > 0; }));
}

/// Told of a change, one reads it.
void a_watch_tells_when_it_can_be_read(const OpenStore& open) {
  const auto store = open();
  const auto other = open();
  std::atomic<bool> has_read = false;
  auto watch = store->watch([&](const StoreChanges& changes) {
    if (!changes.policy) return;
    const auto policy = store->load_policy();
    if (policy && has_user(*policy, "alice")) has_read = true;
  });
  must(watch);
  must(other->edit_policy(add_user("alice", kKeyA)));
  CHECK(eventually([&] { return has_read.load(); }));
}

void a_watch_that_has_ended_tells_nothing(const OpenStore& open) {
  const auto store = open();
  const auto other = open();
  Told ended;
  Told going_on;
  auto watch = watching(*store, ended);
  const auto second = watching(*store, going_on);
  must(other->edit_policy(add_user("alice", kKeyA)));
  REQUIRE(eventually([&] { return ended.policy > 0 && going_on.policy > 0; }));
  watch.reset();
  const int told = ended.policy;
  for (int i = 0; i < 3; ++i) {
    const int before = going_on.policy;
    must(other->edit_policy(add_user("user" + std::to_string(i), key_of(i))));
    REQUIRE(eventually([&] { return going_on.policy > before; }));
  }
  CHECK(ended.policy == told);
}

void a_store_may_end_before_its_watch(const OpenStore& open) {
  auto store = open();
  const auto other = open();
  Told told;
  const auto watch = watching(*store, told);
  store.reset();
  must(other->edit_policy(add_user("alice", kKeyA)));
  CHECK(eventually([&] { return told.policy > 0; }));
}

}  // namespace

AuthFile::Change add_user(const std::string& user_id, const std::string& key) {
  return [user_id, key](Policy& policy) -> Result<void> {
    const auto added = policy.add_allow(Json::Object{{"user_id", user_id}, {"credentials", key}});
    if (!added) return added.error();
    return {};
  };
}

const std::vector<StoreCheck>& policy_store_contract() {
  static const std::vector<StoreCheck> checks{
      {"nothing written yet is empty", nothing_is_empty},
      {"an edit is kept, and others read it", an_edit_is_kept},
      {"all that a policy says is kept", all_that_is_said_is_kept},
      {"lists keep their order", lists_keep_their_order},
      {"an edit of several things is one", one_edit_is_one},
      {"a change that fails changes nothing", what_fails_changes_nothing},
      {"an edit that changes nothing is not written", what_changes_nothing_is_not_written},
      {"what cannot be written is refused", what_cannot_be_written_is_refused},
      {"topics are kept", topics_are_kept},
      {"strangers and decided peers are kept", pending_is_kept},
      {"a policy is edited within an edit of who waits", policy_within_pending},
      {"of many edits at once none is lost", no_edit_is_lost},
      {"no edit is made on an old state", no_edit_is_made_on_an_old_state},
      {"of many edits of topics at once none is lost", no_topic_is_lost},
      {"of many strangers at once none is lost", no_stranger_is_lost},
      {"a change is made on what others left", a_change_is_made_on_what_others_left},
      {"a change may fail on what others left", a_change_may_fail_on_what_others_left},
      {"a watch tells what others change", a_watch_tells_what_others_change},
      {"a watch tells what the store itself changes", a_watch_tells_what_the_store_itself_changes},
      {"what a watch tells can be read", a_watch_tells_when_it_can_be_read},
      {"a watch that has ended tells nothing", a_watch_that_has_ended_tells_nothing},
      {"a store may end before its watch", a_store_may_end_before_its_watch}};
  return checks;
}

}  // namespace vipauth::test
