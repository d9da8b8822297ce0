// An auth.json, 0xFF, and a protected_topics.json: what vctl shows of them, to a person and to a program.
#include <array>
#include <sstream>

#include "auth/check.hpp"
#include "auth/graph.hpp"
#include "auth/lint.hpp"
#include "auth/list.hpp"
#include "auth/list_known_hosts.hpp"
#include "auth/names.hpp"
#include "auth/topics.hpp"
#include "auth/what_can.hpp"
#include "auth/who_can.hpp"
#include "fuzz.hpp"
#include "store/file_content.hpp"
#include "store/loaded_policy.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;

namespace {

constexpr std::string_view kPassword = "a-password";
constexpr const char* kKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

// Without the reading of the command line, which takes much longer than they do.
const std::array<vctl::Verb, 11> kVerbs{
    vctl::auth::list,
    vctl::auth::list_known_hosts,
    [](const vctl::Context& context) {
      return vctl::auth::list_names({vctl::auth::NameKind::kRole}, context);
    },
    [](const vctl::Context& context) {
      return vctl::auth::list_names({vctl::auth::NameKind::kGroup}, context);
    },
    [](const vctl::Context& context) { return vctl::auth::lint({}, context); },
    vctl::auth::topics_list,
    [](const vctl::Context& context) { return vctl::auth::graph({}, context); },
    [](const vctl::Context& context) { return vctl::auth::check_publish({"a", "devices/a"}, context); },
    [](const vctl::Context& context) { return vctl::auth::check_connect({kKey}, context); },
    [](const vctl::Context& context) { return vctl::auth::who_can_publish({"devices/a"}, context); },
    [](const vctl::Context& context) { return vctl::auth::what_can({"a"}, context); },
};

/// True where the text is in the file only as the password of a record.
bool is_only_a_password(std::string_view text, std::string_view all) {
  if (all.find(kPassword) != all.rfind(kPassword)) return false;
  const auto loaded = understand(FileContent::of(std::string(text)), "auth.json");
  if (!loaded) return false;
  const auto is_it = [](const Policy::Entry& entry) {
    const auto* password = entry.record ? std::get_if<StoredPassword>(&entry.record->credentials) : nullptr;
    return password != nullptr && password->text == kPassword;
  };
  const Policy& policy = loaded->policy;
  return std::any_of(policy.allow().begin(), policy.allow().end(), is_it) ||
         std::any_of(policy.deny().begin(), policy.deny().end(), is_it);
}

/// Line by line nothing that a terminal would obey.
void require_lines(std::string_view text) {
  for (const char c : text) require(c == '\n' || !is_control_character(c), text);
  require(is_valid_utf8(text), text);
}

std::string run(const vctl::Verb& verb, bool with_json, const test::TempHome& home, std::size_t size) {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  vctl::Env env{in, out, err, [](const std::string&) { return std::nullopt; }};
  env.clock = [] { return std::chrono::sys_days(std::chrono::year(2026) / 11 / 21); };
  vctl::Context context{env, {}};
  context.options.home = home.path().string();
  context.options.json = with_json;
  const int exit_code = verb(context);
  require(exit_code >= 0 && exit_code <= 2, err.str());
  require_lines(out.str());
  require_lines(err.str());
  require(exit_code != 1 || !(out.str() + err.str()).empty());
  if (with_json) require(Json::parse(out.str()).has_value(), out.str() + err.str());
  require(out.str().size() + err.str().size() < 65536 + 64 * size, "too long");
  return out.str() + err.str();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const test::TempHome home;
  const auto parts = parts_of(text_of(data, size), 3);
  home.write("auth.json", parts[0]);
  home.write("protected_topics.json", parts.size() > 1 ? parts[1] : "{}");
  home.write("known_hosts", parts.size() > 2 ? parts[2] : "{}");
  const bool has_password = is_only_a_password(parts[0], text_of(data, size));
  for (const vctl::Verb& verb : kVerbs) {
    for (const bool with_json : {false, true}) {
      const std::string shown = run(verb, with_json, home, size);
      require(!has_password || shown.find(kPassword) == std::string::npos, shown);
    }
  }
  require_same(home.read("auth.json"), parts[0]);
  return 0;
}
