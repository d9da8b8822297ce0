#include "service/auth_service_parts.hpp"

namespace vipauth {

Result<void> AuthService::Parts::edit_policy(const AuthFile::Change& change, EditOptions edit_options) const {
  edit_options.clock = options.clock;
  auto edited = auth_file.edit(change, edit_options);
  if (!edited) return edited.error();
  for (const std::string& warning : edited->warnings) log(LogLevel::kWarning, warning);
  if (edited->written) static_cast<void>(reload({true, false}));
  return {};
}

Result<void> AuthService::Parts::edit_policy(const AuthFile::Change& change, const Behalf& behalf,
                                             const std::string& command) const {
  const EditOptions edit_options{.note = {behalf.who.empty() ? options.edit_note.who : behalf.who, command}};
  return edit_policy(
      [&](Policy& policy) -> Result<void> {
        if (!behalf.check) return change(policy);
        const Policy before = policy;
        if (auto changed = change(policy); !changed) return changed;
        return behalf.check(before, policy, Behalf::Touches::kRecords);
      },
      edit_options);
}

}  // namespace vipauth
