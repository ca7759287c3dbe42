"""The first schema.

Revision: 0001, no predecessor.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_INSTANT: Any = sa.DateTime(timezone=True)


def upgrade() -> None:
    _organisations()
    _customers()
    _invoices()
    _payments()
    _cases()
    _actions()
    _effects()
    _timeline()


def _organisations() -> None:
    op.create_table(
        "organisation",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("ledger_id", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("start_date", sa.Date(), nullable=False),
        sa.Column("take_on_closed_on", sa.Date(), nullable=True),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("last_pull_at", _INSTANT, nullable=True),
        sa.Column("preset", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organisation"),
        sa.UniqueConstraint("ledger", "ledger_id", name="uq_organisation_ledger_ledger_id"),
    )
    op.create_table(
        "connection",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("app_kind", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("access_expires_at", _INSTANT, nullable=False),
        sa.Column("refresh_expires_at", _INSTANT, nullable=True),
        sa.Column("lease_holder", sa.Text(), nullable=False),
        sa.Column("lease_until", _INSTANT, nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_connection"),
    )
    op.create_table(
        "lease",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("since", _INSTANT, nullable=False),
        sa.Column("until", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", name="pk_lease"),
    )


def _customers() -> None:
    op.create_table(
        "customer",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_folded", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_folded", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("outstanding", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "id", name="pk_customer"),
    )
    op.create_table(
        "needs_review",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "kind", "id", name="pk_needs_review"),
    )
    op.create_table(
        "wake",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("dirty", sa.Boolean(), nullable=False),
        sa.Column("revisit", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "customer_id", name="pk_wake"),
    )


def _invoices() -> None:
    op.create_table(
        "invoice",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("number_folded", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("issued", sa.Date(), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("paid", sa.BigInteger(), nullable=False),
        sa.Column("credited", sa.BigInteger(), nullable=False),
        sa.Column("rate", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("sent", sa.Boolean(), nullable=True),
        sa.Column("expected", sa.Date(), nullable=True),
        sa.Column("fully_paid_on", sa.Date(), nullable=True),
        sa.Column("repeating", sa.Boolean(), nullable=False),
        sa.Column("has_attachments", sa.Boolean(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "id", name="pk_invoice"),
    )
    op.create_index("ix_invoice_customer", "invoice", ["organisation_id", "customer_id"])
    op.create_index(
        "ix_invoice_live",
        "invoice",
        ["organisation_id", "customer_id", "tenant", "live", "status", "currency", "balance", "rate"],
        sqlite_where=sa.text("live = 1"),
        postgresql_where=sa.text("live"),
    )


def _payments() -> None:
    op.create_table(
        "payment",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("reconciled", sa.Boolean(), nullable=True),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("allocations", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "id", name="pk_payment"),
    )
    op.create_index("ix_payment_customer", "payment", ["organisation_id", "customer_id"])
    op.create_table(
        "credit",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("issued", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("remaining", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("rate", sa.Text(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("allocations", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "id", name="pk_credit"),
    )
    op.create_index("ix_credit_customer", "credit", ["organisation_id", "customer_id"])


def _cases() -> None:
    op.create_table(
        "case_record",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("invoice_ids", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "id", name="pk_case_record"),
    )
    op.create_index("ix_case_record_customer", "case_record", ["organisation_id", "customer_id"])
    op.create_table(
        "policy_version",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("saved_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "hash", name="pk_policy_version"),
    )


def _actions() -> None:
    op.create_table(
        "action",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("effects", sa.Text(), nullable=False),
        sa.Column("preview", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", _INSTANT, nullable=True),
        sa.Column("settled_at", _INSTANT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("mapping_version", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_action"),
        sa.UniqueConstraint(
            "tenant",
            "organisation_id",
            "kind",
            "target",
            "occasion",
            name="uq_action_tenant_organisation_id_kind_target_occasion",
        ),
    )
    op.create_index("ix_action_customer", "action", ["tenant", "organisation_id", "customer_id"])
    op.create_index("ix_action_state", "action", ["tenant", "organisation_id", "state"])


def _effects() -> None:
    op.create_table(
        "effect",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=False),
        sa.Column("action_id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target_kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("t_send", _INSTANT, nullable=True),
        sa.Column("hold", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("not_before", _INSTANT, nullable=True),
        sa.Column("request_method", sa.Text(), nullable=True),
        sa.Column("request_path", sa.Text(), nullable=False),
        sa.Column("request_body", sa.LargeBinary(), nullable=False),
        sa.Column("request_type", sa.Text(), nullable=False),
        sa.Column("vendor_key", sa.Text(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "key", name="pk_effect"),
    )
    op.create_index("ix_effect_action", "effect", ["tenant", "action_id"])
    op.create_index(
        "ix_effect_due",
        "effect",
        ["tenant", "organisation_id", "created_at", "action_id", "position"],
        sqlite_where=sa.text("state = 'planned'"),
        postgresql_where=sa.text("state = 'planned'"),
    )
    op.create_index("ix_effect_state", "effect", ["tenant", "organisation_id", "state"])
    op.create_index(
        "uq_effect_in_flight",
        "effect",
        ["tenant", "organisation_id", "target_kind", "target"],
        unique=True,
        sqlite_where=sa.text("state IN ('sending', 'unknown')"),
        postgresql_where=sa.text("state IN ('sending', 'unknown')"),
    )
    op.create_table(
        "effect_after",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("after_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "key", "after_key", name="pk_effect_after"),
    )
    op.create_index("ix_effect_after_after", "effect_after", ["tenant", "after_key"])


def _timeline() -> None:
    op.create_table(
        "timeline_entry",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("organisation_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "number", name="pk_timeline_entry"),
    )
    op.create_index("ix_timeline_entry_customer", "timeline_entry", ["tenant", "organisation_id", "customer_id"])
    op.create_index("ix_timeline_entry_subject", "timeline_entry", ["tenant", "organisation_id", "subject"])
    op.create_table(
        "timeline_head",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_timeline_head"),
    )
