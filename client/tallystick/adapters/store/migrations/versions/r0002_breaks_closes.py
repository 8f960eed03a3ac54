"""Breaks and daily closes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of reconciliation and the daily close."""
    op.create_table(
        "breaks",
        sa.Column("scope", sa.LargeBinary(32), primary_key=True),
        sa.Column("id", sa.LargeBinary(32), primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("instrument", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("amount", sa.String(40)),
        sa.Column("as_of", sa.Integer),
        sa.Column("effect", sa.String(16), nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("first_seen", sa.Integer, nullable=False),
        sa.Column("last_seen", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.Integer, nullable=False),
    )
    op.create_table(
        "closes",
        sa.Column("issuer", sa.LargeBinary(32), primary_key=True),
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("previous", sa.LargeBinary(32), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("issuer", "previous"),
        sa.UniqueConstraint("hash"),
    )
