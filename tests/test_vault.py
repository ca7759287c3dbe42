"""The vault: sealed values open only under their key, in their place, unaltered."""

from __future__ import annotations

import base64
import stat
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from connector.errors import ConfigError, NeedsPerson, StorageFailed
from connector.vault import Vault, place

OLD, NEW = bytes(range(32)), bytes(range(100, 132))
HERE = place("default", "connection.sealed", "id-1")
SECRET = b"CANARY refresh token"


@dataclass
class Keys:
    state_folder: Path
    given: str = ""

    def master_key(self) -> str:
        return self.given


def test_what_is_sealed_opens_again_and_shows_nothing() -> None:
    vault = Vault([OLD])
    first, second = vault.seal(SECRET, HERE), vault.seal(SECRET, HERE)
    assert first != second
    assert b"CANARY" not in first
    assert vault.unseal(first, HERE) == vault.unseal(second, HERE) == SECRET


@pytest.mark.parametrize(
    "elsewhere",
    [
        place("other", "connection.sealed", "id-1"),
        place("default", "connection.other", "id-1"),
        place("default", "connection.sealed", "id-2"),
    ],
)
def test_a_sealed_value_does_not_open_in_another_place(elsewhere: str) -> None:
    vault = Vault([OLD])
    with pytest.raises(NeedsPerson, match="altered or belongs to another record"):
        vault.unseal(vault.seal(SECRET, HERE), elsewhere)


def test_places_cannot_be_confused_by_their_parts() -> None:
    assert place("a", "b,c", "d") != place("a,b", "c", "d")
    assert place('a","b', "c", "d") != place("a", "b", 'c","d')


def test_every_altered_or_cut_byte_is_found() -> None:
    vault = Vault([OLD])
    sealed = vault.seal(SECRET, HERE)
    for at in range(len(sealed)):
        with pytest.raises(NeedsPerson):
            vault.unseal(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], HERE)
        with pytest.raises(NeedsPerson):
            vault.unseal(sealed[:at], HERE)


def test_a_wrong_key_is_said_plainly_and_chains_no_cause() -> None:
    with pytest.raises(NeedsPerson, match="another master key") as caught:
        Vault([NEW]).unseal(Vault([OLD]).seal(SECRET, HERE), HERE)
    assert "DUNWELL_SECRET_KEY" in caught.value.next_step


def test_two_keys_in_force_allow_rotation() -> None:
    before = Vault([OLD]).seal(SECRET, HERE)
    both = Vault([NEW, OLD])
    assert both.unseal(before, HERE) == SECRET
    after = both.seal(SECRET, HERE)
    assert Vault([NEW]).unseal(after, HERE) == SECRET
    with pytest.raises(NeedsPerson):
        Vault([OLD]).unseal(after, HERE)


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(OLD).decode(),
        base64.urlsafe_b64encode(OLD).decode().rstrip("="),
        OLD.hex(),
        f"{OLD.hex()}, {base64.b64encode(NEW).decode()}",
        f"{OLD.hex()}\n{NEW.hex()}\n",
    ],
)
def test_given_keys_are_used_the_first_for_sealing(tmp_path: Path, text: str) -> None:
    vault = Vault.open(Keys(tmp_path, text))
    assert Vault([OLD]).unseal(vault.seal(SECRET, HERE), HERE) == SECRET
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", ["CANARY", "0" * 64 + "0", base64.b64encode(OLD[:16]).decode(), f"{OLD.hex()} CANARY", "g" * 64, ","]
)
def test_a_malformed_key_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="DUNWELL_SECRET_KEY") as caught:
        Vault.open(Keys(tmp_path, text))
    assert "CANARY" not in str(caught.value.as_dict())
    assert "openssl rand" in caught.value.fix


def test_without_a_key_one_is_made_once_for_its_owner_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    state = tmp_path / ".dunwell"
    first = Vault.open(Keys(state))
    key_file = state / "master.key"
    assert caplog.text.count(f"made a new master key: {key_file}") == 1
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    second = Vault.open(Keys(state))
    assert caplog.text.count("made a new master key") == 1
    assert second.unseal(first.seal(SECRET, HERE), HERE) == SECRET
    assert [path.name for path in state.iterdir()] == ["master.key"]


def test_a_lost_key_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(NeedsPerson, match="master key is gone") as caught:
        Vault.open(Keys(tmp_path), in_use=True)
    assert "put your copy of it back" in caught.value.next_step
    assert list(tmp_path.iterdir()) == []


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    state, vaults, gate = tmp_path / ".dunwell", list[Vault](), threading.Barrier(8)

    def start() -> None:
        gate.wait()
        vaults.append(Vault.open(Keys(state)))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sealed = vaults[0].seal(SECRET, HERE)
    assert [vault.unseal(sealed, HERE) for vault in vaults] == [SECRET] * 8
    assert caplog.text.count("made a new master key") == 1
    assert [path.name for path in state.iterdir()] == ["master.key"]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_key_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    Vault.open(Keys(tmp_path))
    (tmp_path / "master.key").chmod(mode)
    with pytest.raises(ConfigError, match="open to other users") as caught:
        Vault.open(Keys(tmp_path))
    assert "chmod 600" in caught.value.fix


def test_a_key_that_cannot_be_written_stops_everything(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageFailed, match="no master key could be written"):
        Vault.open(Keys(tmp_path / "file"))


def test_a_damaged_key_file_is_refused_and_kept(tmp_path: Path) -> None:
    key_file = tmp_path / "master.key"
    key_file.write_text("half a k")
    key_file.chmod(0o600)
    with pytest.raises(ConfigError, match=r"master\.key"):
        Vault.open(Keys(tmp_path))
    assert key_file.read_text() == "half a k"


def test_keys_never_show(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    vault = Vault.open(Keys(tmp_path))
    key = (tmp_path / "master.key").read_text().strip()
    assert "master.key" in caplog.text
    assert key not in repr(vault) + caplog.text
    with pytest.raises(ValueError, match="32 bytes"):
        Vault([b"short"])
