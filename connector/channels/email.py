"""E-mail over SMTP, or as .eml files in a folder. A letter leaves at most once: what is uncertain is said, not retried.

Both channels raise `NotSent` (certainly not out), `LedgerRejected` (refused for good: a person must look) and
`OutcomeUnknown`; SMTP also `NeedsPerson` (no TLS) and `WrongCredentials`, after which nothing else should be tried. A
sender that is no address is a `ConfigError` when the channel is made.
"""

from __future__ import annotations

import os
import re
import smtplib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from connector.channels.message import Mailbox, address, key_part, message, message_id
from connector.domain.effects import Receipt
from connector.domain.text import one_line
from connector.errors import (
    ConfigError,
    DunwellError,
    LedgerRejected,
    NeedsPerson,
    NotSent,
    OutcomeUnknown,
    WrongCredentials,
)
from connector.ports import OutgoingLetter

__all__ = ["FolderChannel", "Mailbox", "SmtpChannel", "SmtpSettings", "address", "message", "message_id"]

_DATA_WANTED: Final = 354
_CREDENTIAL_CODES: Final = frozenset({530, 534, 535, 538})  # RFC 4954, 6
_SHORT_KEY: Final = re.compile(r"dw\.([0-9a-f]{16})[0-9a-f]*")  # 64 bits of the effect key


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where letters are handed over. `security` "none" sends in the clear, and only when a person set it."""

    host: str
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 60.0  # seconds, for each answer


class SmtpChannel:
    """One connection, one transaction, one recipient for each letter (RFC 5321)."""

    name = "email"

    def __init__(
        self, settings: SmtpSettings, sender: Mailbox, reply_to: str, tls: ssl.SSLContext | None = None
    ) -> None:
        """`tls`: the trust to use; by default the machine's own, with host names checked."""
        self._settings = settings
        self._sender, self._reply_to = _checked(sender, reply_to)
        self._tls = tls or ssl.create_default_context()

    @property
    def goes_to(self) -> str:
        """The mail server, `host:port`."""
        return f"{self._settings.host}:{self._settings.port}"

    def send(self, letter: OutgoingLetter, at: datetime) -> Receipt:
        """Hand the letter over. Raises as the module says."""
        content = _stuffed(message(letter, self._sender, self._reply_to, at).as_bytes())
        recipient = address(letter.recipient)
        with self._session() as client:
            _expect(client.mail(address(self._sender.address)), "the sender", recipient)
            _expect(client.rcpt(recipient), "the recipient", recipient)
            answer = client.docmd("data")
            if answer[0] != _DATA_WANTED:
                raise _refusal(answer, "the letter", recipient)
            client.send(content)
            return _end_of_data(client, letter)

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        """A greeted, encrypted, logged-in connection. Whatever fails inside it failed before end-of-data."""
        where = self.goes_to
        client: smtplib.SMTP | None = None
        try:
            client = self._connected()
            self._secured(client)
            yield client
        except DunwellError:
            raise
        except ssl.SSLCertVerificationError as error:
            raise NeedsPerson(
                f"the mail server {where} could not prove who it is: {error.verify_message}",
                not_done="nothing was sent",
                next_step="check the server's name and certificate",
            ) from error
        except smtplib.SMTPAuthenticationError as error:
            raise _no_login(error, where) from error
        except smtplib.SMTPNotSupportedError as error:
            raise NeedsPerson(
                f"the mail server {where} does not offer what the settings ask for: {error}",
                not_done="nothing was sent",
                next_step="check host, port and security of the mail settings",
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            told = one_line(str(error))[:200]
            raise NotSent(f"the mail server {where} did not take the letter: {told}") from error
        finally:
            if client is not None:
                _leave(client)

    def _connected(self) -> smtplib.SMTP:
        known = self._settings
        greeting_name = self._sender.address.rpartition("@")[2]
        if known.security == "tls":
            return smtplib.SMTP_SSL(known.host, known.port, greeting_name, timeout=known.timeout, context=self._tls)
        return smtplib.SMTP(known.host, known.port, greeting_name, timeout=known.timeout)

    def _secured(self, client: smtplib.SMTP) -> None:
        client.ehlo_or_helo_if_needed()
        if self._settings.security == "starttls":
            client.starttls(context=self._tls)
            client.ehlo_or_helo_if_needed()
        if self._settings.username:
            client.login(self._settings.username, self._settings.password)


def _stuffed(content: bytes) -> bytes:
    """Leading dots doubled, a line end at the end (RFC 5321, 4.5.2)."""
    ended = content if content.endswith(b"\r\n") else content + b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", ended)


def _end_of_data(client: smtplib.SMTP, letter: OutgoingLetter) -> Receipt:
    """The point of no return: before the final dot nothing can have been delivered, after it everything can."""
    try:
        client.send(b".\r\n")
        code, words = client.getreply()
    except (smtplib.SMTPException, OSError) as error:
        raise _unknown(letter, str(error)) from error
    told = one_line(words.decode("utf-8", "replace"))[:200]
    if 200 <= code < 300:
        return Receipt(letter.message_id, detail=f"{code} {told}")
    if 400 <= code < 600:
        raise _refusal((code, words), "the letter", letter.recipient)
    raise _unknown(letter, f"{code} {told}")


def _unknown(letter: OutgoingLetter, why: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"the mail server took the letter but did not confirm it: {one_line(why)[:200]}",
        record=letter.message_id,
        next_step="look into the mail server's log for this Message-ID; the letter is not sent again by itself",
    )


def _expect(answer: tuple[int, bytes], what: str, recipient: str) -> None:
    if not 200 <= answer[0] < 300:
        raise _refusal(answer, what, recipient)


def _refusal(answer: tuple[int, bytes], what: str, record: str) -> DunwellError:
    """The server's no, by what to do next: log in properly, look at it, or try again later."""
    code, words = answer
    told = one_line(words.decode("utf-8", "replace"))[:200]
    said = f"the mail server refused {what}: {code} {told}"
    if code in _CREDENTIAL_CODES:
        return WrongCredentials(said, record=record, not_done="nothing was sent", next_step="check user and password")
    if 500 <= code < 600:
        return LedgerRejected(said, detail=told, status=code, record=record, next_step="check the address")
    return NotSent(said, record=record)


def _no_login(error: smtplib.SMTPAuthenticationError, where: str) -> DunwellError:
    """The server's own words are left out: some repeat what was sent."""
    said = f"the mail server {where} refused the log-in: {error.smtp_code}"
    if error.smtp_code >= 500:
        return WrongCredentials(said, not_done="nothing was sent", next_step="check user and password")
    return NotSent(said)


def _leave(client: smtplib.SMTP) -> None:
    with suppress(smtplib.SMTPException, OSError):
        client.quit()
    client.close()


class FolderChannel:
    """Letters as files `<date>-<short key>.eml`, for people who send them by hand, for trials and demonstrations.

    The date is that of the instant given, in its own time zone: the caller hands over the organisation's.

    A file appears complete or not at all, once for each effect: the same letter again finds it there.
    """

    name = "email"

    def __init__(self, folder: Path, sender: Mailbox, reply_to: str) -> None:
        self._folder = folder
        self._sender, self._reply_to = _checked(sender, reply_to)

    @property
    def goes_to(self) -> Path:
        """The folder."""
        return self._folder

    def send(self, letter: OutgoingLetter, at: datetime) -> Receipt:
        """Raises `NotSent` when the file could not be written, and as `message` does."""
        content = message(letter, self._sender, self._reply_to, at).as_bytes()
        if there := self._existing(letter.message_id):
            self._sweep(letter.message_id)
            return Receipt(letter.message_id, detail=there.name, already=True)
        target = self._folder / f"{at:%Y-%m-%d}-{_short(letter.message_id)}.eml"
        draft = target.with_name(f".{target.name}.{os.getpid()}-{threading.get_ident()}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _write_durably(draft, content)
            already = not _named(draft, target)
        except OSError as error:
            raise NotSent(f"the letter could not be written to {self._folder}: {error.strerror}") from error
        try:
            _sync_folder(self._folder)
        except OSError as error:
            raise OutcomeUnknown(f"{target} may not survive a power cut", record=letter.message_id) from error
        self._sweep(letter.message_id)
        return Receipt(letter.message_id, detail=target.name, already=already)

    def find(self, message_id: str) -> bool:
        """Whether the letter is in the folder."""
        if self._existing(message_id) is None:
            return False
        self._sweep(message_id)
        return True

    def _existing(self, message_id: str) -> Path | None:
        """On whatever day it was written. Globs nothing that came from outside: the short key is hex and dots."""
        return next(iter(sorted(self._folder.glob(f"????-??-??-{_short(message_id)}.eml"))), None)

    def _sweep(self, message_id: str) -> None:
        """Remove what killed processes left of this letter: it is there, so nobody needs their drafts any more."""
        for draft in self._folder.glob(f".????-??-??-{_short(message_id)}.eml.*"):
            with suppress(OSError):
                draft.unlink()


def _short(message_id: str) -> str:
    if not (match := _SHORT_KEY.fullmatch(key_part(message_id))):
        raise ValueError(f"{message_id!r} does not come from an effect key")
    return match[1]


def _write_durably(path: Path, content: bytes) -> None:
    """For the owner's eyes only, and on the disk before the name appears."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _named(draft: Path, target: Path) -> bool:
    """Give the draft its name, unless a letter has it already; True when it is ours."""
    try:
        os.link(draft, target)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _checked(sender: Mailbox, reply_to: str) -> tuple[Mailbox, str]:
    try:
        return Mailbox(address(sender.address), sender.name), address(reply_to)
    except LedgerRejected as error:
        raise ConfigError(f"the sender cannot write letters: {error.what}", fix="correct the mail settings") from error
