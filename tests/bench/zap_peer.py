"""PyZMQ's ThreadAuthenticator, measured by the library that measures the others.

usage: zap_peer.py LIBRARY zap|handshake RECORDS SECONDS

Without records it lets everybody in, else who has a certificate in the folder $BENCH_CERTIFICATES.
"""

import ctypes
import os
import sys

import zmq
import zmq.auth
from zmq.auth.thread import ThreadAuthenticator

library = ctypes.CDLL(sys.argv[1])
for function in (library.zap_load, library.handshake_load):
    function.restype = ctypes.c_double
records, seconds = int(sys.argv[3]), float(sys.argv[4])

context = zmq.Context()
handler = ThreadAuthenticator(context)
handler.start()
handler.configure_curve(domain="vip", location=os.environ["BENCH_CERTIFICATES"] if records else zmq.auth.CURVE_ALLOW_ANY)

pointer = ctypes.c_void_p(context.underlying)
print("ready", flush=True)
for _ in sys.stdin:
    # ctypes gives Python's lock away meanwhile: the handler has it for itself.
    if sys.argv[2] == "zap":
        print(library.zap_load(pointer, ctypes.c_size_t(max(records, 64)), ctypes.c_double(seconds)), flush=True)
    else:
        print(library.handshake_load(pointer), flush=True)
handler.stop()
context.destroy(linger=0)
