"""The sentence for each reason code; `{name}` is one of the reason's facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, str]] = {}
