"""What one round of changes leaves for the next: a JSON string with a version, opaque to everyone else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

VERSION: Final = 1


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    v: int
    since: str
    watch: dict[str, str] = Field(default_factory=dict)
    review: list[str] = Field(default_factory=list)
    groups: dict[str, list[str]] = Field(default_factory=dict)
    members: dict[str, list[str]] = Field(default_factory=dict)
    contacts: int = 0


@dataclass(frozen=True, slots=True)
class Cursor:
    """`since` is the server's clock when the round began.

    `watch`: a fingerprint of each document whose changes Xero does not stamp. `review`: invoices that could not be
    read. `groups` and `members`: the minded contact groups. `contacts`: how many contacts there are, roughly.
    """

    since: datetime
    watch: dict[str, str] = field(default_factory=dict)
    review: tuple[str, ...] = ()
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    contacts: int = 0

    def dump(self) -> str:
        return _Document(
            v=VERSION,
            since=self.since.astimezone(UTC).isoformat(),
            watch=self.watch,
            review=list(self.review),
            groups={name: list(ids) for name, ids in self.groups.items()},
            members={contact: list(names) for contact, names in self.members.items()},
            contacts=self.contacts,
        ).model_dump_json()


def load(text: str | None) -> Cursor | None:
    """The cursor, or None where everything must be read again: none yet, or one of another version."""
    if not text:
        return None
    try:
        document = _Document.model_validate_json(text)
        since = datetime.fromisoformat(document.since)
    except (ValidationError, ValueError):
        return None
    if document.v != VERSION or since.tzinfo is None:
        return None
    return Cursor(
        since,
        document.watch,
        tuple(document.review),
        {name: tuple(ids) for name, ids in document.groups.items()},
        {contact: tuple(names) for contact, names in document.members.items()},
        document.contacts,
    )
