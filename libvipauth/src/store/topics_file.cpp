#include <vipauth/topics_file.hpp>

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
