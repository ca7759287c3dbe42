"""The subset of Markdown, in both forms."""

from __future__ import annotations

import pytest

from connector.channels.layout import WIDTH, as_html, as_text
from connector.channels.markdown import embed, parse, wording


def html(source: str) -> str:
    document = as_html(parse(source), "s")
    body = document[document.index("<body") : document.index("</body>")]
    return body.split(">", 1)[1].strip()


def bare(source: str) -> str:
    """HTML without its styles."""
    parts = html(source).split(' style="')
    return parts[0] + "".join(part.split('"', 1)[1] for part in parts[1:])


@pytest.mark.parametrize(
    ("source", "text", "markup"),
    [
        ("one\ntwo", "one two\n", "<p>one two</p>"),
        ("one\\\ntwo", "one\ntwo\n", "<p>one<br>\ntwo</p>"),
        ("one\n\n\ntwo", "one\n\ntwo\n", "<p>one</p>\n<p>two</p>"),
        ("a **b c** d", "a b c d\n", "<p>a <strong>b c</strong> d</p>"),
        ("## Head\ntext", "Head\n\ntext\n", "<h2>Head</h2>\n<p>text</p>"),
        ("- a\n- b\n  more", "- a\n- b more\n", "<ul>\n<li>a</li>\n<li>b more</li>\n</ul>"),
        ("1. a\n2. b", "1. a\n2. b\n", "<ol>\n<li>a</li>\n<li>b</li>\n</ol>"),
        ("text\n- a", "text\n\n- a\n", "<p>text</p>\n<ul>\n<li>a</li>\n</ul>"),
        (
            "[pay](https://x.example/a)",
            "pay: https://x.example/a\n",
            '<p><a href="https://x.example/a">pay</a></p>',
        ),
        ("[a@b.example](mailto:a@b.example)", "a@b.example\n", '<p><a href="mailto:a@b.example">a@b.example</a></p>'),
        ("[x](javascript:y)", "x\n", "<p>x</p>"),
        ("5 \\* 3 <b> & \\[x\\]", "5 * 3 <b> & [x]\n", "<p>5 * 3 &lt;b&gt; &amp; [x]</p>"),
        ("| no table", "| no table\n", "<p>| no table</p>"),
        ("a ** b", "a ** b\n", "<p>a ** b</p>"),
    ],
)
def test_the_subset(source: str, text: str, markup: str) -> None:
    assert as_text(parse(source)) == text
    assert bare(source) == markup


def test_a_table_is_aligned_in_text() -> None:
    source = "| No. | Amount |\n| --- | ---: |\n| A | 1.00 |\n| B-22 | 100.00 |\n"
    assert as_text(parse(source)) == "No.   Amount\n----  ------\nA       1.00\nB-22  100.00\n"
    assert "text-align:right" in html(source)


def test_a_table_too_wide_for_text_becomes_one_block_a_row() -> None:
    wide = "w" * WIDTH
    source = f"| No. | Text | Sum |\n| --- | --- | --- |\n| A | {wide} | 1 |\n| B | x | 2 |\n"
    assert as_text(parse(source)) == f"No. A\n  Text: {wide}\n  Sum: 1\n\nNo. B\n  Text: x\n  Sum: 2\n"


def test_short_and_long_rows_are_fitted_to_the_header() -> None:
    source = "| a | b |\n| --- | --- |\n| 1 |\n| 1 | 2 | 3 |\n"
    assert as_text(parse(source)) == "a  b\n-  -\n1\n1  2\n"


def test_long_paragraphs_and_entries_are_wrapped() -> None:
    text = as_text(parse("word " * 40 + "\n\n- " + "entry " * 40))
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "\n  entry" in text


def test_an_embedded_value_is_never_markup() -> None:
    source = f"- {embed('**x** | <b> [y](https://z.example)')}"
    assert as_text(parse(source)) == "- **x** | <b> [y](https://z.example)\n"
    assert bare(source) == "<ul>\n<li>**x** | &lt;b&gt; [y](https://z.example)</li>\n</ul>"


def test_wording_masks_records_and_keeps_what_people_typed() -> None:
    source = f"Dear {embed('Court Ltd')}, **{embed('sue', by_person=True)} now**"
    assert wording(parse(source)).split() == ["Dear", "…", ",", "sue", "now"]
