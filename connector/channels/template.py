"""A letter's template: Markdown with a subject, in a logic-less corner of Jinja, checked before it is ever used.

Allowed: `{{ value }}`, `{% if value %}` with `not`, `and`, `or`, and `{% for one in many %}`. No calls, filters,
arithmetic, includes or assignments: a template cannot compute, loop for ever or reach into Python.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.runtime import Undefined
from jinja2.sandbox import SandboxedEnvironment

from connector.channels.markdown import RESERVED, embed
from connector.domain.text import one_line
from connector.errors import ConfigError

MAX_SIZE: Final = 64 * 1024
_SUBJECT: Final = re.compile(r"""subject:[ ]*(?P<quote>["']?)(?P<text>.+?)(?P=quote)[ ]*""")
_ALLOWED: Final = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.If,
    nodes.For,
    nodes.Not,
    nodes.And,
    nodes.Or,
)
_HOW: Final = "use {{ value }}, {% if value %}, {% for one in many %} and nothing else"


class Prose(str):
    """A sentence that a person typed: it is read by the tone lint, unlike a name or an amount."""

    __slots__ = ()


class NothingToSay(TemplateError):
    """A value that is absent in this letter was to be written; the template must ask `{% if %}` first."""


def _written(value: object) -> str:
    """What a template writes for a value: the value itself, armoured (see `markdown.embed`)."""
    if isinstance(value, Undefined):
        return str(value)  # raises, with the name
    if not isinstance(value, str):
        raise NothingToSay("this value is not given in every letter: ask {% if … %} before writing it")
    return embed(one_line(value), by_person=isinstance(value, Prose))


def _environment() -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=_written
    )
    for names in (environment.globals, environment.filters, environment.tests):
        names.clear()
    return environment


_ENVIRONMENT: Final = _environment()


class LetterTemplate:
    """One template file, compiled. `source` keeps its line numbers in every error."""

    def __init__(self, source: str, file: str, shape: Mapping[str, Any]) -> None:
        """Raises `ConfigError` with file and line: broken syntax, more than the allowed subset, unknown names.

        `shape`: a complete context, to know which names exist and which of them are lists.
        """
        self.file = file
        self.source = source
        subject, body = self._parts()
        self._subject = self._compiled(subject, shape)
        self._body = self._compiled(body, shape)

    def subject(self, values: Mapping[str, Any]) -> str:
        """With embedded values, on one line. Raises `ConfigError`."""
        return " ".join(self._rendered(self._subject, values).split())

    def body(self, values: Mapping[str, Any]) -> str:
        """Markdown with embedded values. Raises `ConfigError`."""
        return self._rendered(self._body, values)

    def own_words(self) -> str:
        """The source with every tag masked, line for line: what the tone lint reads at check time."""
        return re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "…", self.source)

    def _parts(self) -> tuple[str, str]:
        """Subject and body, each behind so many empty lines that line numbers are the file's."""
        if len(self.source) > MAX_SIZE:
            raise self._error("the letter is longer than 64 KB", 1, "shorten it")
        if reserved := RESERVED.search(self.source):
            place = self.source.count("\n", 0, reserved.start()) + 1
            raise self._error("private-use characters are not allowed in letters", place, "remove the character")
        lines: list[str] = self.source.split("\n")
        fix = 'begin the file with ---, a line subject: "…", and ---'
        if lines[0].strip() != "---" or "---" not in lines[1:]:
            raise self._error("the letter has no front matter", 1, fix)
        end = lines.index("---", 1)
        subject, where = "", 0
        for number, line in enumerate(lines[1:end], 2):
            match = _SUBJECT.fullmatch(line)
            if line.strip() and (match is None or subject):
                raise self._error(f"only one subject is known here, got {line.strip()!r}", number, fix)
            if match:
                subject, where = match["text"], number
        if not subject:
            raise self._error("the letter has no subject", 1, fix)
        if not "".join(lines[end + 1 :]).strip():
            raise self._error("the letter has no text", end + 1, "write it below the front matter")
        return "\n" * (where - 1) + subject, "\n" * (end + 1) + "\n".join(lines[end + 1 :])

    def _compiled(self, source: str, shape: Mapping[str, Any]) -> Template:
        try:
            tree = _ENVIRONMENT.parse(source, self.file, self.file)
            self._examine(tree.body, shape)
            code = _ENVIRONMENT.compile(tree, self.file, self.file)
        except TemplateSyntaxError as error:
            raise self._error(str(error.message), error.lineno, _HOW) from error
        except RecursionError as error:
            raise self._error("the template is nested too deeply", 1, _HOW) from error
        return Template.from_code(_ENVIRONMENT, code, {})

    def _examine(self, body: Sequence[nodes.Node], scope: Mapping[str, Any]) -> None:
        """Every branch, also those that no sample takes: only the subset, only names that exist."""
        for node in body:
            self._allowed(node)
            match node:
                case nodes.Output():
                    self._examine_output(node, scope)
                case nodes.If():
                    for name in _names(node.test):
                        self._resolve(name, scope)
                    for branch in (node.body, node.elif_, node.else_):
                        self._examine(branch, scope)
                case nodes.For():
                    self._examine_loop(node, scope)
                case _:
                    raise self._error("a plain text was expected here", node.lineno, _HOW)

    def _examine_output(self, node: nodes.Output, scope: Mapping[str, Any]) -> None:
        for part in node.nodes:
            self._allowed(part)
            if isinstance(part, nodes.TemplateData):
                continue
            if not isinstance(self._resolve(part, scope), str):
                raise self._error("a list, a group or a choice cannot be written as text", part.lineno, _HOW)

    def _examine_loop(self, node: nodes.For, scope: Mapping[str, Any]) -> None:
        many = self._resolve(node.iter, scope)
        if not isinstance(many, list) or not isinstance(node.target, nodes.Name) or node.test or node.recursive:
            raise self._error("this loop is not allowed", node.lineno, _HOW)
        self._examine(node.body, {**scope, node.target.name: many[0]})
        self._examine(node.else_, scope)

    def _resolve(self, node: nodes.Node, scope: Mapping[str, Any]) -> Any:
        self._allowed(node)
        found: Any
        if isinstance(node, nodes.Name):
            found, name, known = scope, node.name, "a letter knows"
        elif isinstance(node, nodes.Getattr):
            found, name, known = self._resolve(node.node, scope), node.attr, "it has"
        else:
            raise self._error("only a plain value can stand here", node.lineno, _HOW)
        if not isinstance(found, Mapping) or name not in found:
            names = ", ".join(sorted(found)) if isinstance(found, Mapping) else "nothing inside"
            raise self._error(f"{name!r} is not defined", node.lineno, f"{known}: {names}")
        return found[name]

    def _allowed(self, node: nodes.Node) -> None:
        if not isinstance(node, _ALLOWED):
            line = next((found.lineno for found in (node, *node.iter_child_nodes()) if found.lineno), 1)
            raise self._error(f"{type(node).__name__} is not allowed in letters", line, _HOW)

    def _rendered(self, template: Template, values: Mapping[str, Any]) -> str:
        try:
            return template.render(values)
        except TemplateError as error:
            frames = traceback.extract_tb(error.__traceback__)
            line = next((frame.lineno or 1 for frame in reversed(frames) if frame.filename == self.file), 1)
            raise self._error(error.message or "the letter cannot be written", line, _HOW) from error

    def _error(self, what: str, line: int, fix: str) -> ConfigError:
        return ConfigError(what, file=self.file, line=line, column=1, fix=fix)


def _names(test: nodes.Node) -> Iterator[nodes.Node]:
    """The values that a condition asks about."""
    match test:
        case nodes.Not():
            yield from _names(test.node)
        case nodes.And() | nodes.Or():
            yield from _names(test.left)
            yield from _names(test.right)
        case _:
            yield test
