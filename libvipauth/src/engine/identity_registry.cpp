#include <vipauth/identity_registry.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <vipauth/python_repr.hpp>

#include "engine/policy_index.hpp"
#include "text/control_characters.hpp"

namespace vipauth {
namespace {

// Source: semantics 7.
constexpr std::array<std::string_view, 11> kPlatformNames = {
    "platform",     "platform.auth", "control",      "control.connection", "config.store", "pubsub",
    "keydiscovery", "platform_web",  "platform.web", "platform.health",    "router"};

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= NameTable::kMaxBytes && is_valid_utf8(text) &&
         std::none_of(text.begin(), text.end(), [](char c) { return c == '/' || is_control_character(c); });
}

struct Owner {
  std::string_view user_id;
  std::uint32_t record = 0;
  bool several = false;

  /// A record without a readable user_id is nobody's.
  bool is_only(std::string_view user) const { return !several && !user_id.empty() && user_id == user; }
};

std::optional<Owner> owner_of(const PolicyIndex& records, std::string_view name) {
  const PolicyIndex::Owner owner = records.owner_of(records.names().find(name));
  if (owner.record == PolicyIndex::kNone) return std::nullopt;
  const NameTable::Id user = records.allow()[owner.record].user;
  return Owner{user == NameTable::kNone ? std::string_view() : records.names()[user], owner.record,
               owner.several};
}

Decision wrong(std::string message, std::vector<std::string> source = {}) {
  return Decision::refuse(Reason::kWrongIdentity, std::move(message), std::move(source));
}

}  // namespace

IdentityRegistry::IdentityRegistry(std::shared_ptr<const PolicyIndex> records)
    : records_(std::move(records)) {}

IdentityRegistry IdentityRegistry::create(const Policy& policy) { return IdentityRegistry(index_of(policy)); }

bool IdentityRegistry::is_platform_name(std::string_view name) noexcept {
  return std::find(kPlatformNames.begin(), kPlatformNames.end(), name) != kPlatformNames.end();
}

Decision IdentityRegistry::verify(std::string_view user_id, std::string_view permitted,
                                  std::string_view claimed) const {
  const auto shown = [](std::string_view name) { return python_repr(Json(name)); };
  if (!is_name(claimed)) {
    return Decision::refuse(Reason::kMalformed,
                            "a VIP identity must be a name without '/' and control characters");
  }
  if (!permitted.empty() && permitted != claimed) {
    return wrong("user " + shown(user_id) + " may use the identity " + shown(permitted) + ", not " +
                 shown(claimed));
  }
  const std::optional<Owner> owner = owner_of(*records_, claimed);
  if (owner && !owner->is_only(user_id)) {
    return wrong("the identity " + shown(claimed) + " belongs to another user's record",
                 {json_pointer("/allow", owner->record)});
  }
  if (!owner && is_platform_name(claimed)) {
    return wrong("the identity " + shown(claimed) + " belongs to the platform");
  }
  return Decision::allow(Reason::kAllowed);
}

bool IdentityRegistry::belongs_to(std::string_view name, std::string_view user_id) const {
  const std::optional<Owner> owner = owner_of(*records_, name);
  return owner && owner->is_only(user_id);
}

}  // namespace vipauth
