"""The Idempotency-Key store: a repeat within the key's life gets the first answer, whatever it was.

The key lives from the first call, whether that succeeded or failed; a 429 comes before the store and is never in it.
Not verified at Xero: the JSON of the two refusals (a switch), and that another organisation counts as another request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters._twin.ids import SeededIds
from adapters._twin.messages import Request, Response
from adapters.xero.sandbox import problems

LIFE_SECONDS = 360
_LONGEST = 128
_SWEEP = 4096


@dataclass(frozen=True, slots=True)
class _Entry:
    fingerprint: bytes
    answer: Response
    expires: datetime


@dataclass(frozen=True, slots=True)
class Rules:
    """What no source confirms about the store, see the switches of the sandbox."""

    life: timedelta = timedelta(seconds=LIFE_SECONDS)
    refusal: str = "problem"
    for_email: bool = True


class IdempotencyKeys:
    """All keys of all apps. Callers hold the sandbox's lock, so a parallel repeat waits for the first call's end."""

    def __init__(self, ids: SeededIds) -> None:
        self._ids = ids
        self._entries: dict[tuple[str, str], _Entry] = {}

    def run(
        self,
        request: Request,
        scope: tuple[str, str],
        now: datetime,
        rules: Rules,
        execute: Callable[[], Response],
    ) -> Response:
        """Execute once per key. `scope` is (client id, tenant id); a key belongs to the client."""
        key = request.headers.get("idempotency-key", "")
        if not key or request.method not in {"POST", "PUT", "PATCH"}:
            return execute()
        if request.path.lower().endswith("/email") and not rules.for_email:
            return execute()
        if len(key) > _LONGEST:
            return self._refused("Idempotency Key must be 128 characters or fewer", rules)
        client_id, tenant_id = scope
        fingerprint = _fingerprint(request, tenant_id)
        entry = self._entries.get((client_id, key))
        if entry is None or now >= entry.expires:
            answer = execute()
            self._store((client_id, key), _Entry(fingerprint, answer, now + rules.life), now)
            return answer
        if entry.fingerprint != fingerprint:
            return self._refused(f"Idempotency Key {key} is used with a different request", rules)
        return entry.answer

    def _refused(self, detail: str, rules: Rules) -> Response:
        return problems.key_refused(detail, self._ids.uuid(), rules.refusal)

    def _store(self, place: tuple[str, str], entry: _Entry, now: datetime) -> None:
        if len(self._entries) >= _SWEEP:
            self._entries = {key: each for key, each in self._entries.items() if now < each.expires}
        self._entries[place] = entry


def _fingerprint(request: Request, tenant_id: str) -> bytes:
    parts = (tenant_id, request.method, request.path, request.query)
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass"))
    digest.update(b"\0" + request.body)
    return digest.digest()
