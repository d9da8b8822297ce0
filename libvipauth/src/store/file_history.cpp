#include <vipauth/file_history.hpp>

#include "store/history_folder.hpp"

namespace vipauth {

Result<std::vector<Generation>> FileHistory::list(std::vector<std::string>* warnings) const {
  const auto folder = HistoryFolder::open(file_, strict_modes_);
  if (!folder && folder.error().code == ErrorCode::kNotFound) return std::vector<Generation>();
  if (!folder) return folder.error();
  return folder->list(warnings);
}

Result<std::string> FileHistory::read(std::uint64_t number) const {
  const auto content = read_generation(file_, strict_modes_, number);
  if (!content) return content.error();
  return content->text();
}

Result<FileContent> read_generation(const std::filesystem::path& file, StrictModes strict_modes,
                                    std::uint64_t number) {
  const auto folder = HistoryFolder::open(file, strict_modes);
  if (!folder && folder.error().code != ErrorCode::kNotFound) return folder.error();
  auto content = folder ? folder->read(number) : Result<FileContent>(folder.error());
  if (content || content.error().code != ErrorCode::kNotFound) return content;
  return Error{ErrorCode::kNotFound,
               "there is no generation " + std::to_string(number) + " of \"" + file.string() + "\"", ""};
}

}  // namespace vipauth
