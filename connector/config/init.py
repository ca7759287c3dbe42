"""A new project folder: policy, mapping, letters, an example of the environment, a README."""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from connector.config.findings import nearest
from connector.config.layers import POLICY_FILE, PRESETS
from connector.config.mapping import MAPPING_FILE
from connector.errors import ConfigError, Refused, UserError


def scaffold(target: Path, preset: str = "standard") -> list[Path]:
    """Make the project's files and name them. Nothing is overwritten.

    Raises `ConfigError` for an unknown preset, `Refused` when a file is there already, `UserError` when the folder
    cannot be written.
    """
    if preset not in PRESETS:
        raise ConfigError(
            f"{preset} is not a preset", path="preset", fix=nearest(preset, PRESETS), not_done="nothing was written"
        )
    texts = {target / name: text for name, text in _texts(preset).items()}
    if there := [path for path in texts if path.exists()]:
        raise Refused(
            f"{there[0]} is there already",
            record=str(target),
            not_done="nothing was written",
            next_step="choose an empty folder",
        )
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as error:
        raise UserError(f"{error.filename} cannot be written: {error.strerror}", record=str(target)) from error
    return list(texts)


def _texts(preset: str) -> dict[str, str]:
    shipped = files("mappings")
    policy = shipped.joinpath(POLICY_FILE).read_text("utf-8")
    return {
        POLICY_FILE: re.sub(r"^preset: \w+$", f"preset: {preset}", policy, count=1, flags=re.MULTILINE),
        MAPPING_FILE: shipped.joinpath("defaults.yaml").read_text("utf-8"),
        ".env.example": shipped.joinpath("project", "env.example").read_text("utf-8"),
        ".gitignore": shipped.joinpath("project", "gitignore").read_text("utf-8"),
        "README.md": shipped.joinpath("project", "README.md").read_text("utf-8"),
        **{f"letters/en/{one.name}": one.read_text("utf-8") for one in _letters(shipped.joinpath("letters", "en"))},
    }


def _letters(folder: Traversable) -> list[Traversable]:
    return sorted((one for one in folder.iterdir() if one.name.endswith(".md")), key=lambda one: one.name)
