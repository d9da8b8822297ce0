#include "service/auth_service_parts.hpp"

#include <utility>

#include "store/atomic_file.hpp"
#include "store/audit_change.hpp"

namespace vipauth {

Result<void> AuthService::Parts::edit_policy(const AuthFile::Change& change, EditOptions edit_options) const {
  edit_options.clock = options.clock;
  bool may_have_changed = false;
  auto edited = store.edit_policy(
      [&](Policy& policy) {
        auto changed = change(policy);
        may_have_changed = changed.has_value();
        return changed;
      },
      edit_options);
  if (edited) may_have_changed = edited->written;
  if (may_have_changed) static_cast<void>(reload({true, false}));
  if (!edited) return edited.error();
  for (const std::string& warning : edited->warnings) log(LogLevel::kWarning, warning);
  return {};
}

Result<void> AuthService::Parts::edit_policy(const AuthFile::Change& change, const Behalf& behalf,
                                             const std::string& command) const {
  const EditOptions edit_options{.patience = behalf.patience, .note = note_of(behalf, command)};
  return edit_policy(
      [&](Policy& policy) -> Result<void> {
        if (!behalf.check) return change(policy);
        const Policy before = policy;
        if (auto changed = change(policy); !changed) return changed;
        return behalf.check(before, policy, Behalf::Touches::kRecords);
      },
      edit_options);
}

EditNote AuthService::Parts::note_of(const Behalf& behalf, std::string_view command) const {
  return {behalf.who.empty() ? options.edit_note.who : behalf.who, std::string(command)};
}

Result<Authorization> AuthService::Parts::delete_authorization(std::string_view user_id,
                                                               const Behalf& behalf) const {
  auto done = remote_peers.remove(user_id, behalf);
  if (!done) return done;
  if (done->status == AuthorizationStatus::kPending) {
    AuditEvent event;
    event.before = Json::Object{{"user_id", done->user_id},
                                {"mechanism", to_string(done->mechanism)},
                                {"credentials", done->credentials},
                                {"address", done->address}};
    EditOptions edit_options{.patience = behalf.patience, .note = options.edit_note, .clock = options.clock};
    if (!behalf.who.empty()) edit_options.note = note_of(behalf, "delete_authorization");
    const auto warning = audit_change(folder_of(auth_file.path()) / "pending.json", std::move(event),
                                      edit_options, options.strict_modes);
    if (warning) log(LogLevel::kWarning, *warning);
  }
  return done;
}

}  // namespace vipauth
