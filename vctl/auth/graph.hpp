#pragma once

#include "context.hpp"

namespace vipauth::vctl::auth {

struct GraphOptions {
  bool is_mermaid = false;  ///< else Graphviz DOT
};

/// Draws active users, groups, roles and capabilities, and who has what. The same files give the same text.
/// --json: {"format": "dot", "graph": "..."}
int graph(const GraphOptions& options, const Context& context);

}  // namespace vipauth::vctl::auth
