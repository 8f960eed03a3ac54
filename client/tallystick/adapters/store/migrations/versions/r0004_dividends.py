"""Confirmations of cash, registers at record dates, distributions with their batches, and what they leave behind."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of dividends."""
    op.create_table(
        "confirmations",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("custodian", sa.String(20), nullable=False),
        sa.Column("account", sa.String(35), nullable=False),
        sa.Column("reference", sa.String(35), nullable=False),
        sa.Column("isin", sa.String(12), nullable=False),
        sa.Column("event_id", sa.String(35), nullable=False),
        sa.Column("source_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("received_at", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("custodian", "account", "reference"),
    )
    op.create_table(
        "registers",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("security", sa.LargeBinary(32), nullable=False),
        sa.Column("event_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("header", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("security", "event_hash"),
    )
    op.create_table(
        "register_pages",
        sa.Column("register", sa.Integer, sa.ForeignKey("registers.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "payouts",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("address", sa.LargeBinary(32), nullable=False),
        sa.Column("security", sa.LargeBinary(32), nullable=False),
        sa.Column("action", sa.LargeBinary(32), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("payment_mint", sa.LargeBinary(32), nullable=False),
        sa.Column("token_program", sa.LargeBinary(32), nullable=False),
        sa.Column("payment_decimals", sa.Integer, nullable=False),
        sa.Column("payout_key", sa.LargeBinary(32), nullable=False),
        sa.Column("refund", sa.LargeBinary(32), nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("batches", sa.Integer, nullable=False),
        sa.Column("entries", sa.Integer, nullable=False),
        sa.Column("total", sa.String(40), nullable=False),
        sa.Column("expires_at", sa.Integer, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Integer, nullable=False),
        sa.Column("batch_size", sa.Integer, nullable=False),
        sa.Column("state", sa.String(9), nullable=False),
        sa.UniqueConstraint("address"),
        sa.UniqueConstraint("action", "number"),
        sa.Index(None, "security"),
    )
    op.create_table(
        "payout_batches",
        sa.Column("payout", sa.Integer, sa.ForeignKey("payouts.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "entitlement_pages",
        sa.Column("payout", sa.Integer, sa.ForeignKey("payouts.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("first_owner", sa.LargeBinary(32), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "carries",
        sa.Column("payout", sa.Integer, sa.ForeignKey("payouts.id"), primary_key=True),
        sa.Column("owner", sa.LargeBinary(32), primary_key=True),
        sa.Column("change", sa.String(40), nullable=False),
    )
    op.create_table(
        "payout_accounts",
        sa.Column("payout", sa.Integer, sa.ForeignKey("payouts.id"), primary_key=True),
        sa.Column("account", sa.LargeBinary(32), primary_key=True),
        sa.Column("lamports", sa.Integer, nullable=False),
    )
    op.create_table(
        "payout_bits",
        sa.Column("payout", sa.Integer, sa.ForeignKey("payouts.id"), primary_key=True),
        sa.Column("words", sa.LargeBinary, nullable=False),
    )
