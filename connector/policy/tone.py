"""The tone lint: what no letter may say, and what every letter that asks for money must say.

Patterns are deliberately about wording, not about subjects: "court" in a street's name is no threat. The caller masks
names that came from records (a customer may be called "Final Demand Ltd"). Texts are English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from connector.domain.decisions import Reason

_ACTORS: Final = (
    r"(?:collect(?:ions?|ing)|debt[- ]collect(?:ion|ing)|recovery) (?:agenc(?:y|ies)|agents?|compan(?:y|ies))"
)
_COURT: Final = r"(?:small claims |county |district )?(?:courts?|tribunals?)(?! street| road| lane)"
_MATTER: Final = r"(?:debt|account|matter|case|file)"
_LEGAL: Final = r"(?:legal|court) (?:action|proceedings?|steps?|claims?|measures?|remed(?:y|ies)|enforcement)"

# code -> patterns; a space stands for any white space, case is ignored.
_FORBIDDEN: Final[Sequence[tuple[str, Sequence[str]]]] = (
    (
        "tone.threat",
        (
            r"(?:or|otherwise|else),? (?:we|i) (?:will|shall|are going to) (?:be forced|have no (?:choice|option))",
            r"(?:be|are|am|feel) (?:left with no (?:choice|option|alternative)|forced to)",
            r"no (?:choice|option|alternative) but to",
            r"(?:you )?will (?:regret|suffer|pay for this)",
            r"(?:face|suffer|bear|accept) (?:the |serious |severe |further )*consequences",
            r"(?:serious|severe|dire) consequences",
            r"we know where you",
            r"(?:your )?credit (?:rating|score|record|file|history) (?:will|may|could|might|is going to)",
            r"(?:damage|affect|harm|ruin|destroy)(?:s|ing)? your (?:credit|reputation|business|name)",
            r"(?:cut off|disconnect|switch off) your",
            r"without (?:further|any further|prior) (?:notice|warning)",
            r"(?:seize|repossess|garnish|bailiffs?)",
            r"(?:report|list|register) you (?:to|with|as|at)",
            r"we (?:will|shall) (?:come|send someone) (?:to|round)",
        ),
    ),
    (
        "tone.shaming",
        (
            r"(?:shame|shameful|ashamed|disgrace(?:ful)?|embarrass(?:ing|ed|ment)?)",
            r"(?:bad|serial|habitual|repeat|notorious|chronic|evasive) (?:debtors?|payers?|customers?|offenders?)",
            r"(?:unacceptable|irresponsible|dishonest|dishonou?rable) (?:behaviou?r|conduct|attitude)",
            r"you (?:are|have been) (?:dishonest|irresponsible|unreliable|ignoring us|avoiding us|lying)",
            r"stop (?:ignoring|avoiding|making excuses)",
            r"(?:your )?excuses",
            r"(?:delinquen(?:t|cy)|deadbeat|defaulters?|freeload\w*|theft|thief|steal(?:ing)?|fraudster)",
            r"(?:tell|inform|notify|contact) your (?:customers|suppliers|employer|neighbou?rs|family|friends|landlord)",
            r"(?:publish (?:your|the|this)|publicly)",
        ),
    ),
    (
        "tone.false_urgency",
        (
            r"(?:urgent|immediate|instant) (?:action|attention|payment|response|settlement)",
            r"(?<!to\s)(?:pay|act|respond|call|settle|reply) (?:now|immediately|at once|today or|urgently)",
            r"(?:last|final) (?:chance|warning|opportunity|notice|demand)",
            r"(?:within|in) (?:the next )?(?:24|48) hours",
            r"time (?:is|has) (?:running|run) out",
            r"before (?:it is|it's) too late",
            r"do not (?:delay|ignore)",
            r"(?:urgent|warning|attention)[!:]",
            r"!\s*!",
        ),
    ),
    (
        "tone.legal_claim",
        (
            _LEGAL,
            rf"(?:to|before|through|in) (?:the |a )?{_COURT}",
            r"(?:(?:to|will|shall|may|can|could|must|we) sue|sue you|suing|prosecut\w+|litigat\w+|lawsuit)",
            r"(?:subpoena|summons|statutory demand|winding[- ]up)",
            r"(?:our|the) (?:solicitors?|lawyers?|attorneys?|barristers?|legal (?:team|department|advisers?))",
            r"(?:you are|it is|this is) (?:breaking the law|illegal|unlawful|a crime|a criminal|an offence)",
            r"(?:criminal|police|arrest|jail|prison)\b(?! street| road| lane)",
            r"(?:legally|by law) (?:obliged|required|bound|liable) to pay",
            r"(?:judg(?:e)?ment|order) against you",
            r"letter (?:before|of) (?:action|claim|demand)",
        ),
    ),
    (
        "tone.third_party",
        (
            _ACTORS,
            r"(?:debt collectors?|collectors|enforcement (?:agents?|officers?))",
            r"credit (?:bureaus?|reference agenc(?:y|ies))",
            rf"{_MATTER} (?:over |on )?to (?:an? |our |the )?(?:agency|agents?|recovery|third part)\w*",
            rf"{_MATTER} (?:will|may|could|might) be (?:passed|handed|referred|transferred|sold|assigned)",
            r"third[- ]party (?:collect\w*|recover\w*)",
        ),
    ),
    (
        # Bank details come only from the profile that two people verified; wording never carries them.
        "tone.bank_details",
        (
            r"\b[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){2,7}(?: ?[a-z0-9]{1,3})?\b",
            r"(?:account|acct|a/c) (?:number|no\.?|#)[: ]*\d[\d -]*",
            r"(?:sort code|bsb|routing (?:number|no\.?))[: ]*\d[\d -]*",
            r"(?:new|changed|updated) bank (?:account|details)",
            r"bank (?:account|details) (?:has|have) changed",
        ),
    ),
)


def _compiled(pattern: str) -> re.Pattern[str]:
    edged = rf"(?<!\w)(?:{pattern})(?!\w)" if pattern[-1].isalnum() or pattern[-1] in ")}" else pattern
    return re.compile(edged.replace(" ", r"\s+").replace(r"\s+?", r"\s?"), re.IGNORECASE)


_PATTERNS: Final = tuple((code, _compiled(pattern)) for code, patterns in _FORBIDDEN for pattern in patterns)
_SHOUTING: Final = re.compile(r"\b[A-Z]{3,}(?:\s+[A-Z]{2,}){2,}\b")


@dataclass(frozen=True, slots=True)
class MustName:
    """What a letter that asks for money has to contain, as it is written there.

    `answers`: the ways to answer; one of them is enough. Differences of white space do not count.
    """

    amounts: tuple[str, ...]
    by_date: str
    answers: tuple[str, ...]


def lint(text: str, must_name: MustName | None = None) -> tuple[Reason, ...]:
    """What is wrong with the text; () = it may go out.

    Codes `tone.*` carry the offending `words` and their `line` (from 1); `letter.amount_missing`,
    `letter.by_date_missing` and `letter.answer_missing` name what was expected.
    """
    return (*_wording(text), *(missing(text, must_name) if must_name else ()))


def missing(text: str, must_name: MustName) -> tuple[Reason, ...]:
    """Only the second half of `lint`: what the text does not name although it has to."""
    return tuple(_missing(text, must_name))


def _wording(text: str) -> Iterator[Reason]:
    for code, pattern in (*_PATTERNS, ("tone.shouting", _SHOUTING)):
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield Reason(code, {"words": _squashed(match[0]), "line": line})


def _missing(text: str, must_name: MustName) -> Iterator[Reason]:
    said = _squashed(text)
    for amount in must_name.amounts:
        if _squashed(amount) not in said:
            yield Reason("letter.amount_missing", {"expected": _squashed(amount)})
    if not must_name.amounts:
        yield Reason("letter.amount_missing", {"expected": ""})
    if not must_name.by_date or _squashed(must_name.by_date) not in said:
        yield Reason("letter.by_date_missing", {"expected": _squashed(must_name.by_date)})
    if not any(answer and _squashed(answer) in said for answer in must_name.answers):
        yield Reason("letter.answer_missing", {"expected": ", ".join(must_name.answers)})


def _squashed(text: str) -> str:
    return " ".join(text.split())
