"""Answers that arrive whole and are still no answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from adapters._twin.messages import Response

_LOGIN = b"<!DOCTYPE html><html><head><title>Log in</title></head><body><form>Log in</form></body></html>"
_STRING_OR_NUMBER = re.compile(rb'("(?:[^"\\]|\\.)*")|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?')


def _typed(response: Response, content_type: str) -> Response:
    others = tuple(pair for pair in response.headers if pair[0].lower() != "content-type")
    return replace(response, headers=(("Content-Type", content_type), *others))


def _truncated_json(response: Response) -> Response:
    return replace(response, body=response.body[: max(1, len(response.body) // 2)])


def _html_login(response: Response) -> Response:
    return _typed(replace(response, status=200, body=_LOGIN), "text/html; charset=utf-8")


def _not_json(response: Response) -> Response:
    return replace(response, body=b"upstream said: OK")


def _empty(response: Response) -> Response:
    return replace(response, body=b"")


def _bom(response: Response) -> Response:
    return replace(response, body=b"\xef\xbb\xbf" + response.body)


def _nan(response: Response) -> Response:
    return replace(response, body=_STRING_OR_NUMBER.sub(lambda hit: hit[1] or b"NaN", response.body))


def _wrong_content_type(response: Response) -> Response:
    return _typed(response, "text/html; charset=utf-8")


GARBAGE: dict[str, Callable[[Response], Response]] = {
    "truncated_json": _truncated_json,
    "html_login": _html_login,
    "not_json": _not_json,
    "empty": _empty,
    "bom": _bom,
    "nan": _nan,
    "wrong_content_type": _wrong_content_type,
}
