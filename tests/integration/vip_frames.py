"""A client of the router that knows nothing but ZeroMQ and the frames on the wire: pyzmq, and no library of ours.

usage: vip_frames.py ENDPOINT SERVERKEY, with a JSON object on stdin: user -> [public key, secret key]
Exits with 0 where every frame is as it should be.
"""

import base64
import json
import sys

import zmq

PATIENCE_MS = 60_000


def raw(key):
    """The 32 bytes of a key in VOLTTRON's form."""
    return base64.urlsafe_b64decode(key + "=")


class Agent:
    """A DEALER, and what it says and hears."""

    context = zmq.Context()
    endpoint = None
    server_key = None
    keys = {}

    def __init__(self, user, identity=None, handshake_ms=None):
        public, secret = self.keys[user]
        self.identity = (identity or user).encode()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.immediate = handshake_ms is None  # one that must wait for approval would not even send
        self.socket.routing_id = self.identity
        self.socket.curve_serverkey = raw(self.server_key)
        self.socket.curve_publickey = raw(public)
        self.socket.curve_secretkey = raw(secret)
        if handshake_ms is not None:
            self.socket.handshake_ivl = handshake_ms
        self.socket.connect(self.endpoint)

    def send(self, *frames):
        self.socket.send_multipart([f if isinstance(f, bytes) else f.encode() for f in frames])

    def hear(self):
        if not self.socket.poll(PATIENCE_MS):
            raise AssertionError(f"{self.identity}: no message")
        return self.socket.recv_multipart()

    def expect(self, *frames):
        """The next message but those of the peer list is this one; a function checks a frame."""
        return self.check(self.hear_else("peerlist"), frames)

    def expect_else(self, subsystem, *frames):
        """The same, without what the platform tells in that subsystem by itself."""
        return self.check(self.hear_else("peerlist", subsystem), frames)

    def check(self, heard, frames):
        assert len(heard) == len(frames), f"{self.identity}: heard {heard}, not {frames}"
        for got, wanted in zip(heard, frames):
            if callable(wanted):
                assert wanted(got), f"{self.identity}: {got} in {heard}"
            else:
                wanted = wanted if isinstance(wanted, bytes) else wanted.encode()
                assert got == wanted, f"{self.identity}: heard {heard}, not {frames}"
        return heard

    def hear_else(self, *subsystems):
        """The next message, without what the router tells by itself in those subsystems."""
        while True:
            heard = self.hear()
            if heard[4].decode() not in subsystems or heard[3] != b"":
                return heard

    def expect_silence(self):
        """Nothing but this answer is on its way."""
        self.send("", "VIP1", "", "silence", "ping", "ping")
        heard = self.hear_else("peerlist")
        assert heard[3:5] == [b"silence", b"ping"], f"{self.identity}: heard {heard}"

    def greet(self):
        self.send("", "VIP1", "", "connect.hello.0", "hello", "hello")
        return self.hear_else("peerlist")

    def call(self, peer, method, params=None, call_id="c-1", message_id="m-1"):
        request = {"jsonrpc": "2.0", "method": method, "id": call_id}
        if params is not None:
            request["params"] = params
        self.send(peer, "VIP1", "", message_id, "RPC", json.dumps(request))

    def close(self):
        self.socket.close()


def as_json(value):
    return lambda frame: json.loads(frame) == value


def holds(*parts):
    return lambda frame: all(part in frame.decode() for part in parts)


# ---- Tests, in this order ----


def hello():
    alice = Agent("alice")
    heard = alice.greet()
    assert heard[:5] == [b"", b"VIP1", b"alice", b"connect.hello.0", b"hello"], heard
    assert heard[5:7] == [b"welcome", b"1.0"] and heard[8] == b"alice" and len(heard) == 9, heard
    assert len(heard[7]) == 36, heard
    return alice


def peers(alice, bob):
    # alice is told of bob, and bob of nobody.
    bob.greet()
    assert alice.hear() == [b"", b"VIP1", b"", b"", b"peerlist", b"add", b"bob"]
    alice.send("", "VIP1", "", "1795291809.000000.8727798262842.000000", "peerlist", "list")
    heard = alice.hear()
    assert heard[:6] == [b"", b"VIP1", b"", b"1795291809.000000.8727798262842.000000", b"peerlist", b"listing"]
    assert sorted(heard[6:]) == [b"alice", b"bob", b"platform.auth"], heard
    alice.send("", "VIP1", "", "m-2", "peerlist")
    alice.expect("", "VIP1", "", "m-2", "peerlist", "error", "missing operation")
    for operation in ("list_with_messagebus", "add", "drop", "\xff".encode("latin-1")):
        alice.send("", "VIP1", "", "m-3", "peerlist", operation)
        alice.expect("", "VIP1", "", "m-3", "peerlist", "error", "unknown operation")


def ping(alice):
    alice.send("", "VIP1", "", "m-6", "ping", "ping", "x", "y")
    alice.expect("", "VIP1", "alice", "m-6", "ping", "pong", "x", "y")
    alice.send("", "VIP1", "", "m-6", "ping", "drop", "bob")
    alice.expect("", "VIP1", "alice", "m-6", "ping", "pong", "bob")
    alice.send("", "VIP1", "", "m-6", "ping", "pong")
    alice.expect_silence()


def query(alice):
    def ask(name):
        alice.send("", "VIP1", "", "m-11", "query", name)
        return alice.expect("", "VIP1", "", "m-11", "query", "", lambda _: True)[-1].decode()

    assert ask("serverkey") == Agent.server_key
    assert json.loads(ask("addresses")) == [Agent.endpoint]
    assert ask("local_address") == ""
    assert ask("instance-name") == "volttron1"
    assert ask("bind-web-address") == "https://here:8443"
    assert ask("message-bus") == "zmq"
    assert ask("platform-version") != ""
    for unset in ("volttron-central-address", "volttron-central-serverkey", "no such", b"\xff"):
        assert ask(unset) == ""


def pubsub(alice, bob):
    def ok(agent, operation, argument, user, answer="true"):
        agent.send("", "VIP1", "", "m-12", "pubsub", operation, json.dumps(argument))
        agent.expect("", "VIP1", user, "m-12", "pubsub", "request_response", answer)

    def publish(agent, topic, message, count, user="alice"):
        body = {"bus": "", "headers": {"a": 1}, "message": message}
        agent.send("", "VIP1", "", "m-13", "pubsub", "publish", topic, json.dumps(body))
        delivered = {"sender": agent.identity.decode(), "bus": "", "headers": {"a": 1}, "message": message}
        return ["", "VIP1", user, "m-13", "pubsub", "publish", topic, as_json(delivered)], \
               ["", "VIP1", user, "m-13", "pubsub", "request_response", str(count)]

    ok(bob, "subscribe", {"prefix": "t", "bus": "", "all_platforms": False}, "bob")
    ok(alice, "subscribe", {"prefix": ["t/1", "u"], "bus": "", "all_platforms": False}, "alice")
    event, answer = publish(alice, "t/1", {"v": 1.5}, 2)
    alice.expect(*event)
    alice.expect(*answer)
    bob.expect(*event)
    event, answer = publish(alice, "nobody", [], 0)
    alice.expect(*answer)

    alice.send("", "VIP1", "", "m-14", "pubsub", "publish", "secret/x", '{"bus": "", "headers": {}, "message": 1}')
    text = "to publish to topic \"secret/x\" requires capabilities ['can_pub'], but capability list"
    alice.expect("", "VIP1", "alice", '"m-14"', "error", "-32001", holds(text), "", "pubsub")
    alice.expect("", "VIP1", "alice", "m-14", "pubsub", "request_response", "0")

    def listed(agent, user, **more):
        wanted = {"prefix": "", "all_platforms": False, "subscribed": True, "reverse": False, "bus": "", **more}
        agent.send("", "VIP1", "", "m-15", "pubsub", "list", json.dumps(wanted))
        return json.loads(
            agent.expect("", "VIP1", user, "m-15", "pubsub", "list_response", lambda _: True)[-1])

    assert listed(alice, "alice") == [["", "t/1", True], ["", "u", True]]
    assert listed(alice, "alice", subscribed=False, bus=None) == [
        ["", "t", False], ["", "t/1", True], ["", "u", True]]
    assert listed(alice, "alice", subscribed=False, prefix="t/1/x", reverse=True) == [
        ["", "t", False], ["", "t/1", True]]
    assert listed(alice, "alice", prefix="x") == []

    ok(alice, "unsubscribe", {"internal": {"prefix": "u", "bus": ""}}, "alice")
    assert listed(alice, "alice") == [["", "t/1", True]]
    ok(alice, "unsubscribe", {"prefix": ["t/1", "never"], "bus": ""}, "alice")
    assert listed(alice, "alice") == []
    sync = {"subscriptions": {"internal": {"": ["a", "b"]}}}
    alice.send("", "VIP1", "", "m-16", "pubsub", "synchronize", "connected", json.dumps(sync))
    assert listed(alice, "alice") == [["", "a", True], ["", "b", True]]
    # What holds for all platforms is kept apart, and counts here as well.
    ok(alice, "subscribe", {"prefix": "a", "bus": "", "all_platforms": True}, "alice")
    event, answer = publish(alice, "abc", 1, 1)
    alice.expect(*event)
    alice.expect(*answer)
    ok(alice, "unsubscribe", {"internal": {"prefix": None, "bus": ""}}, "alice")
    assert listed(alice, "alice") == []
    assert listed(alice, "alice", all_platforms=True) == [["", "a", True]]
    ok(alice, "unsubscribe", {"all": {"prefix": None, "bus": ""}}, "alice")
    # The updates of VOLTTRON's own platform.auth are not for others.
    for operation in ("auth_update", "protected_update"):
        alice.send("", "VIP1", "", "m-17", "pubsub", operation, "{}")
        alice.expect("", "VIP1", "alice", '"m-17"', "error", "-32001", lambda _: True, "", "pubsub")


def rpc(alice, bob, callee):
    # A call, as it is, and its answer.
    alice.call("callee", "open", [1, "x"], call_id="1795.1", message_id="1795291815.8727798262995")
    request = callee.expect("alice", "VIP1", "alice", "1795291815.8727798262995", "RPC", lambda _: True)[-1]
    assert request == b'{"jsonrpc": "2.0", "method": "open", "id": "1795.1", "params": [1, "x"]}'
    answer = '{"jsonrpc": "2.0", "id": "1795.1", "result": {"can_x":   null}}'
    callee.send("alice", "VIP1", "", "m-1", "RPC", answer)
    alice.expect("callee", "VIP1", "callee", "m-1", "RPC", answer)
    # The same answer again is one that nobody waits for.
    callee.send("alice", "VIP1", "", "m-1", "RPC", answer)
    callee.expect_silence()
    alice.expect_silence()

    # What the callee requires.
    def refused(text, call_id="c-1"):
        def check(frame):
            got = json.loads(frame)
            error = got["error"]
            assert got["jsonrpc"] == "2.0" and got["id"] == call_id and "result" not in got, got
            assert error["code"] == -32000 and error["message"] == "unhandled exception", got
            assert text in error["data"]["detail"], got
            raised = error["data"]["exception.py"]
            assert raised["exc_type"] == "volttron.platform.jsonrpc.Error", got
            assert raised["exc_args"] == [-32001, error["data"]["detail"]], got
            return True
        return check

    alice.call("callee", "guarded", {"x": 1})
    alice.expect("callee", "VIP1", "callee", "m-1", "RPC",
                 refused("method \"guarded\" requires capabilities ['may_call'], but capability list [] was"))
    bob.call("callee", "guarded", {"x": 2})
    bob.expect("callee", "VIP1", "callee", "m-1", "RPC",
               refused("User bob can call method guarded only with x=1 but called with x=2"))
    bob.call("callee", "guarded", {"*args": [], "**kwargs": {"x": 1}})
    callee.expect("bob", "VIP1", "bob", "m-1", "RPC", holds('"**kwargs"'))
    # Whoever asks the callee, the answer is for who asked it.
    for liar in (alice, callee):
        liar.send("bob" if liar is alice else "alice", "VIP1", "", "m-1", "RPC", '{"jsonrpc": "2.0", "id": "c-1", "result": 1}')
        liar.expect_silence()
    failure = {"jsonrpc": "2.0", "id": "c-1", "error": {"code": -32000, "message": "m", "data": {"detail": "d"}}}
    callee.send("bob", "VIP1", "", "m-1", "RPC", json.dumps(failure))
    bob.expect("callee", "VIP1", "callee", "m-1", "RPC", as_json(failure))

    # A notification is carried, or not, and never answered.
    alice.send("callee", "VIP1", "", "m-1", "RPC", '{"jsonrpc": "2.0", "method": "open"}')
    callee.expect("alice", "VIP1", "alice", "m-1", "RPC", holds("open"))
    alice.send("callee", "VIP1", "", "m-1", "RPC", '{"jsonrpc": "2.0", "method": "guarded"}')
    alice.expect_silence()
    callee.expect_silence()

    # A list, and several frames.
    one = {"jsonrpc": "2.0", "method": "open", "id": "1"}
    two = {"jsonrpc": "2.0", "method": "open", "id": "2"}
    guarded = {"jsonrpc": "2.0", "method": "guarded", "id": "3"}
    alice.send("callee", "VIP1", "", "m-1", "RPC", json.dumps([one, two]))
    callee.expect("alice", "VIP1", "alice", "m-1", "RPC", as_json([one, two]))
    answers = json.dumps([{"jsonrpc": "2.0", "id": i, "result": None} for i in ("1", "2")])
    callee.send("alice", "VIP1", "", "m-1", "RPC", answers)
    alice.expect("callee", "VIP1", "callee", "m-1", "RPC", answers)
    alice.send("callee", "VIP1", "", "m-1", "RPC", json.dumps(one), json.dumps(two))
    callee.expect("alice", "VIP1", "alice", "m-1", "RPC", as_json(one), as_json(two))
    alice.send("callee", "VIP1", "", "m-1", "RPC", json.dumps([one, guarded]))
    mixed = json.loads(alice.expect("callee", "VIP1", "callee", "m-1", "RPC", lambda _: True)[-1])
    assert [a["id"] for a in mixed] == ["1", "3"] and "not carried" in mixed[0]["error"]["message"], mixed
    alice.send("callee", "VIP1", "", "m-1", "RPC", json.dumps(one), json.dumps(guarded))
    alice.expect("callee", "VIP1", "callee", "m-1", "RPC", holds("not carried"), refused("guarded", "3"))
    callee.expect_silence()

    # What is no call.
    def error(code, call_id):
        def check(frame):
            got = json.loads(frame)
            assert got["id"] == call_id and got["error"]["code"] == code, got
            return True
        return check

    for bad, code, call_id in (
            ("not JSON", -32600, None), ('"text"', -32600, None), (b"\xff\xfe", -32600, None), ("[]", -32600, None),
            ('"{\\"jsonrpc\\": \\"2.0\\", \\"method\\": \\"guarded\\"}"', -32600, None),
            ('{"jsonrpc": "2.0", "method": "open", "method": "guarded", "id": "1"}', -32600, None),
            ('{"jsonrpc": "1.0", "method": "open", "id": "7"}', -32600, "7"), ('{"method": "open", "id": "7"}', -32600, "7"),
            ('{"jsonrpc": "2.0", "method": "open", "params": 5, "id": "7"}', -32602, "7"),
            ("[" * 100_000, -32600, None), ('{"jsonrpc": "2.0", "method": 5, "id": "7"}', -32600, "7")):
        alice.send("callee", "VIP1", "", "m-1", "RPC", bad)
        alice.expect("callee", "VIP1", "callee", "m-1", "RPC", error(code, call_id))
    callee.expect_silence()


def platform_auth(alice, admin):
    def ask(agent, user, method, params=None):
        agent.call("platform.auth", method, params)
        heard = agent.expect("platform.auth", "VIP1", "platform.auth", "m-1", "RPC", lambda _: True)
        return json.loads(heard[-1])

    held = ask(alice, "alice", "get_user_to_capabilities")["result"]
    assert held["bob"] == {"may_call": {"x": 1}} and "control.connection" in held, held
    assert ask(alice, "alice", "get_capabilities", ["bob"])["result"] == {"may_call": {"x": 1}}
    assert "auth_file.read" in ask(alice, "alice", "inspect")["result"]["methods"]
    unknown = ask(alice, "alice", "no_such")["error"]
    assert unknown["code"] == -32601 and unknown["message"] == "unimplemented method", unknown
    assert unknown["data"]["detail"] == "method 'no_such' is not implemented", unknown
    refusal = ask(alice, "alice", "auth_file.read")["error"]
    assert refusal["data"]["exception.py"]["exc_args"][0] == -32001, refusal
    assert "allow_list" in ask(admin, "admin", "auth_file.read")["result"]
    assert ask(alice, "alice", "update_id_rpc_authorizations", ["bob", {"m": ["c"]}])["error"]["code"] == -32000
    # It is told what its methods require now, before or after the answer.
    alice.call("platform.auth", "update_id_rpc_authorizations", ["alice", {"m": ["cap_m"]}])
    heard = sorted((alice.hear_else("peerlist") for _ in range(2)), key=lambda frames: frames[3])
    assert all(frames[:3] == [b"platform.auth", b"VIP1", b"platform.auth"] for frames in heard), heard
    news, declared = (json.loads(frames[5]) for frames in heard)
    assert heard[0][3] == b"" and "id" not in news, news
    assert news["method"] == "auth.set_multiple_rpc_authorizations", news
    assert news["params"] == {"rpc_authorizations": {"m": ["cap_m"]}}, news
    assert declared["result"] == {"m": ["cap_m"]}, declared
    # Nobody else is platform.auth, in any spelling.
    for frames in (("platform.auth", "VIP1", "", "m", "pubsub"), ("platform.auth", "VIP1", "", "m", '"RPC"', "{}")):
        alice.send(*frames)
        alice.expect("", "VIP1", "alice", '"m"', "error", "93", "Protocol not supported", "platform.auth", frames[4])


def errors(alice, callee):
    alice.send("nobody", "VIP1", "", "1795291815.8727798262995", "RPC",
               '{"jsonrpc": "2.0", "method": "m", "id": "1"}')
    alice.expect("", "VIP1", "alice", '"1795291815.8727798262995"', "error", "113", "No route to host", "nobody", "RPC")
    alice.send("", "VIP1", "", "m-1", "no such", "x")
    alice.expect("", "VIP1", "", '"m-1"', "error", "93", "Protocol not supported", "", "no such")
    alice.send("", "VIP1", "", "m-1", "external_rpc", "x")
    alice.expect("", "VIP1", "", '"m-1"', "error", "93", "Protocol not supported", "", "external_rpc")
    alice.send("", "VIP1", "", "m-1", "RPC", "{}")
    alice.expect("", "VIP1", "", '"m-1"', "error", "93", "Protocol not supported", "", "RPC")
    alice.send("", "VIP1", "", "m-1", "error", "93", "x", "", "y")
    alice.expect_silence()
    # Between peers: what agents answer each other, and not what only the router says.
    alice.send("callee", "VIP1", "ignored", "m-2", "error", "93", "Protocol not supported", "channel")
    callee.expect("alice", "VIP1", "alice", "m-2", "error", "93", "Protocol not supported", "channel")
    alice.send("callee", "VIP1", "", "m-3", "ping", "ping")
    callee.expect("alice", "VIP1", "alice", "m-3", "ping", "ping")
    body = '{"sender": "bob", "bus": "", "headers": {}, "message": 1}'
    for subsystem in ("pubsub", "peerlist", '"pubsub"', ' "RPC"', '"RPC"', "query", "agentstop"):
        alice.send("callee", "VIP1", "", "m-4", subsystem, "publish", "secret/x", body)
        alice.expect("", "VIP1", "alice", '"m-4"', "error", "93", "Protocol not supported", "callee", subsystem)
    for message_id in ("connect.hello.0", '"connect.hello.0"'):
        alice.send("callee", "VIP1", "", message_id, "hello", "welcome", "1.0", "router", "control")
        assert alice.hear_else("peerlist")[4:6] == [b"error", b"93"]
    callee.expect_silence()


def stopping(alice, bob):
    alice.send("", "VIP1", "", "m-1", "agentstop", "bob")
    alice.expect("", "VIP1", "alice", '"m-1"', "error", "-32001", lambda _: True, "", "agentstop")
    alice.send("", "VIP1", "", "m-1", "quit")
    alice.expect("", "VIP1", "alice", '"m-1"', "error", "-32001", lambda _: True, "", "quit")
    bob.send("", "VIP1", "", "m-1", "agentstop", "bob")
    while alice.hear() != [b"", b"VIP1", b"", b"", b"peerlist", b"drop", b"bob"]:
        pass
    # It is a peer again with its next message, and its subscriptions are gone.
    bob.expect_silence()
    alice.send("", "VIP1", "", "m-1", "pubsub", "publish", "t/1", '{"bus": "", "headers": {}, "message": 1}')
    alice.expect("", "VIP1", "alice", "m-1", "pubsub", "request_response", "0")


def malformed(alice, bob):
    huge = "x" * 100_000
    deep = "[" * 50_000
    ok = '{"bus": "", "headers": {}, "message": 1}'
    many = tuple("x" for _ in range(1000))
    for frames in (
            ("",), ("", ""), ("", "VIP1"), ("", "VIP1", ""), ("", "VIP1", "", "m"), ("x", "y"), many,
            ("", "VIP2", "", "m", "ping", "ping"), ("", "vip1", "", "m", "ping"), ("", "", "", "", ""),
            ("", '"VIP1"', "", "m", "hello", "hello"), ("", "VIP1") + many,
            ("", "VIP1", "", huge, "ping", "ping"), (huge, "VIP1", "", "m", "RPC", "{}")):
        alice.send(*frames)
        alice.expect_silence()
    for frames in (
            ("", "VIP1", "", "-1", "ping", "ping"), ("", "VIP1", "", "4294967296", "ping", "ping"),
            ("", "VIP1", "", "9" * 255, "hello", "hello"), ("", "VIP1", "", b"\xff\xfe", "hello", "hello"),
            ("", "VIP1", "", "1e400", "peerlist", "list"), ("", "VIP1", "", "-1", "pubsub", "publish", "t/1", ok),
            ("", "VIP1", "", "null", "query", "addresses"), ("", "VIP1", "", "", "ping"),
            ("", "VIP1", huge, "m", "ping", huge)):
        alice.send(*frames)
        heard = alice.hear_else("peerlist")
        assert heard[3] == (frames[3] if isinstance(frames[3], bytes) else frames[3].encode()), heard
    for arguments in (
            ("publish", "123", ok), ("publish", '"secret/x"', ok), ("publish", ' "secret/x"', ok), ("publish", "null", ok),
            ("publish", b"\xff\xfe", ok), ("publish", "new\nline", ok), ("publish", huge, ok), ("publish", "-1", ok),
            ("publish", "1e999", ok), ("publish", '{"a": 1}', ok), ("publish", "a\0b", ok)):
        alice.send("", "VIP1", "", "m-1", "pubsub", *arguments)
        heard = alice.hear_else("peerlist")
        assert heard[3:6] == [b'"m-1"', b"error", b"-32001"], (arguments, heard)
        alice.expect("", "VIP1", "alice", "m-1", "pubsub", "request_response", "0")
    for arguments in (
            (), ("",), ("no such",), (b"\xff",), ("subscribe",), ("publish",), ("publish", "t"), ("list",), ("synchronize", "x"),
            ("publish", "t", "123"), ("publish", "t", deep), ("publish", "t", b"\xff"), ("publish", "t", "[]"),
            ("publish", "t", '{"bus": "other"}'), ("publish", "t", '{"headers": 5}'),
            ("publish", "t", '{"sender": "a", "sender": "b"}'), ("publish", "t", '{"message": NaN}'),
            ("subscribe", "not JSON"), ("subscribe", "5"), ("subscribe", "{}"), ("subscribe", '{"prefix": 5}'),
            ("subscribe", '{"prefix": [5]}'), ("subscribe", json.dumps({"prefix": huge})), ("subscribe", deep),
            ("subscribe", json.dumps({"prefix": [str(i) for i in range(100_000)]})), ("subscribe", '{"prefix": "("'),
            ("subscribe", '{"prefix": "t", "bus": "other"}'), ("subscribe", '{"prefix": "t", "all_platforms": 5}'),
            ("unsubscribe", "{}"), ("unsubscribe", '{"internal": 5}'), ("unsubscribe", '{"prefix": {}}'),
            ("list", "[]"), ("list", '{"prefix": 5}'), ("list", '{"reverse": "x"}'),
            ("synchronize", "connected", "{}"), ("synchronize", "connected", '{"subscriptions": {"internal": 5}}'),
            ("synchronize", "connected", '{"subscriptions": {"internal": {"x": []}}}'),
            ("synchronize", "connected", '{"subscriptions": {"internal": {"": [5]}}}')):
        alice.send("", "VIP1", "", "m-1", "pubsub", *arguments)
        heard = alice.hear_else("peerlist")
        assert heard[3:6] == [b'"m-1"', b"error", b"22"], (arguments, heard)
    # It goes on, for everybody.
    alice.expect_silence()
    bob.expect_silence()


def impostors(bob):
    # Names of the platform, of others, and such as agents would read as another.
    for name in ("platform.auth", "control", "config.store", "router", '"control"', ' "control"', '"platform.auth"', "77", "true", "null",
                 "1e5", "1e999", "a/b", "new\nline", "NaN"):
        impostor = Agent("alice", name)
        impostor.send("", "VIP1", "", "connect.hello.0", "hello", "hello")
        impostor.expect("", "VIP1", "", '"connect.hello.0"', "error", "13", lambda _: True, "", "hello")
        impostor.send("bob", "VIP1", "", "m", "RPC", '{"jsonrpc": "2.0", "method": "m"}')
        impostor.expect("", "VIP1", "", '"m"', "error", "13", lambda _: True, "", "RPC")
        impostor.close()
    bob.expect_silence()
    second = Agent("alice", "alice.2")
    assert second.greet()[5] == b"welcome"
    second.close()


def main():
    Agent.endpoint, Agent.server_key = sys.argv[1:]
    Agent.keys = json.load(sys.stdin)
    alice = hello()
    bob = Agent("bob")
    peers(alice, bob)
    ping(alice)
    query(alice)
    pubsub(alice, bob)
    callee, admin = Agent("callee"), Agent("admin")
    callee.greet()
    admin.greet()
    rpc(alice, bob, callee)
    errors(alice, callee)
    platform_auth(alice, admin)
    stopping(alice, bob)
    malformed(alice, bob)
    impostors(bob)
    print("every frame is as it should be")


if __name__ == "__main__":
    main()
