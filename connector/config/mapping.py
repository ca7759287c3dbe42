"""The mapping: what things are called in the ledger, and who signs letters. Defaults, and over them mapping.yaml."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from connector.config.document import Document, Position, read_document
from connector.config.findings import findings
from connector.config.layers import merge
from connector.domain.reductions import Recipe, Reduction
from connector.errors import ConfigError

MAPPING_FILE: Final = "mapping.yaml"
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_LOCAL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+")


def _one_line(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must be one line of plain text")
    return value.strip()


Text = Annotated[str, Field(max_length=120), AfterValidator(_one_line)]


def _domain(value: str) -> str:
    if value and _DOMAIN.fullmatch(value) is None:
        raise ValueError("a domain looks like example.com")
    return value


def _email(value: str) -> str:
    local, at, domain = value.rpartition("@")
    if value and not (at and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)):
        raise ValueError("an address looks like accounts@example.com")
    return value


Email = Annotated[str, Field(max_length=254), AfterValidator(_email)]
Domain = Annotated[str, Field(max_length=253), AfterValidator(_domain)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Letters(_Section):
    """How letters leave and where answers go."""

    sender_name: Text = Field(description='Who signs, e.g. "Jo Tan, Accounts"; "" = the organisation\'s name.')
    sender_address: Email = Field(description="The address letters come from, where the mail settings name none.")
    reply_to: Email = Field(description='The mailbox that people read; "" = the sender\'s address.')
    phone: Text = Field(description="The number that letters give for a call back.")
    message_domain: Domain = Field(description='The domain in Message-IDs; "" = a reserved one.')


class Entry(_Section):
    """How one kind of reduction is entered, as a person confirmed it for one country and tax basis."""

    account: Annotated[Text, Field(min_length=1, max_length=50)] = Field(
        description="The ledger's code of the account; as_invoiced (corrections only) = the invoice line's own."
    )
    tax: dict[str, Text] = Field(
        min_length=1,
        description="Tax code on the invoice -> tax code of the entry; as_invoiced reduces the tax with the price.",
    )
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] = Field(description="Confirmed for this country (ISO 3166).")
    tax_basis: Annotated[Text, Field(min_length=1)] = Field(
        description="Confirmed for this tax basis, as the ledger names it; `dunwell doctor` shows it."
    )
    confirmed_by: Annotated[Text, Field(min_length=1)] = Field(description="Who confirmed it.")
    confirmed_on: date = Field(description="When.")

    def recipe(self, kind: Reduction) -> Recipe:
        return Recipe(
            kind, self.account, self.tax, self.country, self.tax_basis, self.confirmed_by, self.confirmed_on
        )  # fmt: skip


class Reductions(_Section):
    """Tax recipes by kind of reduction. A kind without one is refused: dunwell never guesses tax."""

    filed_to: date | None = Field(description="Tax returns are filed up to this day; nothing is dated on or before it.")
    correction: Entry | None = Field(description="The complaint was right.")
    goodwill: Entry | None = Field(description="An agreed price reduction.")
    settlement: Entry | None = Field(description="A written full and final settlement.")
    small_balance: Entry | None = Field(description="Bank charges and rounding.")
    shortfall: Entry | None = Field(description="Lost to exchange or transfer fees.")
    bad_debt: Entry | None = Field(description="Irrecoverable; internal, the debt is not released.")

    def recipe(self, kind: Reduction) -> Recipe | None:
        """The confirmed recipe; None where nobody confirmed one."""
        entry: Entry | None = getattr(self, kind.value)
        return entry.recipe(kind) if entry else None


class Mapping(_Section):
    """One project's mapping."""

    dispute_tag: Annotated[Text, Field(min_length=1, max_length=50)] = Field(
        description="The ledger's group or tag that marks customers with an open query."
    )
    letters: Letters
    reductions: Reductions

    @property
    def version(self) -> str:
        """16 hex digits over the content."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def load_mapping(project: Path) -> Mapping:
    """The project's mapping; the defaults where there is no mapping.yaml. Raises `ConfigError`: the first finding."""
    loaded, wrong = _load(project / MAPPING_FILE)
    if loaded is None:
        raise wrong[0]
    return loaded


def check_mapping(project: Path) -> tuple[ConfigError, ...]:
    """Every finding in the project's mapping.yaml (or in the file itself); none = it is sound."""
    return _load(project / MAPPING_FILE if project.is_dir() else project)[1]


def _load(path: Path) -> tuple[Mapping | None, tuple[ConfigError, ...]]:
    defaults = read_document(files("mappings").joinpath("defaults.yaml"))
    own = read_document(path) if path.exists() else Document(str(path), values={(): Position(1, 1)})
    wrong = list(own.findings)
    loaded: Mapping | None = None
    try:
        loaded = Mapping.model_validate(merge(defaults.data, own.data))
    except ValidationError as error:
        wrong += findings(error, own, Mapping)
    if wrong:
        return None, tuple(sorted(wrong, key=lambda found: (found.line, found.column)))
    return loaded, ()
