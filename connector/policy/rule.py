"""What a rule is: a name, a YAML section, and a pure function."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from connector.domain.decisions import Decision, RuleOutcome
from connector.domain.facts import CustomerFacts
from connector.policy.document import Policy


class Rule(Protocol):
    """One file in `connector.policy.rules`, exporting `RULE`.

    `decide` gives decisions (before guardrails) and one outcome per thing it looked at, also when it wants nothing:
    each waiting outcome carries the date on which to look again.
    """

    name: str  # also the policy's YAML section

    def decide(self, policy: Policy, facts: CustomerFacts, as_of: date) -> tuple[list[Decision], list[RuleOutcome]]: ...
