// Lets five buses follow one fleet while its cluster has accidents, administrators edit, and each bus is
// asked without end. Each answer is compared with what the model says, and no acknowledged edit may be lost.
// usage: fleet_drill [--quick] [SCENARIO...]; fleet_drill --scale N

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iomanip>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <vipauth/etcd_store.hpp>

#include "bus.hpp"
#include "etcd_cluster.hpp"
#include "fleet/etcd_client.hpp"
#include "ledger.hpp"
#include "network.hpp"
#include "scale.hpp"
#include "soak/world.hpp"
#include "support/eventually.hpp"
#include "support/temp_home.hpp"

namespace vipauth::fleet_drill {
namespace {

using soak::Dice;
using test::EtcdCluster;
using test::eventually;
using namespace std::chrono_literals;

constexpr const char* kPrefix = "/vipauth/drill";
constexpr std::size_t kBuses = 5;
constexpr std::chrono::seconds kPatience{60};
constexpr int kSkipped = 77;

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

template <typename T>
T must(Result<T>&& result) {
  if (!result) fail(result.error().to_string());
  return *std::move(result);
}

double seconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

std::string with_unit(double seconds) {
  std::ostringstream out;
  if (seconds < 1) {
    out << static_cast<int>(seconds * 1000 + 0.5) << " ms";
  } else {
    out << std::fixed << std::setprecision(1) << seconds << " s";
  }
  return out.str();
}

/// What one scenario is to print.
struct Row {
  std::string name;
  Ledger::Sum sum;
  std::string recovery;
};

/// A cluster, five buses, and who edits.
class Fleet {
 public:
  explicit Fleet(EtcdCluster::Options options = {.members = 3}, Network* network = nullptr)
      : dice_(std::random_device()()) {
    if (network != nullptr) options.also_at = network->address();
    cluster_ = std::make_unique<EtcdCluster>(std::move(options));
    admin_ = open_store();
    begin_policy();
    for (std::size_t i = 0; i < kBuses; ++i) {
      const std::string path = std::string(kPrefix) + "?site=s" + std::to_string(i) + "&edit=fleet";
      const bool is_away = network != nullptr && i == kBuses - 1;
      auto address =
          must(StoreAddress::parse(is_away ? cluster_->other_address(path) : cluster_->address(path)));
      buses_.push_back(std::make_unique<Bus>("bus " + std::to_string(i), std::move(address), ledger_,
                                             is_away ? network->name() : std::string()));
      buses_.back()->start();
    }
    wait_for(1);
    for (const auto& bus : buses_) bus->ask(true);
  }
  ~Fleet() { stop_editing(); }
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  EtcdCluster& cluster() { return *cluster_; }
  Ledger& ledger() { return ledger_; }
  Bus& bus(std::size_t at) { return *buses_[at]; }
  std::size_t size() const { return buses_.size(); }
  EtcdStore& admin() { return *admin_; }
  Dice& dice() { return dice_; }
  std::uint64_t last_version() const { return last_; }

  std::unique_ptr<EtcdStore> open_store() const {
    return must(EtcdStore::open(cluster_->store_address(kPrefix), cluster_->client_options()));
  }

  AuthFile::Change any_change(std::uint64_t seed) const {
    return [seed](Policy& policy) {
      Dice dice(seed);
      return soak::edit(policy, 0, dice);
    };
  }

  struct Done {
    std::uint64_t version = 0;
    SteadyClock::time_point at;
  };
  Result<Done> edit(PolicyStore& store, const AuthFile::Change& change,
                    std::chrono::milliseconds patience = 30s) {
    const auto edit = ledger_.edit(change);
    EditOptions options;
    options.patience = patience;
    const auto report = store.edit_policy(edit.change, options);
    const auto now = SteadyClock::now();
    if (!report) return report.error();
    if (!report->written) fail("an edit that leaves a mark changed nothing");
    const Done done{ledger_.acknowledged(edit), now};
    std::uint64_t known = last_;
    while (known < done.version && !last_.compare_exchange_weak(known, done.version)) {
    }
    return done;
  }

  /// When each of the buses has it in force.
  SteadyClock::time_point wait_for(std::uint64_t version, std::size_t buses = kBuses) {
    SteadyClock::time_point out{};
    for (std::size_t i = 0; i < buses; ++i) {
      if (!eventually([&] { return buses_[i]->time_of(version).has_value(); }, kPatience)) {
        const auto status = buses_[i]->follower().status();
        fail(buses_[i]->name() + " has not got version " + std::to_string(version) + ", but " +
             std::to_string(buses_[i]->version()) +
             (status.problem ? ": " + status.problem->to_string() : ""));
      }
      out = std::max(out, *buses_[i]->time_of(version));
    }
    return out;
  }

  // ---- Somebody who edits all the time ----

  void begin_editing(std::size_t through_buses = kBuses) {
    editor_ = std::jthread([this, through_buses](const std::stop_token& stop) {
      Dice dice(last_ + 7);
      while (!stop.stop_requested()) {
        std::this_thread::sleep_for(20ms);
        const std::size_t way = dice.below(through_buses + 2);
        std::shared_ptr<PolicyStore> of_bus = way < through_buses ? buses_[way]->store() : nullptr;
        const auto done =
            edit(of_bus ? *of_bus : *admin_, any_change(dice.below(std::size_t{1} << 40U)), 10s);
        if (!done) {
          ++failed_;
          continue;
        }
        const std::lock_guard lock(mutex_);
        done_.push_back(*done);
      }
    });
  }
  void stop_editing() { editor_ = {}; }
  /// The first edit that was acknowledged after that time.
  std::optional<Done> first_after(SteadyClock::time_point time) const {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find_if(done_, [&](const Done& done) { return done.at > time; });
    return found == done_.end() ? std::nullopt : std::optional(*found);
  }
  Done wait_for_edit_after(SteadyClock::time_point time) const {
    if (!eventually([&] { return first_after(time).has_value(); }, kPatience))
      fail("no edit is made any more");
    return *first_after(time);
  }

  // ---- The end of a scenario ----

  /// All have the last edit, all homes say what the store says, and all answers are judged.
  Ledger::Sum settle() {
    stop_editing();
    // An edit in doubt may have been made: what is there now is the last.
    const Policy last = must(admin_->load_policy());
    const std::uint64_t version = ledger_.ended_with(last);
    wait_for(version);
    for (const auto& bus : buses_) bus->ask(false);
    std::this_thread::sleep_for(100ms);  // what is under way is handed in after that
    for (const auto& bus : buses_) {
      const auto synced = bus->follower().wait_until_synced(kPatience);
      if (!synced) fail(bus->name() + ": " + synced.error().to_string());
      const auto there = AuthFile(bus->home() / "auth.json").load();
      if (!there || !is_same(*there, last)) ledger_.lost(bus->name() + " does not say what the store says");
    }
    ledger_.judge();
    for (const auto& bus : buses_) bus->ask(true);
    const auto sum = ledger_.sum();
    const auto since = std::exchange(before_, sum);
    return {.acknowledged = sum.acknowledged - since.acknowledged,
            .lost = sum.lost - since.lost,
            .answers = sum.answers - since.answers,
            .allowed = sum.allowed - since.allowed,
            .exact = sum.exact - since.exact,
            .wrong = sum.wrong - since.wrong};
  }

 private:
  void begin_policy() {
    const auto done = edit(*admin_, [](Policy& policy) -> Result<void> {
      policy = must(Policy::parse(soak::first_policy()));
      return {};
    });
    if (!done) fail(done.error().to_string());
  }
  static std::string plain(const Policy& policy) {
    std::string out;
    for (const auto& entry : policy.allow()) out += entry.source.dump() + '\n';
    for (const auto& entry : policy.deny()) out += "deny " + entry.source.dump() + '\n';
    std::vector<std::string> names;
    for (const auto& role : policy.roles()) names.push_back("role " + role.name + role.source.dump());
    for (const auto& group : policy.groups()) names.push_back("group " + group.name + group.source.dump());
    std::ranges::sort(names);
    for (const std::string& name : names) out += name + '\n';
    return out;
  }
  static bool is_same(const Policy& one, const Policy& other) { return plain(one) == plain(other); }

  Dice dice_;
  std::unique_ptr<EtcdCluster> cluster_;
  std::unique_ptr<EtcdStore> admin_;
  Ledger ledger_;
  std::vector<std::unique_ptr<Bus>> buses_;
  std::atomic<std::uint64_t> last_ = 0;
  std::atomic<std::size_t> failed_ = 0;
  mutable std::mutex mutex_;
  std::vector<Done> done_;
  Ledger::Sum before_;
  std::jthread editor_;
};

struct Settings {
  bool quick = false;
  std::string own_path;
};

// ---- 1: nothing happens but edits ----

Row quiet(Fleet& fleet, const Settings& settings) {
  const std::size_t edits = settings.quick ? 40 : 200;
  std::vector<double> latencies;
  for (std::size_t i = 0; i < edits; ++i) {
    const auto of_bus = i % 4 == 3 ? fleet.bus(i / 4 % kBuses).store() : nullptr;
    const auto done = must(fleet.edit(of_bus ? *of_bus : fleet.admin(), fleet.any_change(i + 1000)));
    const auto there = fleet.wait_for(done.version);
    latencies.push_back(std::max(0.0, std::chrono::duration<double>(there - done.at).count()));
  }
  std::ranges::sort(latencies);
  const double median = latencies[latencies.size() / 2];
  if (median >= 1) fleet.ledger().wrong("half of the edits take longer than a second");

  // A revocation: of a peer of whom no edit of the world makes a record.
  const std::size_t peer = soak::kPeers - 1;
  std::vector<double> revocations;
  const std::size_t rounds = settings.quick ? 3 : 20;
  for (std::size_t round = 0; round < rounds; ++round) {
    const auto added = must(fleet.edit(fleet.admin(), [&](Policy& policy) -> Result<void> {
      const auto at = policy.add_allow(Json(Json::Object{
          {"user_id", "revoked"}, {"credentials", soak::keys_of(peer).public_key.to_base64url()}}));
      if (!at) return at.error();
      return {};
    }));
    fleet.wait_for(added.version);
    std::vector<Session> sessions;
    for (std::size_t i = 0; i < fleet.size(); ++i) {
      auto session = fleet.bus(i).session_of(peer);
      if (!session || !session->authorize_publish("open")) fail("who was added is not let in");
      sessions.push_back(*std::move(session));
    }
    const auto removed = must(fleet.edit(fleet.admin(), [](Policy& policy) -> Result<void> {
      for (std::size_t i = 0; i < policy.allow().size(); ++i) {
        if (policy.allow()[i].source.text_at("user_id") == "revoked") return policy.remove_allow({i});
      }
      return Error{ErrorCode::kNotFound, "no such record", ""};
    }));
    for (std::size_t i = 0; i < fleet.size(); ++i) {
      bool is_refused = false;
      const bool ends = eventually(
          [&] {
            const bool has_it = fleet.bus(i).version() >= removed.version;
            is_refused = !sessions[i].authorize_publish("open");
            if (has_it && !is_refused)
              fleet.ledger().wrong(fleet.bus(i).name() + " has a revocation, and allows");
            return is_refused;
          },
          kPatience);
      if (!ends) fail("who was revoked is not refused");
    }
    revocations.push_back(seconds_since(removed.at));
  }
  std::ranges::sort(revocations);
  return {"nothing: an edit at a time", fleet.settle(),
          "in force on all: p50 " + with_unit(median) + ", p99 " +
              with_unit(latencies[latencies.size() * 99 / 100]) + ", max " + with_unit(latencies.back()) +
              "; a revocation refuses everywhere: p50 " + with_unit(revocations[revocations.size() / 2]) +
              ", max " + with_unit(revocations.back())};
}

/// "edits again after 3.2 s, in force everywhere 40 ms later"
std::string recovery(Fleet& fleet, SteadyClock::time_point since) {
  const auto edit = fleet.wait_for_edit_after(since);
  const auto there = fleet.wait_for(edit.version);
  return "an edit again after " + with_unit(std::chrono::duration<double>(edit.at - since).count()) +
         ", in force on all " +
         with_unit(std::max(0.0, std::chrono::duration<double>(there - edit.at).count())) + " later";
}

void go_on_for(const Settings& settings, std::chrono::milliseconds time) {
  std::this_thread::sleep_for(settings.quick ? time / 4 : time);
}

// ---- 2: the leader ----

Row leader(Fleet& fleet, const Settings& settings) {
  fleet.begin_editing();
  std::string worst;
  const int rounds = settings.quick ? 1 : 3;
  for (int i = 0; i < rounds; ++i) {
    go_on_for(settings, 2s);
    const std::size_t leader = fleet.cluster().leader();
    const auto killed = SteadyClock::now();
    fleet.cluster().kill(leader);
    const std::string told = recovery(fleet, killed);
    worst += (i > 0 ? "; " : "") + told;
    fleet.cluster().restart(leader);
    fleet.cluster().wait_until_healthy();
  }
  return {"the leader is killed" + std::string(rounds > 1 ? ", three times" : ""), fleet.settle(), worst};
}

// ---- 3: everything ----

Row everything(Fleet& fleet, const Settings& settings) {
  fleet.begin_editing(0);
  go_on_for(settings, 4s);
  for (std::size_t i = 0; i < fleet.cluster().size(); ++i) fleet.cluster().kill(i);
  go_on_for(settings, 4s);  // the buses decide by what they have
  for (std::size_t i = 0; i < fleet.size(); ++i) fleet.bus(i).stop();
  const auto again = SteadyClock::now();
  for (std::size_t i = 0; i < fleet.cluster().size(); ++i) fleet.cluster().restart(i);
  for (std::size_t i = 0; i < fleet.size(); ++i) fleet.bus(i).start();
  const double buses = seconds_since(again);
  for (std::size_t i = 0; i < fleet.size(); ++i) {
    if (fleet.bus(i).version() == 0) fleet.ledger().wrong("a bus has no policy after its restart");
  }
  const std::string told = recovery(fleet, again);
  return {"all members are killed, and all buses restarted with them", fleet.settle(),
          "the buses decide after " + with_unit(buses) + "; " + told};
}

// ---- 4: a bus that is cut off ----

Row cut_off(Fleet& fleet, const Settings& settings, Network& network) {
  Bus& away = fleet.bus(kBuses - 1);
  fleet.begin_editing(kBuses - 1);
  go_on_for(settings, 4s);
  network.cut();
  std::this_thread::sleep_for(500ms);
  const auto begin = away.version();
  go_on_for(settings, settings.quick ? 20s : 60s);
  const auto version = away.version();
  const auto missed = fleet.last_version() - version;
  if (version > begin + 1) fleet.ledger().wrong("a bus that is cut off has new versions");
  if (missed < 10) fail("too few edits while a bus was cut off");
  if (!away.session_of(0) && !away.session_of(2) && version == 0) fleet.ledger().wrong("it decides nothing");
  const auto mended = SteadyClock::now();
  network.mend();
  const auto last = fleet.last_version();
  fleet.wait_for(last);
  const double took = seconds_since(mended);
  return {
      "a bus is cut off for " + std::string(settings.quick ? "5 s" : "a minute"), fleet.settle(),
      "it has all " + std::to_string(missed) + " edits " + with_unit(took) + " after the network is back"};
}

// ---- 5: history that is gone ----

Row compaction(Fleet& fleet, const Settings& settings) {
  fleet.begin_editing(kBuses - 1);
  go_on_for(settings, 2s);
  Bus& away = fleet.bus(kBuses - 1);
  away.stop();
  go_on_for(settings, 4s);
  const auto present = Json::parse(fleet.cluster().etcdctl("get / --prefix --limit 1 --write-out=json"));
  fleet.cluster().etcdctl("compact " + present->find("header")->find("revision")->as_number().digits);
  go_on_for(settings, 2s);
  const auto begin = SteadyClock::now();
  away.start();
  const auto last = fleet.last_version();
  fleet.wait_for(last);
  const double took = seconds_since(begin);
  if (away.follower().status().full_reads == 0) fail("the history was not gone");
  return {"the history is compacted while a bus is away", fleet.settle(),
          "it has all edits " + with_unit(took) + " after its start"};
}

// ---- 6: two at once ----

Row two_at_once(Fleet& fleet, const Settings& settings) {
  const int rounds = settings.quick ? 20 : 100;
  constexpr std::string_view kRole = "counter";
  const auto count_in = [&](const Policy& policy) {
    const Policy::Role* role = policy.find_role(kRole);
    return role == nullptr || !role->capabilities ? 0 : std::stoi(role->capabilities->front().name.substr(6));
  };
  const int before = count_in(must(fleet.admin().load_policy()));
  std::atomic<int> acknowledged = 0;
  std::atomic<int> failed = 0;
  const auto begin = SteadyClock::now();
  {
    std::array<std::jthread, 2> administrators;
    for (auto& administrator : administrators) {
      administrator = std::jthread([&] {
        const auto store = fleet.open_store();
        for (int i = 0; i < rounds; ++i) {
          const auto done = fleet.edit(*store, [&](Policy& policy) -> Result<void> {
            const std::string next = "count_" + std::to_string(count_in(policy) + 1);
            static_cast<void>(policy.remove_role(kRole));
            return policy.add_role(kRole, Json(Json::Object{{next, Json()}}));
          });
          ++(done ? acknowledged : failed);
        }
      });
    }
  }
  const double took = seconds_since(begin);
  const int counted = count_in(must(fleet.admin().load_policy())) - before;
  if (counted < acknowledged || counted > acknowledged + failed) {
    fleet.ledger().lost(std::to_string(acknowledged) + " were acknowledged, and " + std::to_string(counted) +
                        " are there");
  }
  return {"two administrators edit one record, " + std::to_string(rounds) + " times each", fleet.settle(),
          std::to_string(acknowledged) + " acknowledged, " + std::to_string(counted) + " there, " +
              std::to_string(static_cast<int>(counted / took)) + " in a second"};
}

// ---- 7: no room ----

Row no_room(const Settings& settings) {
  Fleet fleet({.members = 3, .arguments = {"--quota-backend-bytes=" + std::to_string(16 << 20)}});
  fleet.begin_editing(0);
  go_on_for(settings, 2s);
  fleet.stop_editing();
  const auto client =
      must(fleet::EtcdClient::create(fleet.cluster().store_address(), fleet.cluster().client_options()));
  const std::string junk(std::size_t{1} << 20U, 'x');
  bool is_full = false;
  for (int i = 0; i < 64 && !is_full; ++i) {
    const auto put = client.txn({}, {{.key = "/junk/" + std::to_string(i), .value = junk}});
    is_full = !put && put.error().code == ErrorCode::kLimitExceeded;
  }
  if (!is_full) fail("etcd takes more than its quota");
  const auto refused = fleet.edit(fleet.admin(), fleet.any_change(1), 3s);
  if (refused) fail("an edit was made where there is no room");
  if (refused.error().code != ErrorCode::kLimitExceeded)
    fail("another error: " + refused.error().to_string());
  const auto of_bus = fleet.bus(0).store();
  const auto refused_too = fleet.edit(*of_bus, fleet.any_change(2), 3s);
  if (refused_too || refused_too.error().code != ErrorCode::kLimitExceeded)
    fail("a bus edits where there is no room");
  go_on_for(settings, 4s);  // the buses decide
  const auto begin = SteadyClock::now();
  fleet.cluster().etcdctl("del --prefix /junk/");
  const auto present = Json::parse(fleet.cluster().etcdctl("get / --prefix --limit 1 --write-out=json"));
  fleet.cluster().etcdctl("compact --physical " +
                          present->find("header")->find("revision")->as_number().digits);
  fleet.cluster().etcdctl("defrag");
  fleet.cluster().etcdctl("alarm disarm");
  fleet.begin_editing();
  const std::string told = recovery(fleet, begin);
  return {"the cluster's quota is used up", fleet.settle(),
          "edits say: \"" + refused.error().message + "\"; from compact, defrag and disarm on " + told};
}

// ---- 8: half a push ----

constexpr std::size_t kPushed = 2000;

int run_push(const std::string& address, const std::string& home, bool is_broken_off) {
  const auto store = must(EtcdStore::open(must(StoreAddress::parse(address)), {}));
  const auto policy = must(AuthFile(std::filesystem::path(home) / "auth.json").load());
  const auto pushed = store->push(policy, TopicDocument(), [&](const EtcdStore::PushProgress& progress) {
    if (is_broken_off && progress.done * 2 >= progress.total) ::raise(SIGKILL);
  });
  if (!pushed) std::cerr << pushed.error().to_string() << '\n';
  return pushed ? 0 : 1;
}

bool push_in_process(const Settings& settings, const std::string& address, const std::string& home,
                     bool is_broken_off) {
  const pid_t child = ::fork();
  if (child < 0) fail("cannot fork");
  if (child == 0) {
    ::execl(settings.own_path.c_str(), "fleet_drill", is_broken_off ? "--push-half" : "--push",
            address.c_str(), home.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (is_broken_off) return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

Row half_a_push(Fleet& fleet, const Settings& settings) {
  // Few questions, for each takes the model long where there are so many records.
  fleet.settle();
  const test::TempHome home;
  const auto edit = fleet.ledger().edit([](Policy& policy) -> Result<void> {
    std::vector<Json> records;
    for (std::size_t i = 0; i < kPushed; ++i) {
      CurveKey::Bytes bytes{};
      bytes[0] = static_cast<std::uint8_t>(i);
      bytes[1] = static_cast<std::uint8_t>(i >> 8U);
      bytes[31] = 7;
      records.emplace_back(Json::Object{{"user_id", "pushed-" + std::to_string(i)},
                                        {"credentials", CurveKey(bytes).to_base64url()},
                                        {"capabilities", Json(Json::Array{Json("read")})}});
    }
    return policy.add_allow_together(records);
  });
  Policy policy = must(fleet.admin().load_policy());
  if (auto changed = edit.change(policy); !changed) fail(changed.error().to_string());
  const auto saved = AuthFile(home / "auth.json").edit([&](Policy& there) -> Result<void> {
    there = policy;
    return {};
  });
  if (!saved) fail(saved.error().to_string());
  const std::string address = fleet.cluster().address(kPrefix);
  if (!push_in_process(settings, address, home.path(), true)) fail("the push was not broken off");
  const auto before = fleet.last_version();
  const auto busy = fleet.edit(fleet.admin(), fleet.any_change(3), 1s);
  if (busy || busy.error().code != ErrorCode::kBusy) fail("an edit while a push is under way");
  fleet.bus(1).stop();  // one that begins in the midst of it decides by what it had
  fleet.bus(1).start();
  go_on_for(settings, 4s);
  for (std::size_t i = 0; i < fleet.size(); ++i) {
    if (fleet.bus(i).version() != before) fleet.ledger().wrong("a bus has a push that is not finished");
    fleet.bus(i).ask(false);
  }
  const auto begin = SteadyClock::now();
  if (!push_in_process(settings, address, home.path(), false)) fail("the push cannot be resumed");
  const double push_time = seconds_since(begin);
  const auto version = fleet.ledger().acknowledged(edit);
  fleet.wait_for(version);
  const double took = seconds_since(begin);
  for (std::size_t i = 0; i < fleet.size(); ++i) {
    for (const auto& [users, times] : fleet.bus(i).pushed_users()) {
      if (users != 0 && users != kPushed) {
        fleet.ledger().wrong(fleet.bus(i).name() + " had " + std::to_string(users) +
                             " of the records pushed");
      }
    }
    fleet.bus(i).ask(true);
  }
  std::this_thread::sleep_for(500ms);
  const auto sum = fleet.settle();
  return {"a push of " + std::to_string(kPushed) + " records is killed half way, and resumed", sum,
          "resumed within " + with_unit(push_time) + ", in force on all after " + with_unit(took)};
}

// ---- All ----

int run(const Settings& settings, const std::vector<std::string>& wanted) {
  if (!EtcdCluster::is_installed()) {
    std::cerr << "fleet_drill: left out, for etcd is not installed (etcd-server, etcd-client)\n";
    return kSkipped;
  }
  std::unique_ptr<Network> network;
  if (Network::is_possible()) {
    network = std::make_unique<Network>();
  } else {
    std::cerr << "fleet_drill: no bus is cut off: that takes root, and iproute2\n";
  }
  auto fleet = std::make_unique<Fleet>(EtcdCluster::Options{.members = 3}, network.get());
  const std::vector<std::pair<std::string, std::function<Row()>>> scenarios{
      {"quiet", [&] { return quiet(*fleet, settings); }},
      {"leader", [&] { return leader(*fleet, settings); }},
      {"everything", [&] { return everything(*fleet, settings); }},
      {"cut-off", [&] { return cut_off(*fleet, settings, *network); }},
      {"compaction", [&] { return compaction(*fleet, settings); }},
      {"two-at-once", [&] { return two_at_once(*fleet, settings); }},
      {"push", [&] { return half_a_push(*fleet, settings); }},
      {"no-room", [&] {
         fleet.reset();
         return no_room(settings);
       }}};
  std::size_t wrong = 0;
  std::size_t lost = 0;
  std::cout << "| what happens | answers | wrong | edits | lost | until all is well |\n"
               "| --- | ---: | ---: | ---: | ---: | --- |\n"
            << std::flush;
  for (const auto& [name, play] : scenarios) {
    if (!wanted.empty() && std::ranges::find(wanted, name) == wanted.end()) continue;
    if (name == "cut-off" && !network) continue;
    const Row row = play();
    std::cout << "| " << row.name << " | " << row.sum.answers << " | " << row.sum.wrong << " | "
              << row.sum.acknowledged << " | " << row.sum.lost << " | " << row.recovery << " |\n"
              << std::flush;
    std::cerr << name << ": " << row.sum.allowed << " of " << row.sum.answers << " answers allowed, "
              << row.sum.exact << " under one certain version\n";
    wrong += row.sum.wrong;
    lost += row.sum.lost;
    if (row.sum.allowed == 0 || row.sum.allowed == row.sum.answers) fail("all answers are the same");
  }
  std::cerr << wrong << " wrong, " << lost << " lost\n";
  return wrong + lost == 0 ? 0 : 1;
}

}  // namespace
}  // namespace vipauth::fleet_drill

int main(int argc, char** argv) try {
  using namespace vipauth::fleet_drill;
  std::vector<std::string> words(argv + 1, argv + argc);
  Settings settings{.own_path = "/proc/self/exe"};
  if (words.size() == 3 && words[0] == "--push") return run_push(words[1], words[2], false);
  if (words.size() == 3 && words[0] == "--push-half") return run_push(words[1], words[2], true);
  if (words.size() == 2 && words[0] == "--scale") {
    return run_scale(std::stoull(words[1]), std::filesystem::read_symlink("/proc/self/exe").string());
  }
  if (words.size() == 4 && words[0] == "--scale-bus") {
    return run_scale_bus(words[1], words[2], words[3] == "edits");
  }
  settings.quick = std::erase(words, "--quick") > 0;
  return run(settings, words);
} catch (const std::exception& error) {
  std::cerr << "fleet_drill: " << error.what() << '\n';
  return 1;
}
