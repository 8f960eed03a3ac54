"""Outbox, statements, movements, orders and the audit log.

A store is never downgraded: restore the backup from before the upgrade.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_AMOUNT = sa.String(40)


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("intent", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
        sa.Column("bytes", sa.LargeBinary, nullable=False),
        sa.Column("last_valid_block_height", sa.Integer, nullable=False),
        sa.Column("commitment", sa.String(9), nullable=False),
        sa.Column("created_at", sa.Integer, nullable=False),
        sa.Column("updated_at", sa.Integer, nullable=False),
        sa.Column("state", sa.String(7), nullable=False),
        sa.Column("slot", sa.Integer),
        sa.Column("units", sa.Integer),
        sa.Column("fee", _AMOUNT),
        sa.Column("error", sa.Text),
        sa.UniqueConstraint("intent", "attempt"),
        sa.UniqueConstraint("signature"),
    )
    op.create_index(op.f("ix_outbox_state"), "outbox", ["state"])
    op.create_table(
        "statements",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("custodian", sa.String(20), nullable=False),
        sa.Column("account_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("as_of", sa.Integer, nullable=False),
        sa.Column("received_at", sa.Integer, nullable=False),
        sa.Column("statement_id", sa.Text, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("status", sa.String(11), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("key"),
    )
    op.create_index(op.f("ix_statements_account_hash_as_of"), "statements", ["account_hash", "as_of"])
    op.create_table(
        "movements",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("reference_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("custodian", sa.String(20), nullable=False),
        sa.Column("account", sa.String(35), nullable=False),
        sa.Column("reference", sa.String(35), nullable=False),
        sa.Column("security", sa.LargeBinary(32), nullable=False),
        sa.Column("direction", sa.String(9), nullable=False),
        sa.Column("shares", _AMOUNT, nullable=False),
        sa.Column("booked_at", sa.Integer),
        sa.Column("recorded_at", sa.Integer, nullable=False),
        sa.UniqueConstraint("security", "reference_hash"),
    )
    op.create_table(
        "movement_parts",
        sa.Column("movement", sa.Integer, sa.ForeignKey("movements.id"), primary_key=True),
        sa.Column("order", sa.LargeBinary(32), primary_key=True),
        sa.Column("shares", _AMOUNT, nullable=False),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("address", sa.LargeBinary(32), nullable=False),
        sa.Column("security", sa.LargeBinary(32), nullable=False),
        sa.Column("holder", sa.LargeBinary(32), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("quantity", _AMOUNT, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.Integer, nullable=False),
        sa.UniqueConstraint("address"),
    )
    op.create_index(op.f("ix_orders_security"), "orders", ["security"])
    op.create_table(
        "audit",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("previous", sa.LargeBinary(32), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("hash"),
        sa.CheckConstraint("sequence > 0", name="sequence"),
    )
