"""Reading YAML: plain values with positions; everything that a settings file does not need is refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from connector.config.document import MAX_BYTES, MAX_DEPTH, MAX_VALUES, Document, Position, dotted, read_document


def _read(tmp_path: Path, text: str | bytes) -> Document:
    path = tmp_path / "some.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_document(path)


def test_values_are_plain_and_exact(tmp_path: Path) -> None:
    document = _read(
        tmp_path,
        "a: 1\nb: 0.10\nc: true\nd: null\ne: '5'\nf: yes\ng: 2026-01-01\n"
        "h: [1, two]\ni: {j: -3}\nk: 0o17\nl: 1e3\nm: 007\n",
    )
    assert document.findings == []
    assert document.data == {
        "a": 1, "b": Decimal("0.10"), "c": True, "d": None, "e": "5", "f": "yes", "g": "2026-01-01",
        "h": [1, "two"], "i": {"j": -3}, "k": "0o17", "l": "1e3", "m": "007",
    }  # fmt: skip
    assert not any(isinstance(value, float) for value in document.data.values())


def test_every_key_and_value_has_its_position(tmp_path: Path) -> None:
    document = _read(tmp_path, "ladder:\n  steps:\n    - {level: friendly}\n    - level: firm\n")
    assert document.keys["ladder", "steps"] == Position(2, 3)
    assert document.values["ladder", "steps", 1, "level"] == Position(4, 14)
    assert document.position(("ladder", "steps", 0, "level"), of_key=True) == Position(3, 8)
    assert dotted(("ladder", "steps", 0, "level")) == "ladder.steps[0].level"


@pytest.mark.parametrize("text", ["", "\n# nothing\n", "---\n", "null\n", "\ufeff"])
def test_an_empty_file_says_nothing(tmp_path: Path, text: str) -> None:
    document = _read(tmp_path, text)
    assert (document.data, document.findings) == ({}, [])


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ("a: 1\n\tb: 2\n", 2, 1, "a tab"),
        ("a:\n  \tb: 2\n", 2, 3, "a tab"),
        ("a: 1\nb: 2\na: 3\n", 3, 1, "a is given twice, first in line 1"),
        ("a: {b: 1, b: 2}\n", 1, 11, "a.b is given twice"),
        ("a: &x 1\nb: *x\n", 1, 4, "anchors"),
        ("a: *x\n", 1, 4, "anchors"),
        ("a: !!python/object/apply:os.system [id]\n", 1, 4, "tags"),
        ("a: !ruby 1\n", 1, 4, "tags"),
        ("a: {<<: {b: 1}}\n", 1, 5, "merge keys"),
        ("- a\n", 1, 1, "name: value"),
        ("word\n", 1, 1, "name: value"),
        ("a: 1\n---\nb: 2\n", 2, 1, "second document"),
        ("[a]: 1\n", 1, 1, "one word"),
        ("a: [1,\n", 2, 1, "not valid YAML"),
        ("a: b: c\n", 1, 5, "not valid YAML"),
        ('a: "\\q"\n', 1, 6, "not valid YAML"),
        ("a: \x07\n", 1, 1, "not valid YAML"),
        (b"a: 1\nb: \xff\n", 2, 1, "not UTF-8"),
        ("a: " + "[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2), 1, MAX_DEPTH + 4, "nested deeper"),
        ("a: [" + "1," * (MAX_VALUES + 1) + "]", 1, 2 * MAX_VALUES + 1, "more than"),
        ("a: " + "x" * MAX_BYTES, 1, 1, "larger than"),
    ],
)
def test_what_is_not_understood_is_refused_where_it_stands(
    tmp_path: Path, text: str | bytes, line: int, column: int, what: str
) -> None:
    (finding,) = _read(tmp_path, text).findings
    assert what in finding.what
    assert (finding.line, finding.column) == (line, column)
    assert finding.file == str(tmp_path / "some.yaml")


def test_a_repeated_name_keeps_the_first_and_reading_goes_on(tmp_path: Path) -> None:
    document = _read(tmp_path, "a: 1\na: 2\na: 3\nb: 4\n")
    assert document.data == {"a": 1, "b": 4}
    assert [finding.line for finding in document.findings] == [2, 3]


def test_a_billion_laughs_are_not_laughed(tmp_path: Path) -> None:
    text = "a: &a [x, x]\n" + "".join(f"{n}: &{n} [*{p}, *{p}]\n" for p, n in zip("abcdef", "bcdefg", strict=True))
    assert len(_read(tmp_path, text).findings) == 1


def test_a_file_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    (finding,) = read_document(tmp_path / "none.yaml").findings
    assert "cannot be read" in finding.what
    assert finding.fix


def test_a_finding_tells_its_place_in_words(tmp_path: Path) -> None:
    (finding,) = _read(tmp_path, "a: 1\na: 2\n").findings
    assert str(finding) == f"{tmp_path}/some.yaml:2:1: a is given twice, first in line 1"
    assert finding.as_dict()["path"] == "a"
