"""Every exception that dunwell raises on purpose, named by what to do next.

DunwellError
├── UserError                what was asked cannot be done as asked: change the request
│   ├── ConfigError          a file is wrong: carries file, line, column, path, what is allowed
│   ├── NotFound             no such organisation, customer, invoice, action, effect
│   └── Refused              a rule, guardrail or state forbids it; nothing was changed
├── Retriable                nothing was written; try again later
│   ├── NotSent              the request never left (connect, DNS, TLS)
│   ├── LedgerUnavailable    the ledger did not answer a read, or answered 5xx before processing
│   ├── UnreadableAnswer     truncated, HTML, or otherwise not what the API promises (reads only)
│   ├── RateLimited          wait: `.retry_after` seconds, `.limit` minute | day | concurrent | app
│   └── Busy                 another process holds the lease
├── OutcomeUnknown           a write may or may not have happened: look before writing again
├── Permanent                the ledger refused this write; a person must look
│   └── LedgerRejected       `.detail` is the ledger's own words
├── NeedsPerson              only a person can repair it
│   ├── TokenExpired         the access token was refused; refresh once, then connect again
│   ├── ConnectionRevoked    connect this organisation again
│   ├── ScopeMissing         connect again and grant the named scopes
│   └── WrongCredentials     client id or secret refused
└── StorageFailed            the database or disk failed: nothing is sent without a durable intent
"""

from __future__ import annotations

import math


class DunwellError(Exception):
    """What happened, to which record, what was not done, and what to do next."""

    exit_code = 1

    def __init__(self, what: str, *, record: str = "", not_done: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.record = record
        self.not_done = not_done
        self.next_step = next_step

    def complete(self, not_done: str, next_step: str) -> None:
        """Say what the command knows where the error itself does not."""
        self.not_done = self.not_done or not_done
        self.next_step = self.next_step or next_step

    def as_dict(self) -> dict[str, object]:
        """The error as data, for `--json`. Never carries secrets."""
        fields: dict[str, object] = {"type": type(self).__name__, "message": self.what}
        for name in ("record", "not_done", "next_step"):
            if value := getattr(self, name):
                fields[name] = value
        return fields


class UserError(DunwellError):
    """What was asked cannot be done as asked."""


class ConfigError(UserError):
    """A configuration file is wrong: nothing is decided by it before it is mended."""

    def __init__(
        self,
        what: str,
        *,
        file: str = "",
        line: int = 0,
        column: int = 0,
        path: str = "",
        fix: str = "",
        not_done: str = "",
    ) -> None:
        super().__init__(what, record=path, not_done=not_done, next_step=fix)
        self.file, self.line, self.column, self.path, self.fix = file, line, column, path, fix

    def complete(self, not_done: str, next_step: str) -> None:
        """Doing it again is of no use before the file is mended."""
        mend = f"mend {self.file}" if self.file else ""
        super().complete(not_done, f"{mend}, then {next_step}" if mend and next_step else mend or next_step)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.what}" if place else self.what

    def as_dict(self) -> dict[str, object]:
        located = {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "path": self.path,
            "fix": self.fix,
        }
        return super().as_dict() | located


class NotFound(UserError):
    """No record answers to that name or id."""


class Refused(UserError):
    """A rule, a guardrail or the record's state forbids it; nothing was changed."""


class Retriable(DunwellError):
    """Nothing was written; try again later."""


class NotSent(Retriable):
    """The request never left this machine."""


class LedgerUnavailable(Retriable):
    """The ledger did not answer, or answered that it is unavailable."""


class UnreadableAnswer(Retriable):
    """The ledger's answer is not what its API promises; it is never read as "no records"."""


class RateLimited(Retriable):
    """The ledger asked us to wait."""

    def __init__(self, what: str, *, retry_after: float, limit: str, record: str = "") -> None:
        super().__init__(what, record=record, next_step=f"wait {_waiting(retry_after)} ({limit} limit)")
        self.retry_after = retry_after
        self.limit = limit


def _waiting(seconds: float) -> str:
    minutes = math.ceil(seconds / 60)
    if seconds < 2 * 60:
        return f"{math.ceil(seconds)} s"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


class Busy(Retriable):
    """Another process is at work on this organisation."""


class OutcomeUnknown(DunwellError):
    """A write may or may not have happened; look before writing again."""


class Permanent(DunwellError):
    """The ledger refused this write; a person must look."""


class LedgerRejected(Permanent):
    """The ledger refused the request. `detail` is the ledger's own words, `status` the HTTP status."""

    def __init__(self, what: str, *, detail: str = "", status: int = 0, record: str = "", next_step: str = "") -> None:
        super().__init__(what, record=record, next_step=next_step)
        self.detail = detail
        self.status = status


class NeedsPerson(DunwellError):
    """Only a person can repair it."""


class TokenExpired(NeedsPerson):
    """The access token was refused although it was refreshed."""


class ConnectionRevoked(NeedsPerson):
    """The organisation must be connected again."""


class ScopeMissing(NeedsPerson):
    """The consent does not cover this call; connect again and grant the scopes."""


class WrongCredentials(NeedsPerson):
    """The ledger refused the app's client id or secret."""


class StorageFailed(DunwellError):
    """The database or the disk failed; nothing is sent without a durable intent."""
