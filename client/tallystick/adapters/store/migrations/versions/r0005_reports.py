"""Registers of a month's last close, reserve reports, and what an issuer declares for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of reports."""
    op.create_table(
        "close_registers",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("issuer", sa.LargeBinary(32), nullable=False),
        sa.Column("security", sa.LargeBinary(32), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("header", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("security", "day"),
    )
    op.create_table(
        "close_register_pages",
        sa.Column("register", sa.Integer, sa.ForeignKey("close_registers.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "reports",
        sa.Column("issuer", sa.LargeBinary(32), primary_key=True),
        sa.Column("period", sa.Integer, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("built_at", sa.Integer, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("approver", sa.LargeBinary(32)),
        sa.Column("approval", sa.LargeBinary(64)),
        sa.Column("approved_at", sa.Integer),
        sa.Column("signature", sa.LargeBinary(64)),
        sa.Column("slot", sa.Integer),
        sa.Column("published_at", sa.Integer),
    )
    op.create_table(
        "declarations",
        sa.Column("issuer", sa.LargeBinary(32), primary_key=True),
        sa.Column("period", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("declared_at", sa.Integer, nullable=False),
    )
    op.create_table(
        "report_assertions",
        sa.Column("issuer", sa.LargeBinary(32), primary_key=True),
        sa.Column("period", sa.Integer, primary_key=True),
        sa.Column("officer", sa.Text, primary_key=True),
        sa.Column("close", sa.LargeBinary(32), nullable=False),
        sa.Column("text", sa.LargeBinary(32), nullable=False),
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
        sa.Column("asserted_at", sa.Integer, nullable=False),
    )
    op.create_table(
        "statement_seeds",
        sa.Column("issuer", sa.LargeBinary(32), primary_key=True),
        sa.Column("period", sa.Integer, primary_key=True),
        sa.Column("seed", sa.LargeBinary(32), nullable=False),
    )
