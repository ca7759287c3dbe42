"""Ledger adapters: one package a ledger. A package that exports `ADAPTER` is available; nothing else is registered."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from connector.ports import Adapter


def available() -> tuple[str, ...]:
    """Names of the ledgers that dunwell can connect to, sorted."""
    return tuple(name for name in _packages() if hasattr(_package(name), "ADAPTER"))


def load(name: str) -> Adapter:
    """The adapter of that name. Raises `NotFound`, naming the ones there are."""
    if name in _packages() and (found := getattr(_package(name), "ADAPTER", None)) is not None:
        return cast("Adapter", found)
    from connector.errors import NotFound  # here, so that a sandbox loads nothing of the product with this package

    raise NotFound(f"there is no ledger {name!r}", next_step=f"choose one of: {', '.join(available())}")


def _packages() -> tuple[str, ...]:
    found = pkgutil.iter_modules(__path__)
    return tuple(sorted(module.name for module in found if module.ispkg and not module.name.startswith("_")))


def _package(name: str) -> object:
    return importlib.import_module(f"{__name__}.{name}")
