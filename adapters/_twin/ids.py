"""Names that are unique within a sandbox and the same in every run: the nth is a function of the seed."""

from __future__ import annotations

import hashlib
import itertools
import uuid
from base64 import urlsafe_b64encode


class SeededIds:
    """A sequence of ids. One instance per purpose (`space`), so that one purpose never shifts another's ids."""

    def __init__(self, seed: int, space: str) -> None:
        self._prefix = f"{space}:{seed}:"
        self._count = itertools.count(1)

    def _digest(self) -> bytes:
        return hashlib.sha256(f"{self._prefix}{next(self._count)}".encode()).digest()

    def uuid(self) -> str:
        """Return the next id as a version 4 UUID in lower case."""
        return str(uuid.UUID(bytes=self._digest()[:16], version=4))

    def token(self) -> str:
        """Return the next id as 43 URL-safe characters."""
        return urlsafe_b64encode(self._digest()).rstrip(b"=").decode()
