"""Receivers of webhooks for the tests: one in process that answers as told, and a real one on a socket."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from adapters._twin.outgoing import Answered, Delivery, Unanswered

URL = "http://127.0.0.1:9/hooks"


def is_signed(body: bytes, given: str, key: str) -> bool:
    """Check a signature as the service describes it, the whole text of it."""
    right = base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(right, given)


@dataclass
class Inbox:
    """An in-process receiver: checks signatures, keeps what was rightly signed, and may be told to misbehave."""

    key: str = ""
    checks: bool = True
    misbehave: Callable[[Delivery], Answered | Unanswered | None] = lambda _: None
    taken: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    calls: int = 0

    def post(self, delivery: Delivery) -> Answered | Unanswered:
        """Take one delivery."""
        self.calls += 1
        signed = dict(delivery.headers)["x-xero-signature"]
        if self.checks and not is_signed(delivery.body, signed, self.key):
            return Answered(401)
        document = json.loads(delivery.body)
        odd = self.misbehave(delivery) if document["events"] else None
        if odd is not None:
            return odd
        self.taken += document["events"]
        self.bodies.append(delivery.body)
        return Answered(200)

    def told(self) -> list[tuple[str, str]]:
        """Category and type of what was taken."""
        return [(event["eventCategory"], event["eventType"]) for event in self.taken]


@contextmanager
def listening(answer: Callable[[bytes, Mapping[str, str]], tuple[int, dict[str, str], bytes]]) -> Iterator[str]:
    """A receiver on a socket of the loopback; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers, content = answer(body, {name.lower(): value for name, value in self.headers.items()})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hooks"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
