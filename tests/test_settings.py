"""Process settings: where values come from, and what is refused without showing a secret."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from connector.errors import ConfigError
from connector.ports import Credentials
from connector.settings import Settings

CANARY = "CANARY-secret-value"


@pytest.fixture(autouse=True)
def _no_outer_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("DUNWELL_"):
            monkeypatch.delenv(name)


def test_an_empty_project_has_usable_defaults(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path)
    assert settings.database == f"sqlite:///{tmp_path}/.dunwell/dunwell.db"
    assert settings.letters == tmp_path / ".dunwell" / "letters"
    assert (settings.smtp_host, settings.smtp_security, settings.mail_port) == ("", "starttls", 587)
    assert settings.master_key() == ""
    assert settings.mail_password() == ""
    assert settings.credentials("DUNWELL_XERO") is None


def test_the_environment_wins_over_the_project_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text(
        "DUNWELL_SMTP_HOST=file.example\nDUNWELL_SMTP_USER=robot\nDUNWELL_SMTP_FROM=\nOTHER_TOOL=1\n"
    )
    monkeypatch.setenv("DUNWELL_SMTP_HOST", "environment.example")
    monkeypatch.setenv("DUNWELL_SMTP_SECURITY", "tls")
    settings = Settings.load(tmp_path)
    assert (settings.smtp_host, settings.smtp_user, settings.smtp_from) == ("environment.example", "robot", "")
    assert settings.mail_port == 465


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgresql://u:p@db/dunwell", "postgresql+psycopg://u:p@db/dunwell"),
        ("postgres://u:p@db/dunwell", "postgresql+psycopg://u:p@db/dunwell"),
        ("postgresql+psycopg://db/dunwell", "postgresql+psycopg://db/dunwell"),
        ("sqlite:////var/lib/dunwell.db", "sqlite:////var/lib/dunwell.db"),
    ],
)
def test_database_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, used: str) -> None:
    monkeypatch.setenv("DUNWELL_DATABASE_URL", given)
    assert Settings.load(tmp_path).database == used


def test_a_relative_database_lies_in_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUNWELL_DATABASE_URL", "sqlite:///state/books.db")
    assert Settings.load(tmp_path).database == f"sqlite:///{tmp_path}/state/books.db"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DUNWELL_SMTP_PORT", CANARY),
        ("DUNWELL_SMTP_PORT", "0"),
        ("DUNWELL_SMTP_PORT", "65536"),
        ("DUNWELL_SMTP_SECURITY", CANARY),
        ("DUNWELL_DATABASE_URL", f"mysql://root:{CANARY}@db/x"),
        ("DUNWELL_SMTP_PASSWORD_FILE", "missing.txt"),
        ("DUNWELL_SECRET_KEY_FILE", "missing.txt"),
    ],
)
def test_a_bad_value_is_refused_by_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError) as caught:
        Settings.load(tmp_path)
    assert variable in str(caught.value)
    assert caught.value.path == variable
    assert CANARY not in str(caught.value.as_dict())


def test_a_project_file_in_another_encoding_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("DUNWELL_SMTP_USER=ä".encode("latin-1"))
    with pytest.raises(ConfigError) as caught:
        Settings.load(tmp_path)
    assert caught.value.file == str(tmp_path / ".env")


def test_secrets_may_lie_in_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "password"
    file.write_text(f"{CANARY}\n")
    file.chmod(0o600)
    monkeypatch.setenv("DUNWELL_SMTP_PASSWORD_FILE", "password")  # relative to the project, not to where we stand
    monkeypatch.chdir("/")
    assert Settings.load(tmp_path).mail_password() == CANARY


@pytest.mark.parametrize("content", [b"", b"  \n", b"\xff\xfe"])
def test_a_useless_secret_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)
    monkeypatch.setenv("DUNWELL_SMTP_PASSWORD_FILE", str(file))
    with pytest.raises(ConfigError, match="DUNWELL_SMTP_PASSWORD_FILE"):
        Settings.load(tmp_path)


@pytest.mark.parametrize("variable", ["DUNWELL_SMTP_PASSWORD", "DUNWELL_SECRET_KEY"])
def test_a_secret_given_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    (tmp_path / "secret").write_text(CANARY)
    monkeypatch.setenv(variable, CANARY)
    monkeypatch.setenv(f"{variable}_FILE", "secret")
    with pytest.raises(ConfigError, match=f"both {variable} and {variable}_FILE"):
        Settings.load(tmp_path)


def test_a_world_readable_master_key_is_refused_and_a_password_warned_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "secret"
    file.write_text(CANARY)
    file.chmod(0o644)
    monkeypatch.setenv("DUNWELL_SMTP_PASSWORD_FILE", str(file))
    with caplog.at_level(logging.WARNING, "dunwell.settings"):
        Settings.load(tmp_path)
    assert "DUNWELL_SMTP_PASSWORD_FILE: everybody" in caplog.text
    assert CANARY not in caplog.text
    monkeypatch.setenv("DUNWELL_SECRET_KEY_FILE", str(file))
    with pytest.raises(ConfigError, match="DUNWELL_SECRET_KEY_FILE: everybody"):
        Settings.load(tmp_path)
    file.chmod(0o640)
    assert Settings.load(tmp_path).master_key() == CANARY


def test_credentials_of_each_ledger_come_from_its_own_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("DUNWELL_XERO_CLIENT_ID=ABC\n")
    (tmp_path / "qb").write_text("qb-secret\n")
    monkeypatch.setenv("DUNWELL_XERO_CLIENT_SECRET", "xero-secret")
    monkeypatch.setenv("DUNWELL_QUICKBOOKS_CLIENT_ID", "DEF")
    monkeypatch.setenv("DUNWELL_QUICKBOOKS_CLIENT_SECRET_FILE", "qb")
    settings = Settings.load(tmp_path)
    assert settings.credentials("DUNWELL_XERO") == Credentials("ABC", "xero-secret")
    assert settings.credentials("DUNWELL_QUICKBOOKS") == Credentials("DEF", "qb-secret")


@pytest.mark.parametrize(
    ("stored", "flag", "expected"),
    [
        ("", "GIVEN", Credentials("GIVEN", CANARY)),
        ("GIVEN", "GIVEN", Credentials("GIVEN", CANARY)),
        ("OTHER", "GIVEN", Credentials("GIVEN", "")),  # the secret is another app's: it never leaves with this id
    ],
)
def test_a_client_id_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: str, flag: str, expected: Credentials
) -> None:
    monkeypatch.setenv("DUNWELL_XERO_CLIENT_ID", stored)
    monkeypatch.setenv("DUNWELL_XERO_CLIENT_SECRET", CANARY)
    assert Settings.load(tmp_path).credentials("DUNWELL_XERO", flag) == expected


def test_no_secret_shows_in_a_repr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUNWELL_DATABASE_URL", f"postgresql://u:{CANARY}@db/x")
    for name in ("SECRET_KEY", "SMTP_PASSWORD", "XERO_CLIENT_SECRET"):
        monkeypatch.setenv(f"DUNWELL_{name}", CANARY)
    monkeypatch.setenv("DUNWELL_XERO_CLIENT_ID", "ABC")
    settings = Settings.load(tmp_path)
    assert settings.mail_password() == CANARY
    assert CANARY not in repr(settings) + str(settings) + repr(settings.credentials("DUNWELL_XERO"))
