"""What one holder was owed of a dividend and how it came about, as a document that proves itself.

Schema tallystick.dividend-statement/1. Cash is exact decimal text in units of the currency, hashes are hex, addresses
base 58. The parts add up: gross - upstream tax - withheld - fee + rounding = net, and net + carried in - paid before +
paid too much - carried out = amount. `verify_statement` needs the document alone; that its root is the distribution's,
anybody reads from the chain. What it cannot know are names and reasons, and gross and tax of the whole dividend.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any, Final

from solders.pubkey import Pubkey
from solders.signature import Signature

from tallystick.adapters.chain.outbox import Outbox, OutboxState
from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.store.payouts import PayoutStore
from tallystick.domain.amounts import MULTIPLIER_DECIMALS, U128_MAX, format_base_units, parse_base_units
from tallystick.domain.distribution_tree import Entry, batch_leaf, entry_leaf
from tallystick.domain.dividends import HolderClass, PayoutRecord, PayoutState
from tallystick.domain.entitlements import Entitlement, parse_page
from tallystick.domain.identifiers import event_hash
from tallystick.domain.merkle import root_of_proof
from tallystick.domain.withholding import BASIS_POINTS
from tallystick.errors import InputError, LedgerError, Refused, TallystickError
from tallystick.program.addresses import action_address, distribution_address
from tallystick.program.event_decoding import decode_events
from tallystick.program.generated.events import BatchPaid, EntitlementPaid
from tallystick.program.token import find_associated_token_address
from tallystick.services.action_reads import moment_text
from tallystick.services.distribution_books import follow_distribution
from tallystick.services.distribution_reads import read_distribution
from tallystick.services.payout_lines import EntryProof, PlacedLine, find_line, plan_document, proof_of, whole_tree

SCHEMA: Final = "tallystick.dividend-statement/1"
CHECK: Final = (
    "tally dividend statement --check FILE recomputes the root from the payment and its two proofs (docs/merkle.md) and"
    " compares it with the distribution's account on chain, which a second key approved."
)
_PARTS: Final = ("upstream_tax", "withheld", "fee")


async def find_entitlement(payouts: PayoutStore, record: PayoutRecord, owner: bytes) -> Entitlement:
    """What one owner was owed. Refused for somebody who is not in the register."""
    page = await payouts.page_of(record.address, owner)
    found = () if page is None else parse_page(page, plan_document(record)["tax_class_names"])
    at = bisect_left(found, owner, key=lambda each: each.owner)
    if at == len(found) or found[at].owner != owner:
        raise Refused(
            f"{Pubkey.from_bytes(owner)} held none of this security at the record date.",
            hint="Name the wallet that owned the tokens then; the register has owners, not their token accounts.",
        )
    return found[at]


async def holder_statement(
    chain: Chain, payouts: PayoutStore, outbox: Outbox, record: PayoutRecord, wallet: Pubkey
) -> dict[str, Any]:
    """The statement of one holder. What was paid is read at finalized. LedgerError when the store's entitlement is not
    what the list pays."""
    owed = await find_entitlement(payouts, record, bytes(wallet))
    placed = await find_line(payouts, record, bytes(wallet)) if owed.amount else None
    if owed.amount != (0 if placed is None else placed.line.amount):
        raise LedgerError(
            f"The store's entitlement of {wallet} is not what its list of payments has.",
            hint="Somebody changed the store; restore a backup.",
        )
    plan, decimals = plan_document(record), record.payment_decimals
    cash = _cash(owed, plan, decimals)
    return {
        "schema": SCHEMA,
        "holder": str(wallet),
        "event": plan["event"],
        "isin": plan["isin"],
        "security": plan["security"],
        "action": plan["action"],
        "action_version": plan["action_version"],
        "number": record.number,
        "record_at": moment_text(plan["announced"]["record_at"]),
        "pay_at": moment_text(plan["announced"]["pay_at"]),
        "register": {"slot": plan["register"]["slot"], "hash": plan["register"]["hash"]},
        "position": _position(owed, plan),
        "cash": cash,
        "payment": None if placed is None else await _payment(chain, payouts, outbox, record, placed),
        "not_paid_because": None if placed is not None else _reason(owed, plan, decimals),
        "how_to_check": CHECK,
    }


def verify_statement(document: Mapping[str, Any]) -> tuple[str, ...]:
    """What is wrong with a statement, in sentences; empty when it adds up and its proofs lead to its root. InputError
    for a document that is no statement."""
    if document.get("schema") != SCHEMA:
        raise InputError(f"This is no statement of a dividend: schema {SCHEMA} expected.")
    try:
        return (*_addresses(document), *_shares(document["position"]), *_sums(document), *_proofs(document))
    except (KeyError, TypeError, ValueError, OverflowError, TallystickError) as error:
        raise InputError(f"The statement is damaged: {error}") from error


def _position(owed: Entitlement, plan: Mapping[str, Any]) -> dict[str, Any]:
    multiplier, decimals = int(plan["register"]["multiplier"]), plan["register"]["decimals"]
    return {
        "raw": str(owed.raw),
        "decimals": decimals,
        "tokens": format_base_units(owed.raw, decimals),
        "multiplier": format_base_units(multiplier, MULTIPLIER_DECIMALS),
        # Exact: raw units and multiplier are integers, so it has at most this many places.
        "shares": format_base_units(owed.raw * multiplier, decimals + MULTIPLIER_DECIMALS),
        "class": owed.holder_class.name.lower(),
    }


def _cash(owed: Entitlement, plan: Mapping[str, Any], decimals: int) -> dict[str, Any]:
    """The parts; what the issuer's own wallets are not paid is their rounding line, under its own name."""
    net = owed.due - owed.carried_in
    after = owed.gross - owed.upstream - owed.withheld - owed.fee
    is_own = owed.holder_class is HolderClass.INVENTORY
    rule = plan["withholding"]["classes"].get(owed.tax_class)
    is_default = owed.tax_class == plan["withholding"]["default_class"]
    withholding = None
    if rule is not None:
        withholding = {
            "class": owed.tax_class,
            "rate_percent": format_base_units(rule["rate_bp"], 2),
            "from": rule["from"],
            "reason": rule["reason"],
            "why_this_class": plan["withholding"]["default_reason"] if is_default else "classified by the issuer",
        }

    def text(units: int) -> str:
        return format_base_units(units, decimals)

    return {
        "currency": plan["announced"]["currency"],
        "decimals": decimals,
        "gross": text(owed.gross),
        "upstream_tax": text(owed.upstream),
        "withheld": text(owed.withheld),
        "withholding": withholding,
        "fee": text(owed.fee),
        "fee_percent": format_base_units(plan["fee_bp"], 2),
        "kept_by_issuer": text(after if is_own else 0),
        "rounding": text(0 if is_own else net - after),
        "net": text(0 if is_own else net),
        "carried_in": text(owed.carried_in),
        "paid_before": text(owed.already),
        "paid_too_much": text(owed.overpaid),
        "carried_out": text(owed.carried_out),
        "amount": text(owed.amount),
    }


async def _payment(
    chain: Chain, payouts: PayoutStore, outbox: Outbox, record: PayoutRecord, placed: PlacedLine
) -> dict[str, Any]:
    proof, address = proof_of(await whole_tree(payouts, record), placed), Pubkey.from_bytes(record.address)
    record, _ = await follow_distribution(chain, payouts, record)
    seen = await read_distribution(chain, address, "finalized")
    is_paid = False
    if seen.account is not None:
        words = seen.account.words or await payouts.paid(record.address)
        is_paid = placed.batch < len(words) and bool(words[placed.batch] >> placed.index & 1)
    signature = await _signature(chain, outbox, address, placed) if is_paid else None
    return {
        "distribution": str(address),
        "state": record.state.value,
        "root": record.root.hex(),
        "mint": str(Pubkey.from_bytes(record.payment_mint)),
        "token_program": str(Pubkey.from_bytes(record.token_program)),
        "account": str(Pubkey.from_bytes(placed.line.address)),
        "bump": placed.line.bump,
        "base_units": str(placed.line.amount),
        **_proof_document(proof, record.batches),
        "is_paid": is_paid,
        "finalized_slot": seen.slot,
        "signature": None if signature is None else str(signature),
        "may_claim_until": None if is_paid or record.state is PayoutState.CLOSED else moment_text(record.expires_at),
    }


def _proof_document(proof: EntryProof, batches: int) -> dict[str, Any]:
    return {
        "batch": proof.placed.batch,
        "batches": batches,
        "index": proof.placed.index,
        "entries_in_batch": proof.placed.count,
        "flat_hash": proof.flat_hash.hex(),
        "entry_proof": [each.hex() for each in proof.entry_proof],
        "batch_proof": [each.hex() for each in proof.batch_proof],
    }


async def _signature(chain: Chain, outbox: Outbox, address: Pubkey, placed: PlacedLine) -> Signature | None:
    """The transaction of ours that paid an entry, by its events; None when somebody else's did."""
    for prefix in (f"claim:{address}:{placed.batch}:{placed.index}", f"dividend:{address}:{placed.batch}:"):
        for row in await outbox.find(prefix):
            if row.state is not OutboxState.LANDED:
                continue
            landed = await chain.get_transaction(row.signature)
            if landed is None or landed.error is not None:
                continue
            for event in decode_events((each.program, each.accounts, each.data) for each in landed.inner):
                if _pays(event, address, placed):
                    return row.signature
    return None


def _pays(event: object, address: Pubkey, placed: PlacedLine) -> bool:
    if isinstance(event, BatchPaid):
        return event.distribution == address and event.batch == placed.batch and bool(event.paid >> placed.index & 1)
    return isinstance(event, EntitlementPaid) and (event.distribution, event.batch, event.index) == (
        address,
        placed.batch,
        placed.index,
    )


def _reason(owed: Entitlement, plan: Mapping[str, Any], decimals: int) -> str:
    if owed.holder_class is HolderClass.INVENTORY:
        return "The wallet is the issuer's own inventory, which a distribution never pays."
    if owed.carried_out:
        least = format_base_units(int(plan["minimum"]), decimals)
        return f"It is less than the minimum of {least}, and is carried forward to the next dividend of this security."
    if owed.already:
        return "An earlier distribution of this event committed all of it."
    return "It comes to less than the smallest unit of the payment token."


def _addresses(document: Mapping[str, Any]) -> tuple[str, ...]:
    security, action = Pubkey.from_string(document["security"]), Pubkey.from_string(document["action"])
    problems: list[str] = []
    if action_address(security, event_hash(document["event"]), document["action_version"]) != action:
        problems.append("The action is not one of this security and event.")
    payment = document["payment"]
    if payment and str(distribution_address(action, document["number"])) != payment["distribution"]:
        problems.append("The distribution is not the one of this action and number.")
    return tuple(problems)


def _shares(position: Mapping[str, Any]) -> tuple[str, ...]:
    raw, decimals = int(position["raw"]), position["decimals"]
    shares = raw * parse_base_units(position["multiplier"], MULTIPLIER_DECIMALS, maximum=U128_MAX)
    stated = (format_base_units(raw, decimals), format_base_units(shares, decimals + MULTIPLIER_DECIMALS))
    if stated == (position["tokens"], position["shares"]):
        return ()
    return ("Tokens times multiplier are not the shares.",)


def _sums(document: Mapping[str, Any]) -> tuple[str, ...]:
    cash = document["cash"]
    decimals = cash["decimals"]
    value = {name: _units(text, decimals) for name, text in cash.items() if name in _AMOUNTS}
    problems: list[str] = []
    after = value["gross"] - sum(value[name] for name in _PARTS)
    if after + value["rounding"] - value["kept_by_issuer"] != value["net"]:
        problems.append("Gross, taxes, fee and rounding do not come to the net amount.")
    if abs(value["rounding"]) > len(_PARTS):
        problems.append("The rounding is more than that of the parts.")
    is_own = document["position"]["class"] == HolderClass.INVENTORY.name.lower()
    rates = {
        "withheld": "0" if cash["withholding"] is None else cash["withholding"]["rate_percent"],
        "fee": "0" if is_own else cash["fee_percent"],
    }
    for name, percent in rates.items():
        rate, gross = parse_base_units(percent, 2), value["gross"]  # basis points; the exact gross is below one more
        if not gross * rate // BASIS_POINTS <= value[name] <= (gross + 1) * rate // BASIS_POINTS:
            problems.append(f"The amount {name} is not {percent} % of the gross amount.")
    paid = value["net"] + value["carried_in"] - value["paid_before"] + value["paid_too_much"] - value["carried_out"]
    if paid != value["amount"]:
        problems.append("Net amount and what was carried or paid before do not come to the amount.")
    return tuple(problems)


_AMOUNTS: Final = frozenset(
    {
        *_PARTS,
        "gross",
        "kept_by_issuer",
        "rounding",
        "net",
        "carried_in",
        "paid_before",
        "paid_too_much",
        "carried_out",
        "amount",
    }
)


def _units(text: str, decimals: int) -> int:
    return -parse_base_units(text[1:], decimals) if text.startswith("-") else parse_base_units(text, decimals)


def _proofs(document: Mapping[str, Any]) -> tuple[str, ...]:
    payment = document["payment"]
    stated = _units(document["cash"]["amount"], document["cash"]["decimals"])
    if payment is None:
        return () if stated == 0 else ("There is an amount, and no payment with a proof of it.",)
    amount, bump = int(payment["base_units"]), int(payment["bump"])
    account, distribution = _key(payment["account"]), _key(payment["distribution"])
    problems: list[str] = []
    if amount != stated:
        problems.append("The amount of the payment is not the amount of the statement.")
    owner, mint, program = _key(document["holder"]), _key(payment["mint"]), _key(payment["token_program"])
    if find_associated_token_address(owner, mint, program) != (Pubkey.from_bytes(account), bump):
        problems.append("The payment account is not the holder's associated account of the payment token.")
    leaf = entry_leaf(payment["index"], Entry(account, bump, amount))
    count = payment["entries_in_batch"]
    entries = root_of_proof(leaf, payment["index"], count, _hashes(payment["entry_proof"]))
    root = None
    if entries is not None:
        flat = bytes.fromhex(payment["flat_hash"])
        batch = batch_leaf(distribution, payment["batch"], count, flat, entries)
        root = root_of_proof(batch, payment["batch"], payment["batches"], _hashes(payment["batch_proof"]))
    if root is None or root.hex() != payment["root"]:
        problems.append("The proofs do not lead from this payment to the root.")
    return tuple(problems)


def _key(text: str) -> bytes:
    return bytes(Pubkey.from_string(text))


def _hashes(texts: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(each) for each in texts]


__all__ = ["SCHEMA", "find_entitlement", "holder_statement", "verify_statement"]
