#include "home.hpp"

#include <system_error>
#include <unistd.h>
#include <utility>

#include <vipauth/audit_change.hpp>
#include <vipauth/local_copy.hpp>
#include <vipauth/policy_store.hpp>

#include "output.hpp"
#include "platform.hpp"
#include "working.hpp"

namespace vipauth::vctl {
namespace {

std::optional<std::string> non_empty(std::optional<std::string> text) {
  if (text && text->empty()) return std::nullopt;
  return text;
}

/// A leading "~" as the shell would read it: VOLTTRON_HOME often holds one.
std::filesystem::path expand_user(const std::string& path, const std::optional<std::string>& user_home) {
  const bool is_relative_to_user = path == "~" || path.starts_with("~/");
  return is_relative_to_user && user_home ? *user_home + path.substr(1) : path;
}

Result<std::filesystem::path> find_folder(const Context& context) {
  const auto user_home = non_empty(context.env.variable("HOME"));
  std::filesystem::path home;
  if (context.options.home) {
    home = expand_user(*context.options.home, user_home);
  } else if (const auto variable = non_empty(context.env.variable("VOLTTRON_HOME"))) {
    home = expand_user(*variable, user_home);
  } else if (user_home) {
    home = std::filesystem::path(*user_home) / ".volttron";
  } else {
    return Error{ErrorCode::kNotFound, "no home folder: give --home DIR, or set VOLTTRON_HOME", ""};
  }

  std::error_code error;
  if (std::filesystem::is_directory(home, error)) return home;
  if (error && error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory) {
    return Error{ErrorCode::kPermissionDenied, error.message(), home.string()};
  }
  return Error{ErrorCode::kNotFound,
               "there is no home folder \"" + home.string() +
                   "\": make it (mkdir -m 700), or name another by --home DIR or VOLTTRON_HOME",
               ""};
}

}  // namespace

EditNote edit_note(const Context& context) {
  EditNote note{"", context.command};
  if (::geteuid() == 0) note.who = context.env.variable("SUDO_USER").value_or("");
  return note;
}

Result<Home> Home::open(const Context& context) {
  auto folder = find_folder(context);
  if (!folder && context.store) return Home(std::filesystem::path(), context);
  if (!folder) return folder.error();
  return Home(std::move(*folder), context);
}

Result<PlatformConfig> Home::load_config() const {
  const auto& named = context_->options.config;
  std::error_code ignored;
  if (named && !std::filesystem::exists(*named, ignored)) {
    return Error{ErrorCode::kNotFound, "there is no file \"" + *named + "\"", "--config"};
  }
  return PlatformConfig::load(named ? std::filesystem::path(*named) : path_ / "config", strict_modes());
}

Result<std::vector<VipAddress>> Home::load_vip_addresses() const {
  const auto config = load_config();
  if (!config) return config.error();
  auto addresses = config->vip_addresses();
  const auto& named = context_->options.config;
  if (!addresses) {
    return addresses.error().at(named ? std::filesystem::path(*named).filename().string() : "config");
  }
  if (!addresses->empty()) return addresses;
  auto preset = VipAddress::parse("ipc://@" + std::filesystem::absolute(path_).string() + "/run/vip.socket");
  if (!preset) return preset.error();
  addresses->push_back(*std::move(preset));
  return addresses;
}

std::string Home::shown_auth_place() const {
  return context_->store ? *context_->options.store : auth_path().string();
}

std::string Home::shown_topics_place() const {
  return context_->store ? *context_->options.store : topics_path().string();
}

Result<Policy> Home::load_policy() const {
  if (context_->platform) return context_->platform->administration().read_auth_file();
  if (context_->store) {
    const Working working(*context_, "reading the store");
    return context_->store->load_policy();
  }
  const Working working(*context_, "reading auth.json");
  auto policy = auth_file().load();
  if (!policy && policy.error().code == ErrorCode::kNotFound) return Policy();
  return policy;
}

Result<TopicRules> Home::load_topic_rules() const {
  const auto topics = load_topics();
  if (!topics) return topics.error();
  return topics->rules();
}

Result<TopicDocument> Home::load_topics() const {
  if (context_->platform) return context_->platform->administration().read_protected_topics();
  if (context_->store) return context_->store->load_topics();
  auto topics = topics_file().load_document();
  if (!topics && topics.error().code == ErrorCode::kNotFound) return TopicDocument();
  return topics;
}

Result<void> Home::check_edited_here() const {
  if (context_->platform || context_->store) return {};
  return LocalCopy(path_, strict_modes()).check_edited_here();
}

Result<EditReport> Home::edit_policy(const AuthFile::Change& change) const {
  if (context_->platform) return context_->platform->administration().edit_auth_file(change);
  if (context_->store) {
    const Working working(*context_, "changing the store");
    return context_->store->edit_policy(change, edit_options());
  }
  if (auto own = check_edited_here(); !own) return own.error();
  const Working working(*context_, "changing auth.json");
  return auth_file().edit(change, edit_options());
}

Result<EditReport> Home::edit_topics(const TopicsFile::Change& change) const {
  if (context_->platform) return context_->platform->administration().edit_protected_topics(change);
  if (context_->store) return context_->store->edit_topics(change, edit_options());
  if (auto own = check_edited_here(); !own) return own.error();
  return topics_file().edit(change, edit_options());
}

void Home::audit(std::string_view file, Json before, Json after) const {
  AuditEvent event;
  event.before = std::move(before);
  event.after = std::move(after);
  const auto warning = audit_change(path_ / file, std::move(event), edit_options(), strict_modes());
  if (warning) warn(*context_, *warning);
}

EditOptions Home::edit_options() const {
  return {.patience = context_->options.timeout, .note = edit_note(*context_), .clock = context_->env.clock};
}

}  // namespace vipauth::vctl
