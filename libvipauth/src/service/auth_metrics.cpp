#include <vipauth/auth_metrics.hpp>

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace vipauth {
namespace {

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// Source: Prometheus, Exposition formats, "Comments, help text, and type information".
std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '\\' || c == '"') out += '\\';
      out += c;
    }
  }
  return out;
}

class Text {
 public:
  void begin(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    out_.append("# HELP ").append(name).append(" ").append(help).append("\n");
    out_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
  }

  void add(std::uint64_t value, Labels labels = {}) {
    out_ += name_;
    char before = '{';
    for (const auto& [name, label] : labels) {
      out_ += before;
      out_.append(name).append("=\"").append(escaped(label)).append("\"");
      before = ',';
    }
    if (labels.size() > 0) out_ += '}';
    out_.append(" ").append(std::to_string(value)).append("\n");
  }

  std::string take() && { return std::move(out_); }

 private:
  std::string out_;
  std::string name_;
};

std::string_view outcome(bool allowed) { return allowed ? "allowed" : "refused"; }

}  // namespace

std::string to_prometheus(const AuthMetrics& metrics) {
  Text text;
  text.begin("vipauth_authentications_total", "counter", "Peers that asked to connect.");
  for (const auto& row : metrics.authentications) {
    text.add(row.count, {{"mechanism", to_string(row.mechanism)},
                         {"outcome", outcome(row.allowed)},
                         {"reason", to_string(row.reason)}});
  }
  text.begin("vipauth_decisions_total", "counter", "What connected users asked for.");
  for (const auto& row : metrics.decisions) {
    text.add(row.count, {{"question", to_string(row.kind)},
                         {"outcome", outcome(row.allowed)},
                         {"reason", to_string(row.reason)}});
  }
  text.begin("vipauth_policy_reloads_total", "counter",
             "Readings of the policy's files: put in force, or failed.");
  text.add(metrics.reloads, {{"result", "good"}});
  text.add(metrics.failed_reloads, {{"result", "failed"}});
  text.begin("vipauth_policy_in_force", "gauge",
             "1 where the files are in force as they are, 0 where an earlier content is.");
  text.add(metrics.is_in_force ? 1 : 0);
  text.begin("vipauth_policy_stale", "gauge",
             "1 where new peers are refused because the policy may be too old, else 0.");
  text.add(metrics.refuses_new_peers ? 1 : 0);
  if (metrics.policy_age) {
    text.begin("vipauth_policy_age_seconds", "gauge",
               "Since the policy was known to be what its store says.");
    text.add(static_cast<std::uint64_t>(std::max<std::int64_t>(metrics.policy_age->count(), 0)));
  }
  text.begin("vipauth_policy_generation", "gauge", "The number of the policy in force.");
  text.add(metrics.generation);
  text.begin("vipauth_policy_records", "gauge", "Records of the policy in force.");
  text.add(metrics.allow_records, {{"list", "allow"}});
  text.add(metrics.deny_records, {{"list", "deny"}});
  if (metrics.pending) {
    text.begin("vipauth_pending_requests", "gauge", "Strangers who wait for a decision.");
    text.add(*metrics.pending);
  }
  if (metrics.audit) {
    text.begin("vipauth_audit_lines_total", "counter", "Lines written to the audit log.");
    text.add(metrics.audit->written);
    text.begin("vipauth_audit_dropped_total", "counter", "Events that the audit log had to drop.");
    text.add(metrics.audit->dropped);
  }
  return std::move(text).take();
}

}  // namespace vipauth
