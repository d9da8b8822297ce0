#include "store/loaded_policy.hpp"

#include <utility>

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

/// The members that Policy::to_json writes in any case, so that the document is what it writes.
void complete(Json& document) {
  const auto add = [&](std::string_view name, Json empty) {
    if (document.find(name) == nullptr) document.set(name, std::move(empty));
  };
  add("allow", Json::Array());
  add("deny", Json::Array());
  add("groups", Json::Object());
  add("roles", Json::Object());
}

Result<LoadedPolicy> understand(Json document, Purpose purpose) {
  auto upgraded = upgrade_document(std::move(document));
  if (!upgraded) return upgraded.error();
  LoadedPolicy out;
  out.from = std::move(upgraded->from);
  out.warnings = std::move(upgraded->warnings);
  if (purpose == Purpose::kEditing && upgraded->document.is_object()) {
    complete(upgraded->document);
    out.digest = digest_of(upgraded->document);
  }
  auto policy = Policy::parse(std::move(upgraded->document));
  if (!policy) return policy.error();
  if (auto known = check_version(*policy); !known) return known.error();
  out.policy = std::move(*policy);
  return out;
}

}  // namespace

Result<LoadedPolicy> understand(Json document, const std::filesystem::path& path, Purpose purpose) {
  auto loaded = understand(std::move(document), purpose);
  if (!loaded) return in_file(loaded.error(), path);
  return loaded;
}

Result<LoadedPolicy> understand_text(const std::string& text, const std::filesystem::path& path) {
  auto document = Json::parse(text, Json::Comments::kAccept);
  if (!document) return in_file(document.error(), path);
  return understand(std::move(*document), path, Purpose::kReading);
}

}  // namespace vipauth
