#include <vipauth/rabbitmq_users.hpp>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <set>
#include <thread>
#include <utility>

#include <openssl/crypto.h>

#include <vipauth/json.hpp>
#include <vipauth/secret_file.hpp>

#include "web/http_client.hpp"

namespace vipauth {
namespace {

using web::HttpClient;
using web::path_part;
using web::WebAddress;

constexpr std::size_t kMaxAnswer = std::size_t{32} << 20U;  // 100,000 users
constexpr std::size_t kMaxAuthorities = std::size_t{1} << 20U;
constexpr std::chrono::milliseconds kBetweenLooks{50};

constexpr int kNotFound = 404;

bool is_success(int status) { return status >= 200 && status < 300; }

/// A name of letters, digits and "_.-", so that it stands for itself in a regular expression.
std::string escaped(const CommonName& name) {
  std::string out;
  for (const char c : name.text()) {
    if (c == '.' || c == '-') out += '\\';
    out += c;
  }
  return out;
}

std::string filled(std::string text, const CommonName& name) {
  constexpr std::string_view kPlace = "{common_name}";
  const std::string value = escaped(name);
  for (std::size_t at = text.find(kPlace); at != std::string::npos;
       at = text.find(kPlace, at + value.size())) {
    text.replace(at, kPlace.size(), value);
  }
  return text;
}

bool is_this_host(const std::string& host) {
  return host == "localhost" || host == "127.0.0.1" || host == "::1";
}

Result<std::string> read_authorities(const std::filesystem::path& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{ErrorCode::kNotFound, "cannot read \"" + path.string() + "\"", "rmq-management-ca"};
  std::string out(kMaxAuthorities + 1, '\0');
  file.read(out.data(), static_cast<std::streamsize>(out.size()));
  if (file.bad()) {
    return Error{ErrorCode::kIoError, "cannot read \"" + path.string() + "\"", "rmq-management-ca"};
  }
  out.resize(static_cast<std::size_t>(file.gcount()));
  if (out.size() > kMaxAuthorities) {
    return Error{ErrorCode::kLimitExceeded, "\"" + path.string() + "\" is too long", "rmq-management-ca"};
  }
  return out;
}

/// The tags of a user: a list, or before RabbitMQ 3.9 a text with commas.
bool has_our_tag(const Json& user) {
  const Json* tags = user.find("tags");
  if (tags == nullptr) return false;
  if (tags->is_string()) return tags->as_string() == RabbitMqUsers::kTag;
  if (!tags->is_array()) return false;
  const Json::Array& all = tags->as_array();
  return std::any_of(all.begin(), all.end(), [](const Json& tag) {
    return tag.is_string() && tag.as_string() == RabbitMqUsers::kTag;
  });
}

}  // namespace

struct RabbitMqUsers::Impl {
  enum class Presence { kNone, kOurs };

  Settings settings;
  std::shared_ptr<std::atomic<bool>> stop;
  HttpClient client;

  /// \return kIoError  it does not answer; never for an answer
  Result<HttpClient::Answer> ask(std::string_view method, const std::string& path,
                                 const Json& body = {}) const {
    auto answer = client.send(method, "/api/" + path, body.is_null() ? std::string() : body.dump());
    if (!answer) return answer.error().at("RabbitMQ");
    const int status = answer->status;
    if (is_success(status) || status == kNotFound) return answer;
    std::string message = "answers " + std::to_string(status);
    ErrorCode code = ErrorCode::kParseError;
    if (status == 401 || status == 403) {
      code = ErrorCode::kPermissionDenied;
      message += " to its user \"" + settings.user +
                 "\": check rmq-management-user and its password; the user needs the tag administrator";
    } else if (status >= 300 && status < 400) {
      message += ", a redirect, which is not followed: give the address it leads to";
    } else {
      message +=
          " to " + std::string(method) + " /api/" + path.substr(0, path.find('/')) + ": its log says why";
    }
    return Error{code, std::move(message), "RabbitMQ"};
  }

  /// For what must be there.
  Result<void> tell(std::string_view method, const std::string& path, const Json& body) const {
    const auto answer = ask(method, path, body);
    if (!answer) return answer.error();
    if (answer->status != kNotFound) return {};
    return Error{ErrorCode::kNotFound,
                 "does not know " + std::string(path.substr(0, path.find('/'))) + " of the vhost \"" +
                     settings.vhost + "\": check rmq-vhost, and that the management plugin is on",
                 "RabbitMQ"};
  }

  Result<Json> get(const std::string& path) const {
    const auto answer = ask("GET", path);
    if (!answer) return answer.error();
    if (answer->status == kNotFound) return Json();
    auto document = Json::parse(answer->body);
    if (document) return document;
    return Error{ErrorCode::kParseError,
                 "answers what is no JSON: is the address one of the management plugin?", "RabbitMQ"};
  }

  Result<Json::Array> get_list(const std::string& path) const {
    auto document = get(path);
    if (!document) return document.error();
    if (document->is_array()) return std::move(document->as_array());
    return no_list(path.substr(0, path.find('?')));
  }

  static Error no_list(const std::string& what) {
    return Error{ErrorCode::kParseError,
                 "answers no list of " + what + ": is the address one of the management plugin?", "RabbitMQ"};
  }

  /// \return kConflict  the user is somebody else's
  Result<Presence> look_for(const CommonName& name) const {
    const auto user = get("users/" + path_part(name.text()));
    if (!user) return user.error();
    if (user->is_null()) return Presence::kNone;
    if (user->text_at("name") != name.text()) {
      return Error{ErrorCode::kParseError, "answers another user than \"" + name.text() + "\"", "RabbitMQ"};
    }
    if (has_our_tag(*user)) return Presence::kOurs;
    return Error{ErrorCode::kConflict,
                 "has a user \"" + name.text() + "\" without the tag \"" + kTag +
                     "\", which was made by somebody else and is left alone: remove it there, or give it the "
                     "tag",
                 "RabbitMQ"};
  }

  Json permissions_of(const CommonName& name) const {
    return Json::Object{{"configure", filled(settings.permissions.configure, name)},
                        {"write", filled(settings.permissions.write, name)},
                        {"read", filled(settings.permissions.read, name)}};
  }

  Result<void> make(const CommonName& name) const {
    const std::string user = path_part(name.text());
    const std::string place = path_part(settings.vhost) + "/" + user;
    auto done = tell("PUT", "users/" + user, Json::Object{{"password_hash", ""}, {"tags", kTag}});
    if (done) done = tell("PUT", "permissions/" + place, permissions_of(name));
    if (done && settings.topics) {
      done = tell("PUT", "topic-permissions/" + place,
                  Json::Object{{"exchange", settings.topics->exchange},
                               {"write", filled(settings.topics->write, name)},
                               {"read", filled(settings.topics->read, name)}});
    }
    return done;
  }

  Result<void> remove(const CommonName& name) const {
    const auto answer = ask("DELETE", "users/" + path_part(name.text()));
    if (!answer) return answer.error();
    return {};
  }

  /// As the broker tracks them. The list of all comes from its statistics, some seconds late: only for one
  /// that does not know the other (before 3.10).
  Result<Json::Array> connections_of(const CommonName& name) const {
    auto document = get("connections/username/" + path_part(name.text()));
    if (document && document->is_null()) return get_list("connections?columns=name,user");
    if (!document) return document.error();
    if (document->is_array()) return std::move(document->as_array());
    return no_list("connections");
  }

  /// The broker ends the connections of a user that goes, but not before it answers.
  Result<void> end_connections(const CommonName& name) const {
    const auto deadline = std::chrono::steady_clock::now() + settings.timeout;
    while (true) {
      const auto connections = connections_of(name);
      if (!connections) return connections.error();
      bool any = false;
      for (const Json& connection : *connections) {
        if (connection.text_at("user") != name.text()) continue;
        any = true;
        const auto ended = ask("DELETE", "connections/" + path_part(connection.text_at("name")));
        if (!ended) return ended.error();
      }
      if (!any) return {};
      if (std::chrono::steady_clock::now() >= deadline) {
        return Error{ErrorCode::kBusy,
                     "still has a connection of \"" + name.text() + "\", whose user is gone: close it there",
                     "RabbitMQ"};
      }
      std::this_thread::sleep_for(kBetweenLooks);
    }
  }

  Result<void> expel(const CommonName& name) const {
    const auto presence = look_for(name);
    if (!presence) return presence.error();
    if (*presence == Presence::kOurs) {
      if (auto removed = remove(name); !removed) return removed;
    }
    return end_connections(name);
  }

  /// Those of the names whose users have exactly their permissions, in this vhost.
  Result<std::set<CommonName>> served(const std::set<CommonName>& names) const {
    std::set<CommonName> out;
    const auto all = get_list("permissions");
    if (!all) return all.error();
    for (const Json& permission : *all) {
      if (permission.text_at("vhost") != settings.vhost) continue;
      const auto name = CommonName::parse(permission.text_at("user"));
      if (!name || !names.contains(*name)) continue;
      const Json wanted = permissions_of(*name);
      const bool is_same = permission.text_at("configure") == wanted.text_at("configure") &&
                           permission.text_at("write") == wanted.text_at("write") &&
                           permission.text_at("read") == wanted.text_at("read");
      if (is_same) out.insert(*name);
    }
    return out;
  }
};

RabbitMqUsers::RabbitMqUsers(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RabbitMqUsers::~RabbitMqUsers() = default;

Result<std::optional<RabbitMqUsers::Settings>> RabbitMqUsers::settings(const PlatformConfig& config,
                                                                       const std::filesystem::path& home) {
  const auto url = config.get("rmq-management-url");
  if (!url || url->empty()) return std::optional<Settings>();
  Settings out;
  out.url = *url;
  const auto user = config.get("rmq-management-user");
  const auto password_file = config.get("rmq-management-password-file");
  if (!user || !password_file) {
    return Error{ErrorCode::kInvalidArgument,
                 std::string(user ? "rmq-management-password-file" : "rmq-management-user") +
                     " is missing: rmq-management-url needs it",
                 "config"};
  }
  out.user = *user;
  out.password_file = home / *password_file;
  if (const auto file = config.get("rmq-management-ca")) out.authorities = home / *file;
  const auto take = [&](const char* name, std::string& target) {
    if (auto value = config.get(name)) target = *std::move(value);
  };
  take("rmq-vhost", out.vhost);
  take("rmq-configure", out.permissions.configure);
  take("rmq-write", out.permissions.write);
  take("rmq-read", out.permissions.read);
  if (config.get("rmq-topic-exchange") || config.get("rmq-topic-write") || config.get("rmq-topic-read")) {
    out.topics = TopicPermissions();
    take("rmq-topic-exchange", out.topics->exchange);
    take("rmq-topic-write", out.topics->write);
    take("rmq-topic-read", out.topics->read);
  }
  return std::optional<Settings>(std::move(out));
}

Result<std::shared_ptr<RabbitMqUsers>> RabbitMqUsers::create(Settings settings) {
  auto address = WebAddress::parse(settings.url);
  if (!address) return address.error().at("rmq-management-url");
  if (!address->is_tls && !is_this_host(address->host)) {
    return Error{ErrorCode::kInvalidArgument,
                 "\"" + settings.url + "\" would carry a password over a network in clear: use https",
                 "rmq-management-url"};
  }
  if (settings.user.empty()) return Error{ErrorCode::kInvalidArgument, "is empty", "rmq-management-user"};
  if (settings.vhost.empty()) return Error{ErrorCode::kInvalidArgument, "is empty", "rmq-vhost"};
  HttpClient::Options options;
  if (address->is_tls) {
    auto authorities = read_authorities(settings.authorities);
    if (!authorities) return authorities.error();
    if (authorities->empty()) {
      return Error{ErrorCode::kInvalidArgument,
                   "https needs rmq-management-ca, the file of the authority that signed the broker's "
                   "certificate",
                   "rmq-management-url"};
    }
    options.trust.authorities = *std::move(authorities);
  }
  auto password = read_secret_file(settings.password_file, settings.strict_modes);
  if (!password) return password.error().at("rmq-management-password-file");
  options.connect_timeout = settings.connect_timeout;
  options.timeout = settings.timeout;
  options.max_bytes = kMaxAnswer;
  options.user = settings.user;
  options.password = *password;
  OPENSSL_cleanse(password->data(), password->size());
  auto stop = std::make_shared<std::atomic<bool>>(false);
  options.stop = stop;
  auto impl = std::make_unique<Impl>(
      Impl{std::move(settings), std::move(stop), HttpClient(*std::move(address), std::move(options))});
  return std::shared_ptr<RabbitMqUsers>(new RabbitMqUsers(std::move(impl)));
}

Result<void> RabbitMqUsers::admit(const CommonName& name) {
  const auto presence = impl_->look_for(name);
  if (!presence) return presence.error();
  return impl_->make(name);
}

Result<void> RabbitMqUsers::expel(const CommonName& name) { return impl_->expel(name); }

void RabbitMqUsers::stop() noexcept { *impl_->stop = true; }

Result<void> RabbitMqUsers::admit_only(const std::vector<CommonName>& names) {
  const auto users = impl_->get_list("users");
  if (!users) return users.error();
  const std::set<CommonName> wanted(names.begin(), names.end());
  const auto served = impl_->served(wanted);
  if (!served) return served.error();

  Result<void> first;
  const auto is_silent = [&first](Result<void> done) {
    const bool out = !done && done.error().code == ErrorCode::kIoError;
    if (first && !done) first = std::move(done);
    return out;
  };
  std::set<CommonName> ours;
  for (const Json& user : *users) {
    if (!has_our_tag(user)) continue;
    const auto name = CommonName::parse(user.text_at("name"));
    if (!name) continue;  // admit() made no such user
    ours.insert(*name);
    if (!wanted.contains(*name) && is_silent(expel(*name))) return first;
  }
  for (const CommonName& name : wanted) {
    const bool is_served = !impl_->settings.topics && ours.contains(name) && served->contains(name);
    if (!is_served && is_silent(admit(name))) return first;
  }
  return first;
}

}  // namespace vipauth
