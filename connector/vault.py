"""Secrets at rest: AES-256-GCM under a master key that lives apart from the database.

A sealed value names its key, so several keys can be in force: the first seals, all unseal. It is bound to its place
(tenant, field, row): moved to another row it does not open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import logging
import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from connector.errors import ConfigError, NeedsPerson, StorageFailed

_log = logging.getLogger("dunwell.vault")
_VARIABLE = "DUNWELL_SECRET_KEY"
_FORM = b"dw1"
_KEY_BYTES = 32
_HEX_LENGTH = 2 * _KEY_BYTES
_ID_BYTES = 8
_NONCE_BYTES = 12
_HEAD = len(_FORM) + _ID_BYTES + _NONCE_BYTES
_MAX_BYTES = 4096
_NOT_OWNER = stat.S_IRWXG | stat.S_IRWXO
_MAKE = "make one with: openssl rand -base64 32"


class KeySource(Protocol):
    """What the vault needs of the process settings."""

    @property
    def state_folder(self) -> Path: ...

    def master_key(self) -> str:
        """The key or keys as set by the operator, "" when none is."""
        ...


def place(tenant: str, field: str, row_id: str) -> str:
    """The context that binds a sealed value to one field of one row of one tenant."""
    return json.dumps([tenant, field, row_id], ensure_ascii=True, separators=(",", ":"))


class Vault:
    """Seals and unseals under the first, or any, of its keys."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != _KEY_BYTES for key in keys):
            raise ValueError("a vault needs keys of 32 bytes")
        self._keys = {_key_id(key): AESGCM(key) for key in keys}
        self._sealing = _key_id(keys[0])

    def __repr__(self) -> str:
        return f"Vault({len(self._keys)} key(s), sealing with {self._sealing.hex()})"

    @classmethod
    def open(cls, settings: KeySource, *, in_use: bool = False) -> Vault:
        """The vault of the project: the operator's key, else the one of `.dunwell/master.key`, made when missing.

        Whichever command makes it says so in the log, for its owner has to keep a copy. `in_use`: secrets are sealed
        already, so that a missing key is a lost one, and none is made in its place.
        Raises `ConfigError` when a key is malformed or the file is open to others, `StorageFailed` when it cannot be
        written, `NeedsPerson` when it is lost.
        """
        if given := settings.master_key():
            return cls(_parse(given, _VARIABLE))
        path = settings.state_folder / "master.key"
        if not path.exists():
            if in_use:
                raise _lost(path)
            _create(path)
        return cls(_parse(_read(path), str(path)))

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypt for that place; every call gives other bytes."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        head = _FORM + self._sealing
        return head + nonce + self._keys[self._sealing].encrypt(nonce, plain, head + context.encode())

    def unseal(self, sealed: bytes, context: str) -> bytes:
        """Decrypt. Raises `NeedsPerson` when the key is not ours, or the bytes were altered or moved here."""
        form, key_id = sealed[: len(_FORM)], sealed[len(_FORM) : len(_FORM) + _ID_BYTES]
        if form != _FORM or len(sealed) <= _HEAD:
            raise NeedsPerson("a stored secret is damaged", next_step="restore the database, or connect again")
        key = self._keys.get(key_id)
        if key is None:
            raise NeedsPerson(
                "the stored secrets were sealed with another master key than the one in force",
                next_step=f"put the former key back ({_VARIABLE}, or .dunwell/master.key), or connect again",
            )
        try:
            return key.decrypt(sealed[_HEAD - _NONCE_BYTES : _HEAD], sealed[_HEAD:], form + key_id + context.encode())
        except InvalidTag:
            raise NeedsPerson(
                "a stored secret was altered or belongs to another record",
                next_step="restore the database, or connect again",
            ) from None


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"dunwell key id\0" + key).digest()[:_ID_BYTES]


def _parse(text: str, source: str) -> list[bytes]:
    """The keys in the text, newest first, separated by commas or white space: base64 or hexadecimal."""
    keys = [_decode(word) for word in text.replace(",", " ").split()]
    good = [key for key in keys if key is not None and len(key) == _KEY_BYTES]
    if not good or len(good) != len(keys):
        raise ConfigError(f"{source}: a key is 32 bytes in base64 or hexadecimal", path=_VARIABLE, fix=_MAKE)
    return good


def _decode(word: str) -> bytes | None:
    try:
        if len(word) == _HEX_LENGTH:
            return bytes.fromhex(word)
        padded = word.rstrip("=") + "=" * (-len(word.rstrip("=")) % 4)
        return base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    except (ValueError, binascii.Error):
        return None


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(_MAX_BYTES)
    except OSError as error:
        raise ConfigError(f"the master key cannot be read: {error.strerror}: {path}", path=_VARIABLE) from error
    if mode & _NOT_OWNER:
        raise ConfigError(
            f"the master key is open to other users of this machine: {path}",
            path=_VARIABLE,
            fix=f"run chmod 600 {path}",
        )
    return text.decode("ascii", "replace")


def _lost(path: Path) -> NeedsPerson:
    return NeedsPerson(
        f"the master key is gone that the stored secrets were sealed with: {path}",
        not_done="no new key was made",
        next_step=f"put your copy of it back ({path.name}, or {_VARIABLE}); where there is none, make a new one "
        f"(umask 077; openssl rand -base64 32 > {path}) and connect again",
    )


def _create(path: Path) -> None:
    """Write a fresh key, whole or not at all; none when another process was first."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            _write(draft)
            path.hardlink_to(draft)
        except FileExistsError:  # the name is taken: no second key ever replaces the first
            return
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise StorageFailed(
            f"no master key could be written: {error.strerror}: {path}", next_step=f"set {_VARIABLE}; {_MAKE}"
        ) from error
    _log.warning("made a new master key: %s; keep a copy of it apart from the database", path)


def _write(path: Path) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
