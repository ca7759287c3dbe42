"""Letters from templates: the client's own first, the shipped ones after; one source gives text and HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from connector.channels.context import DUNNING, NEEDS, LetterContext, LetterKind
from connector.channels.layout import as_html, as_text
from connector.channels.markdown import parse, reveal, said, wording
from connector.channels.samples import COMPLETE, lean
from connector.channels.template import LetterTemplate
from connector.channels.wording import Values, values
from connector.domain.text import one_line
from connector.errors import ConfigError, DunwellError, NotFound, Refused
from connector.policy.tone import MustName, lint, missing

SUBJECT_LENGTH: Final = 160
_NO_TEMPLATES: Final = frozenset({"README.md"})


@dataclass(frozen=True, slots=True)
class Rendered:
    """A letter ready to be shown, approved and sent. It has passed the tone lint.

    `must_name`: what an edited version of a letter that asks for money has to keep (None for the others).
    """

    kind: LetterKind
    subject: str
    text: str
    html: str
    must_name: MustName | None = None


def shipped(language: str = "en") -> Traversable:
    """The folder of letters that ships with dunwell."""
    return files("mappings").joinpath("letters", language)


class Letterbook:
    """The letters of one client: each kind from the first folder that has it."""

    def __init__(self, folders: Sequence[Path | Traversable]) -> None:
        """`folders`: the client's own first, normally ending with `shipped()`. Missing folders are empty ones."""
        self._folders = tuple(folders)
        self._templates: dict[LetterKind, LetterTemplate] = {}

    def render(self, name: LetterKind | str, context: LetterContext) -> Rendered:
        """The letter. Raises `NotFound` (no such letter), `ConfigError` (template), `Refused` (facts missing or
        contradictory, or the text fails the tone lint): then nothing may be sent."""
        kind = _kind(name)
        if lacking := sorted(need for need in NEEDS[kind] if not getattr(context, need)):
            raise Refused(f"the letter {kind} needs {', '.join(lacking)}", not_done="the letter was not written")
        plain = values(context)
        template = self._template(kind)
        subject = _cut(one_line(said(reveal(template.subject(plain)))))
        blocks = parse(template.body(plain))
        text = as_text(blocks)
        must_name = _must_name(kind, plain) if kind in DUNNING else None
        own = f"{wording(parse(template.subject(plain)))}\n{wording(blocks)}"
        if wrong := (*lint(own), *(missing(text, must_name) if must_name else ())):
            told = "; ".join(f"{reason.code} ({next(iter(reason.facts.values()), '')})" for reason in wrong)
            raise Refused(
                f"the letter {kind} fails the tone rules: {told}",
                record=template.file,
                not_done="the letter was not written",
                next_step="change the wording",
            )
        return Rendered(kind, subject, text, as_html(blocks, subject), must_name)

    def check(self) -> tuple[ConfigError, ...]:
        """Everything that is wrong with the letters, located: () = all of them can be used.

        Every template is compiled, linted and rendered twice: with all facts, and with only those it needs.
        """
        return (*self._strangers(), *(error for kind in LetterKind for error in self._check(kind)))

    def _strangers(self) -> Iterator[ConfigError]:
        known = {f"{kind}.md" for kind in LetterKind} | _NO_TEMPLATES
        for folder in self._folders:
            for entry in sorted(folder.iterdir(), key=lambda found: found.name) if folder.is_dir() else ():
                if entry.name.endswith(".md") and entry.name not in known:
                    fix = f"letters are called {', '.join(sorted(known - _NO_TEMPLATES))}"
                    yield ConfigError(f"no letter is called {entry.name}", file=str(entry), line=1, column=1, fix=fix)

    def _check(self, kind: LetterKind) -> Iterator[ConfigError]:
        try:
            template = self._template(kind)
        except ConfigError as error:
            yield error
            return
        for reason in lint(template.own_words()):
            line = reason.facts["line"]
            yield ConfigError(
                f"{reason.code}: {reason.facts['words']!r} is not courteous",
                file=template.file,
                line=line if isinstance(line, int) else 1,
                column=1,
                fix="say it in another way",
            )
        for sample in (COMPLETE, lean(kind)):
            try:
                self.render(kind, sample)
            except ConfigError as error:
                yield error
                return
            except DunwellError as error:
                if "tone." not in error.what:  # those are located above
                    yield ConfigError(error.what, file=template.file, line=1, column=1, fix=error.next_step)
                return

    def _template(self, kind: LetterKind) -> LetterTemplate:
        if kind not in self._templates:
            self._templates[kind] = LetterTemplate(*self._source(kind), values(COMPLETE))
        return self._templates[kind]

    def _source(self, kind: LetterKind) -> tuple[str, str]:
        """Text and name of the file. Raises `ConfigError`."""
        for folder in self._folders:
            file = folder.joinpath(f"{kind}.md")
            if not file.is_file():
                continue
            try:
                return file.read_text(encoding="utf-8").replace("\r\n", "\n"), str(file)
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(f"the letter cannot be read: {error}", file=str(file), line=1, column=1) from error
        raise ConfigError(f"there is no letter {kind}", file=f"{kind}.md", line=1, column=1, fix="add the file")


def _kind(name: LetterKind | str) -> LetterKind:
    try:
        return LetterKind(name)
    except ValueError as error:
        known = ", ".join(LetterKind)
        raise NotFound(f"no letter is called {name!r}", next_step=f"use one of: {known}") from error


def _must_name(kind: LetterKind, plain: Values) -> MustName:
    amount = plain["instalment"]["amount"] if kind is LetterKind.INSTALMENT_MISSED_FOLLOWUP else plain["total"]
    answers = tuple(one_line(answer) for answer in (plain["reply_to"], plain["sender"]["phone"]) if answer)
    return MustName((amount,), plain["by_date"], answers)


def _cut(subject: str) -> str:
    return subject if len(subject) <= SUBJECT_LENGTH else f"{subject[: SUBJECT_LENGTH - 1].rstrip()}…"
