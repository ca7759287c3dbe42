"""The process that dies: it approves and applies as the product does, and is killed at one point of one effect's life.

It dies from outside: in the database, the HTTP client, the socket or the file system that the product was given.
"""

from __future__ import annotations

import os
import re
import select
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
import sqlalchemy as sa

from connector import http
from connector.http import HttpxClient
from connector.ports import HttpAnswer, HttpRequest
from connector.service.approve import approve
from connector.service.deliver import deliver
from connector.service.lookup import selected
from connector.store.db import Database
from connector.store.schema import effect
from tests.kills.kinds import Kind, Point
from tests.kills.offices import Case, Victim

_PATIENCE = 20.0  # seconds of real time until an answer has come

# What the effect becomes in a transaction: where to die before its commit, and where after.
_AROUND = {"planned": (Point.K1, Point.K2), "sending": (Point.K3, Point.K4), "done": (Point.K7, Point.K8)}


def live(case: Case, point: Point) -> None:
    """Approve and apply until death. Returns only where the point was never reached."""
    kind, victim = case.kind, case.victim
    patch = pytest.MonkeyPatch()
    if point in (Point.K5, Point.K6):
        _lay_in_wait(patch, kind, victim, half=point is Point.K5)
    with case.opened("Ana") as opened:
        w = replace(opened, db=_Watched(opened.db, victim.key, point))
        approve(w, [victim.action])
        deliver(w, selected(w, None)[0])


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nobody survives that")


class _Watched(Database):
    """The product's database; the process dies around the commit of a change to the victim."""

    def __init__(self, real: Database, key: str, point: Point) -> None:
        super().__init__(real.engine, real.clock)
        self._key, self._point = key, point

    @contextmanager
    def _transaction(self, lock: str, *, read_only: bool) -> Iterator[sa.Connection]:
        after: Point | None = None
        with super()._transaction(lock, read_only=read_only) as connection:
            was = self._state(connection)
            yield connection
            if (now := self._state(connection)) != was and now in _AROUND:
                before, after = _AROUND[now]
                if before is self._point:
                    _die()
        if after is self._point:
            _die()

    def _state(self, connection: sa.Connection) -> str:
        found = connection.execute(sa.select(effect.c.state).where(effect.c.key == self._key)).scalar()
        return str(found or "")


def _lay_in_wait(patch: pytest.MonkeyPatch, kind: Kind, victim: Victim, *, half: bool) -> None:
    match kind.way:
        case "ledger":
            path = re.compile(kind.request[1].replace("TARGET", re.escape(victim.target)))
            real = http.client
            patch.setattr(http, "client", lambda: _Client(real(), patch, kind.request[0], path, half=half))
        case "mail":
            # The letter itself; or the dot after it, from which there is no way back.
            _on_the_wire(patch, _is_a_letter if half else b".\r\n".__eq__, half=half)
        case "folder":
            _in_the_folder(patch, half=half)


def _is_a_letter(data: bytes) -> bool:
    return b"Message-ID:" in data


class _Client:
    """The product's HTTP client; the process dies in the middle of the one request."""

    def __init__(
        self, inner: HttpxClient, patch: pytest.MonkeyPatch, method: str, path: re.Pattern[str], *, half: bool
    ) -> None:
        self._inner, self._patch, self._method, self._path, self._half = inner, patch, method, path, half

    def send(self, request: HttpRequest) -> HttpAnswer:
        if request.method == self._method and self._path.search(request.url):
            head, body = request.method.encode(), request.body
            _on_the_wire(self._patch, body.__eq__ if body else lambda data: data.startswith(head), half=self._half)
        return self._inner.send(request)

    def close(self) -> None:
        self._inner.close()


def _on_the_wire(patch: pytest.MonkeyPatch, last: Callable[[bytes], Any], *, half: bool) -> None:
    """Die when half of that piece has been sent, or when its answer has come and nobody has read it."""
    really = socket.socket.sendall

    def hooked(name: str) -> None:
        sending = getattr(socket.socket, name)

        def send(self: socket.socket, data: Any, *flags: int) -> Any:
            if last(bytes(data)) is not True:
                return sending(self, data, *flags)
            if not half:
                really(self, data)
                assert select.select([self], [], [], _PATIENCE)[0], "no answer came"
                _die()
            really(self, bytes(data)[: len(data) // 2])
            _die()

        patch.setattr(socket.socket, name, send)

    hooked("send")
    hooked("sendall")


def _in_the_folder(patch: pytest.MonkeyPatch, *, half: bool) -> None:
    """Die when half of the letter's draft is on the disk, or when the letter has its name."""
    really = os.link

    def fsync(handle: int) -> None:
        os.ftruncate(handle, os.fstat(handle).st_size // 2)
        _die()

    def link(source: Path, target: Path) -> None:
        really(source, target)
        _die()

    patch.setattr(os, "fsync" if half else "link", fsync if half else link)
