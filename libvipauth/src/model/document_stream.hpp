#pragma once

#include <vipauth/policy_document_sink.hpp>

#include "text/json_items.hpp"

namespace vipauth {

/// Reads an auth.json by blocks, and hands over its document.
/// \return false  as stream_policy
bool stream_document(const ReadBytes& read, PolicyDocumentSink& sink);

}  // namespace vipauth
