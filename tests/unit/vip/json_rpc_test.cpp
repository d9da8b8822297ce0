#include <vipauth/json_rpc.hpp>

#include <optional>
#include <string>
#include <variant>

#include <vipauth/rpc_dispatcher.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

std::string doubled(std::string text) {
  for (char& c : text) {
    if (c == '\'') c = '"';
  }
  return text;
}

RpcFrame::Part only(const std::string& text) {
  RpcFrame frame = RpcFrame::parse(doubled(text));
  REQUIRE(frame.parts.size() == 1);
  return frame.parts.front();
}

int code_of(const std::string& text) {
  const RpcFrame::Part part = only(text);
  const auto* error = std::get_if<RpcError>(&part.item);
  return error != nullptr ? error->code : 0;
}

/// A peer with one method, `twice`, which doubles nothing but texts.
RpcDispatcher<int> dispatcher() {
  RpcDispatcher<int> out;
  out.add("twice", {{"text", Parameter::Kind::kPositional, std::nullopt}}, "Says it twice.",
          [](int& calls, const CallArguments& arguments) -> Result<Json> {
            ++calls;
            const Json& text = *arguments.find("text");
            if (!text.is_string()) return Error{ErrorCode::kInvalidArgument, "must be a string", "text"};
            return Json(text.as_string() + text.as_string());
          });
  out.add("forbidden", {}, "", [](int&, const CallArguments&) -> Result<Json> {
    return Error{ErrorCode::kPermissionDenied, "not for you", ""};
  });
  return out;
}

}  // namespace

TEST_CASE("RpcFrame: reads calls, notifications and answers") {
  const auto call = only("{'jsonrpc':'2.0','method':'m','params':[1],'id':'7.1'}");
  REQUIRE(std::holds_alternative<RpcRequest>(call.item));
  CHECK(std::get<RpcRequest>(call.item).method == "m");
  CHECK(std::get<RpcRequest>(call.item).params == json("[1]"));
  CHECK(call.id == Json("7.1"));

  const auto notification = only("{'jsonrpc':'2.0','method':'m'}");
  REQUIRE(std::holds_alternative<RpcRequest>(notification.item));
  CHECK_FALSE(std::get<RpcRequest>(notification.item).id);
  CHECK(std::get<RpcRequest>(notification.item).params.is_null());

  const auto result = only("{'jsonrpc':'2.0','id':'7','result':null}");
  REQUIRE(std::holds_alternative<RpcResponse>(result.item));
  const auto error = only("{'jsonrpc':'2.0','id':'7','error':{'code':-32601,'message':'no'}}");
  REQUIRE(std::holds_alternative<RpcResponse>(error.item));
  CHECK(std::get<RpcError>(std::get<RpcResponse>(error.item).outcome).code == RpcError::kMethodNotFound);

  const RpcFrame list = RpcFrame::parse(doubled("[{'jsonrpc':'2.0','method':'a','id':1},5]"));
  CHECK(list.is_list);
  REQUIRE(list.parts.size() == 2);
  CHECK(std::holds_alternative<RpcRequest>(list.parts[0].item));
  CHECK(std::holds_alternative<RpcError>(list.parts[1].item));
}

TEST_CASE("RpcFrame: what is not understood is an error to answer with") {
  CHECK(code_of("") == RpcError::kInvalidRequest);
  CHECK(code_of("{") == RpcError::kInvalidRequest);
  CHECK(code_of("5") == RpcError::kInvalidRequest);
  CHECK(code_of("[]") == RpcError::kInvalidRequest);
  CHECK(code_of("{'method':'m','id':'1'}") == RpcError::kInvalidRequest);
  CHECK(code_of("{'jsonrpc':2.0,'method':'m','id':'1'}") == RpcError::kInvalidRequest);
  CHECK(code_of("{'jsonrpc':'2.0','method':5,'id':'1'}") == RpcError::kInvalidRequest);
  CHECK(code_of("{'jsonrpc':'2.0','method':'m','result':1,'id':'1'}") == RpcError::kInvalidRequest);
  CHECK(code_of("{'jsonrpc':'2.0','id':'1'}") == RpcError::kInvalidRequest);
  CHECK(code_of("{'jsonrpc':'2.0','id':['1'],'method':'m'}") == RpcError::kInvalidRequest);
  CHECK(code_of("{'jsonrpc':'2.0','id':'1','method':'m','params':5}") == RpcError::kInvalidParams);
  CHECK(code_of("{'jsonrpc':'2.0','id':'1','method':'m','method':'n'}") == RpcError::kInvalidRequest);
  CHECK(only("{'method':'m','id':'1'}").id == Json("1"));

  std::string many = "[";
  for (std::size_t i = 0; i <= RpcFrame::kMaxItems; ++i) many += "5,";
  many.back() = ']';
  CHECK(RpcFrame::parse(many).parts.size() == 1);
  CHECK(RpcFrame::parse(std::string(100'000, '[')).parts.size() == 1);
}

TEST_CASE("RpcError: a refusal has the shape that agents of VOLTTRON know") {
  const Json shown = RpcResponse{Json("1"), RpcError::refused("no capability")}.to_json();
  CHECK(shown ==
        json("{'jsonrpc':'2.0','id':'1','error':{'code':-32000,'message':'unhandled exception','data':"
             "{'detail':'no capability','exception.py':{'exc_type':'volttron.platform.jsonrpc.Error',"
             "'exc_args':[-32001,'no capability'],'exc_tb':''}}}}"));
  CHECK(RpcError::refused("x").is_refusal());
  CHECK_FALSE(RpcError::of(Error{ErrorCode::kNotFound, "x", ""}).is_refusal());
}

TEST_CASE("RpcError: an Error comes out as it went in") {
  for (const ErrorCode code : {ErrorCode::kInvalidArgument, ErrorCode::kConflict,
                               ErrorCode::kPermissionDenied, ErrorCode::kUnavailable}) {
    const Json sent = RpcResponse{Json("1"), RpcError::of(Error{code, "what", "/where"})}.to_json();
    const auto received = only(sent.dump());
    const Error error = std::get<RpcError>(std::get<RpcResponse>(received.item).outcome).to_error();
    CHECK(error.code == code);
    CHECK(error.message == "what");
    CHECK(error.location == "/where");
  }
  CHECK(RpcError{RpcError::kUnhandledException, "m", json("{'detail':'why'}")}.to_error().message == "why");
  CHECK(RpcError{RpcError::kUnauthorized, "m", {}}.to_error().code == ErrorCode::kPermissionDenied);
  CHECK(RpcError::method_not_found("m").to_error().code == ErrorCode::kUnsupported);
  CHECK(RpcError{RpcError::kUnhandledException, "m", json("{'vipauth':{'code':5}}")}.to_error().message ==
        "m");
}

TEST_CASE("RpcDispatcher: calls a method, and answers as JSON-RPC says") {
  const RpcDispatcher<int> methods = dispatcher();
  int calls = 0;
  const auto ask = [&](const std::string& text) { return methods.answer(calls, doubled(text)).value_or(""); };
  CHECK(ask("{'jsonrpc':'2.0','method':'twice','params':['ab'],'id':'1'}") ==
        doubled("{'jsonrpc':'2.0','id':'1','result':'abab'}"));
  CHECK(ask("{'jsonrpc':'2.0','method':'twice','params':{'text':'x'},'id':'1'}").find("xx") !=
        std::string::npos);
  CHECK(
      ask("{'jsonrpc':'2.0','method':'twice','params':{'*args':['y'],'**kwargs':{}},'id':'1'}").find("yy") !=
      std::string::npos);
  CHECK(calls == 3);
  CHECK(ask("{'jsonrpc':'2.0','method':'twice','params':['z']}").empty());  // a notification
  CHECK(calls == 4);
  CHECK(ask("{'jsonrpc':'2.0','method':'twice','params':[],'id':'1'}").find("missing argument") !=
        std::string::npos);
  CHECK(ask("{'jsonrpc':'2.0','method':'nothing','id':'1'}").find("-32601") != std::string::npos);
  CHECK(ask("{'jsonrpc':'2.0','method':'forbidden','id':'1'}").find("-32001") != std::string::npos);
  CHECK(calls == 4);
}

TEST_CASE("RpcDispatcher: answers a list with a list, and an answer with nothing") {
  const RpcDispatcher<int> methods = dispatcher();
  int calls = 0;
  const auto both =
      methods.answer(calls, doubled("[{'jsonrpc':'2.0','method':'twice','params':['a'],'id':'1'},5,"
                                    "{'jsonrpc':'2.0','method':'twice','params':['b']}]"));
  REQUIRE(both);
  const auto list = Json::parse(*both);
  REQUIRE(list);
  CHECK(list->as_array().size() == 2);
  CHECK(calls == 2);

  RpcBudget budget;
  std::optional<RpcResponse> seen;
  CHECK_FALSE(methods.answer(calls, doubled("{'jsonrpc':'2.0','id':'1','result':5}"), budget,
                             [&](RpcResponse response) { seen = std::move(response); }));
  REQUIRE(seen);
  CHECK(seen->id == Json("1"));
}

TEST_CASE("RpcDispatcher: tells of its methods") {
  const RpcDispatcher<int> methods = dispatcher();
  int calls = 0;
  CHECK(*methods.answer(calls, doubled("{'jsonrpc':'2.0','method':'inspect','id':'1'}")) ==
        doubled("{'jsonrpc':'2.0','id':'1','result':{'methods':['forbidden','twice']}}"));
  CHECK(*methods.answer(calls, doubled("{'jsonrpc':'2.0','method':'twice.inspect','id':'1'}")) ==
        doubled("{'jsonrpc':'2.0','id':'1','result':{'params':{'text':{'kind':'POSITIONAL_OR_KEYWORD'}},"
                "'doc':'Says it twice.'}}"));
  CHECK(
      methods.answer(calls, doubled("{'jsonrpc':'2.0','method':'none.inspect','id':'1'}"))->find("-32601") !=
      std::string::npos);
}

TEST_CASE("RpcDispatcher: one message gets so many answers, and so much of them") {
  RpcDispatcher<int> methods;
  methods.add("long", {}, "", [](int& calls, const CallArguments&) -> Result<Json> {
    ++calls;
    return Json(std::string(RpcBudget::kMaxBytes / 3, 'x'));
  });
  const std::string call = R"({"jsonrpc":"2.0","method":"long","id":"1"})";
  int calls = 0;
  RpcBudget budget;
  CHECK(methods.answer(calls, '[' + call + ',' + call + ']', budget));
  CHECK(methods.answer(calls, '[' + call + ',' + call + ']', budget)->find("too many calls") !=
        std::string::npos);
  CHECK(calls == 3);

  calls = 0;
  RpcDispatcher<int> quick = dispatcher();
  RpcBudget many;
  const std::string twice = R"({"jsonrpc":"2.0","method":"twice","params":["a"],"id":"1"})";
  for (std::size_t i = 0; i < RpcBudget::kMaxCalls; ++i) CHECK(quick.answer(calls, twice, many));
  CHECK(quick.answer(calls, twice, many)->find("too many calls") != std::string::npos);
  CHECK(calls == static_cast<int>(RpcBudget::kMaxCalls));
}

TEST_CASE("RpcDispatcher: the guard is asked before each call") {
  RpcDispatcher<int> methods = dispatcher();
  methods.set_guard([](int& calls) -> Result<void> {
    if (calls > 0) return Error{ErrorCode::kPermissionDenied, "not any more", ""};
    return {};
  });
  int calls = 0;
  const std::string twice = R"({"jsonrpc":"2.0","method":"twice","params":["a"],"id":"1"})";
  const auto both = methods.answer(calls, '[' + twice + ',' + twice + ']');
  REQUIRE(both);
  CHECK(both->find("\"aa\"") != std::string::npos);
  CHECK(both->find("not any more") != std::string::npos);
  CHECK(calls == 1);
}
