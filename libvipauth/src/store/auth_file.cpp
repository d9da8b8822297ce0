#include <vipauth/auth_file.hpp>

#include <algorithm>
#include <string>
#include <utility>

#include <vipauth/file_history.hpp>

#include "model/policy_upgrade.hpp"
#include "store/file_edit.hpp"
#include "store/json_file.hpp"
#include "text/json_check.hpp"

namespace vipauth {
namespace {

namespace fs = std::filesystem;

/// A file that has been read, and what it means.
struct LoadedPolicy {
  Policy policy;
  JsonDigest digest{};  ///< of what would be written where nothing is changed
  std::string from;     ///< the version that the file has, if older than the present one
  std::vector<std::string> warnings;
};

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

/// What a policy is read for: only an edit asks later whether it has changed.
enum class Purpose { kReading, kEditing };

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

Result<LoadedPolicy> understand(Json document, const fs::path& path, Purpose purpose) {
  auto loaded = understand(std::move(document), purpose);
  if (!loaded) return in_file(loaded.error(), path);
  return loaded;
}

/// The same of a text that is not the file itself.
Result<LoadedPolicy> understand_text(const std::string& text, const fs::path& path) {
  auto document = Json::parse(text, Json::Comments::kAccept);
  if (!document) return in_file(document.error(), path);
  return understand(std::move(*document), path, Purpose::kReading);
}

Error unwritable() {
  return Error{ErrorCode::kInvalidArgument,
               "the change holds what cannot be written: text that is not UTF-8, or nesting deeper than " +
                   std::to_string(Json::kMaxDepth) + " levels",
               ""};
}

/// Keeps the file of an older version as it was.
Result<void> keep_old_version(const fs::path& path, const std::string& text, const LoadedPolicy& loaded,
                              std::vector<std::string>& warnings) {
  const auto kept = keep_original(with_suffix(path, "." + loaded.from), text);
  if (!kept) return kept.error();
  warnings.push_back("this file was of version " + loaded.from +
                     " and is now of version 1.4: the original is kept as " + kept->string());
  constexpr std::size_t kMostWarnings = 20;
  const std::size_t shown = std::min(loaded.warnings.size(), kMostWarnings);
  warnings.insert(warnings.end(), loaded.warnings.begin(),
                  loaded.warnings.begin() + static_cast<std::ptrdiff_t>(shown));
  if (loaded.warnings.size() > shown) {
    warnings.push_back("and " + std::to_string(loaded.warnings.size() - shown) + " more of these");
  }
  return {};
}

std::size_t count_timed(const Policy& policy) {
  const auto is_timed = [](const Policy::Entry& entry) {
    return entry.record && (entry.record->not_before || entry.record->not_after);
  };
  return static_cast<std::size_t>(std::count_if(policy.allow().begin(), policy.allow().end(), is_timed) +
                                  std::count_if(policy.deny().begin(), policy.deny().end(), is_timed));
}

/// The file as it is now; none is an empty policy.
struct Present {
  bool exists = false;
  std::string text;
  bool had_comments = false;
  LoadedPolicy loaded;

  PresentFile file() const { return {exists, text, had_comments}; }
};

Result<Present> read_present(const fs::path& path, StrictModes strict_modes) {
  auto file = read_json_file(path, strict_modes);
  if (!file && file.error().code == ErrorCode::kNotFound) {
    Json empty = Policy().to_json();
    Present out;
    out.text = empty.dump_pretty() + "\n";
    out.loaded.digest = digest_of(empty);
    return out;
  }
  if (!file) return file.error();
  auto loaded = understand(std::move(file->document), path, Purpose::kEditing);
  if (!loaded) return loaded.error();
  return Present{true, std::move(file->text), file->had_comments, std::move(*loaded)};
}

}  // namespace

Result<Policy> AuthFile::load() const {
  auto file = read_json_file(path_, strict_modes_);
  if (!file) return file.error();
  auto loaded = understand(std::move(file->document), path_, Purpose::kReading);
  if (!loaded) return loaded.error();
  return std::move(loaded->policy);
}

Result<EditReport> AuthFile::edit(const Change& change, const EditOptions& options) const {
  const auto transaction = EditTransaction::begin(path_, options, strict_modes_);
  if (!transaction) return transaction.error();
  auto present = read_present(path_, strict_modes_);
  if (!present) return present.error();

  Policy& policy = present->loaded.policy;
  const std::size_t timed_before = count_timed(policy);
  if (auto changed = change(policy); !changed) return changed.error();
  const bool has_more_times = count_timed(policy) > timed_before;
  const Json edited = std::move(policy).to_json();
  if (!survives_writing(edited)) return unwritable();
  if (digest_of(edited) == present->loaded.digest) return EditReport{};

  std::vector<std::string> warnings;
  if (has_more_times) {
    warnings.emplace_back(
        "not_before and not_after are this program's own: VOLTTRON itself ignores them, and drops them when "
        "it writes");
  }
  if (!present->loaded.from.empty()) {
    if (auto kept = keep_old_version(path_, present->text, present->loaded, warnings); !kept) {
      return kept.error();
    }
  }
  auto report = transaction->commit(present->file(), edited.dump_pretty() + "\n");
  if (report) report->warnings.insert(report->warnings.begin(), warnings.begin(), warnings.end());
  return report;
}

Result<Policy> AuthFile::load_generation(std::uint64_t number) const {
  const auto text = FileHistory(path_, strict_modes_).read(number);
  if (!text) return text.error();
  auto loaded = understand_text(*text, path_);
  if (!loaded) return loaded.error().at("generation " + std::to_string(number));
  return std::move(loaded->policy);
}

Result<EditReport> AuthFile::restore(std::uint64_t number, const Check& check,
                                     const EditOptions& options) const {
  const auto transaction = EditTransaction::begin(path_, options, strict_modes_);
  if (!transaction) return transaction.error();
  const auto present = read_present(path_, strict_modes_);
  if (!present) return present.error();
  const auto text = FileHistory(path_, strict_modes_).read(number);
  if (!text) return text.error();
  const auto former = understand_text(*text, path_);
  if (!former) return former.error().at("generation " + std::to_string(number));

  if (check) {
    if (auto checked = check(present->loaded.policy, former->policy); !checked) return checked.error();
  }
  if (present->exists && present->text == *text) return EditReport{};
  return transaction->commit(present->file(), *text);
}

}  // namespace vipauth
