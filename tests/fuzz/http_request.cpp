// What comes over connections to the web service: the bytes of requests, from one byte on that tells who
// sends them.
#include <memory>
#include <optional>

#include <vipauth/auth_service.hpp>
#include <vipauth/csr_store.hpp>

#include "fuzz.hpp"
#include "support/memory_connection.hpp"
#include "support/temp_home.hpp"
#include "web/http_engine.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;
using namespace vipauth::web;

namespace {

constexpr Timestamp kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21);
constexpr std::string_view kSecret = "hiddenfromtheweb";
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
// What stands for a session's token, and for what belongs to it, in a request.
constexpr std::string_view kTokenMark = "$TOKEN";
constexpr std::string_view kCsrfMark = "$CSRF";

/// A site, which all inputs share.
struct World {
  World() {
    folder.write("auth.json", R"({"allow": [{"user_id": "a", "credentials": "hiddenfromtheweb",
      "mechanism": "PLAIN"}], "roles": {"r": ["c"]}, "version": {"major": 1, "minor": 4}})");
    folder.write("protected_topics.json", R"({"write-protect": [{"topic": "t", "capabilities": ["c"]}]})");
    folder.write(
        "web-users.json",
        R"({"alice": {"hashed_password": "$argon2id$v=19$m=65536,t=2,p=1)"
        R"($hiddenfromtheweb0000A$hiddenfromtheweb000000000000000000000000000", "groups": ["admin"]}})");
    AuthService::Options options;
    options.watch = false;
    auto opened = AuthService::open(folder.path(), std::move(options));
    require(opened.has_value(), opened ? "" : opened.error().to_string());
    service.emplace(*std::move(opened));
    auto authority = CertificateAuthority::open_or_create(folder / "certificates", "here", {});
    require(authority.has_value(), authority ? "" : authority.error().to_string());
    store.emplace(*std::move(authority), CsrStore::Options());
    auto penalties = AddressPenalties::create({});
    site.emplace(Site::Parts{*service,
                             *store,
                             WebUsers(folder / "web-users.json"),
                             {.instance_name = "here", .vip_address = "tcp://h:1"},
                             {},
                             [] { return kNow; },
                             {}},
                 *std::move(penalties));
    engine.emplace(*site, HttpEngine::Settings{std::chrono::seconds(15), std::chrono::seconds(5), 100});
  }

  test::TempHome folder;
  std::optional<AuthService> service;
  std::optional<CsrStore> store;
  std::optional<Site> site;
  std::optional<HttpEngine> engine;
};

std::string replaced(std::string text, std::string_view mark, std::string_view value) {
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size())) {
    text.replace(at, mark.size(), value);
  }
  return text;
}

/// True for a login that would hash a password: tens of milliseconds, for each input alike.
bool may_log_in(std::string_view text) {
  return text.find("/api/login") != std::string_view::npos && text.find("password") != std::string_view::npos;
}

std::optional<std::string> header_in(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at)) {
    at += 2;
    const std::string_view line = head.substr(at, head.find("\r\n", at) - at);
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    if (to_small_letters(line.substr(0, colon)) == name) return std::string(line.substr(colon + 2));
  }
  return std::nullopt;
}

/// Takes one reply off what was sent to the peer. \return its status
int check_reply(std::string_view& received, bool is_head) {
  require(received.starts_with("HTTP/1.1 "), received);
  const std::size_t end = received.find("\r\n\r\n");
  require(end != std::string_view::npos, received);
  const std::string_view head = received.substr(0, end + 2);
  const auto status = static_cast<int>(number_in(head.substr(9, 3)));
  require(status >= 200 && status < 600, head);
  for (std::size_t i = 0; i < head.size(); ++i) {
    const bool is_line_end = head[i] == '\r'   ? head[i + 1] == '\n'
                             : head[i] == '\n' ? head[i - 1] == '\r'
                                               : false;
    require(is_line_end || !is_control_character(head[i]), head);
  }
  const auto length = header_in(head, "content-length");
  require(length.has_value(), head);
  const std::size_t bytes = number_in(*length);
  require(header_in(head, "x-content-type-options") == "nosniff", head);
  received.remove_prefix(end + 4);
  if (is_head) return status;
  require(received.size() >= bytes, received);
  const std::string_view body = received.substr(0, bytes);
  const auto type = header_in(head, "content-type");
  if (type && type->starts_with("application/json")) require(Json::parse(body).has_value(), body);
  if (status >= 400) require(body.size() < 4096 + 8 * Site::kMaxBody && Json::parse(body).has_value(), body);
  received.remove_prefix(bytes);
  return status;
}

bool is_for_administrators(std::string_view request) {
  request.remove_prefix(std::min(request.find(' '), request.size()));
  return request.starts_with(" /api/");
}

std::string state_of(const World& world) {
  return world.folder.read("auth.json") + world.folder.read("protected_topics.json") +
         world.folder.read("web-users.json");
}

void send(World& world, std::string_view sent, bool is_admin, std::size_t piece) {
  test::MemoryConnection connection(sent, piece);
  const HttpEngine::Peer peer{"10.0.0.7", [] {}, [] {}};
  for (int served = 0; served < 4 && !connection.rest().empty(); ++served) {
    const std::string before = state_of(world);
    const std::string_view asked = connection.rest();
    connection.received.clear();
    const auto next = world.engine->serve(connection, peer, false);
    std::string_view received = connection.received;
    if (received.starts_with(kContinue)) received.remove_prefix(kContinue.size());
    require(received.find(kSecret) == std::string_view::npos, received);
    if (received.empty()) {
      require(next != HttpEngine::Next::kNextRequest, "no answer, and on it goes");
      return;
    }
    const bool is_head = received.find("\r\n\r\n") + 4 == received.size();
    const int status = check_reply(received, is_head);
    require(received.empty(), received);
    if (!is_admin) require_same(state_of(world), before);
    if (!is_admin && is_for_administrators(asked)) require(status >= 400, connection.received);
    if (next != HttpEngine::Next::kNextRequest) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static World world;
  const std::string_view input = text_of(data, size);
  if (may_log_in(input)) return 0;
  const bool is_admin = (input[0] & 1) != 0;
  std::string text(input.substr(1));
  std::string token;
  if (is_admin) {
    const auto alice = world.site->users().get("alice");
    require(alice.has_value());
    token = *world.site->sessions().begin("alice", alice->stamp, kNow);
    text = replaced(std::move(text), kTokenMark, token);
    text = replaced(std::move(text), kCsrfMark, WebSessions::csrf_token_of(token));
  }
  send(world, text, is_admin, (input[0] & 2) != 0 ? 5 : SIZE_MAX);
  if (is_admin) world.site->sessions().end(token);
  return 0;
}
