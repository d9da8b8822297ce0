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
  const auto folder = HistoryFolder::open(file_, strict_modes_);
  if (!folder && folder.error().code != ErrorCode::kNotFound) return folder.error();
  auto content = folder ? folder->read(number) : Result<std::string>(folder.error());
  if (content || content.error().code != ErrorCode::kNotFound) return content;
  return Error{ErrorCode::kNotFound,
               "there is no generation " + std::to_string(number) + " of \"" + file_.string() + "\"", ""};
}

}  // namespace vipauth
