"""A write and what its answer tells; a look and what it found."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final, TypeVar

from adapters.xero import wire
from adapters.xero.client import XeroClient
from adapters.xero.decode import document, page
from adapters.xero.dialect import messages
from connector.domain.effects import Finding, Prepared, Probe, Receipt
from connector.errors import LedgerRejected, LedgerUnavailable, NotFound, NotSent, OutcomeUnknown, UnreadableAnswer
from connector.ports import HttpAnswer

T = TypeVar("T")

ABSENT: Final = Probe(Finding.ABSENT)
CANNOT_TELL: Final = Probe(Finding.CANNOT_TELL)


def write(client: XeroClient, prepared: Prepared, path: str = "") -> HttpAnswer:
    """The prepared request, byte for byte; `path` where an id could only be looked up when sending."""
    return client.write(
        prepared.method,
        path or prepared.path,
        prepared.body,
        content_type=prepared.content_type,
        key=prepared.key,
    )


class Before:
    """A read that goes before the write: when it fails, nothing was sent."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (LedgerUnavailable, UnreadableAnswer)):
            raise NotSent(f"could not look before writing: {error.what}", not_done="nothing was written") from error
        if isinstance(error, NotFound):
            raise LedgerRejected(error.what, status=404, next_step="look for the record in Xero") from error


def present(reference: str) -> Probe:
    return Probe(Finding.PRESENT, Receipt(reference, found=True))


def answered(answer: HttpAnswer, shape: wire.Shape[T]) -> tuple[T, ...]:
    """The rows of a write's answer. An unreadable one tells nothing: `OutcomeUnknown`."""
    try:
        return page(answer, shape).rows
    except UnreadableAnswer as error:
        raise OutcomeUnknown(error.what) from error


def judge_elements(answer: HttpAnswer) -> None:
    """A 200 may carry an error of its element: each is judged alone. Raises `LedgerRejected`."""
    elements = document(answer)
    lists = [rows for rows in elements.values() if isinstance(rows, list)] if isinstance(elements, dict) else []
    wrapped = json.dumps({"Elements": lists}).encode()
    if detail := "; ".join(messages(HttpAnswer(answer.status, {"content-type": "application/json"}, wrapped))):
        raise LedgerRejected(f"Xero refused: {detail}", detail=detail, status=answer.status)


def found(receipt: Receipt | None) -> Probe:
    """Present with this proof, or absent."""
    return ABSENT if receipt is None else Probe(Finding.PRESENT, replace(receipt, found=True, already=False))
