// Decisions about who may connect, against recorded behaviour of VOLTTRON.

#include <map>
#include <optional>

#include <vipauth/authenticator.hpp>
#include <vipauth/live_policy.hpp>
#include <vipauth/zap_authenticator.hpp>

#include "support/catch.hpp"
#include "support/vectors.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

constexpr Timestamp kNow{};

/// Cases without a settled answer in which this library differs from VOLTTRON on purpose: all of them refuse.
const std::map<std::string, std::string> kRefusedOnPurpose = {
    {"user_id false", "a wrong type: the record is not understood"},
    {"address 0 means any", "a wrong type"},
    {"address dict: its keys", "a wrong type"},
    {"address regex lookahead", "look-around is refused"},
    {"credentials 43 unicode characters", "not a key"},
    {"NULL ipc, same uid", "trusted only where the embedder says so"},
    {"NULL ipc, pid of a known agent", "processes are not trusted by their number"},
    {"NULL ipc, two fields", "trusted only where the embedder says so"},
    {"NULL ipc, uid with spaces", "not an address that libzmq sends"},
    {"NULL ipc, uid with underscore", "not an address that libzmq sends"},
    {"invalid deny entry does not matter", "a bad deny record fails the load"},
    {"duplicate JSON keys: the last wins", "duplicate members are refused"},
};

AuthenticationRequest request_of(const Json& recorded, bool& decodable) {
  AuthenticationRequest request{text_at(recorded, "domain"), text_at(recorded, "address"), {}};
  const std::string& mechanism = text_at(recorded, "mechanism");
  const Json::Array& credentials = at(recorded, "credentials").as_array();
  decodable = true;
  if (mechanism == "CURVE") {
    const auto key = CurveKey::parse(credentials[0].as_string());
    decodable = key.has_value();  // libzmq only ever presents 32 bytes
    if (key) request.credentials = *key;
  } else if (mechanism == "PLAIN") {
    request.credentials =
        AuthenticationRequest::Plain{credentials[0].as_string(), credentials[1].as_string()};
  }
  return request;
}

std::optional<std::string> accepted_user(const Json& recorded) {
  const auto policy = policy_of(at(recorded, "policy"));
  if (!policy) return std::nullopt;
  const auto authenticator = Authenticator::create(*policy, kNow);
  if (!authenticator) return std::nullopt;
  bool decodable = false;
  const AuthenticationRequest request = request_of(recorded, decodable);
  if (!decodable) return std::nullopt;
  auto result = authenticator->authenticate(request);
  if (!result.decision) return std::nullopt;
  return std::string(result.user_id);
}

std::optional<std::string> user_in(const Json& json) {
  return json.is_string() ? std::optional<std::string>(json.as_string()) : std::nullopt;
}

}  // namespace

TEST_CASE("Authenticator: agrees with the recorded decisions of VOLTTRON but for named differences") {
  std::size_t compared = 0;
  for (const Json& recorded : recorded_cases("authenticate.json")) {
    const std::string& name = text_at(recorded, "name");
    if (recorded.find("allow_any") != nullptr)
      continue;  // VOLTTRON's switch to let everybody in: there is none here
    INFO(name);
    const auto ours = accepted_user(recorded);
    if (const Json* expected = recorded.find("expected")) {
      CHECK(ours == user_in(at(*expected, "user_id")));
    } else if (recorded.find("upstream_bug") != nullptr) {
      const Json* theirs = at(recorded, "upstream").find("user");
      // What VOLTTRON got wrong and nobody settled: refusing is never wrong, and its answer must not come out
      // here.
      if (ours && theirs != nullptr) CHECK(ours != user_in(*theirs));
    } else if (kRefusedOnPurpose.contains(name)) {
      CHECK(ours == std::nullopt);
    } else {
      CHECK(ours == user_in(at(at(recorded, "upstream"), "user")));
    }
    ++compared;
  }
  CHECK(compared > 120);
}

TEST_CASE("Authenticator: tries literals in file order, then patterns in file order") {
  for (const Json& recorded : recorded_cases("order.json")) {
    const std::string& kinds = text_at(recorded, "kinds");
    INFO(kinds);
    CurveKey::Bytes bytes{};
    const CurveKey key(bytes);
    Json::Array records;
    std::string expected;
    for (const char wanted : {'l', 'r'}) {
      for (std::size_t i = 0; i < kinds.size() && expected.empty(); ++i) {
        if (kinds[i] == wanted) expected = "u" + std::to_string(i);
      }
    }
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      records.emplace_back(
          Json::Object{{"user_id", Json("u" + std::to_string(i))},
                       {"credentials", Json(kinds[i] == 'l' ? key.to_base64url() : "/.*/")}});
    }
    const auto policy = Policy::parse(Json(Json::Object{{"allow", Json(std::move(records))}}));
    REQUIRE(policy);
    const auto authenticator = Authenticator::create(*policy, kNow);
    REQUIRE(authenticator);
    const auto result = authenticator->authenticate({"vip", "127.0.0.1", key});
    CHECK(result.user_id == expected);
  }
}

TEST_CASE("ZapAuthenticator: answers every recorded request, where VOLTTRON fell silent or died") {
  for (const Json& recorded : recorded_cases("zap.json")) {
    if (recorded.find("setup_mode") != nullptr)
      continue;  // letting strangers in is not part of this library yet
    INFO(text_at(recorded, "name"));
    const auto policy = policy_of(at(recorded, "policy"));
    REQUIRE(policy);
    auto snapshot = PolicySnapshot::compile(*policy, TopicProtector(), kNow);
    REQUIRE(snapshot);
    const ZapAuthenticator zap(std::make_shared<const LivePolicy>(std::move(*snapshot)));
    const Json::Array& requests = at(recorded, "requests").as_array();
    const Json::Array& replies = at(at(recorded, "upstream"), "replies").as_array();
    for (std::size_t i = 0; i < requests.size(); ++i) {
      std::vector<std::string> bytes;  // recorded as latin-1: one character is one byte
      for (const Json& frame : requests[i].as_array()) {
        std::string raw;
        const std::string& text = frame.as_string();
        for (std::size_t c = 0; c < text.size(); ++c) {
          const auto lead = static_cast<unsigned char>(text[c]);
          raw += lead < 0x80 ? text[c]
                             : static_cast<char>(((lead & 0x03U) << 6U) |
                                                 (static_cast<unsigned char>(text[++c]) & 0x3fU));
        }
        bytes.push_back(std::move(raw));
      }
      const std::vector<std::string_view> frames(bytes.begin(), bytes.end());
      const ZapReply reply = zap.handle(frames);
      CHECK(reply.request_id == bytes[1]);
      const std::string_view version = frames[0];
      const bool well_formed = version == "1.0" && ZapRequest::parse(frames).has_value();
      if (!well_formed) {
        CHECK(reply.status_code == "400");
      } else if (replies[i].is_array()) {
        CHECK(reply.status_code == "200");
        CHECK_FALSE(reply.user_id.empty());
      } else if (reply.status_code == "200") {
        // The last request of the cases in which VOLTTRON's loop was dead by then.
        CHECK(text_at(at(recorded, "upstream"), "loop") != "alive");
      } else {
        CHECK(reply.status_code == (frames[5] == "CURVE" ? "300" : "400"));
      }
      CHECK((reply.status_code == "200") != reply.user_id.empty());
    }
  }
}

TEST_CASE("location_user_id: escapes what separates its fields") {
  CHECK(location_user_id("vip", "localhost:0:0:7", Mechanism::kNull) == "vip,localhost:0:0:7,NULL");
  CHECK(location_user_id("v,ip", "a\\b", Mechanism::kNull) == "v\\,ip,a\\\\b,NULL");
  CHECK(location_user_id("", "", Mechanism::kNull) == ",,NULL");
}
