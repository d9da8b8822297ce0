#include <vipauth/auth_file.hpp>

#include <algorithm>

#include "store/atomic_file.hpp"
#include "store/json_file.hpp"

namespace vipauth {
namespace {

namespace fs = std::filesystem;

fs::path with_suffix(const fs::path& file, std::string_view suffix) {
  fs::path out = file;
  out += suffix;
  return out;
}

struct LoadedPolicy {
  Policy policy;
  std::string text;
  bool had_comments = false;
};

Result<LoadedPolicy> load_policy(const fs::path& path) {
  auto file = read_json_file(path);
  if (!file) return file.error();
  auto policy = Policy::parse(std::move(file->document));
  if (!policy) return in_file(policy.error(), path);
  if (const auto version = policy->version(); version && version->major > Policy::kVersion.major) {
    return in_file(Error{ErrorCode::kUnsupported,
                         "version " + std::to_string(version->major) + "." + std::to_string(version->minor) +
                             " of this file is newer than what this program knows (1.4): upgrade the program",
                         "/version"},
                   path);
  }
  return LoadedPolicy{std::move(*policy), std::move(file->text), file->had_comments};
}

/// Files before version 1.0 write credentials in another form: a record added to one would be misread.
Result<void> check_editable(const Policy& policy, const fs::path& path) {
  const auto version = policy.version();
  if (version && version->major >= 1) return {};
  return in_file(Error{ErrorCode::kUnsupported,
                       "this file has no version, or one before 1.0: if its credentials are plain keys, add "
                       "\"version\": {\"major\": 1, \"minor\": 4} and try again",
                       "/version"},
                 path);
}

/// What is written must say the same when it is read again.
Result<void> check_readable(const std::string& text, const Json& document) {
  const auto read = Json::parse(text);
  if (read && *read == document) return {};
  return Error{ErrorCode::kInvalidArgument,
               "the change holds what cannot be written: text that is not UTF-8, or nesting deeper than " +
                   std::to_string(Json::kMaxDepth) + " levels",
               ""};
}

/// Comments cannot survive a rewrite: the first one keeps the original.
Result<void> keep_comments(const fs::path& path, const std::string& text,
                           std::vector<std::string>& warnings) {
  const fs::path backup = with_suffix(path, ".commented.bak");
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(backup, ignored))) return {};
  if (auto kept = replace_file(backup, text); !kept) return kept.error();
  warnings.push_back("comments do not survive this change: the original is kept as " + backup.string());
  return {};
}

std::size_t count_timed(const Policy& policy) {
  const auto is_timed = [](const Policy::Entry& entry) {
    return entry.record && (entry.record->not_before || entry.record->not_after);
  };
  return static_cast<std::size_t>(std::count_if(policy.allow().begin(), policy.allow().end(), is_timed) +
                                  std::count_if(policy.deny().begin(), policy.deny().end(), is_timed));
}

}  // namespace

Result<Policy> AuthFile::load() const {
  auto loaded = load_policy(path_);
  if (!loaded) return loaded.error();
  return std::move(loaded->policy);
}

Result<AuthFile::EditReport> AuthFile::edit(const Change& change, std::chrono::milliseconds patience) const {
  const auto lock = FileLock::acquire(path_, patience);
  if (!lock) return lock.error();

  auto loaded = load_policy(path_);
  const bool is_new = !loaded && loaded.error().code == ErrorCode::kNotFound;
  if (!loaded && !is_new) return loaded.error();
  LoadedPolicy present = is_new ? LoadedPolicy{} : std::move(*loaded);
  if (auto editable = check_editable(present.policy, path_); !editable) return editable.error();

  const std::string before = present.policy.to_json().dump_pretty();
  const std::size_t timed_before = count_timed(present.policy);
  if (auto changed = change(present.policy); !changed) return changed.error();
  const Json edited = present.policy.to_json();
  const std::string after = edited.dump_pretty();

  EditReport report;
  if (after == before) return report;
  if (auto readable = check_readable(after, edited); !readable) return readable.error();
  if (count_timed(present.policy) > timed_before) {
    report.warnings.emplace_back(
        "not_before and not_after are this program's own: VOLTTRON itself ignores them, and drops them when "
        "it writes");
  }
  if (present.had_comments) {
    if (auto kept = keep_comments(path_, present.text, report.warnings); !kept) return kept.error();
  }
  if (auto replaced = replace_file(path_, after + "\n", is_new ? fs::path() : with_suffix(path_, ".bak"));
      !replaced) {
    return replaced.error();
  }
  report.written = true;
  return report;
}

}  // namespace vipauth
