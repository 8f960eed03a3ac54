"""The custodians' ids of corporate action events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of events."""
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("security", sa.LargeBinary(32), nullable=False),
        sa.Column("event_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("event_id", sa.String(35), nullable=False),
        sa.Column("recorded_at", sa.Integer, nullable=False),
        sa.UniqueConstraint("security", "event_hash"),
    )
