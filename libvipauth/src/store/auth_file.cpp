#include <vipauth/auth_file.hpp>

#include <algorithm>
#include <string>
#include <utility>

#include "model/document_stream.hpp"
#include "model/policy_document.hpp"
#include "model/policy_stream.hpp"
#include "store/atomic_file.hpp"
#include "store/auth_file_revision.hpp"
#include "store/file_content.hpp"
#include "store/file_edit.hpp"
#include "store/history_folder.hpp"
#include "store/loaded_policy.hpp"
#include "text/json_check.hpp"
#include "text/json_writer.hpp"

namespace vipauth {
namespace {

namespace fs = std::filesystem;

Error unwritable() {
  return Error{ErrorCode::kInvalidArgument,
               "the change holds what cannot be written: text that is not UTF-8, or nesting deeper than " +
                   std::to_string(Json::kMaxDepth) + " levels",
               ""};
}

/// Keeps the file of an older version as it was.
Result<void> keep_old_version(const fs::path& path, const FileContent& content, const LoadedPolicy& loaded,
                              std::vector<std::string>& warnings) {
  const auto kept = keep_original(with_suffix(path, "." + loaded.from), content);
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

/// The document of a policy, as it is written.
FileWriter writer_of(const Policy& policy) {
  return [&policy](const WriteBytes& write) -> Result<void> {
    JsonWriter writer(write);
    PolicyDocument::hand_over(policy, writer);
    return {};
  };
}

/// The file as it is now; none is an empty policy.
struct Present {
  bool exists = false;
  FileContent content;
  LoadedPolicy loaded;

  PresentFile file() const { return {exists, content, loaded.had_comments}; }
};

/// Without looking into it.
Result<Present> open_present(const fs::path& path, StrictModes strict_modes) {
  auto content = FileContent::open(path, strict_modes);
  if (!content && content.error().code == ErrorCode::kNotFound) {
    return Present{false, FileContent::of(Policy().to_json().dump_pretty() + "\n"), {}};
  }
  if (!content) return content.error();
  return Present{true, *std::move(content), {}};
}

Result<Present> read_present(const fs::path& path, StrictModes strict_modes) {
  auto present = open_present(path, strict_modes);
  if (!present || !present->exists) return present;
  auto loaded = understand(present->content, path);
  if (!loaded) return loaded.error();
  present->loaded = *std::move(loaded);
  return present;
}

class IgnoredParts final : public PolicySink {
 public:
  void on_allow(const AuthRecord&) override {}
  void on_deny(const AuthRecord&) override {}
  void on_unreadable_allow(const Json&, const Error&) override {}
  void on_unreadable_deny(const Json&, const Error&) override {}
  void on_role(const Policy::Role&) override {}
  void on_group(const Policy::Group&) override {}
};

/// What would be written of a policy.
struct Checked {
  JsonDigest digest{};
  bool survives_writing = false;
};

Checked check_parts(const Policy& policy) {
  JsonPartCheck check;
  PolicyDocument::hand_over(policy, check);
  return {check.digest(), check.survives_writing()};
}

}  // namespace

Result<Policy> AuthFile::load() const {
  const auto content = FileContent::open(path_, strict_modes_);
  if (!content) return content.error();
  auto loaded = understand(*content, path_);
  if (!loaded) return loaded.error();
  return std::move(loaded->policy);
}

Result<void> AuthFile::load_parts(const std::function<PolicySink&()>& make_sink) const {
  const auto revision = AuthFileRevision::open(path_, strict_modes_);
  if (!revision) return revision.error();
  return revision->load_parts(make_sink);
}

Result<void> AuthFile::load_document(PolicyDocumentSink& sink) const {
  const auto content = FileContent::open(path_, strict_modes_);
  if (!content) return content.error();
  const bool is_read = stream_document(content->reader(), sink);
  if (auto as_opened = content->check_as_opened(); !as_opened) return as_opened;
  if (is_read) return {};
  if (const auto loaded = understand(*content, path_); !loaded) return loaded.error();
  return Error{ErrorCode::kUnsupported,
               "this file is not read by parts: it is of an older version, or has comments",
               path_.filename().string()};
}

Result<EditReport> AuthFile::replace(const Text& text, bool present_is_known,
                                     const std::function<Result<void>(const LoadParts&)>& check,
                                     const EditOptions& options) const {
  const auto transaction = EditTransaction::begin(path_, options, strict_modes_);
  if (!transaction) return transaction.error();
  std::vector<std::string> warnings;
  auto present = present_is_known ? open_present(path_, strict_modes_) : read_present(path_, strict_modes_);
  if (!present) return present.error();
  if (!present->loaded.from.empty()) {
    if (auto kept = keep_old_version(path_, present->content, present->loaded, warnings); !kept) {
      return kept.error();
    }
  }
  const auto check_written = [&](const FileContent& next) -> Result<void> {
    const LoadParts load = [&](const std::function<PolicySink&()>& make_sink) -> Result<void> {
      if (stream_policy(next.reader(), make_sink())) return {};
      return Error{ErrorCode::kInvalidArgument,
                   "what was to be written is no auth.json of the present version", ""};
    };
    if (check) return check(load);
    IgnoredParts ignored;
    return load([&]() -> PolicySink& { return ignored; });
  };
  auto report = transaction->commit(present->file(), text, check_written);
  if (report) report->warnings.insert(report->warnings.begin(), warnings.begin(), warnings.end());
  return report;
}

Result<EditReport> AuthFile::edit(const Change& change, const EditOptions& options) const {
  const auto transaction = EditTransaction::begin(path_, options, strict_modes_);
  if (!transaction) return transaction.error();
  auto present = read_present(path_, strict_modes_);
  if (!present) return present.error();

  Policy& policy = present->loaded.policy;
  const std::size_t timed_before = count_timed(policy);
  const JsonDigest digest_before = check_parts(policy).digest;
  if (auto changed = change(policy); !changed) return changed.error();
  const bool has_more_times = count_timed(policy) > timed_before;
  const Checked edited = check_parts(policy);
  if (!edited.survives_writing) return unwritable();
  if (edited.digest == digest_before) return EditReport{};

  std::vector<std::string> warnings;
  if (has_more_times) {
    warnings.emplace_back(
        "not_before and not_after are this program's own: VOLTTRON itself ignores them, and drops them when "
        "it writes");
  }
  if (!present->loaded.from.empty()) {
    if (auto kept = keep_old_version(path_, present->content, present->loaded, warnings); !kept) {
      return kept.error();
    }
  }
  auto report = transaction->commit(present->file(), writer_of(policy));
  if (report) report->warnings.insert(report->warnings.begin(), warnings.begin(), warnings.end());
  return report;
}

Result<Policy> AuthFile::load_generation(std::uint64_t number) const {
  const auto content = read_generation(path_, strict_modes_, number);
  if (!content) return content.error();
  auto loaded = understand(*content, path_);
  if (!loaded) return loaded.error().at("generation " + std::to_string(number));
  return std::move(loaded->policy);
}

Result<EditReport> AuthFile::restore(std::uint64_t number, const Check& check,
                                     const EditOptions& options) const {
  const auto transaction = EditTransaction::begin(path_, options, strict_modes_);
  if (!transaction) return transaction.error();
  const auto present = read_present(path_, strict_modes_);
  if (!present) return present.error();
  const auto content = read_generation(path_, strict_modes_, number);
  if (!content) return content.error();
  const auto former = understand(*content, path_);
  if (!former) return former.error().at("generation " + std::to_string(number));

  if (check) {
    if (auto checked = check(present->loaded.policy, former->policy); !checked) return checked.error();
  }
  if (present->exists && present->content.is_same_as(*content)) return EditReport{};
  return transaction->commit(present->file(), content->writer());
}

}  // namespace vipauth
