#pragma once

#include <string_view>

namespace vipauth::web {

// Defined in a file that cmake/embed.cmake makes of src/web/assets.
extern const std::string_view kPageHtml;
extern const std::string_view kPageCss;
extern const std::string_view kPageJs;
extern const std::string_view kIconSvg;
extern const std::string_view kOpenapiJson;

}  // namespace vipauth::web
