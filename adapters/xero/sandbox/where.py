"""The filter language of the list endpoints: `Type=="ACCREC" AND (AmountDue>0 OR DueDate<DateTime(2026,11,22))`.

Known: == != < <= > >=, AND OR && ||, parentheses, text in double quotes, numbers, true, false, null, Guid("..."),
DateTime(y,m,d[,h,mi,s]), .Contains("...") and .StartsWith("..."), fields with dots. AND binds closer than OR. Text is
compared without regard to case and accents, and names without regard to case. Everything else is refused with BadQuery.
"""

from __future__ import annotations

import operator
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Generic, Literal, TypeVar

from adapters.xero.sandbox.errors import BadQuery

R = TypeVar("R")
Kind = Literal["text", "number", "bool", "date", "guid"]
Value = str | Decimal | bool | datetime | date | None
Test = Callable[[R], bool]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>"(?:[^"\\]|\\.)*")
      | (?P<number>-?\d+(?:\.\d+)?[mM]?(?![\w.]))
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
      | (?P<sign>==|!=|<=|>=|<|>|=|&&|\|\||[(),])
    )""",
    re.VERBOSE,
)
_GUID = re.compile(r"[0-9A-Za-z]{8}(?:-[0-9A-Za-z]{4}){3}-[0-9A-Za-z]{12}")
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_DEEPEST = 40
_MOST_COMPARISONS = 300


@dataclass(frozen=True, slots=True)
class Field(Generic[R]):
    """A field that filters and orders may name. `fast` = cheap to filter by equality, `ranged` = by ranges, too."""

    kind: Kind
    read: Callable[[R], Value]
    fast: bool = False
    ranged: bool = False
    sortable: bool = False


Fields = Mapping[str, Field[R]]  # keys in lower case


@dataclass(frozen=True, slots=True)
class Filter(Generic[R]):
    """A compiled filter. `optimised` says whether only cheap comparisons are in it."""

    test: Test[R]
    optimised: bool


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """Return the text without case and accents."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in plain if not unicodedata.combining(sign)).casefold()


def parse(source: str, fields: Fields[R]) -> Filter[R]:
    """Compile a filter. Raises BadQuery, naming what could not be understood."""
    reader = _Reader(_tokens(source), fields)
    test = reader.either(0)
    reader.finish()
    return Filter(test, reader.optimised)


def ordering(source: str, fields: Fields[R]) -> tuple[list[tuple[Field[R], bool]], bool]:
    """Read an order ("DueDate DESC, InvoiceNumber") as (field, descending) pairs, and whether it is cheap."""
    keys: list[tuple[Field[R], bool]] = []
    for part in source.split(","):
        match part.split():
            case [name]:
                direction = "ASC"
            case [name, direction] if direction.upper() in {"ASC", "DESC"}:
                pass
            case _:
                raise BadQuery(f"Cannot order by '{part.strip()}'")
        keys.append((_field(fields, name), direction.upper() == "DESC"))
    return keys, all(one.sortable for one, _ in keys)


def sort(rows: list[R], keys: list[tuple[Field[R], bool]]) -> list[R]:
    """Sort by several keys, the first one weighing most; unset values come first in ascending order."""
    for key, descending in reversed(keys):
        rows = sorted(rows, key=_sort_key(key), reverse=descending)
    return rows


def _sort_key(key: Field[R]) -> Callable[[R], tuple[bool, Any]]:
    def of(row: R) -> tuple[bool, Any]:
        value = key.read(row)
        return (False, 0) if value is None else (True, _CONVERT[key.kind](value))

    return of


def _field(fields: Fields[R], name: str) -> Field[R]:
    known = fields.get(name.lower())
    if known is None:
        raise BadQuery(f"No property or field '{name}' exists")
    return known


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def _tokens(source: str) -> list[_Token]:
    found: list[_Token] = []
    at, end = 0, len(source.rstrip())
    while at < end:
        match = _TOKEN.match(source, at)
        if match is None or match.lastgroup is None:
            raise BadQuery(f"Syntax error at position {at} in the filter")
        found.append(_Token(match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return found


@dataclass(frozen=True, slots=True)
class _Literal:
    kind: Kind | Literal["null"]
    value: str | Decimal | datetime | None


class _Reader(Generic[R]):
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[_Token], fields: Fields[R]) -> None:
        self._tokens = tokens
        self._fields = fields
        self._at = 0
        self._comparisons = 0
        self.optimised = True

    def either(self, depth: int) -> Test[R]:
        """Read comparisons joined by OR."""
        test = self._both(depth)
        while self._takes("||", "OR"):
            test = _or(test, self._both(depth))
        return test

    def finish(self) -> None:
        """Refuse anything left over."""
        if self._at < len(self._tokens):
            raise BadQuery(f"Syntax error: '{self._tokens[self._at].text}' was not expected")

    def _both(self, depth: int) -> Test[R]:
        test = self._term(depth)
        while self._takes("&&", "AND"):
            test = _and(test, self._term(depth))
        return test

    def _term(self, depth: int) -> Test[R]:
        if depth > _DEEPEST:
            raise BadQuery("The filter is nested too deeply")
        if self._takes("("):
            inner = self.either(depth + 1)
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Test[R]:
        self._comparisons += 1
        if self._comparisons > _MOST_COMPARISONS:
            raise BadQuery("The filter has too many comparisons")
        token = self._next("name")
        name, _, method = token.text.rpartition(".")
        if method.lower() in {"contains", "startswith"} and self._takes("("):
            return self._text_test(_field(self._fields, name), method.lower())
        field = _field(self._fields, token.text)
        sign = self._next("sign").text
        if sign not in _COMPARE:
            raise BadQuery(f"'{sign}' is not a comparison")
        literal = self._literal()
        self._weigh(field, sign)
        return _test(token.text, field, sign, literal)

    def _weigh(self, field: Field[R], sign: str) -> None:
        ranged = field.ranged and sign != "!="
        self.optimised = self.optimised and (ranged or (field.fast and sign in {"==", "="}))

    def _text_test(self, field: Field[R], method: str) -> Test[R]:
        if field.kind != "text":
            raise BadQuery(f"{method} needs a text field")
        wanted = fold(_unquote(self._next("text").text))
        self._expect(")")
        self.optimised = False
        read = field.read
        if method == "startswith":
            return lambda row: isinstance(value := read(row), str) and fold(value).startswith(wanted)
        return lambda row: isinstance(value := read(row), str) and wanted in fold(value)

    def _literal(self) -> _Literal:
        token = self._tokens[self._at] if self._at < len(self._tokens) else _Token("end", "the end")
        self._at += 1
        if token.kind == "text":
            return _Literal("text", fold(_unquote(token.text)))
        if token.kind == "number":
            return _Literal("number", Decimal(token.text.rstrip("mM")))
        match token.text.lower():
            case "null":
                return _Literal("null", None)
            case "true" | "false" as truth:
                return _Literal("bool", Decimal(truth == "true"))
            case "guid":
                return self._guid()
            case "datetime":
                return self._date_time()
            case _:
                raise BadQuery(f"'{token.text}' is not a value")

    def _guid(self) -> _Literal:
        self._expect("(")
        text = _unquote(self._next("text").text)
        self._expect(")")
        if not _GUID.fullmatch(text):
            raise BadQuery("Guid should contain 32 digits with 4 dashes")
        return _Literal("guid", text.lower())

    def _date_time(self) -> _Literal:
        self._expect("(")
        numbers = [self._next("number").text]
        while self._takes(","):
            numbers.append(self._next("number").text)
        self._expect(")")
        if len(numbers) not in {3, 5, 6}:
            raise BadQuery("DateTime takes year, month, day and, if wanted, a time")
        try:
            year, month, day, hour, minute, second = (*(int(one) for one in numbers), 0, 0, 0)[:6]
            return _Literal("date", datetime(year, month, day, hour, minute, second))  # noqa: DTZ001 - no zones here
        except (ValueError, OverflowError):
            raise BadQuery(f"DateTime({', '.join(numbers)}) is not a date") from None

    def _takes(self, *texts: str) -> bool:
        if self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.kind != "text" and token.text.upper() in texts:
                self._at += 1
                return True
        return False

    def _expect(self, text: str) -> None:
        if not self._takes(text):
            raise BadQuery(f"'{text}' expected")

    def _next(self, kind: str) -> _Token:
        if self._at >= len(self._tokens):
            raise BadQuery("The filter ends too early")
        token = self._tokens[self._at]
        if token.kind != kind:
            raise BadQuery(f"Syntax error at '{token.text}'")
        self._at += 1
        return token


def _or(left: Test[R], right: Test[R]) -> Test[R]:
    return lambda row: left(row) or right(row)


def _and(left: Test[R], right: Test[R]) -> Test[R]:
    return lambda row: left(row) and right(row)


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _test(name: str, field: Field[R], sign: str, literal: _Literal) -> Test[R]:
    compare, kind, read = _COMPARE[sign], field.kind, field.read
    if literal.kind == "null":
        if compare not in {operator.eq, operator.ne}:
            raise BadQuery(f"'{sign}' cannot compare with null")
        wants_null = compare is operator.eq
        return lambda row: (read(row) in {None, ""}) is wants_null
    if literal.kind != kind:
        raise BadQuery(f"Operator '{sign}' incompatible with operand types of '{name}' and a {literal.kind}")
    if kind in {"bool", "guid"} and compare not in {operator.eq, operator.ne}:
        raise BadQuery(f"Operator '{sign}' incompatible with '{name}'")
    wanted, unset = literal.value, compare is operator.ne
    convert = _CONVERT[kind]

    def test(row: R) -> bool:
        value = read(row)
        return unset if value is None and kind != "bool" else compare(convert(value), wanted)

    return test


@lru_cache(maxsize=65_536)
def _moment(value: date) -> datetime:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the filter language knows no zones


# How a field's value becomes what its literals are read as.
_CONVERT: Mapping[Kind, Callable[[Any], Any]] = {
    "text": fold,
    "guid": str.lower,
    "number": lambda value: value,
    "bool": lambda value: Decimal(bool(value)),
    "date": _moment,
}
