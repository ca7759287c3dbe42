"""Process settings: `DUNWELL_*` variables, the project's `.env` file, and `*_FILE` for secrets.

A variable of the environment wins over the same one in `.env`. Values of secrets never appear in errors or reprs.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from connector.errors import ConfigError
from connector.ports import Credentials

_log = logging.getLogger("dunwell.settings")
_STATE = ".dunwell"
_CONFIG = SettingsConfigDict(
    env_prefix="DUNWELL_",
    env_file_encoding="utf-8",
    env_ignore_empty=True,
    extra="ignore",
    frozen=True,
    hide_input_in_errors=True,
    str_strip_whitespace=True,
)
Security = Literal["starttls", "tls", "none"]
_DEFAULT_PORT: dict[Security, int] = {"starttls": 587, "tls": 465, "none": 25}
_MAX_SECRET_BYTES = 64 * 1024
_Model = TypeVar("_Model", bound=BaseSettings)


class Settings(BaseSettings):
    """Everything about the process that is no policy. Read once, at the start, by `load`."""

    model_config = _CONFIG

    project: Path
    database_url: str = Field(default="", repr=False)  # "" = SQLite in the project; may hold a password
    secret_key: SecretStr | None = None
    secret_key_file: Path | None = None
    smtp_host: str = ""
    smtp_port: int | None = Field(default=None, ge=1, le=65535)
    smtp_user: str = ""
    smtp_password: SecretStr | None = None
    smtp_password_file: Path | None = None
    smtp_from: str = ""
    smtp_security: Security = "starttls"
    letters_folder: Path | None = None  # where letters are written when no mail server is set

    @classmethod
    def load(cls, project: Path) -> Self:
        """Read the environment and `<project>/.env`. Raises `ConfigError` naming the variable, never a secret."""
        folder = project.expanduser().resolve()
        settings = _read(lambda env_file: cls(_env_file=env_file, project=folder), "DUNWELL_", folder)
        settings.mail_password()
        settings.master_key()
        return settings

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if url.startswith(("postgres://", "postgresql://")):
            url = f"postgresql+psycopg://{url.partition('://')[2]}"
        if url and not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("must start with sqlite:/// or postgresql://")
        return url

    @property
    def state_folder(self) -> Path:
        """`.dunwell` of the project: database, master key, state."""
        return self.project / _STATE

    @property
    def database(self) -> str:
        """The database URL; a relative SQLite path counts from the project folder. May hold a password."""
        kind, _, path = self.database_url.partition(":///")
        if kind == "sqlite" and path and not path.startswith(("/", ":")):
            return f"sqlite:///{self.project / path}"
        return self.database_url or f"sqlite:///{self.state_folder / 'dunwell.db'}"

    @property
    def letters(self) -> Path:
        """The folder that takes outgoing letters as files when no mail server is set."""
        return self.project / (self.letters_folder or Path(_STATE) / "letters")

    @property
    def mail_port(self) -> int:
        """The SMTP port: as set, or the usual one of the kind of security."""
        return self.smtp_port or _DEFAULT_PORT[self.smtp_security]

    def mail_password(self) -> str:
        """The SMTP password, "" when none. Raises `ConfigError`."""
        return _secret(self.smtp_password, self.smtp_password_file, "DUNWELL_SMTP_PASSWORD", self.project)

    def master_key(self) -> str:
        """The vault's key or keys as set, "" when none is. Raises `ConfigError`, also when its file is world-readable.

        Group permissions are allowed: containers mount secrets so.
        """
        return _secret(self.secret_key, self.secret_key_file, "DUNWELL_SECRET_KEY", self.project, strict=True)

    def credentials(self, env_prefix: str, client_id: str = "") -> Credentials | None:
        """The app's credentials for one ledger, None without a client id. Raises `ConfigError`.

        `client_id`, given by hand, wins; the stored secret belongs to the stored id and never goes along with another.
        """
        prefix = f"{env_prefix}_"
        app = _read(lambda env_file: _App(_env_file=env_file, _env_prefix=prefix), prefix, self.project)
        if client_id and app.client_id and client_id != app.client_id:
            return Credentials(client_id)
        chosen = client_id or app.client_id
        if not chosen:
            return None
        value, file = app.client_secret, app.client_secret_file
        return Credentials(chosen, _secret(value, file, f"{prefix}CLIENT_SECRET", self.project))


class _App(BaseSettings):
    """One ledger's app, as registered with its vendor: `DUNWELL_XERO_CLIENT_ID` and so on."""

    model_config = _CONFIG

    client_id: str = ""
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None


def _read(build: Callable[[Path], _Model], prefix: str, folder: Path) -> _Model:
    env_file = folder / ".env"
    try:
        return build(env_file)
    except ValidationError as error:
        problems = [(f"{prefix}{'_'.join(map(str, each['loc'])).upper()}", each["msg"]) for each in error.errors()]
        what = "; ".join(f"{name}: {text}" for name, text in problems)
        raise ConfigError(what, path=problems[0][0], fix="correct it in the environment or in .env") from None
    except UnicodeDecodeError:
        raise ConfigError("the file is not UTF-8 text", file=str(env_file), line=1, column=1) from None
    except OSError as error:
        raise ConfigError(f"the file cannot be read: {error.strerror}", file=str(env_file), line=1, column=1) from error


def _secret(value: SecretStr | None, file: Path | None, variable: str, project: Path, *, strict: bool = False) -> str:
    """The secret of a variable or of its `*_FILE`, "" when neither is set; a relative path counts from the project."""
    if file is None:
        return value.get_secret_value() if value is not None else ""
    if value is not None:
        raise ConfigError(f"both {variable} and {variable}_FILE are set", path=variable, fix="set only one of them")
    return _from_file(project / file.expanduser(), f"{variable}_FILE", strict=strict)


def _from_file(path: Path, variable: str, *, strict: bool) -> str:
    """The file's text without surrounding white space."""
    try:
        with path.open("rb") as file:
            everybody = os.fstat(file.fileno()).st_mode & stat.S_IROTH
            text = file.read(_MAX_SECRET_BYTES).decode().strip()
    except OSError as error:
        raise ConfigError(f"{variable}: {error.strerror}: {path}", path=variable, fix="name a readable file") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{variable}: the file holds no text: {path}", path=variable) from None
    if not text:
        raise ConfigError(f"{variable}: the file is empty: {path}", path=variable)
    if everybody and strict:
        fix = "run chmod o-rwx on it"
        raise ConfigError(f"{variable}: everybody on this machine can read {path}", path=variable, fix=fix)
    if everybody:
        _log.warning("%s: everybody on this machine can read that file; run chmod o-rwx on it", variable)
    return text
