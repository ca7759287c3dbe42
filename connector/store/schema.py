"""The tables, once for SQLite and Postgres. `migrations/` builds exactly these; a test compares.

Money is an integer of the currency's minor unit beside its currency, never a float or NUMERIC (SQLite rounds it).
Every row carries its tenant. Organisation ids are "<ledger>:<ledger's own id>".
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from connector.store import columns

REVISIONS: Final = ("0001",)  # every migration that this version knows, oldest first
HEAD: Final = REVISIONS[-1]

METADATA: Final = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


organisation = sa.Table(
    "organisation",
    METADATA,
    columns.key("id"),
    columns.text("tenant"),
    columns.text("ledger"),
    columns.text("ledger_id"),
    columns.text("record"),
    columns.text("mode"),
    columns.day("start_date", nullable=False),
    columns.day("take_on_closed_on"),
    columns.text("connection_id"),
    sa.Column("cursor", columns.SafeText(), nullable=True),
    columns.instant("last_pull_at", nullable=True),
    columns.text("preset"),
    sa.UniqueConstraint("ledger", "ledger_id"),
)

connection = sa.Table(
    "connection",
    METADATA,
    columns.key("tenant"),
    columns.key("id"),
    columns.text("ledger"),
    columns.text("base_url"),
    columns.text("client_id"),
    columns.text("app_kind"),
    columns.text("scopes"),
    columns.text("state"),
    sa.Column("sealed", sa.LargeBinary(), nullable=False),
    columns.integer("version"),
    columns.instant("access_expires_at"),
    columns.instant("refresh_expires_at", nullable=True),
    columns.text("lease_holder"),
    columns.instant("lease_until", nullable=True),
    columns.integer("epoch"),
    columns.text("note"),
    columns.text("grant_id"),
)

lease = sa.Table(
    "lease",
    METADATA,
    columns.key("tenant"),
    columns.key("name"),
    columns.text("holder"),
    columns.integer("epoch"),
    columns.instant("since"),
    columns.instant("until"),
)

customer = sa.Table(
    "customer",
    METADATA,
    columns.text("tenant"),
    columns.key("organisation_id"),
    columns.key("id"),
    columns.text("name"),
    columns.text("name_folded"),
    columns.text("email"),
    columns.text("email_folded"),
    columns.flag("active"),
    columns.text("currency"),
    sa.Column("outstanding", columns.SafeText(), nullable=True),  # decimal text, base currency
    columns.text("body"),
    *columns.stamps(),
)

invoice = sa.Table(
    "invoice",
    METADATA,
    columns.text("tenant"),
    columns.key("organisation_id"),
    columns.key("id"),
    columns.text("number"),
    columns.text("number_folded"),
    columns.text("customer_id"),
    columns.text("status"),
    columns.flag("live"),  # draft, submitted, or approved with a balance: what policy looks at
    columns.day("issued", nullable=False),
    columns.day("due"),
    columns.text("currency"),
    columns.integer("total"),
    columns.integer("tax"),
    columns.integer("balance"),
    columns.integer("paid"),
    columns.integer("credited"),
    columns.text("rate"),
    columns.text("reference"),
    columns.flag("sent", nullable=True),
    columns.day("expected"),
    columns.day("fully_paid_on"),
    columns.flag("repeating"),
    columns.flag("has_attachments"),
    *columns.stamps(),
    columns.text("lines"),
)
sa.Index("ix_invoice_customer", invoice.c.organisation_id, invoice.c.customer_id)
sa.Index(
    "ix_invoice_live",  # holds all that totals ask for, so that they need not look up each row
    invoice.c.organisation_id,
    invoice.c.customer_id,
    invoice.c.tenant,
    invoice.c.live,
    invoice.c.status,
    invoice.c.currency,
    invoice.c.balance,
    invoice.c.rate,
    sqlite_where=sa.text("live = 1"),  # as SQLAlchemy spells the condition there: otherwise it is never used
    postgresql_where=sa.text("live"),
)

payment = sa.Table(
    "payment",
    METADATA,
    columns.text("tenant"),
    columns.key("organisation_id"),
    columns.key("id"),
    columns.text("customer_id"),
    columns.text("invoice_id"),  # the first invoice it is laid against: names the customer where the ledger does not
    columns.day("paid_on", nullable=False),
    columns.text("currency"),
    columns.integer("amount"),
    columns.text("reference"),
    columns.flag("reconciled", nullable=True),
    columns.text("account"),
    columns.flag("active"),
    *columns.stamps(),
    columns.text("allocations"),
)
sa.Index("ix_payment_customer", payment.c.organisation_id, payment.c.customer_id)

credit = sa.Table(
    "credit",
    METADATA,
    columns.text("tenant"),
    columns.key("organisation_id"),
    columns.key("id"),
    columns.text("kind"),
    columns.text("customer_id"),
    columns.day("issued", nullable=False),
    columns.text("currency"),
    columns.integer("total"),
    columns.integer("remaining"),
    columns.text("number"),
    columns.text("reference"),
    columns.flag("active"),
    columns.text("rate"),
    *columns.stamps(),
    columns.text("allocations"),
)
sa.Index("ix_credit_customer", credit.c.organisation_id, credit.c.customer_id)

needs_review = sa.Table(
    "needs_review",
    METADATA,
    columns.text("tenant"),
    columns.key("organisation_id"),
    columns.key("kind"),
    columns.key("id"),
    columns.text("reason"),
    columns.text("customer_id"),
    columns.text("number"),
)

wake = sa.Table(
    "wake",
    METADATA,
    columns.text("tenant"),
    columns.key("organisation_id"),
    columns.key("customer_id"),
    columns.flag("dirty"),
    columns.day("revisit"),
)

case_record = sa.Table(
    "case_record",
    METADATA,
    columns.text("tenant"),
    columns.key("organisation_id"),
    columns.key("id"),
    columns.text("kind"),
    columns.text("customer_id"),
    columns.text("invoice_ids"),
    columns.day("day", nullable=False),
    columns.text("author"),
    columns.text("body"),
    columns.integer("position"),  # order of first arrival within the organisation
)
sa.Index("ix_case_record_customer", case_record.c.organisation_id, case_record.c.customer_id)

policy_version = sa.Table(
    "policy_version",
    METADATA,
    columns.key("tenant"),
    columns.key("hash"),
    columns.text("body"),
    columns.instant("saved_at"),
)

action = sa.Table(
    "action",
    METADATA,
    columns.key("tenant"),
    columns.key("id"),
    columns.text("organisation_id"),
    columns.text("kind"),
    columns.text("target"),
    columns.text("occasion"),
    columns.text("customer_id"),
    columns.text("state"),
    columns.text("content_hash"),
    columns.text("decision"),
    columns.text("effects"),
    columns.text("preview"),
    columns.text("role"),
    columns.instant("created_at"),
    columns.instant("expires_at", nullable=True),
    columns.text("decided_by"),
    columns.instant("decided_at", nullable=True),
    columns.instant("settled_at", nullable=True),
    columns.text("reason"),
    columns.day("until"),
    columns.text("policy_version"),
    columns.text("mapping_version"),
    sa.UniqueConstraint("tenant", "organisation_id", "kind", "target", "occasion"),
)
sa.Index("ix_action_customer", action.c.tenant, action.c.organisation_id, action.c.customer_id)
sa.Index("ix_action_state", action.c.tenant, action.c.organisation_id, action.c.state)

effect = sa.Table(
    "effect",
    METADATA,
    columns.key("tenant"),
    columns.key("key"),
    columns.text("organisation_id"),
    columns.text("action_id"),
    columns.integer("position"),  # within the action
    columns.text("kind"),
    columns.text("target_kind"),
    columns.text("target"),
    columns.text("body"),
    columns.text("content_hash"),
    columns.text("state"),
    columns.integer("attempt"),
    columns.integer("epoch"),
    columns.instant("t_send", nullable=True),
    columns.flag("hold"),
    columns.text("reason"),
    columns.instant("not_before", nullable=True),
    sa.Column("request_method", columns.SafeText(), nullable=True),  # NULL = not prepared yet
    columns.text("request_path"),
    sa.Column("request_body", sa.LargeBinary(), nullable=False),
    columns.text("request_type"),
    columns.text("vendor_key"),
    sa.Column("receipt", columns.SafeText(), nullable=True),
    columns.instant("created_at"),
    columns.instant("updated_at"),
)
_PLANNED = sa.text("state = 'planned'")
_IN_FLIGHT = sa.text("state IN ('sending', 'unknown')")
sa.Index(
    "ix_effect_due",
    effect.c.tenant,
    effect.c.organisation_id,
    effect.c.created_at,
    effect.c.action_id,
    effect.c.position,
    sqlite_where=_PLANNED,
    postgresql_where=_PLANNED,
)
# The database itself refuses a second effect in flight on one target.
sa.Index(
    "uq_effect_in_flight",
    effect.c.tenant,
    effect.c.organisation_id,
    effect.c.target_kind,
    effect.c.target,
    unique=True,
    sqlite_where=_IN_FLIGHT,
    postgresql_where=_IN_FLIGHT,
)
sa.Index("ix_effect_action", effect.c.tenant, effect.c.action_id)
sa.Index("ix_effect_state", effect.c.tenant, effect.c.organisation_id, effect.c.state)

effect_after = sa.Table(
    "effect_after",
    METADATA,
    columns.key("tenant"),
    columns.key("key"),
    columns.key("after_key"),
)
sa.Index("ix_effect_after_after", effect_after.c.tenant, effect_after.c.after_key)

timeline_entry = sa.Table(
    "timeline_entry",
    METADATA,
    columns.key("tenant"),
    sa.Column("number", sa.BigInteger(), primary_key=True, nullable=False, autoincrement=False),
    columns.text("organisation_id"),
    columns.text("customer_id"),
    columns.instant("at"),
    columns.text("kind"),
    columns.text("subject"),
    columns.text("actor"),
    columns.text("body"),
    columns.text("hash"),
)
sa.Index(
    "ix_timeline_entry_customer",
    timeline_entry.c.tenant,
    timeline_entry.c.organisation_id,
    timeline_entry.c.customer_id,
)
sa.Index(
    "ix_timeline_entry_subject", timeline_entry.c.tenant, timeline_entry.c.organisation_id, timeline_entry.c.subject
)

timeline_head = sa.Table(
    "timeline_head",
    METADATA,
    columns.key("tenant"),
    columns.integer("number"),
    columns.text("hash"),
)
