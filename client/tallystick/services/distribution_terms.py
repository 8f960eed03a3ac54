"""What a distribution commits to, compared with the plan in the store and said in words, for the plans that sign it."""

from __future__ import annotations

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Account
from tallystick.domain.amounts import format_base_units
from tallystick.domain.dividends import PayoutRecord
from tallystick.errors import Refused
from tallystick.program.generated.accounts import Distribution, Security
from tallystick.program.token import TokenAccount, decode_token_account
from tallystick.services.action_reads import moment_text
from tallystick.services.chain_reads import ticker_of
from tallystick.services.payout_lines import plan_document


def require_same(record: PayoutRecord, fields: Distribution) -> None:
    """Refused when the chain's account commits to something else than the plan in the store."""
    ours: dict[str, object] = {
        "root": record.root,
        "entries": record.entries,
        "total": record.total,
        "refund account": Pubkey.from_bytes(record.refund),
        "expiry": record.expires_at,
        "batches": record.batches,
        "payment mint": Pubkey.from_bytes(record.payment_mint),
        "decimals of the payment token": record.payment_decimals,
        "payout key": Pubkey.from_bytes(record.payout_key),
    }
    chain = (
        fields.root,
        fields.entries,
        fields.total,
        fields.refund,
        fields.expires_at,
        fields.batches,
        fields.payment_mint,
        fields.payment_decimals,
        fields.payout_key,
    )
    _require_equal("The plan in the store", ours, dict(zip(ours, chain, strict=True)))


def require_recomputed(own: PayoutRecord, fields: Distribution) -> None:
    """Refused when what the approver computed is not what was opened."""
    ours: dict[str, object] = {
        "root": own.root,
        "entries": own.entries,
        "total": own.total,
        "refund account": Pubkey.from_bytes(own.refund),
        "expiry": own.expires_at,
    }
    chain = (fields.root, fields.entries, fields.total, fields.refund, fields.expires_at)
    _require_equal("What you computed yourself", ours, dict(zip(ours, chain, strict=True)))


def _require_equal(whose: str, ours: dict[str, object], chain: dict[str, object]) -> None:
    for name, value in ours.items():
        if value != chain[name]:
            shown = [each.hex() if isinstance(each, bytes) else str(each) for each in (value, chain[name])]
            raise Refused(
                f"{whose} has the {name} {shown[0]}, the distribution on chain {shown[1]}.",
                hint="Sign nothing before it is known why: other registers or terms make other payments.",
            )


def terms_notes(record: PayoutRecord) -> tuple[str, ...]:
    """What whoever signs stands behind."""
    return (
        f"{record.entries:,} payments, {cash(record, record.total)} of {Pubkey.from_bytes(record.payment_mint)}.",
        f"Root {record.root.hex()}.",
        f"Sent by {Pubkey.from_bytes(record.payout_key)}, which can neither redirect nor change an amount.",
        f"Open to claims until {moment_text(record.expires_at)}; the rest goes to {Pubkey.from_bytes(record.refund)}.",
    )


def cash(record: PayoutRecord, units: int) -> str:
    """An amount as exact decimal text."""
    return format_base_units(units, record.payment_decimals)


def described(record: PayoutRecord) -> str:
    """Which distribution it is, without reading anything."""
    return f"distribution {record.number} of {plan_document(record)['event']}"


def titled(record: PayoutRecord, security: Security) -> str:
    """Which distribution it is, with symbol and amount."""
    return f"distribution {record.number} of {ticker_of(security)}, {cash(record, record.total)}"


def keys(*raw: bytes) -> tuple[Pubkey, ...]:
    """Addresses from their 32 bytes."""
    return tuple(Pubkey.from_bytes(each) for each in raw)


def token_account(account: Account | None, program: Pubkey) -> TokenAccount | None:
    """A token account of the payment's program; None when there is none, or anything else is there."""
    if account is None or account.owner != program:
        return None
    return decode_token_account(account.data)


__all__ = [
    "cash",
    "described",
    "keys",
    "require_recomputed",
    "require_same",
    "terms_notes",
    "titled",
    "token_account",
]
