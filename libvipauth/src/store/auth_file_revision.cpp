#include "store/auth_file_revision.hpp"

#include <utility>

#include "model/policy_stream.hpp"
#include "store/loaded_policy.hpp"

namespace vipauth {

Result<AuthFileRevision> AuthFileRevision::open(const std::filesystem::path& path, StrictModes strict_modes) {
  auto content = FileContent::open(path, strict_modes);
  if (!content) return content.error();
  return AuthFileRevision(path, *std::move(content));
}

Result<void> AuthFileRevision::load_parts(const std::function<PolicySink&()>& make_sink) const {
  if (stream_policy(content_.reader(), make_sink())) return {};
  const auto policy = load();
  if (!policy) return policy.error();
  read_parts(*policy, make_sink());
  return {};
}

Result<Policy> AuthFileRevision::load() const {
  auto loaded = understand(content_, path_);
  if (!loaded) return loaded.error();
  return std::move(loaded->policy);
}

AuditedChange audited_change(const AuthFileRevision* before, const AuthFileRevision* after) {
  if (before != nullptr && !before->is_as_opened()) before = nullptr;
  if (after != nullptr && !after->is_as_opened()) after = nullptr;
  const auto opener = [](const AuthFileRevision* revision) -> OpenDocument {
    if (revision == nullptr) return {};
    return [revision] { return revision->content_.reader(); };
  };
  if (after != nullptr) {
    if (auto change = audited_change(opener(before), opener(after), DocumentForm::kAuthFile)) {
      return *std::move(change);
    }
  }
  const auto document_of = [](const AuthFileRevision* revision) -> Json {
    if (revision == nullptr) return {};
    auto policy = revision->load();
    return policy ? (*std::move(policy)).to_json() : Json();
  };
  return audited_change(document_of(before), document_of(after));
}

}  // namespace vipauth
