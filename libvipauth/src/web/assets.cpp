#include "web/assets.hpp"

#include "web/asset_texts.hpp"

namespace vipauth::web {
namespace {

const Asset kAssets[] = {
    {"/admin", "text/html; charset=utf-8", kPageHtml},
    {"/admin/page.css", "text/css; charset=utf-8", kPageCss},
    {"/admin/page.js", "text/javascript; charset=utf-8", kPageJs},
    {"/admin/icon.svg", "image/svg+xml", kIconSvg},
    {"/openapi.json", "application/json", kOpenapiJson},
};

}  // namespace

const Asset* find_asset(std::string_view path) {
  for (const Asset& asset : kAssets) {
    if (asset.path == path) return &asset;
  }
  return nullptr;
}

}  // namespace vipauth::web
