"""policy and mapping: show, check, render, diff, schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import frame
from connector.cli.frame import Json, Project
from connector.cli.output import emit, say, table
from connector.errors import ConfigError

if TYPE_CHECKING:
    from connector.config.layers import LoadedPolicy

Currency = Annotated[
    str,
    typer.Option("--currency", metavar="CODE", help="Money thresholds in this currency [the connected books' own]."),
]


def register(app: typer.Typer) -> dict[str, typer.Typer]:
    """The command groups `policy` and `mapping`, by name."""
    policy = frame.group(app, "policy", "The credit policy.", "dunwell policy check")
    for command in (check, show, render, diff, schema):
        frame.command(policy, command)
    mapping = frame.group(app, "mapping", "The mapping: what is written where.", "dunwell mapping check")
    frame.command(mapping, mapping_check, "check")
    frame.command(mapping, mapping_show, "show")
    return {"policy": policy, "mapping": mapping}


def check(folder: Project = None, as_json: Json = False) -> int:
    """Check policy.yaml.

    Every finding with file, line, column, what is allowed and the nearest name. Exit code 1 when there is one.

    Example: dunwell policy check
    """
    from connector.bootstrap import project_root
    from connector.config.layers import check_policy

    return _findings(check_policy(project_root(folder or Path.cwd())), as_json=as_json)


def mapping_check(folder: Project = None, as_json: Json = False) -> int:
    """Check mapping.yaml and the letters.

    Example: dunwell mapping check
    """
    from connector.bootstrap import letterbook, project_root
    from connector.config.mapping import check_mapping

    root = project_root(folder or Path.cwd())
    return _findings((*check_mapping(root), *letterbook(root).check()), as_json=as_json)


def _findings(findings: tuple[ConfigError, ...], *, as_json: bool) -> int:
    if as_json:
        emit(
            {
                "findings": [
                    {
                        "file": one.file,
                        "line": one.line,
                        "column": one.column,
                        "path": one.path,
                        "message": one.what,
                        "fix": one.fix,
                    }
                    for one in findings
                ]
            }
        )
    elif not findings:
        say("nothing to complain about")
    else:
        for one in findings:
            say(f"{one}" + (f" ({one.fix})" if one.fix else ""))
    return 1 if findings else 0


def _loaded(folder: Path | None, currency: str) -> LoadedPolicy:
    """The policy with money in `currency`; when none is named, in that of the connected books where they agree."""
    from connector.bootstrap import project_root
    from connector.config.layers import load_policy

    root = project_root(folder or Path.cwd())
    load_policy(root)  # a policy that is wrong is told as such, before anything is opened
    return load_policy(root, currency.upper() or _currency_of_books(root))


def _currency_of_books(root: Path) -> str | None:
    from connector.store import organisations

    with frame.project(root) as w, w.db.reading(w.tenant) as tx:
        currencies = {row.record.base_currency for row in organisations.all(tx)}
    return currencies.pop() if len(currencies) == 1 else None


def show(currency: Currency = "", folder: Project = None, as_json: Json = False) -> int:
    """Every setting in force, and which layer set it.

    Example: dunwell policy show
    """
    loaded = _loaded(folder, currency)
    if as_json:
        emit(
            {
                "version": loaded.version,
                "policy": loaded.policy.model_dump(mode="json"),
                "provenance": {path: str(origin) for path, origin in loaded.provenance.items()},
            }
        )
    else:
        say(f"policy version {loaded.version}")
        table(("=setting", "value", "set in"), _settings(loaded.policy.model_dump(mode="json"), loaded.provenance))
    return 0


def _settings(values: object, provenance: object, path: str = "") -> list[tuple[str, object, object]]:
    from collections.abc import Mapping

    assert isinstance(provenance, Mapping)
    if isinstance(values, dict):
        rows: list[tuple[str, object, object]] = []
        for name, value in values.items():
            rows += _settings(value, provenance, f"{path}.{name}" if path else str(name))
        return rows
    return [(path, values, str(provenance.get(path, "")))]


def render(currency: Currency = "", folder: Project = None, as_json: Json = False) -> int:
    """The policy in plain language.

    Example: dunwell policy render
    """
    from connector.policy.document import describe

    loaded = _loaded(folder, currency)
    if as_json:
        emit({"version": loaded.version, "text": describe(loaded.policy)})
    else:
        say(describe(loaded.policy))
    return 0


def diff(
    other: Annotated[Path, typer.Argument(metavar="DIR", help="Another project folder.")],
    folder: Project = None,
    as_json: Json = False,
) -> int:
    """Settings in which two projects' policies differ.

    Example: dunwell policy diff ../globex
    """
    from connector.bootstrap import project_root
    from connector.config.layers import load_policy

    mine = dict(_flat(load_policy(project_root(folder or Path.cwd()), None).policy.model_dump(mode="json")))
    theirs = dict(_flat(load_policy(project_root(other), None).policy.model_dump(mode="json")))
    rows = [
        (path, mine.get(path), theirs.get(path))
        for path in sorted(mine.keys() | theirs.keys())
        if mine.get(path) != theirs.get(path)
    ]
    if as_json:
        emit({"differences": [{"path": path, "here": here, "there": there} for path, here, there in rows]})
    else:
        table(("=setting", "here", "there"), rows, empty="no setting differs")
    return 0


def _flat(values: object, path: str = "") -> list[tuple[str, object]]:
    if isinstance(values, dict):
        return [leaf for name, one in values.items() for leaf in _flat(one, f"{path}.{name}" if path else str(name))]
    return [(path, values)]


def schema(as_json: Json = False) -> int:
    """The JSON Schema of policy.yaml, for editors.

    It is JSON with and without --json.

    Example: dunwell policy schema > policy.schema.json
    """
    del as_json
    from connector.config.schema import policy_schema

    say(policy_schema())
    return 0


def mapping_show(folder: Project = None, as_json: Json = False) -> int:
    """The mapping in force.

    Example: dunwell mapping show
    """
    from connector.bootstrap import project_root
    from connector.config.mapping import load_mapping

    loaded = load_mapping(project_root(folder or Path.cwd()))
    if as_json:
        emit({"mapping": loaded.model_dump(mode="json")})
    else:
        table(("=setting", "value"), _flat(loaded.model_dump(mode="json")))
    return 0
