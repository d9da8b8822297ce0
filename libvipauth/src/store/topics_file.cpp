#include <vipauth/topics_file.hpp>

#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "store/file_content.hpp"
#include "store/file_edit.hpp"
#include "store/history_folder.hpp"
#include "store/json_file.hpp"
#include "text/json_check.hpp"

namespace vipauth {
namespace {

namespace fs = std::filesystem;

/// The file as it is now; none has no rules.
struct Present {
  bool exists = true;
  FileContent content;
  bool had_comments = false;
  TopicDocument topics;

  PresentFile file() const { return {exists, content, had_comments}; }
};

Result<Present> understand(FileContent content, const fs::path& path) {
  const auto read = content.text();
  if (!read) return read.error();
  const std::string& text = *read;
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    return in_file(
        Error{ErrorCode::kParseError,
              "the file is empty, as after a write that was cut off: write {} to protect nothing", ""},
        path);
  }
  auto parsed = Json::parse_with_comments(text);
  if (!parsed) return in_file(parsed.error(), path);
  auto topics = TopicDocument::parse(std::move(parsed->value));
  if (!topics) return in_file(topics.error(), path);
  return Present{true, std::move(content), parsed->had_comments, std::move(*topics)};
}

Result<Present> read_present(const fs::path& path, StrictModes strict_modes) {
  auto content = FileContent::open(path, strict_modes);
  if (!content) return content.error();
  return understand(*std::move(content), path);
}

Result<Present> read_or_empty(const fs::path& path, StrictModes strict_modes) {
  auto present = read_present(path, strict_modes);
  if (present || present.error().code != ErrorCode::kNotFound) return present;
  return Present{false, FileContent::of("{}\n"), false, TopicDocument()};
}

Result<Present> read_former(const fs::path& path, StrictModes strict_modes, std::uint64_t number) {
  auto content = read_generation(path, strict_modes, number);
  if (!content) return content.error();
  auto former = understand(*std::move(content), path);
  if (!former) return former.error().at("generation " + std::to_string(number));
  return former;
}

/// What asks for all that `next` and `present` ask for; `present` itself, where it does.
TopicDocument strictest(const TopicDocument& next, const TopicDocument& present) {
  Json of_both = present.to_json();
  bool is_more = false;
  for (const TopicList list : {TopicList::kWriteProtect, TopicList::kReadProtect}) {
    const Json* rules = next.to_json().find(to_string(list));
    if (rules == nullptr || !rules->is_array()) continue;
    const Json* there = of_both.find(to_string(list));
    Json::Array all = there != nullptr && there->is_array() ? there->as_array() : Json::Array();
    std::set<std::string> known;
    for (const Json& rule : all) known.insert(rule.dump());
    for (const Json& rule : rules->as_array()) {
      if (!known.insert(rule.dump()).second) continue;
      all.push_back(rule);
      is_more = true;
    }
    of_both.set(to_string(list), Json(std::move(all)));
  }
  if (!is_more) return present;
  auto out = TopicDocument::parse(std::move(of_both));
  return out ? *std::move(out) : next;  // too many rules together
}

/// Adds what another part of an edit did.
void add_to(EditReport& report, EditReport part) {
  report.written = report.written || part.written;
  report.warnings.insert(report.warnings.end(), std::make_move_iterator(part.warnings.begin()),
                         std::make_move_iterator(part.warnings.end()));
}

}  // namespace

Result<TopicDocument> TopicsFile::load_document() const {
  auto present = read_present(path_, strict_modes_);
  if (!present) return present.error();
  return std::move(present->topics);
}

Result<TopicRules> TopicsFile::load() const {
  const auto document = load_document();
  if (!document) return document.error();
  return document->rules();
}

Result<EditReport> TopicsFile::edit(const Change& change, const EditOptions& options) const {
  const auto transaction = EditTransaction::begin(path_, options, strict_modes_);
  if (!transaction) return transaction.error();
  auto present = read_or_empty(path_, strict_modes_);
  if (!present) return present.error();

  const JsonDigest before = digest_of(present->topics.to_json());
  if (auto changed = change(present->topics); !changed) return changed.error();
  const Json& edited = present->topics.to_json();
  if (!survives_writing(edited)) {
    return Error{ErrorCode::kInvalidArgument,
                 "the change holds what cannot be written: text that is not UTF-8", ""};
  }
  if (digest_of(edited) == before) return EditReport{};
  return transaction->commit(present->file(), [&](const WriteBytes& write) -> Result<void> {
    write(edited.dump_pretty() + "\n");
    return {};
  });
}

Result<EditReport> TopicsFile::replace_with(const TopicDocument& next,
                                            const std::function<Result<EditReport>()>& write_policy,
                                            const EditOptions& options) const {
  const auto write = [&](const TopicDocument& topics) {
    return edit(
        [&](TopicDocument& there) -> Result<void> {
          there = topics;
          return {};
        },
        options);
  };
  EditReport report;
  const auto present = load_document();
  // Where the rules that are there cannot be read, the policy is still to come into force.
  if (present || present.error().code == ErrorCode::kNotFound) {
    auto stricter = write(present ? strictest(next, *present) : next);
    if (!stricter) return stricter;
    add_to(report, *std::move(stricter));
  }
  auto policy = write_policy();
  if (!policy) return policy;
  add_to(report, *std::move(policy));
  auto last = write(next);
  if (!last) return last;
  add_to(report, *std::move(last));
  return report;
}

Result<TopicDocument> TopicsFile::load_generation(std::uint64_t number) const {
  auto former = read_former(path_, strict_modes_, number);
  if (!former) return former.error();
  return std::move(former->topics);
}

Result<EditReport> TopicsFile::restore(std::uint64_t number, const Check& check,
                                       const EditOptions& options) const {
  const auto transaction = EditTransaction::begin(path_, options, strict_modes_);
  if (!transaction) return transaction.error();
  const auto present = read_or_empty(path_, strict_modes_);
  if (!present) return present.error();
  const auto former = read_former(path_, strict_modes_, number);
  if (!former) return former.error();

  if (check) {
    if (auto checked = check(present->topics, former->topics); !checked) return checked.error();
  }
  if (present->exists && present->content.is_same_as(former->content)) return EditReport{};
  return transaction->commit(present->file(), former->content.writer());
}

}  // namespace vipauth
