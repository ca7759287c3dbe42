"""A client's own letters: they win over the shipped ones, and what is wrong in them is found before it is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.channels.render import Letterbook, shipped
from connector.channels.samples import COMPLETE
from connector.errors import ConfigError, Refused

HEAD = '---\nsubject: "Hello {{ customer }}"\n---\n'
ASKS = "Please pay {{ total }} by {{ by_date }}. Write to {{ reply_to }}.\n"


def book(folder: Path, body: str, head: str = HEAD, name: str = "friendly.md") -> Letterbook:
    (folder / name).write_text(head + body, encoding="utf-8")
    return Letterbook([folder, shipped()])


def only(errors: tuple[ConfigError, ...]) -> ConfigError:
    assert len(errors) == 1, [str(error) for error in errors]
    return errors[0]


def test_the_clients_letter_wins_and_the_rest_is_shipped(tmp_path: Path) -> None:
    letters = book(tmp_path, f"Kia ora {{{{ greeting }}}}\n\n{ASKS}")
    assert letters.check() == ()
    assert letters.render("friendly", COMPLETE).text.startswith("Kia ora Aroha\n\nPlease pay NZD\u00a0720.00 by")
    assert letters.render("friendly", COMPLETE).subject == "Hello Ridgeway University"
    assert "last reminder" in " ".join(letters.render("final", COMPLETE).text.split())


@pytest.mark.parametrize(
    ("body", "line", "what"),
    [
        ("\nDear {{ custmer }}\n", 5, "'custmer' is not defined"),
        ("\n\n{% if sender.nme %}x{% endif %}\n", 6, "'nme' is not defined"),
        ("{% if payment %}{{ payment.amout }}{% endif %}\n", 4, "'amout' is not defined"),
        ("{% for i in invoices %}\n{{ i.nummer }}\n{% endfor %}", 5, "'nummer' is not defined"),
        ("{{ invoices }}\n", 4, "cannot be written as text"),
        ("{{ attached }}\n", 4, "cannot be written as text"),
        ("{% for i in customer %}{% endfor %}\n", 4, "this loop is not allowed"),
        ("\n{% if by_date %}\nno end\n", 6, "endif"),
        ("\n{{ by_date\n", 5, "unexpected end of template"),
        (f"\n\nThis is your final warning. {ASKS}", 6, "tone.false_urgency"),
        (f"{{% if payment %}}\nWe will sue you\n{{% endif %}}\n{ASKS}", 5, "tone.legal_claim"),
        ("Please pay soon, write to {{ reply_to }}\n", 1, "letter.amount_missing"),
        (f"\nThank you for {{{{ payment.amount }}}}.\n{ASKS}", 5, "has no attribute"),
        ("\ue000\n", 4, "private-use"),
        ("x" * 70_000, 1, "64 KB"),
    ],
)
def test_what_is_wrong_is_reported_with_file_and_line(tmp_path: Path, body: str, line: int, what: str) -> None:
    error = only(book(tmp_path, body).check())
    assert (error.file, error.line) == (str(tmp_path / "friendly.md"), line)
    with pytest.raises(ConfigError, match=what):
        raise error


@pytest.mark.parametrize(
    "body",
    [
        "{{ customer.__class__.__mro__ }}",
        "{{ customer|upper }}",
        "{{ ''.__class__ }}",
        "{{ 'x' * 1000000 }}",
        "{{ customer[0] }}",
        "{{ range(10) }}",
        "{{ invoices|length }}",
        "{{ cycler() }}",
        "{{ customer ~ customer }}",
        "{% set x = 1 %}",
        "{% include 'final.md' %}",
        "{% import 'final.md' as f %}",
        "{% extends 'final.md' %}",
        "{% macro f() %}{% endmacro %}",
        "{% call f() %}{% endcall %}",
        "{% filter upper %}x{% endfilter %}",
        "{% if customer == 'x' %}{% endif %}",
        "{% if customer is defined %}{% endif %}",
        "{% for x in [1, 2] %}{% endfor %}",
        "{% for i in invoices if i %}{% endfor %}",
        "{% for i in invoices recursive %}{{ loop(i) }}{% endfor %}",
        "{% for i in invoices %}{{ loop.index }}{% endfor %}",
        "{% for a, b in invoices %}{% endfor %}",
        "{% with x = 1 %}{% endwith %}",
        "{% autoescape false %}{% endautoescape %}",
        "{% block x %}{% endblock %}",
        "{% do x %}",
        "{{ _TemplateReference__context }}",
        "{{ self }}",
        "{{ caller() }}",
    ],
)
def test_templates_cannot_compute_or_reach_into_python(tmp_path: Path, body: str) -> None:
    error = only(book(tmp_path, f"{ASKS}\n{body}\n").check())
    assert error.line == 6
    assert error.fix


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ("no front matter\n", 1),
        ("---\nsubject: x\n", 1),
        ("---\n---\n", 1),
        ("---\nsubject: x\nto: everyone\n---\n", 3),
        ("---\nsubject: x\nsubject: y\n---\n", 3),
        ("---\nsubject: {{ nobody }}\n---\n", 2),
        ("---\nsubject:\n---\n", 2),
    ],
)
def test_the_front_matter_is_exactly_one_subject(tmp_path: Path, head: str, line: int) -> None:
    error = only(book(tmp_path, ASKS, head).check())
    assert error.line == line


def test_an_empty_letter_is_reported(tmp_path: Path) -> None:
    assert "has no text" in only(book(tmp_path, "\n\n").check()).what


def test_a_misspelt_file_name_is_reported(tmp_path: Path) -> None:
    error = only(book(tmp_path, ASKS, name="freindly.md").check())
    assert error.file.endswith("freindly.md")
    assert "friendly.md" in error.fix


def test_a_readme_and_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(b"\x89PNG")
    assert book(tmp_path, "how we write", head="", name="README.md").check() == ()


def test_a_file_that_is_no_text_is_reported(tmp_path: Path) -> None:
    (tmp_path / "final.md").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in only(Letterbook([tmp_path, shipped()]).check()).what


def test_a_missing_letter_is_reported_once_each(tmp_path: Path) -> None:
    errors = Letterbook([tmp_path / "nowhere"]).check()
    assert "there is no letter reinvoice" in {error.what for error in errors}
    assert len(errors) == 17


def test_a_rude_letter_is_not_written_even_when_nobody_checked(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"tone\.threat"):
        book(tmp_path, f"You will regret this. {ASKS}").render("friendly", COMPLETE)


def test_a_rude_subject_is_not_written_either(tmp_path: Path) -> None:
    head = '---\nsubject: "FINAL WARNING TO {{ customer }}"\n---\n'
    with pytest.raises(Refused, match=r"tone\.false_urgency"):
        book(tmp_path, ASKS, head).render("friendly", COMPLETE)


def test_windows_line_ends_and_quotes_of_a_subject_are_understood(tmp_path: Path) -> None:
    letters = book(tmp_path, ASKS.replace("\n", "\r\n"), head="---\r\nsubject: 'Hi'\r\n---\r\n")
    assert letters.render("friendly", COMPLETE).subject == "Hi"
