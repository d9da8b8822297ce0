"""The smallest server that vipauth guards, in Python: it tells each peer whether it may publish to a topic."""

import sys

import zmq

import vipauth


def main(home: str, endpoint: str) -> None:
    context = zmq.Context()
    service = vipauth.Service(home)
    service.start_zap(context)  # before any server socket
    router = context.socket(zmq.ROUTER)
    service.secure_server_socket(router)
    router.bind(endpoint)
    print(router.get(zmq.LAST_ENDPOINT).decode().rstrip("\0"), service.server_key, flush=True)
    while True:
        name, *frames = router.recv_multipart(copy=False)
        if len(frames) != 1:
            continue
        try:
            session = service.session_of(frames[0])
        except vipauth.Error:
            continue
        decision = session.verify_sender(name.bytes) and session.authorize_publish(frames[0].bytes)
        router.send_multipart([name.bytes, b"allowed" if decision else decision.message.encode()])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "tcp://127.0.0.1:22916")
