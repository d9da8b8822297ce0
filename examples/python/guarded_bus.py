"""A whole small bus in Python: the code of docs/embedding.md, which shows the parts between [name] and [/name].

usage: guarded_bus.py HOME ADDRESS...

A peer sends an operation and its arguments, and is answered by one frame: "ok", or why not.
  subscribe PREFIX | publish TOPIC BODY | call AGENT METHOD PARAMS
What it has subscribed to comes as "event" TOPIC BODY, calls of its methods come as "invoke" METHOD PARAMS.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field

import zmq

import vipauth


@dataclass
class Peer:
    router: zmq.Socket
    name: bytes
    session: vipauth.Session
    subscriptions: set[bytes] = field(default_factory=set)

    def send(self, *frames: bytes) -> bool:
        try:
            self.router.send_multipart([self.name, *frames], zmq.DONTWAIT)
        except zmq.ZMQError:  # it has gone, or reads too slowly
            return False
        return True


class GuardedBus:
    def __init__(self, home: str, addresses: list[str]) -> None:
        # [python-start]
        self.context = zmq.Context()
        self.service = vipauth.Service(home, audit=True, log=lambda level, line: print(line, file=sys.stderr))
        self.service.start_zap(self.context)  # before any server socket
        self.routers = []
        for address in addresses:  # "tcp://127.0.0.1:22916?domain=field"
            endpoint, _, domain = address.partition("?domain=")
            router = self.context.socket(zmq.ROUTER)
            self.service.secure_server_socket(router, domain or "vip")
            router.setsockopt(zmq.ROUTER_MANDATORY, 1)
            router.bind(endpoint)
            print(router.get(zmq.LAST_ENDPOINT).decode().rstrip("\0"), self.service.server_key, flush=True)
            self.routers.append(router)
        self.peers: dict[tuple[zmq.Socket, bytes], Peer] = {}
        # [/python-start]

    def run(self) -> None:
        # [python-loop]
        bell, ring = os.pipe()
        os.set_blocking(ring, False)

        def changed(generation: int, revoked: list[str]) -> None:  # on a thread of the library
            try:
                os.write(ring, b"!")
            except BlockingIOError:  # it rings already
                pass

        self.service.on_change(changed)
        poller = zmq.Poller()
        for source in [bell, *self.routers]:
            poller.register(source, zmq.POLLIN)
        while True:
            for source, _ in poller.poll():
                if source == bell:
                    os.read(bell, 4096)
                    self.judge_all()
                else:
                    self.hear(source)
        # [/python-loop]

    def judge_all(self) -> None:
        for key, peer in list(self.peers.items()):
            if not peer.session.verify_sender(peer.name):
                del self.peers[key]

    # [python-admit]
    def hear(self, router: zmq.Socket) -> None:
        name, *frames = router.recv_multipart(copy=False)
        key = (router, name.bytes)
        peer = self.peers.pop(key, None)
        if not frames:
            return
        if peer is None or not peer.session.sent(frames[-1]):  # a new one, or another with its routing id
            try:
                peer = Peer(router, name.bytes, self.service.session_of(frames[-1]))
            except vipauth.Error:
                return
        if may := peer.session.verify_sender(peer.name):
            self.peers[key] = peer
            peer.send(self.answer(peer, [frame.bytes for frame in frames]).encode())
        else:
            peer.send(may.message.encode())

    # [/python-admit]

    def answer(self, peer: Peer, frames: list[bytes]) -> str:
        if frames[0] == b"subscribe" and len(frames) == 2 and len(peer.subscriptions) < 100:
            peer.subscriptions.add(frames[1])
            return "ok"
        if frames[0] == b"publish" and len(frames) == 3:
            return self.publish(peer, *frames[1:])
        if frames[0] == b"call" and len(frames) == 4:
            return self.call(peer, *frames[1:])
        return "no such operation"

    # [python-ask]
    def publish(self, publisher: Peer, topic: bytes, body: bytes) -> str:
        if not (may := publisher.session.authorize_publish(topic)):
            return may.message
        for peer in self.peers.values():
            if topic.startswith(tuple(peer.subscriptions)) and peer.session.authorize_receive(topic):
                peer.send(b"event", topic, body)
        return "ok"

    def call(self, caller: Peer, callee: bytes, method: bytes, params: bytes) -> str:
        try:
            arguments = json.loads(params)
        except (ValueError, RecursionError) as problem:
            return f"not JSON: {problem}"
        if not (may := caller.session.authorize_call(callee, method, arguments)):
            return may.message
        judged = json.dumps(arguments).encode()  # and not `params`, which may give a name twice
        for peer in self.peers.values():
            if peer.name == callee and peer.session.check() and peer.send(b"invoke", method, judged):
                return "ok"
        return "no such agent"

    # [/python-ask]


if __name__ == "__main__":
    GuardedBus(sys.argv[1], sys.argv[2:]).run()
