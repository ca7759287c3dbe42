"""Why the sandbox refuses something; each is turned into one documented answer at the edge of a handler."""

from __future__ import annotations


class Refused(Exception):
    """The books do not allow this: shown as ValidationErrors. `field` names a nested object that carries them."""

    def __init__(self, *messages: str, field: str = "") -> None:
        super().__init__(*messages)
        self.messages = messages
        self.field = field


class Unreadable(Exception):
    """A value of the body could not be read: ErrorNumber 14, for the whole call."""


class NothingToDo(Exception):
    """The body holds nothing of this endpoint's kind: ErrorNumber 17."""


class BadQuery(Exception):
    """A filter, order or parameter could not be understood: ErrorNumber 16."""


class BadPrecondition(Exception):
    """If-Modified-Since could not be read: 412."""


class Unknown(Exception):
    """There is no such record: 404."""
