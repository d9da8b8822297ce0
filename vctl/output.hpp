#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <vipauth/json.hpp>
#include <vipauth/result.hpp>

#include "context.hpp"

namespace vipauth::vctl {

/// `text` in a form that a terminal only shows, never obeys: control and direction characters, and what is
/// not UTF-8, are escaped.
std::string printable(std::string_view text);

/// Columns as wide as their widest cell, with spaces between. Cells are made printable.
using Row = std::vector<std::string>;
std::string format_table(const std::vector<Row>& rows, std::size_t spaces = 1);

/// One JSON document on the standard output.
void print_document(const Context& context, const Json& document);

/// A line on the standard error.
void warn(const Context& context, std::string_view message);

/// Reports the error of a verb (with --json as a document, too).
/// \return kExitFailed
int fail(const Context& context, const Error& error);

/// The same for a command line that makes no sense.
/// \return kExitUsage
int fail_usage(const Context& context, std::string message);

}  // namespace vipauth::vctl
