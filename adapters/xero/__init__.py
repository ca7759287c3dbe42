"""The Xero adapter. `ADAPTER` is loaded when it is asked for, so that the sandbox below never loads the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.ports import Adapter

    ADAPTER: Adapter


def __getattr__(name: str) -> object:
    if name != "ADAPTER":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from adapters.xero.adapter import ADAPTER

    return ADAPTER
