"""The scan for ledgers."""

from __future__ import annotations

import subprocess
import sys

import pytest

import adapters
from connector.errors import NotFound


def test_a_package_with_an_adapter_is_available() -> None:
    found = adapters.available()
    assert "xero" in found
    assert not any(name.startswith("_") for name in found)
    for name in found:
        adapter = adapters.load(name)
        assert adapter.name == name
        assert adapter.sandbox.startswith(f"adapters.{name}.sandbox")


@pytest.mark.parametrize("name", ["", "sage", "_twin", "../xero", "xero.client"])
def test_an_unknown_ledger_names_the_ones_there_are(name: str) -> None:
    with pytest.raises(NotFound) as caught:
        adapters.load(name)
    assert "xero" in caught.value.next_step


def test_a_sandbox_never_loads_the_client() -> None:
    program = (
        "import sys, adapters.xero.sandbox\n"
        "loaded = [m for m in sys.modules if m.startswith(('connector', 'httpx', 'adapters.xero.'))]\n"
        "print([m for m in loaded if not m.startswith('adapters.xero.sandbox')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
