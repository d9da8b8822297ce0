// Lets a bus run for a long time, as buses do, and worse: peers come and go and ask, administrators edit,
// editors are killed, files are damaged and mended. Each answer is compared with what the model says, and the
// bus must not grow. usage: soak [--seconds N] [--seed S]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <signal.h>

#include <vipauth/auth_file.hpp>

#include "bus.hpp"
#include "model/reference_model.hpp"
#include "support/curve_peers.hpp"
#include "world.hpp"

namespace vipauth::soak {
namespace {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;
using test::model::Answer;
using test::model::Peer;
using test::model::ReferenceModel;
using test::model::StandingSession;

constexpr const char* kAuthFile = "auth.json";
constexpr const char* kTopicsFile = "protected_topics.json";

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

Timestamp now() { return std::chrono::floor<Timestamp::duration>(std::chrono::system_clock::now()); }

/// What the files say at one time.
struct Content {
  Json policy;
  Json topic_rules;
};

/// One answer, and the contents of which one was in force when it was given.
struct Heard {
  Ask ask;
  StandingSession session;
  bool allowed = false;
  std::size_t first = 0;
  std::size_t last = 0;
};

bool allows(const ReferenceModel& model, const StandingSession& session, const Ask& ask) {
  const Answer standing = model.judge_again(session);
  if (!standing.allowed) return false;
  if (ask.kind == "publish") return model.publish(session.user_id, ask.what).allowed;
  if (ask.kind == "receive") return model.receive(session.user_id, ask.what).allowed;
  if (ask.kind == "speak") return model.speak_as(session.user_id, standing.identity, ask.what).allowed;
  const Json arguments = *Json::parse(ask.arguments);
  return model.call(session.user_id, ask.of, ask.what, arguments.as_object()).allowed;
}

/// A connection that the bus has accepted.
class Client {
 public:
  Client(zmq::context_t& context, const Bus& bus, std::size_t peer)
      : connection_(context, bus.endpoint(), bus.key(), keys_of(peer)) {
    session_.peer = {.domain = "vip",
                     .address = "127.0.0.1",
                     .mechanism = "CURVE",
                     .key = keys_of(peer).public_key.to_base64url()};
  }

  const Peer& peer() const { return session_.peer; }
  test::CurveClient& connection() { return connection_; }
  /// As whom the bus let it in.
  void set_user(std::string user_id) { session_.user_id = std::move(user_id); }

  void send(const Ask& ask, std::size_t content) {
    test::send(connection_.socket, {"", ask.kind, ask.of, ask.what, ask.arguments});
    asked_.push_back({ask, session_, false, content, content});
  }
  /// What was answered until now, or within the patience.
  std::optional<Heard> hear(std::chrono::milliseconds patience) {
    if (asked_.empty()) return std::nullopt;
    auto answer = test::receive(connection_.socket, patience);
    if (!answer) return std::nullopt;
    Heard out = std::move(asked_.front());
    asked_.pop_front();
    out.allowed = answer->at(1) == "yes";
    out.session.user_id = answer->at(2);
    return out;
  }
  std::size_t waiting() const { return asked_.size(); }

 private:
  test::CurveClient connection_;
  StandingSession session_;
  std::deque<Heard> asked_;
};

/// An edit in a process of its own.
class Editor {
 public:
  Editor(const fs::path& home, std::uint64_t seed, std::uint64_t number) : pid_(::fork()) {
    if (pid_ < 0) fail("cannot fork");
    if (pid_ > 0) return;
    ::execl("/proc/self/exe", "soak", "--edit", home.c_str(), std::to_string(seed).c_str(),
            std::to_string(number).c_str(), nullptr);
    ::_exit(127);
  }
  void kill() const { ::kill(pid_, SIGKILL); }
  /// True while it runs. \param code  of its end; -1 where a signal ended it
  bool is_running(int& code) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == 0) return true;
    code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return false;
  }

 private:
  pid_t pid_;
};

constexpr int kRefused = 3;

int run_edit(const fs::path& home, std::uint64_t seed, std::uint64_t number) {
  Dice dice(seed);
  const auto edited =
      AuthFile(home / kAuthFile).edit([&](Policy& policy) { return edit(policy, number, dice); });
  return edited ? 0 : kRefused;
}

class Soak {
 public:
  Soak(std::chrono::seconds duration, std::uint64_t seed) : end_(SteadyClock::now() + duration), dice_(seed) {
    write(kAuthFile, first_policy().dump_pretty());
    write(kTopicsFile, any_topic_rules(dice_));
    read_contents();
    bus_ = std::make_unique<Bus>(context_, home_.path());
    confirm();
  }

  void run() {
    auto next_line = SteadyClock::now();
    while (SteadyClock::now() < end_) {
      come_and_go();
      for (int i = 0; i < 4; ++i) edit_once();
      if (dice_.one_of(2)) damage_and_mend();
      if (dice_.one_of(4)) change_topics();
      settle();
      footprints_.push_back(bus_->footprint());
      if (SteadyClock::now() < next_line) continue;
      next_line = SteadyClock::now() + std::chrono::seconds(10);
      print();
    }
    print();
    check_growth();
  }

 private:
  // ---- Files ----

  void write(const char* name, const std::string& text) {
    home_.replace(name, text);
    fs::permissions(home_ / name, static_cast<fs::perms>(0600));
  }
  Content read_files() const {
    auto policy = Json::parse(home_.read(kAuthFile));
    auto rules = Json::parse(home_.read(kTopicsFile));
    if (!policy || !rules) fail("a file of the home is not whole");
    return {*std::move(policy), *std::move(rules)};
  }
  void read_contents() { contents_.push_back(read_files()); }

  /// Has the present content put in force.
  void confirm() {
    if (!bus_->reload()) fail("the bus does not take a good file");
    in_force_ = contents_.size() - 1;
  }

  // ---- What happens ----

  void edit_once() {
    const std::uint64_t number = ++edits_;
    Editor editor(home_.path(), dice_.below(std::size_t{1} << 40U), number);
    const bool is_killed = dice_.one_of(3);
    const auto until = SteadyClock::now() + std::chrono::microseconds(dice_.below(20'000));
    int code = 0;
    bool was_killed = false;
    while (editor.is_running(code)) {
      talk();
      if (is_killed && !was_killed && SteadyClock::now() > until) {
        editor.kill();
        was_killed = true;
      }
    }
    read_contents();
    const Json* role = contents_.back().policy.find("roles")->find(kEditRole);
    const bool is_there = role != nullptr && role->find(edit_mark(number)) != nullptr;
    if (code == 0 && !is_there) fail("an acknowledged edit is lost");
    if (code == kRefused) fail("an edit is refused");
    if (code != 0 && code != -1) fail("an editor ended with " + std::to_string(code));
    if (was_killed && code == -1) ++(is_there ? kills_after_ : kills_before_);
  }

  /// The last good policy stays in force while the file is bad, and no edit touches the file.
  void damage_and_mend() {
    confirm();
    const std::string good = home_.read(kAuthFile);
    std::string bad = good.substr(0, dice_.below(good.size()));
    if (dice_.one_of(2)) {
      for (char& c : bad) c = static_cast<char>(dice_.below(256));
    }
    home_.write(kAuthFile, bad);
    if (bus_->reload()) fail("the bus takes a damaged file");
    for (int i = 0; i < 20; ++i) talk();
    Editor editor(home_.path(), 1, edits_);
    int code = 0;
    while (editor.is_running(code)) talk();
    if (code != kRefused || home_.read(kAuthFile) != bad) fail("a damaged file was edited");
    write(kAuthFile, good);
    confirm();
    ++damages_;
  }

  void change_topics() {
    write(kTopicsFile, any_topic_rules(dice_));
    read_contents();
  }

  /// Some hang up, others connect: those whom the model lets in get an answer, others do not get in.
  void come_and_go() {
    confirm();
    while (clients_.size() > 8)
      clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(dice_.below(8)));
    const ReferenceModel model = model_of(contents_.size() - 1);
    bool is_one_refused = dice_.one_of(2);  // which takes seconds: not each time
    for (int i = 0; i < 4; ++i) {
      auto client = std::make_unique<Client>(context_, *bus_, dice_.below(kPeers));
      const Answer expected = model.authenticate(client->peer());
      if (!expected.allowed && std::exchange(is_one_refused, true)) continue;
      client->send({"speak", "", "nobody"}, in_force_);
      if (!expected.allowed) {
        if (!is_kept_out(*client)) fail("somebody gets in who must not");
        ++refused_connections_;
        continue;
      }
      const auto heard = client->hear(std::chrono::seconds(60));
      if (!heard) fail("somebody does not get in who must");
      if (heard->session.user_id != expected.user_id) fail("somebody gets in as somebody else");
      client->set_user(expected.user_id);
      clients_.push_back(std::move(client));
      ++connections_;
    }
  }

  static bool is_kept_out(Client& client) {
    const auto state = [&] { return client.connection().monitor.update(std::chrono::milliseconds(10)); };
    const bool is_told = test::eventually([&] {
      const ConnectionState now = state();
      return now == ConnectionState::kRefused || now == ConnectionState::kWaiting;
    });
    return is_told && !client.hear(std::chrono::milliseconds(0));
  }

  // ---- Questions ----

  void talk() {
    for (const auto& client : clients_) {
      while (client->waiting() < 4) client->send(any_ask(dice_), in_force_);
    }
    std::this_thread::yield();
    take_answers(std::chrono::milliseconds(0));
  }

  void take_answers(std::chrono::milliseconds patience) {
    for (const auto& client : clients_) {
      while (auto heard = client->hear(patience)) {
        heard->last = contents_.size();  // the next one may be in force before we have read it
        heard_.push_back(*std::move(heard));
      }
    }
  }

  /// All answers are in, and each is right for a content that may have been in force.
  void settle() {
    confirm();
    for (const auto& client : clients_) {
      while (client->waiting() > 0) {
        auto heard = client->hear(std::chrono::seconds(60));
        if (!heard) fail("the bus does not answer");
        heard->last = contents_.size() - 1;
        heard_.push_back(*std::move(heard));
      }
      for (int i = 0; i < 50; ++i) client->send(any_ask(dice_), in_force_);
      while (client->waiting() > 0) {
        auto heard = client->hear(std::chrono::seconds(60));
        if (!heard) fail("the bus does not answer");
        heard->last = in_force_;
        heard_.push_back(*std::move(heard));
      }
    }
    for (const Heard& heard : heard_) judge(heard);
    heard_.clear();
    contents_.erase(contents_.begin(), contents_.end() - 1);
    in_force_ = 0;
  }

  void judge(const Heard& heard) {
    bool is_right = false;
    for (std::size_t i = heard.first; i <= std::min(heard.last, contents_.size() - 1) && !is_right; ++i) {
      is_right = allows(model_of(i), heard.session, heard.ask) == heard.allowed;
    }
    ++(heard.allowed ? allowed_ : refused_);
    if (heard.first == heard.last) ++exact_;
    if (!is_right) {
      fail(std::string(heard.allowed ? "allowed" : "refused") + " to " + heard.session.user_id + ": " +
           heard.ask.kind + ' ' + heard.ask.of + ' ' + heard.ask.what + ' ' + heard.ask.arguments +
           "\nunder " + contents_[std::min(heard.last, contents_.size() - 1)].policy.dump());
    }
  }

  ReferenceModel model_of(std::size_t content) const {
    ReferenceModel model;
    model.policy = contents_[content].policy;
    model.topic_rules = contents_[content].topic_rules;
    model.now = now();
    return model;
  }

  // ---- The end ----

  void print() const {
    const Bus::Footprint& now = footprints_.back();
    std::printf(
        "%zu answers right (%zu allowed, %zu refused; %zu under one certain policy), %zu connections and "
        "%zu refused ones, %llu edits, killed %zu before and %zu after they held, %zu damaged files; "
        "%zu kB, %zu files, %zu threads\n",
        allowed_ + refused_, allowed_, refused_, exact_, connections_, refused_connections_,
        static_cast<unsigned long long>(edits_), kills_before_, kills_after_, damages_, now.kilobytes,
        now.files, now.threads);
    std::fflush(stdout);
  }

  /// The most of the last third is that of the third before it, but for what an allocator keeps.
  void check_growth() const {
    const auto third = static_cast<std::ptrdiff_t>(footprints_.size() / 3);
    const auto most = [](auto begin, auto end) {
      Bus::Footprint out;
      for (; begin != end; ++begin) {
        out.kilobytes = std::max(out.kilobytes, begin->kilobytes);
        out.files = std::max(out.files, begin->files);
        out.threads = std::max(out.threads, begin->threads);
      }
      return out;
    };
    const Bus::Footprint before = most(footprints_.begin() + third, footprints_.begin() + 2 * third);
    const Bus::Footprint after = most(footprints_.begin() + 2 * third, footprints_.end());
    std::printf(
        "the most in the second third: %zu kB, %zu files, %zu threads; in the last: %zu kB, %zu files, "
        "%zu threads\n",
        before.kilobytes, before.files, before.threads, after.kilobytes, after.files, after.threads);
    constexpr std::size_t kAllocatorKilobytes = 2048;
    constexpr std::size_t kPassingFiles = 16;  // of connections that are ending
    if (after.kilobytes > before.kilobytes + kAllocatorKilobytes) fail("the bus grows");
    if (after.files > before.files + kPassingFiles) fail("the bus keeps files open");
    if (after.threads > before.threads) fail("the bus keeps threads");
    if (allowed_ == 0 || refused_ == 0 || kills_before_ + kills_after_ == 0 || damages_ == 0) {
      fail("too short a time: not all that was to happen has happened");
    }
  }

  const SteadyClock::time_point end_;
  Dice dice_;
  const test::TempHome home_;
  zmq::context_t context_;
  std::unique_ptr<Bus> bus_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<Content> contents_;  // of the files since all was settled, the present one last
  std::size_t in_force_ = 0;       // of them; later ones may be, too
  std::vector<Heard> heard_;
  std::vector<Bus::Footprint> footprints_;
  std::uint64_t edits_ = 0;
  std::size_t allowed_ = 0;
  std::size_t refused_ = 0;
  std::size_t exact_ = 0;
  std::size_t connections_ = 0;
  std::size_t refused_connections_ = 0;
  std::size_t kills_before_ = 0;
  std::size_t kills_after_ = 0;
  std::size_t damages_ = 0;
};

int run(const std::vector<std::string>& words) {
  std::map<std::string, std::uint64_t> numbers{{"--seconds", 60}, {"--seed", std::random_device()()}};
  for (std::size_t i = 0; i < words.size(); i += 2) {
    if (!numbers.contains(words[i]) || i + 1 == words.size()) {
      std::cerr << "usage: soak [--seconds N] [--seed S]\n";
      return 64;
    }
    numbers[words[i]] = std::stoull(words[i + 1]);
  }
  std::cout << "seed " << numbers["--seed"] << '\n' << std::flush;
  Soak(std::chrono::seconds(numbers["--seconds"]), numbers["--seed"]).run();
  return 0;
}

}  // namespace
}  // namespace vipauth::soak

int main(int argc, char** argv) try {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 2 && words[0] == "--bus") return vipauth::soak::run_bus(words[1]);
  if (words.size() == 4 && words[0] == "--edit") {
    return vipauth::soak::run_edit(words[1], std::stoull(words[2]), std::stoull(words[3]));
  }
  return vipauth::soak::run(words);
} catch (const std::exception& error) {
  std::cerr << "soak: " << error.what() << '\n';
  return 1;
}
