"""What one ledger's HTTP means: its limits and its errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from connector.errors import DunwellError
from connector.ports import HttpAnswer, HttpRequest


class Dialect(Protocol):
    """What one ledger's HTTP means."""

    @property
    def per_minute(self) -> int:
        """Calls that the ledger allows one organisation in a minute."""
        ...

    @property
    def reserve(self) -> int:
        """Calls of a minute that are left untouched."""
        ...

    @property
    def concurrent(self) -> int:
        """Calls in flight at once."""
        ...

    def classify(self, request: HttpRequest, answer: HttpAnswer) -> DunwellError | None:
        """The error that the answer means, or None where it is what was asked for."""
        ...

    def limits(self, headers: Mapping[str, str]) -> Mapping[str, int]:
        """What the server says remains, by window name ("minute", "day"); empty where it says nothing."""
        ...
