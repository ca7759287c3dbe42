"""What Xero sends to a client that does not ask for JSON: XML. Only its shape is kept, not its every detail."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.sax.saxutils import escape

from adapters._twin.messages import Request, Response

_IRREGULAR = {"Addresses": "Address", "TaxRates": "TaxRate", "Elements": "DataContractBase"}


def wants_json(request: Request) -> bool:
    """Tell whether the Accept header names JSON; a missing header or "*/*" does not."""
    ranges = request.headers.get("accept", "").split(",")
    return any(each.split(";")[0].strip().lower() == "application/json" for each in ranges)


def in_xml(response: Response) -> Response:
    """Turn a JSON answer into XML; leave every other answer alone."""
    kind = next((value for name, value in response.headers if name.lower() == "content-type"), "")
    if not kind.startswith("application/json"):
        return response
    root = "Response" if response.status < 300 else "ApiException"
    document = json.loads(response.body, parse_float=str, parse_int=str)
    headers = tuple(pair for pair in response.headers if pair[0].lower() != "content-type")
    return replace(
        response,
        headers=(("Content-Type", "text/xml; charset=utf-8"), *headers),
        body=f'<?xml version="1.0" encoding="utf-8"?>{_element(root, document)}'.encode(),
    )


def _element(name: str, value: object) -> str:
    if value is None:
        return f"<{name} />"
    return f"<{name}>{_content(name, value)}</{name}>"


def _content(name: str, value: object) -> str:
    if isinstance(value, dict):
        return "".join(_element(str(key), each) for key, each in value.items())
    if isinstance(value, list):
        return "".join(_element(_singular(name), each) for each in value)
    if isinstance(value, bool):
        return str(value).lower()
    return escape(str(value))


def _singular(name: str) -> str:
    if name in _IRREGULAR:
        return _IRREGULAR[name]
    if name.endswith("ies"):
        return f"{name[:-3]}y"
    return name.removesuffix("s")
