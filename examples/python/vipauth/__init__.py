"""vipauth for Python: who may connect to a pyzmq server, call, publish and receive.

It loads libvipauth.so by ctypes, needs no compiler, and works with pyzmq: the ZAP handler runs in pyzmq's own
context. VIPAUTH_LIBRARY names the library where the loader does not find it.

    import vipauth, zmq
    context = zmq.Context()
    service = vipauth.Service("/home/volttron/.volttron")
    service.start_zap(context)                  # before any server socket
    router = context.socket(zmq.ROUTER)
    service.secure_server_socket(router)        # CURVE, closed to whoever ZAP does not let in
    router.bind("tcp://127.0.0.1:22916")
    ...
    frames = router.recv_multipart(copy=False)
    session = service.session_of(frames[-1])    # keep it for each peer
    if session.authorize_publish("devices/a"): ...
"""

from __future__ import annotations

import ctypes
import json
import os
from enum import IntEnum
from typing import Any, Callable, NamedTuple, Optional, Union

__all__ = ["Code", "Decision", "Error", "LogLevel", "Service", "Session", "version"]

_ABI = 1
_Text = Union[str, bytes]


class Code(IntEnum):
    """What went wrong, for a program."""

    INVALID_ARGUMENT = 1
    PARSE_ERROR = 2
    UNSUPPORTED = 3
    LIMIT_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    CONFLICT = 7
    BUSY = 8
    PERMISSION_DENIED = 9
    IO_ERROR = 10
    UNAVAILABLE = 11
    OUT_OF_MEMORY = 12
    INTERNAL = 13


class LogLevel(IntEnum):
    DEBUG = 0
    INFO = 1
    WARNING = 2
    ERROR = 3


class Error(Exception):
    """A failure; a refusal is a Decision."""

    def __init__(self, code: Code, message: str, location: str) -> None:
        super().__init__(f"{location}: {message}" if location else message)
        self.code = code
        self.message = message
        self.location = location


class Decision(NamedTuple):
    """The answer to "may it?". True where it is allowed."""

    allowed: bool
    reason: str
    message: str
    source: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.allowed


class _CError(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("message", ctypes.c_char_p), ("location", ctypes.c_char_p)]


_LogFunction = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p)
_ChangeFunction = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_uint64, ctypes.POINTER(ctypes.c_char_p), ctypes.c_size_t
)
_PropertyFunction = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)


class _Options(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("watch", ctypes.c_int),
        ("audit", ctypes.c_int),
        ("trust_same_user_ipc", ctypes.c_int),
        ("strict_modes", ctypes.c_int),
        ("log", _LogFunction),
        ("log_user", ctypes.c_void_p),
    ]


def _load() -> ctypes.CDLL:
    library = ctypes.CDLL(os.environ.get("VIPAUTH_LIBRARY", "libvipauth.so.0"))
    handle, text, size, flag = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int
    question = [handle, text, size, handle]
    for name, result, arguments in [
        ("abi", ctypes.c_uint, []),
        ("version", text, []),
        ("last_error", ctypes.POINTER(_CError), []),
        ("options_default", _Options, []),
        ("service_open", handle, [text, ctypes.POINTER(_Options)]),
        ("service_free", None, [handle]),
        ("service_reload", flag, [handle]),
        ("service_flush", flag, [handle]),
        ("service_on_change", flag, [handle, _ChangeFunction, handle]),
        ("service_server_key", text, [handle]),
        ("zap_start", handle, [handle, handle]),
        ("zap_free", None, [handle]),
        ("secure_server_socket", flag, [handle, handle, text]),
        ("session_of_properties", handle, [handle, _PropertyFunction, handle]),
        ("session_sent_properties", flag, [handle, _PropertyFunction, handle]),
        ("session_free", None, [handle]),
        ("session_user_id", text, [handle]),
        ("session_identity", text, [handle]),
        ("decision_new", handle, []),
        ("decision_free", None, [handle]),
        ("decision_allowed", flag, [handle]),
        ("decision_reason", text, [handle]),
        ("decision_message", text, [handle]),
        ("decision_source", text, [handle, size]),
        ("check", flag, [handle, handle]),
        ("verify_sender", flag, question),
        ("authorize_call", flag, [handle, text, size, text, size, text, size, handle]),
        ("authorize_publish", flag, question),
        ("authorize_receive", flag, question),
    ]:
        function = getattr(library, "vipauth_" + name)
        function.restype = result
        function.argtypes = arguments
    if library.vipauth_abi() != _ABI:
        raise ImportError(f"libvipauth has ABI {library.vipauth_abi()}, and this package needs {_ABI}")
    return library


_library = _load()


def version() -> str:
    """The version of the library that was loaded."""
    return _library.vipauth_version().decode()


def _last_error() -> Error:
    error = _library.vipauth_last_error().contents
    return Error(Code(error.code), error.message.decode(), error.location.decode())


def _done(result: Any) -> Any:
    if not result:
        raise _last_error()
    return result


def _bytes(text: _Text) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _properties_of(frame: Any) -> tuple[Any, list[Any]]:
    """Reads what libzmq attached to a pyzmq Frame. The list keeps the text that was given out last."""
    kept: list[Any] = [None]

    @_PropertyFunction
    def read(_: Any, name: bytes) -> Optional[int]:
        try:
            value = frame.get(name.decode())
        except Exception:  # pyzmq raises where there is no such property
            return None
        kept[0] = ctypes.create_string_buffer(_bytes(value))
        return ctypes.addressof(kept[0])

    return read, kept


class Session:
    """An accepted peer, for as long as it is connected. One thread at a time."""

    def __init__(self, service: "Service", handle: int) -> None:
        self._service = service  # which must live as long
        self._handle = handle
        self._why = _done(_library.vipauth_decision_new())

    def __del__(self) -> None:
        if getattr(self, "_why", None):
            _library.vipauth_decision_free(self._why)
        if getattr(self, "_handle", None):
            _library.vipauth_session_free(self._handle)

    @property
    def user_id(self) -> str:
        return _library.vipauth_session_user_id(self._handle).decode()

    @property
    def identity(self) -> str:
        """The VIP identity that the accepting record gives, or ""."""
        return _library.vipauth_session_identity(self._handle).decode()

    def sent(self, frame: Any) -> bool:
        """Whether that peer sent this frame too: ask it for each message of a ROUTER."""
        read, _ = _properties_of(frame)
        return bool(_library.vipauth_session_sent_properties(self._handle, read, None))

    def _decision(self, allowed: int) -> Decision:
        source = []
        while (place := _library.vipauth_decision_source(self._why, len(source))) is not None:
            source.append(place.decode())
        return Decision(
            bool(allowed),
            _library.vipauth_decision_reason(self._why).decode(),
            _library.vipauth_decision_message(self._why).decode(errors="replace"),
            tuple(source),
        )

    def check(self) -> Decision:
        """Does its acceptance still stand?"""
        return self._decision(_library.vipauth_check(self._handle, self._why))

    def verify_sender(self, identity: _Text) -> Decision:
        """May it speak under this VIP identity? Carry nothing for a routing id before this has allowed it."""
        name = _bytes(identity)
        return self._decision(_library.vipauth_verify_sender(self._handle, name, len(name), self._why))

    def authorize_call(self, callee: _Text, method: _Text, arguments: Any = None) -> Decision:
        """May it call this method? arguments: a dict by name, a list by position, or nothing."""
        of, name = _bytes(callee), _bytes(method)
        text = b"" if arguments is None else json.dumps(arguments).encode()
        return self._decision(
            _library.vipauth_authorize_call(self._handle, of, len(of), name, len(name), text, len(text), self._why)
        )

    def authorize_publish(self, topic: _Text) -> Decision:
        name = _bytes(topic)
        return self._decision(_library.vipauth_authorize_publish(self._handle, name, len(name), self._why))

    def authorize_receive(self, topic: _Text) -> Decision:
        name = _bytes(topic)
        return self._decision(_library.vipauth_authorize_receive(self._handle, name, len(name), self._why))


class Service:
    """The files of a home, and the policy in force. May be used from any thread."""

    def __init__(
        self,
        home: Union[str, os.PathLike[str]],
        *,
        watch: bool = True,
        audit: bool = False,
        trust_same_user_ipc: bool = False,
        strict_modes: bool = True,
        log: Optional[Callable[[LogLevel, str], None]] = None,
    ) -> None:
        options = _library.vipauth_options_default()
        options.watch = watch
        options.audit = audit
        options.trust_same_user_ipc = trust_same_user_ipc
        options.strict_modes = strict_modes
        self._callbacks: list[Any] = []
        self._zap: Optional[int] = None
        if log is not None:
            options.log = _LogFunction(lambda _, level, line: log(LogLevel(level), line.decode(errors="replace")))
            self._callbacks.append(options.log)
        self._handle = _done(_library.vipauth_service_open(os.fsencode(home), ctypes.byref(options)))

    def __enter__(self) -> "Service":
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop_zap()

    def __del__(self) -> None:
        self.stop_zap()
        if getattr(self, "_handle", None):
            _library.vipauth_service_free(self._handle)

    def start_zap(self, context: Any) -> None:
        """Starts the ZAP handler in a pyzmq context: before any server socket."""
        self._zap = _done(_library.vipauth_zap_start(context.underlying, self._handle))

    def stop_zap(self) -> None:
        """Stops it: before the context ends, at the latest."""
        if getattr(self, "_zap", None):
            _library.vipauth_zap_free(self._zap)
        self._zap = None

    def secure_server_socket(self, socket: Any, domain: str = "vip") -> None:
        """Makes a pyzmq socket a CURVE server with the home's keys, before it is bound."""
        _done(_library.vipauth_secure_server_socket(socket.underlying, self._handle, domain.encode()))

    @property
    def server_key(self) -> str:
        """The server's public key, base64url."""
        return _done(_library.vipauth_service_server_key(self._handle)).decode()

    def session_of(self, frame: Any) -> Session:
        """The session of the peer that sent a pyzmq Frame (recv(copy=False))."""
        read, _ = _properties_of(frame)
        return Session(self, _done(_library.vipauth_session_of_properties(self._handle, read, None)))

    def reload(self) -> None:
        """Reads the files again."""
        _done(_library.vipauth_service_reload(self._handle))

    def flush(self) -> None:
        """Writes what is pending, and what is to be audited, now."""
        _done(_library.vipauth_service_flush(self._handle))

    def on_change(self, callback: Callable[[int, list[str]], None]) -> None:
        """Calls back with the generation and the revoked users whenever another policy is in force.

        On a thread of the library."""
        function = _ChangeFunction(
            lambda _, generation, users, count: callback(generation, [users[i].decode() for i in range(count)])
        )
        self._callbacks.append(function)
        _done(_library.vipauth_service_on_change(self._handle, function, None))
