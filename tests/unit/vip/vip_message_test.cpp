#include <vipauth/vip_message.hpp>

#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace vipauth;

namespace {
using Frames = std::vector<std::string>;
}

TEST_CASE("VipMessage: frames become a message, and frames again") {
  const Frames frames = {"platform.auth", "VIP1", "", "1795.8", "RPC", "{}", ""};
  const auto message = VipMessage::parse(frames);
  REQUIRE(message);
  CHECK(message->peer == "platform.auth");
  CHECK(message->user.empty());
  CHECK(message->id == "1795.8");
  CHECK(message->subsystem == "RPC");
  CHECK(message->arguments == Frames{"{}", ""});
  CHECK(message->to_frames() == frames);
  CHECK(VipMessage(*message).to_frames() == frames);
}

TEST_CASE("VipMessage: refuses what is too short or of another protocol") {
  CHECK(VipMessage::parse({"", "VIP1", "", "", ""}));
  CHECK_FALSE(VipMessage::parse({"", "VIP1", "", ""}));
  CHECK_FALSE(VipMessage::parse({}));
  CHECK_FALSE(VipMessage::parse({"", "VIP2", "", "id", "hello", "hello"}));
  CHECK_FALSE(VipMessage::parse({"", "vip1", "", "id", "hello", "hello"}));
}

TEST_CASE("VipError: carries the id as a JSON string, so that an agent of VOLTTRON finds its call") {
  const VipMessage request{
      .peer = "nobody", .user = "", .id = "1795.8", .subsystem = "RPC", .arguments = {"{}"}};
  const VipMessage answer =
      VipError{VipError::kUnreachable, "No route to host", "nobody", "RPC"}.in_answer_to(request);
  CHECK(answer.to_frames() ==
        Frames{"", "VIP1", "", "\"1795.8\"", "error", "113", "No route to host", "nobody", "RPC"});
  CHECK(vip_message_id(answer) == "1795.8");

  const auto error = VipError::parse(answer);
  REQUIRE(error);
  CHECK(error->number == VipError::kUnreachable);
  CHECK(error->text == "No route to host");
  CHECK(error->peer == "nobody");
  CHECK(error->subsystem == "RPC");
}

TEST_CASE("VipError: an id that a JSON string would change stays as it is") {
  const auto id_of = [](std::string id) {
    return VipError{}
        .in_answer_to({.peer = "", .user = "", .id = std::move(id), .subsystem = "x", .arguments = {}})
        .id;
  };
  CHECK(id_of("").empty());
  CHECK(id_of("\xff\xfe") == "\xff\xfe");
  CHECK(id_of("caf\xc3\xa9") == "caf\xc3\xa9");
  CHECK(id_of("a\"b") == "\"a\\\"b\"");
}

TEST_CASE("VipError: reads the short form of an agent, and nothing else") {
  VipMessage message{
      .peer = "a", .user = "", .id = "1", .subsystem = "error", .arguments = {"93", "no", "foo"}};
  auto error = VipError::parse(message);
  REQUIRE(error);
  CHECK(error->number == 93);
  CHECK(error->peer.empty());
  CHECK(error->subsystem == "foo");
  message.arguments = {"ninety", "no", "", "foo"};
  CHECK(VipError::parse(message)->number == 0);
  message.arguments.clear();
  CHECK_FALSE(VipError::parse(message));
  message = {.peer = "", .user = "", .id = "1", .subsystem = "hello", .arguments = {"93", "no"}};
  CHECK_FALSE(VipError::parse(message));
}

TEST_CASE("vip_message_id: only a whole JSON string is read as one") {
  const auto read = [](std::string id) {
    return vip_message_id({.peer = "", .user = "", .id = std::move(id), .subsystem = "", .arguments = {}});
  };
  CHECK(read("\"a\"") == "a");
  CHECK(read("\"a") == "\"a");
  CHECK(read("5") == "5");
}
