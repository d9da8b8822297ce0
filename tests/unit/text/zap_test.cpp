#include <vipauth/zap.hpp>

#include <optional>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace vipauth;
using namespace std::literals;

namespace {

using Frames = std::vector<std::string>;

const std::string kKey(32, 'k');

Frames curve() { return {"1.0", "id", "vip", "127.0.0.1", "router", "CURVE", kKey}; }
Frames plain() { return {"1.0", "id", "vip", "127.0.0.1", "router", "PLAIN", "bob", "hunter2hunter2"}; }
Frames null() { return {"1.0", "id", "vip", "127.0.0.1", "", "NULL"}; }

/// Why the frames are refused, or nothing.
std::optional<Error> problem(const Frames& frames) {
  const std::vector<std::string_view> views(frames.begin(), frames.end());
  const auto request = ZapRequest::parse(views);
  if (request) return std::nullopt;
  return request.error();
}

Frames with(Frames frames, std::size_t index, std::string value) {
  frames[index] = std::move(value);
  return frames;
}

}  // namespace

TEST_CASE("ZapRequest: reads each mechanism's frames") {
  const Frames frames = curve();
  const std::vector<std::string_view> views(frames.begin(), frames.end());
  const auto request = ZapRequest::parse(views);
  REQUIRE(request);
  CHECK(request->request_id == "id");
  CHECK(request->domain == "vip");
  CHECK(request->address == "127.0.0.1");
  CHECK(request->identity == "router");
  CHECK(request->mechanism == "CURVE");
  REQUIRE(request->credentials.size() == 1);
  CHECK(request->credentials[0] == kKey);
  CHECK_FALSE(problem(plain()));
  CHECK_FALSE(problem(null()));
}

TEST_CASE("ZapRequest: too few frames are refused, down to none") {
  for (std::size_t count = 0; count < 6; ++count) {
    Frames frames = curve();
    frames.resize(count);
    CHECK(problem(frames)->code == ErrorCode::kInvalidArgument);
  }
}

TEST_CASE("ZapRequest: another number of credentials than the mechanism has is refused") {
  for (Frames frames : {curve(), plain(), null()}) {
    frames.push_back(kKey);
    CHECK(problem(frames));
    frames.resize(1006, "x");
    CHECK(problem(frames));
  }
  for (Frames frames : {curve(), plain()}) {
    frames.pop_back();
    CHECK(problem(frames));
  }
}

TEST_CASE("ZapRequest: another version is refused") {
  for (const std::string_view version : {"", "1", "1.1", "2.0", "1.0 ", "01.0"}) {
    CHECK(problem(with(curve(), 0, std::string(version))));
  }
  CHECK(problem(with(curve(), 0, "1.0\0"s)));
}

TEST_CASE("ZapRequest: an unknown mechanism is refused, and case counts") {
  for (const std::string_view mechanism : {"", "curve", "GSSAPI", "CURVE ", "NULLS", "\xff"}) {
    CHECK(problem(with(curve(), 5, std::string(mechanism))));
    CHECK(problem(with(null(), 5, std::string(mechanism))));
  }
  CHECK(problem(with(curve(), 5, "CURVE\0"s)));
}

TEST_CASE("ZapRequest: a key has 32 bytes") {
  for (const std::size_t length : {0U, 1U, 31U, 33U, 40U, 64U, 10'000U}) {
    CHECK(problem(with(curve(), 6, std::string(length, 'k'))));
  }
  CHECK_FALSE(problem(with(curve(), 6, std::string(32, '\0'))));
  CHECK_FALSE(problem(with(curve(), 6, std::string(32, '\xff'))));
}

TEST_CASE("ZapRequest: a domain or address that is not UTF-8, or too long, is refused") {
  for (const std::size_t frame : {2U, 3U}) {
    CHECK(problem(with(curve(), frame, "\xff")));
    CHECK(problem(with(curve(), frame, "\xed\xa0\x80")));
    CHECK(problem(with(curve(), frame, std::string(256, 'a'))));
    CHECK_FALSE(problem(with(curve(), frame, std::string(255, 'a'))));
    CHECK_FALSE(problem(with(curve(), frame, "")));
    CHECK_FALSE(problem(with(curve(), frame, "\xc3\xa9")));
  }
}

TEST_CASE("ZapRequest: request id and identity are opaque bytes") {
  for (const std::size_t frame : {1U, 4U}) {
    for (const std::string& bytes : {""s, "\0\xff\xfe"s, std::string(1000, '\xff')}) {
      CHECK_FALSE(problem(with(curve(), frame, bytes)));
    }
  }
}

TEST_CASE("ZapRequest: a user name is UTF-8, a password any bytes, both at most 255") {
  CHECK(problem(with(plain(), 6, "\xff")));
  CHECK(problem(with(plain(), 6, std::string(256, 'u'))));
  CHECK_FALSE(problem(with(plain(), 6, std::string(255, 'u'))));
  CHECK_FALSE(problem(with(plain(), 6, "")));
  CHECK(problem(with(plain(), 7, std::string(256, 'p'))));
  CHECK_FALSE(problem(with(plain(), 7, std::string(255, '\xff'))));
  CHECK_FALSE(problem(with(plain(), 7, "")));
}

TEST_CASE("ZapRequest: a refusal shows no credential") {
  std::vector<Frames> bad = {with(plain(), 0, "9"), with(plain(), 6, "\xff"), with(plain(), 5, "CURVE"),
                             with(plain(), 3, "\xff"), with(curve(), 6, std::string(31, 'k'))};
  bad.push_back(plain());
  bad.back().emplace_back("hunter2hunter2");
  for (const Frames& frames : bad) {
    const auto error = problem(frames);
    REQUIRE(error);
    CHECK(error->message.find("hunter2") == std::string::npos);
    CHECK(error->message.find("kkk") == std::string::npos);
    CHECK(error->message.size() <= 255);
  }
}

TEST_CASE("ZapReply: six frames in ZAP's order") {
  const ZapReply reply{"\0id"s, "200", "OK", "alice", {}};
  CHECK(reply.serialize() == Frames{"1.0", "\0id"s, "200", "OK", "alice", ""});
}

TEST_CASE("ZapReply: metadata is a byte of name length, name, four bytes of value length, value") {
  const ZapReply reply{
      "1", "200", "OK", "alice", {{"X-Vip-Identity", "agent"}, {"E", ""}, {"L", std::string(300, 'v')}}};
  CHECK(reply.serialize()[5] ==
        "\x0eX-Vip-Identity\0\0\0\x05"
        "agent"s +
            "\x01"
            "E\0\0\0\0"s +
            "\x01"
            "L\0\0\x01\x2c"s +
            std::string(300, 'v'));
}
