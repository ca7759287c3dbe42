"""A loopback HTTP/1.1 server for a twin: keep-alive, no Nagle stall, and answers that break where a fault says so."""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, assert_never

from adapters._twin.messages import CutAfter, Deliver, Hang, Request, Reset, Response
from adapters._twin.wire import BODY_LIMIT, Incoming, Refused, encode, read_request

_IDLE_SECONDS = 75.0
_DRAIN_SECONDS = 1.0
_POLL_SECONDS = 0.05
_log = logging.getLogger(__name__)


class TwinServer:
    """Serves `answer` on 127.0.0.1, one thread a connection. Port 0 takes a free one."""

    def __init__(self, answer: Callable[[Request], Response], *, port: int = 0) -> None:
        self._answer = answer
        self._port = port
        self._listener: socket.socket | None = None
        self._accepting: threading.Thread | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}

    @property
    def base_url(self) -> str:
        """Return the server's address without a trailing slash; valid after `start`."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Bind and serve in the background. Raises OSError when the port is taken."""
        listener = socket.create_server(("127.0.0.1", self._port), backlog=128)
        self._listener = listener
        self._port = listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, args=(listener,), name="twin", daemon=True)
        self._accepting.start()

    def stop(self) -> None:
        """Close the port and every connection, hanging ones too, and wait for their threads."""
        if self._listener is None or self._accepting is None:
            return
        self._stopping.set()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=1):
            pass  # wakes accept(), which closing the listener would not do everywhere
        self._accepting.join()
        self._listener.close()
        with self._lock:
            pending = list(self._open.items())
        for connection, thread in pending:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()
        self._listener = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                if self._stopping.is_set():
                    return
                continue
            if self._stopping.is_set():
                connection.close()
                return
            thread = threading.Thread(target=self._serve, args=(connection,), name="twin-call", daemon=True)
            with self._lock:
                self._open[connection] = thread
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(_IDLE_SECONDS)
            with connection.makefile("rb") as stream:
                while not self._stopping.is_set():
                    try:
                        incoming = read_request(stream, connection.sendall)
                    except Refused as refusal:
                        self._refuse(connection, refusal.answer)
                        break
                    if incoming is None or not self._exchange(connection, incoming):
                        break
        except OSError:
            _log.debug("a client went away")
        finally:
            connection.close()
            with self._lock:
                self._open.pop(connection, None)

    def _exchange(self, connection: socket.socket, incoming: Incoming) -> bool:
        """Answer one request; tell whether the connection goes on."""
        request = incoming.request
        try:
            response = self._answer(request)
            head, body = encode(request.method, response, keep_alive=incoming.keep_alive)
        except Exception as error:  # noqa: BLE001 - a defect of the twin must show, not look like a lost connection
            _log.exception("the sandbox failed on %s %s", request.method, request.path)
            response = _defect(error)
            head, body = encode(request.method, response, keep_alive=incoming.keep_alive)
        match response.wire:
            case Deliver():
                connection.sendall(head + body)  # one send: no Nagle stall between head and body
                return incoming.keep_alive
            case CutAfter(body_bytes=count):
                connection.sendall(head + body[:count])
            case Reset():
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case Hang(seconds=seconds):
                self._hang(connection, seconds)
            case _ as never:
                assert_never(never)
        return False

    def _hang(self, connection: socket.socket, seconds: float) -> None:
        """Stay silent until the client gives up, the time is over, or the server stops."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._stopping.wait(_POLL_SECONDS):
            readable, _, _ = select.select([connection], [], [], 0)
            if readable and connection.recv(1, socket.MSG_PEEK) == b"":
                return

    def _refuse(self, connection: socket.socket, response: Response) -> None:
        """Answer and drain what is still coming, so that the client can read the answer before the close."""
        head, body = encode("", response, keep_alive=False)
        connection.sendall(head + body)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(_DRAIN_SECONDS)
        drained = 0
        while drained < 2 * BODY_LIMIT and (piece := connection.recv(64 * 1024)):
            drained += len(piece)


def _defect(error: Exception) -> Response:
    text = f"sandbox defect: {type(error).__name__}: {error}"
    return Response(500, (("Content-Type", "text/plain; charset=utf-8"),), text.encode())
