"""Two routers in two network namespaces, and an agent of one host that joins the other: pending, approved, calling,
publishing, denied. Only root may make namespaces.

usage: two_hosts.py BIN_DIR FOLDER
"""

import base64
import ctypes
import json
import os
import pathlib
import subprocess
import sys
import threading

import zmq
from zmq.utils import z85

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "integration"))
from vip_frames import Agent, as_json, holds  # noqa: E402

CLONE_NEWNET = 0x40000000
HANDSHAKE_MS = 1000  # until a client that must wait asks again
LIBC = ctypes.CDLL(None, use_errno=True)


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def enter(namespace):
    """Moves this thread, and those that it starts, to another host."""
    with open(f"/run/netns/{namespace}") as target:
        if LIBC.setns(target.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


class Host:
    """A namespace with a home and a router."""

    def __init__(self, name, address, bin_dir, folder):
        self.name, self.bin_dir, self.home = name, bin_dir, folder / name
        self.endpoint = f"tcp://{address}:22916"
        self.home.mkdir(mode=0o700)
        self.router = None
        self.agents = []
        # All sockets of the context connect from where its threads began.
        self.context = zmq.Context()

        def begin():
            enter(self.name)
            self.context.socket(zmq.PAIR).close()

        thread = threading.Thread(target=begin)
        thread.start()
        thread.join()

    def allow(self, *records):
        auth = {"allow": records, "version": {"major": 1, "minor": 4}}
        path = self.home / "auth.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(auth))

    def start(self):
        self.router = subprocess.Popen(
            ["ip", "netns", "exec", self.name, f"{self.bin_dir}/vip_router", "--home", str(self.home),
             "--vip-address", self.endpoint], stdout=subprocess.PIPE, text=True)
        assert self.router.stdout.readline() == f"address {self.endpoint}\n"
        self.key = self.router.stdout.readline().split()[1]

    def vctl(self, *words):
        return run(f"{self.bin_dir}/vctl", "--home", str(self.home), "auth", *words)

    def listed(self, status):
        return [r for r in json.loads(self.vctl("remote", "list", "--json"))["remote"] if r["status"] == status]

    def stop(self):
        if self.router is not None:
            self.router.terminate()
            assert self.router.wait(60) == 0


def key_pair():
    """In VOLTTRON's form."""
    return [base64.urlsafe_b64encode(z85.decode(key)).decode().rstrip("=") for key in zmq.curve_keypair()]


def agent_on(host, server, user, patience=None):
    """An agent that runs on one host and connects to the router of another."""
    Agent.context, Agent.endpoint, Agent.server_key = host.context, server.endpoint, server.key
    return Agent(user, handshake_ms=patience)


def play(here, there):
    Agent.keys = {name: key_pair() for name in ("keeper", "rover", "stranger")}
    record = {"user_id": "keeper", "identity": "keeper", "credentials": Agent.keys["keeper"][0],
              "rpc_method_authorizations": {"move": ["may_move"]}}
    here.allow(record)
    there.allow({"user_id": "rover", "credentials": Agent.keys["rover"][0]})
    here.start()
    there.start()

    keeper = agent_on(here, here, "keeper")
    keeper.greet()
    keeper.send("", "VIP1", "", "m", "pubsub", "subscribe", '{"prefix": "rover/", "bus": ""}')
    keeper.expect("", "VIP1", "keeper", "m", "pubsub", "request_response", "true")
    home = agent_on(there, there, "rover")
    assert home.greet()[5] == b"welcome"

    # Over here nobody knows it: it waits, and hears nothing.
    rover = agent_on(there, here, "rover", patience=HANDSHAKE_MS)
    rover.send("", "VIP1", "", "connect.hello.0", "hello", "hello")
    pending = []
    while not pending:
        pending = here.listed("PENDING")
    assert len(pending) == 1 and pending[0]["address"] == "10.231.77.2", pending
    assert rover.socket.poll(0) == 0
    user = pending[0]["user_id"]
    here.vctl("remote", "approve", user, "--user_id", "rover", "--identity", "rover", "--capabilities", "may_move")
    rover.expect("", "VIP1", "rover", "connect.hello.0", "hello", "welcome", "1.0", lambda _: True, "rover")

    # It calls, and publishes.
    rover.call("keeper", "move", {"to": 1})
    keeper.expect_else("RPC", "rover", "VIP1", "rover", "m-1", "RPC", holds('"move"'))
    keeper.send("rover", "VIP1", "", "m-1", "RPC", '{"jsonrpc": "2.0", "id": "c-1", "result": 5}')
    rover.expect_else("RPC", "keeper", "VIP1", "keeper", "m-1", "RPC", '{"jsonrpc": "2.0", "id": "c-1", "result": 5}')
    body = '{"bus": "", "headers": {}, "message": "here"}'
    rover.send("", "VIP1", "", "m-2", "pubsub", "publish", "rover/here", body)
    rover.expect_else("RPC", "", "VIP1", "rover", "m-2", "pubsub", "request_response", "1")
    keeper.expect_else("RPC", "", "VIP1", "rover", "m-2", "pubsub", "publish", "rover/here",
                       as_json({"sender": "rover", "bus": "", "headers": {}, "message": "here"}))

    # Denied: the router drops it, and carries nothing more of it.
    here.vctl("remote", "deny", "rover")
    while keeper.hear() != [b"", b"VIP1", b"", b"", b"peerlist", b"drop", b"rover"]:
        pass
    rover.call("keeper", "move", {"to": 2})
    rover.expect_else("RPC", "", "VIP1", "", '"m-1"', "error", "13", holds("no longer accepted"), "", "RPC")
    keeper.send("rover", "VIP1", "", "m-3", "ping", "ping")
    keeper.expect_else("RPC", "", "VIP1", "keeper", '"m-3"', "error", "113", "No route to host", "rover", "ping")
    assert [r["user_id"] for r in here.listed("DENIED")] == ["rover"]
    # At its own router nothing has changed.
    home.expect_silence()


def main():
    bin_dir, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    names = [f"vip-{end}-{os.getpid()}" for end in "ab"]
    cables = [f"vip{end}{os.getpid()}" for end in "ab"]
    hosts = []
    try:
        for name in names:
            run("ip", "netns", "add", name)
        run("ip", "link", "add", cables[0], "netns", names[0], "type", "veth", "peer", "name", cables[1], "netns", names[1])
        for number, (name, cable) in enumerate(zip(names, cables), 1):
            run("ip", "-n", name, "address", "add", f"10.231.77.{number}/24", "dev", cable)
            for link in ("lo", cable):
                run("ip", "-n", name, "link", "set", link, "up")
            hosts.append(Host(name, f"10.231.77.{number}", bin_dir, folder))
        play(*hosts)
        for host in hosts:
            host.stop()
        print("the two hosts agree")
    finally:
        for host in hosts:
            if host.router is not None and host.router.poll() is None:
                host.router.kill()
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


if __name__ == "__main__":
    main()
