#include "store/loaded_policy.hpp"

#include <utility>

#include "model/policy_document.hpp"
#include "model/policy_upgrade.hpp"
#include "store/json_file.hpp"

namespace vipauth {
namespace {

Result<void> check_version(const Policy& policy) {
  const auto version = policy.version();
  if (!version || version->major <= Policy::kVersion.major) return {};
  return Error{ErrorCode::kUnsupported,
               "version " + std::to_string(version->major) + "." + std::to_string(version->minor) +
                   " of this file is newer than what this program knows (1.4): upgrade the program",
               "/version"};
}

Result<LoadedPolicy> understand(Json document) {
  auto upgraded = upgrade_document(std::move(document));
  if (!upgraded) return upgraded.error();
  auto policy = Policy::parse(std::move(upgraded->document));
  if (!policy) return policy.error();
  if (auto known = check_version(*policy); !known) return known.error();
  return LoadedPolicy{*std::move(policy), std::move(upgraded->from), std::move(upgraded->warnings)};
}

Result<Json::Parsed> parse_whole(const FileContent& content, const std::filesystem::path& path) {
  const auto text = content.text();
  if (!text) return text.error();
  auto parsed = Json::parse_with_comments(*text);
  if (!parsed) return in_file(parsed.error(), path);
  return parsed;
}

}  // namespace

Result<LoadedPolicy> understand(const FileContent& content, const std::filesystem::path& path) {
  if (auto policy = PolicyDocument::read(content.reader())) {
    LoadedPolicy loaded;
    loaded.policy = *std::move(policy);
    return loaded;
  }
  auto parsed = parse_whole(content, path);
  if (!parsed) return parsed.error();
  auto loaded = understand(std::move(parsed->value));
  if (!loaded) return in_file(loaded.error(), path);
  loaded->had_comments = parsed->had_comments;
  return loaded;
}

}  // namespace vipauth
