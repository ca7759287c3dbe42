"""A new project folder is sound, complete and never written over another."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.channels.context import LetterKind
from connector.config.init import scaffold
from connector.config.layers import check_policy, load_policy, load_preset
from connector.config.mapping import check_mapping
from connector.errors import ConfigError, Refused
from connector.settings import Settings


@pytest.mark.parametrize("preset", ["gentle", "standard", "firm"])
def test_a_new_project_has_its_preset_and_nothing_to_complain_about(tmp_path: Path, preset: str) -> None:
    made = scaffold(tmp_path / "acme", preset)
    assert all(path.is_file() for path in made)
    assert load_policy(tmp_path / "acme").policy == load_preset(preset)
    assert check_policy(tmp_path / "acme") == check_mapping(tmp_path / "acme") == ()
    names = {str(path.relative_to(tmp_path / "acme")) for path in made}
    assert {"policy.yaml", "mapping.yaml", ".env.example", ".gitignore", "README.md"} <= names
    assert {f"letters/en/{kind}.md" for kind in LetterKind} <= names


def test_secrets_and_state_are_kept_out_of_version_control(tmp_path: Path) -> None:
    scaffold(tmp_path, "standard")
    assert {".env", ".dunwell/"} <= set((tmp_path / ".gitignore").read_text().split())


def test_the_example_of_the_environment_is_one_that_settings_understand(tmp_path: Path) -> None:
    scaffold(tmp_path)
    (tmp_path / ".env.example").rename(tmp_path / ".env")
    assert Settings.load(tmp_path).smtp_security == "starttls"
    named = {line.partition("=")[0] for line in (tmp_path / ".env").read_text().splitlines() if line[:1].isalpha()}
    known = {f"DUNWELL_{name.upper()}" for name in Settings.model_fields}
    assert named - known == {"DUNWELL_XERO_CLIENT_ID", "DUNWELL_XERO_CLIENT_SECRET"}


def test_nothing_is_overwritten_and_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(Refused, match=r"README\.md is there already"):
        scaffold(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "mine"


def test_an_unknown_preset_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gentel") as caught:
        scaffold(tmp_path / "acme", "gentel")
    assert caught.value.fix == "did you mean gentle?"
    assert not (tmp_path / "acme").exists()
