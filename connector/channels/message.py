"""One letter as an Internet message (RFC 5322): the same letter, sender and instant always give the same bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from connector.domain.text import one_line
from connector.errors import LedgerRejected
from connector.ports import OutgoingLetter

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_MESSAGE_ID: Final = re.compile(rf"<(?P<left>{_ATOM}(?:\.{_ATOM})*)@{_LABEL}(?:\.{_LABEL})*>")
_MEDIA_TYPE: Final = re.compile(r"[a-z]+/[a-z0-9.+-]+")
_NAME_SPECIALS: Final = re.compile(r'[()<>\[\]:;@\\,"]')
_FILE_SPECIALS: Final = re.compile(r'[/\\:*?"<>|]')
_LONGEST_ADDRESS: Final = 254  # RFC 5321, 4.5.3.1.3


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address with the name shown beside it."""

    address: str
    name: str = ""


def message_id(key: str, domain: str) -> str:
    """`<dw.` + 32 digits of the effect key + `@domain>`: the same effect always has the same Message-ID."""
    return f"<dw.{key[:32]}@{_ascii_domain(domain)}>"


def key_part(identifier: str) -> str:
    """What a Message-ID says before the @, for file names. Raises `ValueError` when it is no Message-ID."""
    if not (match := _MESSAGE_ID.fullmatch(identifier)):
        raise ValueError(f"{identifier!r} is not a Message-ID")
    return match["left"]


def address(value: str) -> str:
    """One plain ASCII address; international domains are encoded. Raises `LedgerRejected` for anything else."""
    local, _, domain = value.strip().rpartition("@")
    encoded = f"{local}@{_ascii_domain(domain)}"
    if len(encoded) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(encoded):
        shown = one_line(value)[:80]
        raise LedgerRejected(
            f"{shown!r} is not an e-mail address", record=shown, next_step="correct the address in the ledger"
        )
    return encoded


def _ascii_domain(domain: str) -> str:
    try:
        return domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""  # no address matches


def message(letter: OutgoingLetter, sender: Mailbox, reply_to: str, at: datetime) -> EmailMessage:
    """The message for exactly one recipient. `at` must be aware.

    `Auto-Submitted: auto-generated` (RFC 3834) asks other machines not to answer: dunwell wrote it, although a person
    approved it. Raises `LedgerRejected` for an address that cannot be one, `ValueError` for a bad Message-ID.
    """
    if at.tzinfo is None:
        raise ValueError("a message is dated by an aware instant")
    name = key_part(letter.message_id)
    composed = EmailMessage(policy=SMTP)
    composed["Message-ID"] = letter.message_id
    composed["Date"] = format_datetime(at)
    composed["From"] = Address(_display_name(sender.name), addr_spec=address(sender.address))
    composed["Reply-To"] = Address(addr_spec=address(reply_to))
    composed["To"] = Address(addr_spec=address(letter.recipient))
    composed["Subject"] = one_line(letter.subject)
    composed["Auto-Submitted"] = "auto-generated"
    composed.set_content(letter.text, cte="quoted-printable")
    if letter.html:
        composed.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    for file_name, media_type, content in letter.attachments:
        main, sub = (media_type if _MEDIA_TYPE.fullmatch(media_type) else "application/octet-stream").split("/")
        composed.add_attachment(content, main, sub, filename=_file_name(file_name))
    _bound(composed, name)
    return composed


def _display_name(name: str) -> str:
    return " ".join(_NAME_SPECIALS.sub(" ", one_line(name)).split())


def _file_name(name: str) -> str:
    return _FILE_SPECIALS.sub("-", one_line(name)).strip(". ") or "attachment"


def _bound(composed: EmailMessage, name: str) -> None:
    """Boundaries from the letter's own name instead of chance. "=_" occurs in no encoded part (RFC 2045, 6.7)."""
    for number, part in enumerate(part for part in composed.walk() if part.is_multipart()):
        part.set_boundary(f"=_{name[:40]}_{number}")
