// The policy of a fleet as the text of an auth.json, without a second copy of it in memory.

#include <array>
#include <string_view>

#include "fleet/fleet_content.hpp"
#include "fleet/stored_value.hpp"

namespace vipauth::fleet {
namespace {

using Kind = FleetKey::Kind;

constexpr std::array kScopes{Scope::kFleet, Scope::kSite};

/// Writes an object whose members are lists and objects with an item on each line.
class Lines {
 public:
  explicit Lines(const std::function<bool(std::string_view)>& write) : write_(write) {}

  void begin() { put("{"); }
  void member(std::string_view name, const Json& value) {
    put(is_first_member_ ? "\n  " : ",\n  ");
    is_first_member_ = false;
    put(Json(name).dump());
    put(": ");
    put(value.dump());
  }
  void open(std::string_view name, char bracket) {
    put(is_first_member_ ? "\n  " : ",\n  ");
    is_first_member_ = false;
    put(Json(name).dump());
    put(": ");
    put({&bracket, 1});
    is_first_item_ = true;
  }
  void item(std::string_view text) {
    put(is_first_item_ ? "\n    " : ",\n    ");
    is_first_item_ = false;
    put(text);
  }
  void item(std::string_view name, std::string_view text) {
    item(Json(name).dump());
    put(": ");
    put(text);
  }
  void close(char bracket) {
    if (!is_first_item_) put("\n  ");
    put({&bracket, 1});
  }
  void end() {
    put("\n}\n");
    flush();
  }

 private:
  static constexpr std::size_t kBlock = std::size_t{1} << 16;

  void put(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() >= kBlock) flush();
  }
  void flush() {
    is_wanted_ = is_wanted_ && write_(buffer_);
    buffer_.clear();
  }

  const std::function<bool(std::string_view)>& write_;
  std::string buffer_;
  bool is_wanted_ = true;
  bool is_first_member_ = true;
  bool is_first_item_ = true;
};

}  // namespace

std::optional<Error> FleetContent::policy_problem() const {
  if (auto version = version_problem()) return version;
  Json::Object document{{"deny", merged_list(Kind::kDeny)}, {"version", present_version()}};
  const auto denied = Policy::parse(Json(std::move(document)));
  if (!denied) return denied.error();
  for (const Policy::Entry& entry : denied->deny()) {
    if (!entry.record) return entry.record.error();
  }
  return std::nullopt;
}

void FleetContent::write_policy(const std::function<bool(std::string_view)>& write) const {
  Lines lines(write);
  lines.begin();
  for (const Kind kind : {Kind::kAllow, Kind::kDeny}) {
    lines.open(to_string(kind), '[');
    for (const Scope scope : kScopes) {
      const List& list = part(scope).*list_at(kind);
      for (const std::string& name : list.malformed) {
        lines.item(without_rank({scope, kind, 0, name, true}).dump());
      }
      for (const auto& [rank, text] : list.ranked) lines.item(text);
    }
    lines.close(']');
  }
  for (const Kind kind : {Kind::kGroup, Kind::kRole}) {
    lines.open(to_string(kind), '{');
    for (const Scope scope : kScopes) {
      for (const auto& [name, text] : part(scope).*names_at(kind)) {
        if (scope == Scope::kFleet || !is_hidden(kind, name)) lines.item(name, text);
      }
    }
    lines.close('}');
  }
  lines.member("version", present_version());
  for (const Scope scope : kScopes) {
    for (const Json::Member& member : members(scope, Kind::kPolicyMembers)) {
      lines.member(member.name, member.value);
    }
  }
  lines.end();
}

}  // namespace vipauth::fleet
