"""The tables of this room's stores, and the types they share. One MetaData holds every table of the store.

Instants are seconds since 1970 UTC, hashes and addresses 32 bytes, and amounts that may exceed 63 bits decimal text:
SQLite's integers are signed 64-bit ones, and a u64 that wrapped would be a wrong number of shares.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata: Final = MetaData(naming_convention=NAMING)
AMOUNT_DIGITS: Final = 40
"""Characters of the largest amount: a u128 has 39 digits, and a difference has a sign."""


class Amount(TypeDecorator[int]):
    """An integer of up to 128 bits, kept as decimal text. Compare and add in Python, never in SQL."""

    impl = String(AMOUNT_DIGITS)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:
        """The integer's digits."""
        return None if value is None else str(int(value))

    def process_result_value(self, value: Any | None, dialect: Dialect) -> int | None:
        """The integer again."""
        return None if value is None else int(value)


outbox: Final = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("intent", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
    Column("bytes", LargeBinary, nullable=False),
    Column("last_valid_block_height", Integer, nullable=False),
    Column("commitment", String(9), nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("updated_at", Integer, nullable=False),
    Column("state", String(7), nullable=False),
    Column("slot", Integer),
    Column("units", Integer),
    Column("fee", Amount),
    Column("error", Text),
    UniqueConstraint("intent", "attempt"),
    UniqueConstraint("signature"),
    Index(None, "state"),
)

statements: Final = Table(
    "statements",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", LargeBinary(32), nullable=False),
    Column("custodian", String(20), nullable=False),
    Column("account_hash", LargeBinary(32), nullable=False),
    Column("as_of", Integer, nullable=False),
    Column("received_at", Integer, nullable=False),
    Column("statement_id", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("status", String(11), nullable=False),
    Column("reason", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    UniqueConstraint("key"),
    Index(None, "account_hash", "as_of"),
)

movements: Final = Table(
    "movements",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("reference_hash", LargeBinary(32), nullable=False),
    Column("custodian", String(20), nullable=False),
    Column("account", String(35), nullable=False),
    Column("reference", String(35), nullable=False),
    Column("security", LargeBinary(32), nullable=False),
    Column("direction", String(9), nullable=False),
    Column("shares", Amount, nullable=False),
    Column("booked_at", Integer),
    Column("recorded_at", Integer, nullable=False),
    # A reference is one movement of one security, as on chain (seeds: security, reference hash).
    UniqueConstraint("security", "reference_hash"),
)

movement_parts: Final = Table(
    "movement_parts",
    metadata,
    Column("movement", Integer, ForeignKey("movements.id"), primary_key=True),
    Column("order", LargeBinary(32), primary_key=True),
    Column("shares", Amount, nullable=False),
)

orders: Final = Table(
    "orders",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("address", LargeBinary(32), nullable=False),
    Column("security", LargeBinary(32), nullable=False),
    Column("holder", LargeBinary(32), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("quantity", Amount, nullable=False),
    Column("reference", Text, nullable=False),
    Column("recorded_at", Integer, nullable=False),
    UniqueConstraint("address"),
    Index(None, "security"),
)

events: Final = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("security", LargeBinary(32), nullable=False),
    Column("event_hash", LargeBinary(32), nullable=False),
    Column("event_id", String(35), nullable=False),
    Column("recorded_at", Integer, nullable=False),
    UniqueConstraint("security", "event_hash"),
)

confirmations: Final = Table(
    "confirmations",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("custodian", String(20), nullable=False),
    Column("account", String(35), nullable=False),
    Column("reference", String(35), nullable=False),
    Column("isin", String(12), nullable=False),
    Column("event_id", String(35), nullable=False),
    Column("source_hash", LargeBinary(32), nullable=False),
    Column("received_at", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    UniqueConstraint("custodian", "account", "reference"),
)

registers: Final = Table(
    "registers",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("security", LargeBinary(32), nullable=False),
    Column("event_hash", LargeBinary(32), nullable=False),
    Column("slot", Integer, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("header", LargeBinary, nullable=False),
    UniqueConstraint("security", "event_hash"),
)

register_pages: Final = Table(
    "register_pages",
    metadata,
    Column("register", Integer, ForeignKey("registers.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

payouts: Final = Table(
    "payouts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("address", LargeBinary(32), nullable=False),
    Column("security", LargeBinary(32), nullable=False),
    Column("action", LargeBinary(32), nullable=False),
    Column("number", Integer, nullable=False),
    Column("payment_mint", LargeBinary(32), nullable=False),
    Column("token_program", LargeBinary(32), nullable=False),
    Column("payment_decimals", Integer, nullable=False),
    Column("payout_key", LargeBinary(32), nullable=False),
    Column("refund", LargeBinary(32), nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("batches", Integer, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("total", Amount, nullable=False),
    Column("expires_at", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("batch_size", Integer, nullable=False),
    Column("state", String(9), nullable=False),
    UniqueConstraint("address"),
    UniqueConstraint("action", "number"),
    Index(None, "security"),
)

payout_batches: Final = Table(
    "payout_batches",
    metadata,
    Column("payout", Integer, ForeignKey("payouts.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

entitlement_pages: Final = Table(
    "entitlement_pages",
    metadata,
    Column("payout", Integer, ForeignKey("payouts.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("first_owner", LargeBinary(32), nullable=False),
    Column("content", LargeBinary, nullable=False),
)

carries: Final = Table(
    "carries",
    metadata,
    Column("payout", Integer, ForeignKey("payouts.id"), primary_key=True),
    Column("owner", LargeBinary(32), primary_key=True),
    Column("change", Amount, nullable=False),
)

payout_accounts: Final = Table(
    "payout_accounts",
    metadata,
    Column("payout", Integer, ForeignKey("payouts.id"), primary_key=True),
    Column("account", LargeBinary(32), primary_key=True),
    Column("lamports", Integer, nullable=False),
)

payout_bits: Final = Table(
    "payout_bits",
    metadata,
    Column("payout", Integer, ForeignKey("payouts.id"), primary_key=True),
    Column("words", LargeBinary, nullable=False),
)

close_registers: Final = Table(
    "close_registers",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("issuer", LargeBinary(32), nullable=False),
    Column("security", LargeBinary(32), nullable=False),
    Column("day", String(10), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("header", LargeBinary, nullable=False),
    UniqueConstraint("security", "day"),
)

close_register_pages: Final = Table(
    "close_register_pages",
    metadata,
    Column("register", Integer, ForeignKey("close_registers.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

reports: Final = Table(
    "reports",
    metadata,
    Column("issuer", LargeBinary(32), primary_key=True),
    Column("period", Integer, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("built_at", Integer, nullable=False),
    Column("state", String(10), nullable=False),
    Column("approver", LargeBinary(32)),
    Column("approval", LargeBinary(64)),
    Column("approved_at", Integer),
    Column("signature", LargeBinary(64)),
    Column("slot", Integer),
    Column("published_at", Integer),
)

declarations: Final = Table(
    "declarations",
    metadata,
    Column("issuer", LargeBinary(32), primary_key=True),
    Column("period", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("declared_at", Integer, nullable=False),
)

report_assertions: Final = Table(
    "report_assertions",
    metadata,
    Column("issuer", LargeBinary(32), primary_key=True),
    Column("period", Integer, primary_key=True),
    Column("officer", Text, primary_key=True),
    Column("close", LargeBinary(32), nullable=False),
    Column("text", LargeBinary(32), nullable=False),
    Column("key", LargeBinary(32), nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
    Column("asserted_at", Integer, nullable=False),
)

statement_seeds: Final = Table(
    "statement_seeds",
    metadata,
    Column("issuer", LargeBinary(32), primary_key=True),
    Column("period", Integer, primary_key=True),
    Column("seed", LargeBinary(32), nullable=False),
)

audit: Final = Table(
    "audit",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("previous", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("content", LargeBinary, nullable=False),
    UniqueConstraint("hash"),
    CheckConstraint("sequence > 0", name="sequence"),
)


__all__ = [
    "Amount",
    "audit",
    "carries",
    "close_register_pages",
    "close_registers",
    "confirmations",
    "declarations",
    "entitlement_pages",
    "events",
    "metadata",
    "movement_parts",
    "movements",
    "orders",
    "outbox",
    "payout_accounts",
    "payout_batches",
    "payout_bits",
    "payouts",
    "register_pages",
    "registers",
    "report_assertions",
    "reports",
    "statement_seeds",
    "statements",
]
