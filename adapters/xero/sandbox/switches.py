"""Behaviours of the real service that no source confirms, each with its worst case for a client as the default.

docs/reference/xero-sandbox.md gives the reason for each default.

| switch | default | meaning |
| --- | --- | --- |
| due_date_on_part_paid | False | the API accepts a new DueDate on a part-paid sales invoice |
| expected_date_clearable | False | "" as ExpectedPaymentDate clears it; otherwise it is silently ignored |
| email_statuses | SUBMITTED, AUTHORISED, PAID | invoice statuses that may be e-mailed |
| email_daily_cap | None | e-mails a day; None = 0 for a demo company, 20 for a trial, else 1,000 |
| deleted_in_lists | True | DELETED invoices and payments appear in lists |
| history_limit | 2500 | characters of a history note; an older page of the documentation said 250 |
| history_delay_seconds | 0 | how long a new note stays invisible to readers |
| history_in_locked_period | True | notes are accepted on documents of a locked period |
| note_bumps_updated | False | a history note moves the record's UpdatedDateUTC |
| attachment_bumps_updated | True | an attachment moves the record's UpdatedDateUTC |
| attachment_overwrites | True | a file of the same name replaces the first; otherwise both are kept |
| group_bumps_contact | False | joining or leaving a group moves the contact's UpdatedDateUTC |
| merge_bumps_documents | False | merging contacts moves UpdatedDateUTC of the documents that change hands |
| duplicate_group_add | "error" | adding a member again: "error" (400) or "ok" |
| duplicate_group_name | "second" | creating a group under a used name: "second" group, or "error" (400) |
| reuse_voided_number | False | the number of a voided or deleted sales invoice may be used again |
| draft_online_invoice_status | 404 | status for the online link of a draft |
| balances_in_base_currency | False | contact balances are converted; the API description says that they are not |
| balances_net_of_credits | False | open credits reduce a contact's outstanding balance |
| aged_report_role | True | the user may see the aged reports; otherwise 403 |
| huge_organisation | False | unoptimised filters and orders of invoices are refused (400) |
| actions_not_allowed | () | names of organisation actions that the user may not do |
| allocation_id_in_answer | False | the answer to a new allocation names its AllocationID; reads always do |
| page_past_end_status | 200 | status for a page after the last: 200 with an empty list, or 404 |
| webhook_on_money | False | a payment or allocation is told by a webhook event of its invoice |
| idempotency_seconds | 360 | how long an Idempotency-Key lives from its first call |
| idempotency_refusal | "problem" | JSON of the answer to a misused key: "problem" or "validation" |
| email_obeys_key | True | an Idempotency-Key keeps an invoice from being e-mailed twice |
| concurrent_problem | "concurrent" | X-Rate-Limit-Problem of a sixth call in flight |
| app_minute_problem | "appminute" | X-Rate-Limit-Problem of the app's limit over all organisations |
"""

from __future__ import annotations

from collections.abc import Mapping

# What a switch may be set to where not every value of its default's kind makes sense.
CHOICES: Mapping[str, tuple[object, ...]] = {
    "duplicate_group_add": ("error", "ok"),
    "duplicate_group_name": ("second", "error"),
    "draft_online_invoice_status": (404, 400),
    "page_past_end_status": (200, 404),
    "idempotency_refusal": ("problem", "validation"),
}


def defaults() -> dict[str, object]:
    """Return a fresh set of switches in their default positions."""
    return {
        "due_date_on_part_paid": False,
        "expected_date_clearable": False,
        "email_statuses": ("SUBMITTED", "AUTHORISED", "PAID"),
        "email_daily_cap": None,
        "deleted_in_lists": True,
        "history_limit": 2500,
        "history_delay_seconds": 0,
        "history_in_locked_period": True,
        "note_bumps_updated": False,
        "attachment_bumps_updated": True,
        "attachment_overwrites": True,
        "group_bumps_contact": False,
        "merge_bumps_documents": False,
        "duplicate_group_add": "error",
        "duplicate_group_name": "second",
        "reuse_voided_number": False,
        "draft_online_invoice_status": 404,
        "balances_in_base_currency": False,
        "balances_net_of_credits": False,
        "aged_report_role": True,
        "huge_organisation": False,
        "actions_not_allowed": (),
        "allocation_id_in_answer": False,
        "page_past_end_status": 200,
        "webhook_on_money": False,
        "idempotency_seconds": 360,
        "idempotency_refusal": "problem",
        "email_obeys_key": True,
        "concurrent_problem": "concurrent",
        "app_minute_problem": "appminute",
    }
