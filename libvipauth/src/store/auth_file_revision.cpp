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
  if (!stream_policy(content_.reader(), make_sink())) {
    const auto policy = load();
    if (!policy) return policy.error();
    read_parts(*policy, make_sink());
  }
  if (is_as_opened()) return {};
  return Error{ErrorCode::kBusy,
               "another program has written into \"" + path_.string() +
                   "\" while it was read: try again when that has ended",
               ""};
}

Result<Policy> AuthFileRevision::load() const {
  auto loaded = understand(content_, path_);
  if (!loaded) return loaded.error();
  return std::move(loaded->policy);
}

namespace {

Json document_of(const AuthFileRevision* revision) {
  if (revision == nullptr) return {};
  auto policy = revision->load();
  return policy ? (*std::move(policy)).to_json() : Json();
}

}  // namespace

std::optional<AuditedChange> audited_change(const AuthFileRevision* before, const AuthFileRevision* after) {
  const auto is_overwritten = [](const AuthFileRevision* revision) {
    return revision != nullptr && !revision->is_as_opened();
  };
  if (is_overwritten(after)) return std::nullopt;
  if (is_overwritten(before)) before = nullptr;
  const auto opener = [](const AuthFileRevision* revision) -> OpenDocument {
    if (revision == nullptr) return {};
    return [revision] { return revision->content_.reader(); };
  };
  std::optional<AuditedChange> change;
  if (after != nullptr) change = audited_change(opener(before), opener(after), DocumentForm::kAuthFile);
  if (!change) change = audited_change(document_of(before), document_of(after));
  if (is_overwritten(after) || is_overwritten(before)) return audited_change(before, after);
  return change;
}

}  // namespace vipauth
