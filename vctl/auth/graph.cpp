#include "auth/graph.hpp"

#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include <vipauth/capability_resolver.hpp>

#include "auth/grant_text.hpp"
#include "home.hpp"
#include "output.hpp"

namespace vipauth::vctl::auth {
namespace {

// In the order in which they are drawn.
enum class Kind { kUser, kGroup, kRole, kCapability };

struct Node {
  Kind kind;
  std::string name;
  friend auto operator<=>(const Node&, const Node&) = default;
};

/// Nodes and edges, each once and sorted.
struct Graph {
  struct Edge {
    Node from;
    Node to;
    std::string label;  // restrictions of a grant
    friend auto operator<=>(const Edge&, const Edge&) = default;
  };

  std::map<Node, bool> nodes;  // and whether the file says what it is
  std::set<Edge> edges;

  void declare(Node node) { nodes[std::move(node)] = true; }

  void connect(const Node& from, const Node& to, std::string label = {}) {
    nodes.try_emplace(from, false);
    nodes.try_emplace(to, to.kind == Kind::kCapability);
    edges.insert({from, to, std::move(label)});
  }

  void grant(const Node& holder, const std::vector<Capability>& capabilities) {
    for (const Capability& capability : capabilities)
      connect(holder, {Kind::kCapability, capability.name}, restrictions_text(capability.restrictions));
  }
};

Result<Graph> draw(const Policy& policy, Timestamp now) {
  const auto resolver = CapabilityResolver::create(policy, now);
  if (!resolver) return resolver.error().at("auth.json");
  std::set<std::string> active;  // places of records
  for (const std::string& user : resolver->users()) {
    for (const std::string& place : resolver->records_of(user)) active.insert(place);
  }
  Graph graph;
  for (std::size_t i = 0; i < policy.allow().size(); ++i) {
    if (!active.contains(json_pointer("/allow", i))) continue;
    const AuthRecord& record = *policy.allow()[i].record;
    const Node user{Kind::kUser, record.user_id};
    graph.declare(user);
    graph.grant(user, record.capabilities);
    for (const std::string& role : record.roles) graph.connect(user, {Kind::kRole, role});
    for (const std::string& group : record.groups) graph.connect(user, {Kind::kGroup, group});
  }
  for (const Policy::Group& group : policy.groups()) {
    const Node node{Kind::kGroup, group.name};
    graph.declare(node);
    if (!group.roles) continue;
    for (const std::string& role : *group.roles) graph.connect(node, {Kind::kRole, role});
  }
  for (const Policy::Role& role : policy.roles()) {
    const Node node{Kind::kRole, role.name};
    graph.declare(node);
    if (role.capabilities) graph.grant(node, *role.capabilities);
  }
  return graph;
}

/// Names that no text of a file can meet: u0, g0, r0, c0.
std::map<Node, std::string> names_of(const Graph& graph) {
  std::map<Node, std::string> names;
  std::map<Kind, std::size_t> counts;
  for (const auto& [node, is_known] : graph.nodes) {
    names[node] = "ugrc"[static_cast<std::size_t>(node.kind)] + std::to_string(counts[node.kind]++);
  }
  return names;
}

// ---- Graphviz ----

/// Inside of quotes. Source: Graphviz, the DOT language; escapes of labels ("\N", "\l") begin with a
/// backslash.
std::string dot_text(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

void print_dot(std::ostream& out, const Graph& graph) {
  constexpr const char* kShapes[] = {"box", "folder", "hexagon", "ellipse"};
  const auto names = names_of(graph);
  out << "digraph auth {\n  rankdir=LR;\n";
  for (const auto& [node, is_known] : graph.nodes) {
    out << "  " << names.at(node) << " [label=\"" << dot_text(node.name)
        << "\", shape=" << kShapes[static_cast<std::size_t>(node.kind)] << (is_known ? "" : ", style=dashed")
        << "];\n";
  }
  for (const Graph::Edge& edge : graph.edges) {
    out << "  " << names.at(edge.from) << " -> " << names.at(edge.to);
    if (!edge.label.empty()) out << " [label=\"" << dot_text(edge.label) << "\"]";
    out << ";\n";
  }
  out << "}\n";
}

// ---- Mermaid ----

/// Inside of quotes. Whatever Mermaid or HTML could obey is written as its number. Source: Mermaid,
/// flowcharts, entity codes.
std::string mermaid_text(std::string_view text) {
  constexpr std::string_view kPlain = " _.,:/@=+-()";
  std::string out;
  for (const char c : printable(text)) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = byte >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || kPlain.find(c) != std::string_view::npos;
    out += is_plain ? std::string(1, c) : "#" + std::to_string(byte) + ";";
  }
  return out;
}

void print_mermaid(std::ostream& out, const Graph& graph) {
  constexpr std::pair<const char*, const char*> kShapes[] = {
      {"[", "]"}, {"[[", "]]"}, {"{{", "}}"}, {"([", "])"}};
  const auto names = names_of(graph);
  out << "flowchart LR\n  classDef unknown stroke-dasharray: 5 5\n";
  for (const auto& [node, is_known] : graph.nodes) {
    const auto& [open, close] = kShapes[static_cast<std::size_t>(node.kind)];
    out << "  " << names.at(node) << open << '"' << mermaid_text(node.name) << '"' << close
        << (is_known ? "" : ":::unknown") << '\n';
  }
  for (const Graph::Edge& edge : graph.edges) {
    out << "  " << names.at(edge.from) << " -->";
    if (!edge.label.empty()) out << "|\"" << mermaid_text(edge.label) << "\"|";
    out << ' ' << names.at(edge.to) << '\n';
  }
}

}  // namespace

int graph(const GraphOptions& options, const Context& context) {
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  const auto policy = home->load_policy();
  if (!policy) return fail(context, policy.error());
  const auto drawn = draw(*policy, context.env.clock());
  if (!drawn) return fail(context, drawn.error());

  std::ostringstream text;
  std::ostream& out = context.options.json ? text : context.env.out;
  if (options.is_mermaid) {
    print_mermaid(out, *drawn);
  } else {
    print_dot(out, *drawn);
  }
  if (context.options.json) {
    print_document(context,
                   Json::Object{{"format", options.is_mermaid ? "mermaid" : "dot"}, {"graph", text.str()}});
  }
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
