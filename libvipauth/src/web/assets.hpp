#pragma once

#include <string_view>

namespace vipauth::web {

/// A file of src/web/assets, which is built in: nothing is read from the disk, and nothing from elsewhere.
struct Asset {
  std::string_view path;  ///< under which it is served
  std::string_view content_type;
  std::string_view text;
};

/// \return nullptr  there is none
const Asset* find_asset(std::string_view path);

}  // namespace vipauth::web
