#include <vipauth/topics_file.hpp>

#include "store/atomic_file.hpp"
#include "store/json_file.hpp"

namespace vipauth {

Result<TopicRules> TopicsFile::load() const {
  auto text = read_file(path_);
  if (!text) return text.error();
  if (text->find_first_not_of(" \t\r\n") == std::string::npos) {
    return in_file(
        Error{ErrorCode::kParseError,
              "the file is empty, as after a write that was cut off: write {} to protect nothing", ""},
        path_);
  }
  auto document = Json::parse(*text, Json::Comments::kAccept);
  if (!document) return in_file(document.error(), path_);
  auto rules = TopicRules::parse(*document);
  if (!rules) return in_file(rules.error(), path_);
  return rules;
}

}  // namespace vipauth
