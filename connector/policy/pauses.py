"""How long chasing an invoice was, or would be, paused: nothing is indefinite (policy, patience)."""

from __future__ import annotations

from datetime import date

from connector.domain.facts import ItemFacts


def paused_days(item: ItemFacts, *more: tuple[date, date]) -> int:
    """Days past due taken up by the item's extension and promises, and by `more` (from, until); overlaps count once.

    Disputes, plans and legal holds are not pauses of this kind. 0 for an invoice without a due date.
    """
    if item.due is None:
        return 0
    spans = [(promise.on, promise.until) for promise in item.promises]
    if item.extension is not None:
        spans.append((item.extension.on, item.extension.until))
    counted, end = 0, item.due
    for start, until in sorted([*spans, *more]):
        first = max(start, end)
        if until > first:
            counted += (until - first).days
            end = until
    return counted
