"""Letters as files: complete or not at all, once for each effect, and findable."""

from __future__ import annotations

import email
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from connector.channels.email import FolderChannel, Mailbox
from connector.errors import ConfigError, LedgerRejected, NotSent
from tests.channels.test_message import AT, KEY, LETTER, US


def channel(folder: Path) -> FolderChannel:
    return FolderChannel(folder, US, "reply@kauri.example")


def test_a_letter_becomes_one_private_file_named_by_day_and_key(tmp_path: Path) -> None:
    receipt = channel(tmp_path / "out" / "letters").send(LETTER, AT)
    (file,) = (tmp_path / "out" / "letters").iterdir()
    assert file.name == f"2026-11-12-{KEY[:16]}.eml"
    assert file.stat().st_mode & 0o777 == 0o600
    assert email.message_from_bytes(file.read_bytes())["Message-ID"] == LETTER.message_id
    assert (receipt.reference, receipt.detail, receipt.already) == (LETTER.message_id, file.name, False)


def test_the_same_letter_again_is_there_already_also_on_another_day_and_with_other_words(tmp_path: Path) -> None:
    letters = channel(tmp_path)
    letters.send(LETTER, AT)
    before = [file.read_bytes() for file in tmp_path.iterdir()]
    again = letters.send(replace(LETTER, text="other words"), AT + timedelta(days=3))
    assert again.already
    assert [file.read_bytes() for file in tmp_path.iterdir()] == before


def test_another_process_that_wrote_it_in_between_wins(tmp_path: Path) -> None:
    class Late(FolderChannel):
        """Sees an empty folder, as if the other wrote just after the look."""

        def _existing(self, message_id: str) -> Path | None:
            return None

    channel(tmp_path).send(LETTER, AT)
    receipt = Late(tmp_path, US, "reply@kauri.example").send(replace(LETTER, text="other words"), AT)
    assert receipt.already
    (file,) = tmp_path.iterdir()
    assert b"other words" not in file.read_bytes()


def test_a_letter_can_be_looked_for(tmp_path: Path) -> None:
    letters = channel(tmp_path / "new")
    assert not letters.find(LETTER.message_id)
    letters.send(LETTER, AT)
    assert letters.find(LETTER.message_id)
    assert not letters.find(LETTER.message_id.replace("0123", "ffff"))


@pytest.mark.parametrize("comes_to_it", ["send", "send again", "find"])
def test_what_a_killed_process_left_of_a_letter_goes_when_the_letter_is_there(tmp_path: Path, comes_to_it: str) -> None:
    letters = channel(tmp_path)
    if comes_to_it != "send":
        letters.send(LETTER, AT)
    left = tmp_path / f".2026-11-11-{KEY[:16]}.eml.4711-1"
    left.write_text("half a let")
    of_another = tmp_path / f".2026-11-11-{'f' * 16}.eml.4711-1"
    of_another.write_text("perhaps being written")
    assert not letters.find(LETTER.message_id.replace("0123", "eeee"))
    assert left.exists()
    if comes_to_it == "find":
        assert letters.find(LETTER.message_id)
    else:
        letters.send(LETTER, AT)
    assert {file.name for file in tmp_path.iterdir()} == {f"2026-11-12-{KEY[:16]}.eml", of_another.name}


def test_a_folder_that_cannot_be_written_means_not_sent(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(NotSent, match="could not be written"):
        channel(blocked).send(LETTER, AT)
    assert blocked.read_text() == "not a folder"


def test_what_is_no_address_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(LedgerRejected):
        channel(tmp_path).send(replace(LETTER, recipient="nobody"), AT)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("identifier", ["<x@kauri.example>", "<dw.../../etc@kauri.example>", "<dw.12@kauri.example>"])
def test_only_ids_of_effects_name_files(tmp_path: Path, identifier: str) -> None:
    with pytest.raises(ValueError, match=r"effect key|Message-ID"):
        channel(tmp_path).send(replace(LETTER, message_id=identifier), AT)


@pytest.mark.parametrize(("sender", "reply_to"), [("nobody", "a@x.example"), ("a@x.example", "a@x.example\nBcc: b")])
def test_a_sender_that_is_no_address_is_a_wrong_setting(tmp_path: Path, sender: str, reply_to: str) -> None:
    with pytest.raises(ConfigError, match="is not an e-mail address"):
        FolderChannel(tmp_path, Mailbox(sender), reply_to)
