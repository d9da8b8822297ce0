#pragma once

#include <string>
#include <string_view>

namespace vipauth {

/// A random UUID (version 4), lower case with hyphens.
std::string random_uuid();

/// The UUID (version 5) of `name` in this library's own namespace: the same in every process and release.
/// Source: RFC 9562, section 5.5.
std::string named_uuid(std::string_view name);

}  // namespace vipauth
