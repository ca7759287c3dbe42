"""Every kind of effect is killed."""

from __future__ import annotations

import pytest

from connector.domain.effects import EffectKind
from tests.kills.kinds import CASES, KINDS, Point


@pytest.mark.parametrize("effect", EffectKind)
def test_every_kind_of_effect_is_killed_at_every_point(effect: EffectKind) -> None:
    assert {point for name, point in CASES if KINDS[name].effect is effect} == set(Point)
