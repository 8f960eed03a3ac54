"""The document of a planned dividend: sources with hashes, terms, tables, control totals and root, in canonical JSON.

Schema tallystick.dividend-plan/1. Cash is in base units of the payment mint and tokens in raw units, both as decimal
text: a reader's numbers may end at 2^53. Hashes are hex, addresses base 58, times seconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from solders.pubkey import Pubkey

from tallystick.domain.canonical import CanonicalValue, canonical_json
from tallystick.domain.confirmations import CashConfirmation, ConfirmedCash
from tallystick.domain.dividends import HolderClass, PayoutLine, PayoutRecord
from tallystick.domain.entitlements import DividendTerms, Entitlements
from tallystick.domain.identifiers import canonical_spelling
from tallystick.domain.record_register import RecordRegister
from tallystick.program.generated.accounts import CorporateAction
from tallystick.services.action_reads import CODES, currency_text, gross_text
from tallystick.services.dividend_earlier import Earlier
from tallystick.services.dividend_rules import DividendRequest, DividendRules
from tallystick.services.payout_lines import SCHEMA


@dataclass(frozen=True, slots=True)
class Sources:
    """What a dividend was computed from. `register_hash` is the stored register's, `day` the record date."""

    request: DividendRequest
    action: CorporateAction
    register: RecordRegister
    register_hash: bytes
    cash: ConfirmedCash
    rules: DividendRules
    terms: DividendTerms
    day: str
    earlier: Earlier
    differences: tuple[str, ...]


def plan_bytes(
    record: PayoutRecord, sources: Sources, owed: Entitlements, lines: Sequence[PayoutLine], names: Sequence[str]
) -> bytes:
    """The document. `names` are the tax classes by the number that stored entitlements give them."""
    request, action, terms = sources.request, sources.action, sources.terms
    return canonical_json(
        {
            "schema": SCHEMA,
            "distribution": _address(record.address),
            "security": _address(record.security),
            "isin": request.isin,
            "event": canonical_spelling(request.event_id),
            "action": _address(record.action),
            "action_version": action.action_version,
            "kind": CODES[action.kind],
            "number": record.number,
            "announced": {
                "gross_per_share": gross_text(action.terms),
                "currency": currency_text(action.terms),
                "withholding_bp": action.terms.withholding,
                "record_at": action.terms.record_at,
                "pay_at": action.terms.pay_at,
                "notice": bytes(action.terms.evidence_hash).hex(),
            },
            "register": _register(sources),
            "cash": _cash(sources.cash),
            "differences": {"found": list(sources.differences), "accepted": request.accepted or None},
            "withholding": _withholding(sources),
            "fee_bp": terms.fee,
            "minimum": str(terms.minimum),
            "tax_class_names": list(names),
            "payment": {
                "mint": _address(record.payment_mint),
                "token_program": _address(record.token_program),
                "decimals": record.payment_decimals,
                "payout_key": _address(record.payout_key),
                "refund": _address(record.refund),
                "refund_owner": str(sources.rules.refund_owner),
                "expires_at": record.expires_at,
            },
            "earlier": [
                {"number": number, "distribution": _address(address), "state": state.value, "counted": str(total)}
                for number, address, state, total in sources.earlier.distributions
            ],
            "totals": {each.name: str(getattr(owed.totals, each.name)) for each in fields(owed.totals)},
            "counts": _counts(owed, lines),
            "tree": {
                "root": record.root.hex(),
                "batches": record.batches,
                "batch_size": record.batch_size,
                "entries": record.entries,
                "total": str(record.total),
            },
        }
    )


def _register(sources: Sources) -> CanonicalValue:
    register = sources.register
    return {
        "hash": sources.register_hash.hex(),
        "root": register.root.hex(),
        "slot": register.slot,
        "block_time": register.block_time,
        "supply": str(register.supply),
        "decimals": register.decimals,
        "multiplier": str(register.multiplier),
        "multiplier_bits": f"{register.multiplier_bits:016x}",
        "witnesses": register.witnesses,
        "late_reason": register.late_reason or None,
        "owners": len(register.positions),
    }


def _cash(cash: ConfirmedCash) -> CanonicalValue:
    return {
        "currency": cash.currency,
        "eligible": str(cash.eligible),
        "gross": str(cash.gross),
        "tax": str(cash.tax),
        "net": str(cash.net),
        "standing": [_confirmation(each) for each in _in_order(cash.standing)],
        "taken_back": [_confirmation(each) for each in _in_order(cash.taken_back)],
    }


def _in_order(confirmations: Sequence[CashConfirmation]) -> list[CashConfirmation]:
    """By what they say, not by when they came: two machines may have read them in another order."""
    return sorted(confirmations, key=lambda each: (each.custodian_lei, each.account, each.reference))


def _confirmation(each: CashConfirmation) -> CanonicalValue:
    return {
        "custodian": each.custodian_lei,
        "account": each.account,
        "reference": each.reference,
        "function": each.function.value,
        "net": str(each.net),
        "posted": each.posted,
        "sha256": each.source_hash.hex(),
    }


def _withholding(sources: Sources) -> CanonicalValue:
    table, day = sources.rules.table, sources.day
    in_force: dict[str, CanonicalValue] = {}
    for rule in sorted(table.rules, key=lambda rule: rule.from_date):
        if rule.from_date <= day:
            in_force[rule.tax_class] = {"rate_bp": rule.rate_bp, "from": rule.from_date, "reason": rule.reason}
    return {
        "day": day,
        "default_class": table.default_class,
        "default_reason": table.default_reason,
        "classes": in_force,
    }


def _counts(owed: Entitlements, lines: Sequence[PayoutLine]) -> CanonicalValue:
    paid: dict[HolderClass, list[int]] = {kind: [0, 0] for kind in HolderClass}
    for line in lines:
        paid[line.holder_class][0] += 1
        paid[line.holder_class][1] += line.amount
    owners = dict.fromkeys(HolderClass, 0)
    for each in owed.entitlements:
        owners[each.holder_class] += 1
    return {
        "pushed": paid[HolderClass.WALLET][0],
        "classes": {
            kind.name.lower(): {"owners": owners[kind], "payments": paid[kind][0], "amount": str(paid[kind][1])}
            for kind in HolderClass
        },
    }


def _address(raw: bytes) -> str:
    return str(Pubkey.from_bytes(raw))


__all__ = ["Sources", "plan_bytes"]
