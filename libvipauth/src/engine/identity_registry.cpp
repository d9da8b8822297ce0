#include <vipauth/identity_registry.hpp>

#include <algorithm>
#include <array>

#include <vipauth/python_repr.hpp>

#include "base/string_hash.hpp"
#include "text/control_characters.hpp"

namespace vipauth {
namespace {

// Source: semantics 7.
constexpr std::array<std::string_view, 11> kPlatformNames = {
    "platform",     "platform.auth", "control",      "control.connection", "config.store", "pubsub",
    "keydiscovery", "platform_web",  "platform.web", "platform.health",    "router"};

struct Owner {
  std::string user_id;
  std::string location;
  bool several = false;
};

bool is_name(std::string_view text) {
  return !text.empty() && is_valid_utf8(text) &&
         std::none_of(text.begin(), text.end(), [](char c) { return c == '/' || is_control_character(c); });
}

Decision wrong(std::string message, std::vector<std::string> source = {}) {
  return Decision::refuse(Reason::kWrongIdentity, std::move(message), std::move(source));
}

}  // namespace

struct IdentityRegistry::Index {
  StringMap<Owner> owners;

  void add(const std::string& name, const std::string& user_id, const std::string& location) {
    if (name.empty()) return;
    const auto [found, is_new] = owners.try_emplace(name, Owner{user_id, location, false});
    if (!is_new && found->second.user_id != user_id) found->second.several = true;
  }
};

IdentityRegistry::IdentityRegistry(std::shared_ptr<const Index> index) : index_(std::move(index)) {}

IdentityRegistry IdentityRegistry::create(const Policy& policy) {
  auto index = std::make_shared<Index>();
  for (std::size_t i = 0; i < policy.allow().size(); ++i) {
    const Policy::Entry& entry = policy.allow()[i];
    const std::string location = json_pointer("/allow", i);
    const std::string user_id = entry.record ? entry.record->user_id : entry.source.text_at("user_id");
    index->add(user_id, user_id, location);
    index->add(entry.source.text_at("identity"), user_id, location);
  }
  return IdentityRegistry(std::move(index));
}

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
  const auto found = index_->owners.find(claimed);
  const bool owned = found != index_->owners.end();
  if (owned && (found->second.several || found->second.user_id != user_id)) {
    return wrong("the identity " + shown(claimed) + " belongs to another user's record",
                 {found->second.location});
  }
  if (!owned && is_platform_name(claimed)) {
    return wrong("the identity " + shown(claimed) + " belongs to the platform");
  }
  return Decision::allow(Reason::kAllowed);
}

bool IdentityRegistry::belongs_to(std::string_view name, std::string_view user_id) const {
  const auto found = index_->owners.find(name);
  return found != index_->owners.end() && !found->second.several && found->second.user_id == user_id;
}

}  // namespace vipauth
