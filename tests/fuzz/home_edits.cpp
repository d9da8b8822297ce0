// An auth.json, 0xFF, and a protected_topics.json, as files that are edited and put back.
#include <vipauth/auth_file.hpp>
#include <vipauth/file_history.hpp>
#include <vipauth/topics_file.hpp>

#include "fuzz.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;

namespace {

constexpr std::string_view kRole = "a role that no file has";

/// What is seen of a file, or of what it means.
std::string shown(const Policy& policy) { return policy.to_json().dump(); }
std::string shown(const TopicDocument& document) {
  std::string out;
  for (const TopicList list : {TopicList::kWriteProtect, TopicList::kReadProtect}) {
    out += std::string(to_string(list)) + "\n";
    for (const TopicRule& rule : document.rules(list)) {
      out += rule.topic.text() + Json::strings(rule.capabilities).dump() + "\n";
    }
  }
  return out;
}
auto loaded(const AuthFile& file) { return file.load(); }
auto loaded(const TopicsFile& file) { return file.load_document(); }
Result<void> change(Policy& policy) { return policy.add_role(kRole, Json("c")); }
Result<void> change(TopicDocument& document) { return document.add(TopicList::kWriteProtect, kRole, {"c"}); }
Result<void> change_back(Policy& policy) { return policy.remove_role(kRole); }
Result<void> change_back(TopicDocument& document) {
  if (const auto removed = document.remove(TopicList::kWriteProtect, kRole); !removed) return removed.error();
  return {};
}

template <typename File, typename Content>
void check_file(const File& file, const test::TempHome& home, std::string_view text) {
  const std::string name = file.path().filename().string();
  home.write(name, text);
  EditOptions options;
  options.clock = [] { return std::chrono::sys_days(std::chrono::year(2026) / 11 / 21); };
  const auto nothing = [](Content&) { return Result<void>(); };
  const auto something = [](Content& content) { return change(content); };
  const auto failing = [](Content& content) -> Result<void> {
    if (auto changed = change(content); !changed) return changed.error();
    return Error{ErrorCode::kConflict, "not now", ""};
  };

  const auto before = loaded(file);
  if (!before) {
    require_good(before.error(), text.size());
    const auto edited = file.edit(something, options);
    require(!edited.has_value(), "edited what cannot be read");
    require_good(edited.error(), text.size());
    require_same(home.read(name), text);
    return;
  }
  const bool has_failed = !file.edit(failing, options).has_value();
  require(has_failed && home.read(name) == text, "a change that failed was written");

  const auto edited = file.edit(something, options);
  if (!edited) {
    require_good(edited.error(), text.size());
    require_same(home.read(name), text);
    return;
  }
  require(edited->written);
  for (const std::string& warning : edited->warnings) require_shown(warning, text.size());
  const auto after = loaded(file);
  require(after.has_value(), after ? "" : after.error().to_string());
  require(shown(*after).find(kRole) != std::string::npos);
  const std::string now = home.read(name);
  const auto untouched = file.edit(nothing, options);
  require(untouched && !untouched->written && home.read(name) == now);

  const auto generations = FileHistory(file.path()).list();
  require(generations && generations->size() == 1);
  require_same(FileHistory(file.path()).read(generations->front().number).value(), text);
  const auto restored = file.restore(generations->front().number, {}, options);
  require(restored.has_value(), restored ? "" : restored.error().to_string());
  require_same(home.read(name), text);
  require_same(shown(*loaded(file)), shown(*before));

  require(file.edit(something, options).has_value());
  const auto back = file.edit([](Content& content) { return change_back(content); }, options);
  require(back.has_value(), back ? "" : back.error().to_string());
  require_same(shown(*loaded(file)), shown(*before));
}

void clear(const test::TempHome& home) {
  for (const auto& entry : std::filesystem::directory_iterator(home.path()))
    std::filesystem::remove_all(entry.path());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const test::TempHome home;
  const auto parts = parts_of(text_of(data, size), 2);
  clear(home);
  check_file<AuthFile, Policy>(AuthFile(home / "auth.json"), home, parts.front());
  check_file<TopicsFile, TopicDocument>(TopicsFile(home / "protected_topics.json"), home, parts.back());
  return 0;
}
