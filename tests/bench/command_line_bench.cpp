// How long whole runs of vctl take on a large auth.json, beside what reading and writing its bytes costs, and
// beside Python's json module, which anything in Python pays at least. All in turn in one run: quote ratios,
// not times. usage: command_line_bench VCTL [--quick] [--out FILE]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

#include <vipauth/curve_key.hpp>
#include <vipauth/json.hpp>

#include "support.hpp"

namespace {

namespace fs = std::filesystem;
using bench::give_up;
using bench::run;
using vipauth::Json;

/// A key that no secret belongs to: for files, not for connections.
std::string key_text(std::size_t number) {
  vipauth::CurveKey::Bytes bytes{};
  for (std::size_t i = 0; i < sizeof number; ++i) bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return vipauth::CurveKey(bytes).to_base64url();
}

Json record(std::size_t i) {
  const std::string name = "agent." + std::to_string(i);
  return Json::Object{
      {"domain", nullptr},
      {"address", i % 3 == 0 ? Json("10.0.0." + std::to_string(i % 250)) : Json()},
      {"mechanism", "CURVE"},
      {"credentials", key_text(i + 1)},
      {"groups", i % 5 == 0 ? Json::strings({"g" + std::to_string(i % 50)}) : Json::strings({})},
      {"roles", Json::strings({"r" + std::to_string(i % 200)})},
      {"capabilities", Json::Object{{"edit_config_store", Json::Object{{"identity", name}}}}},
      {"rpc_method_authorizations", Json::Object()},
      {"comments", "Automatically added on agent install"},
      {"user_id", name},
      {"identity", name},
      {"enabled", true}};
}

std::string auth_json(std::size_t records) {
  Json::Array allow;
  for (std::size_t i = 0; i < records; ++i) allow.push_back(record(i));
  Json::Object roles;
  for (int i = 0; i < 200; ++i) {
    roles.push_back({"r" + std::to_string(i), Json::strings({"cap" + std::to_string(i), "common"})});
  }
  Json::Object groups;
  for (int i = 0; i < 50; ++i)
    groups.push_back({"g" + std::to_string(i), Json::strings({"r" + std::to_string(i)})});
  return Json(Json::Object{{"allow", std::move(allow)},
                           {"deny", Json::Array()},
                           {"groups", std::move(groups)},
                           {"roles", std::move(roles)},
                           {"version", Json::Object{{"major", 1}, {"minor", 4}}}})
      .dump_pretty();
}

std::string read_bytes(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_bytes(const fs::path& file, const std::string& bytes) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) give_up("cannot write " + file.string());
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (count < 0) give_up("cannot write " + file.string());
    done += static_cast<std::size_t>(count);
  }
  if (::fsync(fd) != 0 || ::close(fd) != 0) give_up("cannot write " + file.string());
}

struct Case {
  std::string name;
  std::function<void()> once;
  std::vector<double> milliseconds;

  double median() const { return bench::median(milliseconds); }
};

/// Each case once, round by round, so that all share what the machine does meanwhile.
void measure(std::vector<Case>& cases, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    for (Case& item : cases) {
      const auto begin = std::chrono::steady_clock::now();
      item.once();
      const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
      item.milliseconds.push_back(took.count());
    }
  }
}

bool has_python() {
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): one thread
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((fs::path(folder) / "python3").c_str(), X_OK) == 0) return true;
  }
  return false;
}

void report(const fs::path& folder, const std::string& vctl, std::size_t records, int rounds,
            bench::Results& results) {
  const fs::path file = folder / "auth.json";
  const fs::path other = folder / "other.json";
  const std::string text = auth_json(records);
  write_bytes(file, text);
  write_bytes(other, auth_json(records + 1));
  std::size_t added = 1'000'000'000;
  const auto verb = [&](std::vector<std::string> words, const std::vector<int>& codes = {0}) {
    words.insert(words.begin(), {vctl, "--home", folder.string(), "auth"});
    run(words, codes);
  };
  std::vector<Case> cases{
      {"read the bytes", [&] { read_bytes(file); }, {}},
      {"read and write the bytes, fsync", [&] { write_bytes(folder / "copy", read_bytes(file)); }, {}},
      {"vctl auth list", [&] { verb({"list"}); }, {}},
      {"vctl auth add",
       [&] {
         verb({"add", "--user_id", "u" + std::to_string(added), "--credentials", key_text(added)});
         ++added;
       },
       {}},
      {"vctl auth check call", [&] { verb({"check", "call", "agent.7", "agent.8.method"}); }, {}},
      {"vctl auth lint", [&] { verb({"lint"}, {0, 1}); }, {}},
      {"vctl auth diff", [&] { verb({"diff", file.string(), other.string()}); }, {}},
  };
  if (has_python()) {
    const std::string load = "import json,sys;d=json.load(open(sys.argv[1]))";
    cases.push_back({"Python: json.load", [&, load] { run({"python3", "-c", load, file.string()}); }, {}});
    cases.push_back({"Python: json.load, json.dump",
                     [&, dump = load + ";json.dump(d,open(sys.argv[2],'w'),indent=2)"] {
                       run({"python3", "-c", dump, file.string(), (folder / "copy").string()});
                     },
                     {}});
  }
  measure(cases, rounds);
  const double read = cases.front().median();
  std::printf("\n%zu records, %.1f MB, median of %d\n\n", records, static_cast<double>(text.size()) / 1e6,
              rounds);
  std::printf("| what | ms | x reading the bytes |\n| --- | ---: | ---: |\n");
  for (const Case& item : cases) {
    results.note("command_line/" + item.name + '/' + std::to_string(records), item.milliseconds, "ms",
                 item.median() / read);
    std::printf("| %s | %.1f | %.1f |\n", item.name.c_str(), item.median(), item.median() / read);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv);
  if (arguments.words.size() != 1) give_up("usage: command_line_bench VCTL [--quick] [--out FILE]");
  const bool is_quick = arguments.effort != bench::Effort::kFull;
  const bench::TempFolder folder;
  bench::Results results;
  for (const std::size_t records :
       is_quick ? std::vector<std::size_t>{1000} : std::vector<std::size_t>{1000, 10'000, 100'000}) {
    report(folder.path(), arguments.words.front(), records, is_quick ? 1 : 5, results);
  }
  results.write(arguments.out);
}
