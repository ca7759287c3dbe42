"""Comparing what was read with the books, record by record and field by field."""

from __future__ import annotations

from collections.abc import Mapping

from connector.domain.ledger import RecordKind
from tests.adapters.conformance.bench import Key, Portrait
from tests.adapters.conformance.desk import Desk, Mirror


def same(mirror: Mirror, desk: Desk) -> None:
    """The mirror is the books, record by record and field by field; nothing is left for a person."""
    got, true = mirror.portraits(), desk.truth()
    found = differences(got, true)
    assert not found, "\n".join(found)
    assert mirror.review == {}


def differences(got: dict[Key, Portrait], true: Mapping[Key, Portrait]) -> list[str]:
    missing = [f"missing {key}" for key in true if key not in got]
    invented = [f"invented {key}" for key in got if key not in true]
    wrong = [
        f"{key} {name}: {got[key][name]!r}, true is {value!r}"
        for key, portrait in true.items()
        if key in got
        for name, value in portrait.items()
        if got[key][name] != value
    ]
    return missing + invented + wrong


def numbered(mirror: Mirror, number: str) -> Portrait:
    (found,) = (one for one in mirror.of(RecordKind.INVOICE).values() if one["number"] == number)
    return found


def called(mirror: Mirror, name: str) -> Portrait:
    (found,) = (one for one in mirror.of(RecordKind.CUSTOMER).values() if one["name"] == name)
    return found
