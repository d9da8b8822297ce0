"""Asks a server whether it may publish: client.py KEY_FILE NAME ENDPOINT SERVER_KEY TOPIC..."""

import base64
import json
import sys

import zmq


def raw(key: str) -> bytes:
    return base64.urlsafe_b64decode(key + "=")


key_file, name, endpoint, server_key, *topics = sys.argv[1:]
with open(key_file) as file:
    keys = json.load(file)
socket = zmq.Context().socket(zmq.DEALER)
socket.curve_publickey, socket.curve_secretkey = raw(keys["public"]), raw(keys["secret"])
socket.curve_serverkey = raw(server_key)
socket.routing_id = name.encode()
socket.handshake_ivl = 2000  # ms until a key that waits for approval is tried again
socket.connect(endpoint)
for topic in topics:
    socket.send_string(topic)
    print(f"{topic}: {socket.recv_string()}", flush=True)
