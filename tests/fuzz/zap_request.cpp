// The frames of a ZAP request, 0xFF between them: what is answered.
#include <memory>

#include <vipauth/zap.hpp>
#include <vipauth/zap_authenticator.hpp>

#include "fuzz.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;

namespace {

// Two keys, a NULL and a denied peer by address; no PLAIN, which would hash for each request.
constexpr std::string_view kPolicy = R"({"allow": [
{"user_id": "a", "identity": "agent.a", "credentials": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
{"user_id": "b", "credentials": "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA", "domain": "/v.*/", "address": "127.0.0.1"},
{"user_id": "e", "credentials": "/eHh.*/"},
{"user_id": "n", "mechanism": "NULL", "address": "/10\\..*/"}],
"deny": [{"credentials": "/.*/", "address": "/192\\.168\\..*/"}, {"mechanism": "NULL", "domain": "no"}],
"version": {"major": 1, "minor": 4}})";

std::shared_ptr<const LivePolicy> live_policy() {
  const auto policy = Policy::parse(*Json::parse(kPolicy));
  auto snapshot = PolicySnapshot::compile(*policy, TopicProtector(),
                                          std::chrono::sys_days(std::chrono::year(2026) / 11 / 21));
  return std::make_shared<LivePolicy>(*std::move(snapshot));
}

const std::string* value_of(const ZapReply& reply, std::string_view name) {
  for (const auto& [key, value] : reply.metadata) {
    if (key == name) return &value;
  }
  return nullptr;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::size_t events = 0;
  static const ZapAuthenticator zap(live_policy(), [](const ZapAuthenticator::Event& event) {
    ++events;
    require(event.request.mechanism != "NULL" || event.credentials.empty());
  });
  const auto frames = parts_of(text_of(data, size));
  const auto request = ZapRequest::parse(frames);
  if (!request) require_good(request.error(), size);
  if (ZapAuthenticator::is_slow(frames)) {
    const ZapReply busy = ZapAuthenticator::busy(frames);
    require(busy.status_code == "300" && busy.user_id.empty() && busy.metadata.empty());
    return 0;
  }

  const std::size_t before = events;
  ZapReply reply = zap.handle(frames);
  require((events - before == 1) == request.has_value());
  const bool is_accepted = reply.status_code == "200";
  require(is_accepted || reply.status_code == "300" || reply.status_code == "400");
  if (!request) require(reply.status_code == "400");
  if (request) require_same(reply.request_id, request->request_id);
  require(is_accepted == !reply.user_id.empty() && is_accepted == !reply.metadata.empty());
  require(reply.user_id.size() <= 255 && reply.status_text.size() <= 255);
  require_shown(reply.status_text, 0);
  if (is_accepted) {
    require_same(*value_of(reply, kMetadataMechanism), request->mechanism);
    require_same(*value_of(reply, kMetadataDomain), request->domain);
    require(!request->address.starts_with("192.168.") || request->mechanism == "NULL");
    if (request->mechanism == "CURVE") {
      require_same(*value_of(reply, kMetadataCredentials),
                   CurveKey::from_bytes(request->credentials[0])->to_base64url());
    }
  }
  const std::vector<std::string> sent = reply.serialize();
  require(sent.size() == 6 && sent[0] == ZapReply::kVersion && sent[4] == reply.user_id);
  require(sent[5].empty() == reply.metadata.empty() && sent[5].size() <= 4096 + 2 * size);

  // A reply that is used again holds nothing of the one before.
  ZapReply used;
  const std::string key(32, '\0');
  const std::vector<std::string_view> other{"1.0", "other", "vip", "127.0.0.1", "", "CURVE", key};
  zap.handle(other, used);
  require(used.user_id == "a");
  zap.handle(frames, used);
  require(used.serialize() == sent);
  return 0;
}
