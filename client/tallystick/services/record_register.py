"""The register at a record date: who holds a security once the announced moment has come, taken once and kept.

An endpoint tells only of its newest finalized slot, so the register is taken when the record date has just come; the
slot and how late it was stay in it. A second endpoint has to give the same holdings. It answers at a slot of its own:
equal holdings mean that both say the same of every owner, at slots that enclose no lasting change. One endpoint alone
can then neither leave out nor invent a holder; what it cannot show is a change taken back in between.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import Clock
from tallystick.adapters.store.registers import RegisterStore
from tallystick.domain.amounts import format_base_units
from tallystick.domain.dividends import HolderClass
from tallystick.domain.record_register import Position, RecordRegister
from tallystick.errors import InputError, Refused
from tallystick.program.generated.accounts import CorporateAction, Security
from tallystick.program.generated.types import ActionStatus
from tallystick.services.action_reads import moment_text
from tallystick.services.chain_reads import newest_finalized, require
from tallystick.services.record_holdings import (
    ATTEMPTS,
    PAUSE,
    Holdings,
    SecurityHoldings,
    read_security_holdings,
)

LONGEST_LATENESS: Final = 3_600
"""Seconds after the record date within which a register is taken without a reason."""
LONGEST_SLEEP: Final = 30.0
"""Seconds between two looks at the chain's clock while waiting."""

_AT_ONCE: Final = 100
"""Accounts of one request (Agave, MAX_MULTIPLE_ACCOUNTS)."""


@dataclass(frozen=True, slots=True)
class TakenRegister:
    """A register, its hash, and whether it was taken now or before.

    `sent_to_escrow` are raw units in the escrow that no redemption put there; nobody is paid for them.
    """

    register: RecordRegister
    hash: bytes
    is_new: bool

    @property
    def sent_to_escrow(self) -> int:
        """Raw units, 0 as a rule."""
        owner = self.register.security
        return next((each.raw for each in self.register.positions if each.owner == owner), 0)


async def take_register(
    chain: Chain,
    security: Pubkey,
    action: Pubkey,
    inventory: Collection[Pubkey],
    store: RegisterStore,
    clock: Clock,
    *,
    witnesses: Sequence[Chain] = (),
    longest_lateness: int = LONGEST_LATENESS,
    late_reason: str = "",
    attempts: int = ATTEMPTS,
) -> TakenRegister:
    """Take the register for an action's event and keep it; the one that was kept when there is one.

    `inventory` are the issuer's own wallets; `witnesses` are chains over one other endpoint each, which have to give
    the same holdings. Refused before the record date by the chain's clock, longer than `longest_lateness` seconds after
    it without a `late_reason`, for an action that was cancelled or replaced, and when holdings do not add up or two
    endpoints differ. ChainError, StoreError; LedgerError for a kept register that was changed.
    """
    found = await require(chain, CorporateAction, action, commitment="finalized")
    record_at = found.terms.record_at
    _require_action(found, security)
    kept = await store.find(bytes(security), found.event_hash)
    if kept is not None:
        if kept.record_at != record_at:
            raise Refused(
                f"The register of this event was taken for {moment_text(kept.record_at)}; its record date is announced"
                f" as {moment_text(record_at)} now.",
                hint="A register is taken once. Cancel the action and announce the new date under another event id.",
            )
        return TakenRegister(kept, kept.hash, is_new=False)
    slot, moment = await newest_finalized(chain)
    _require_moment(moment, record_at, longest_lateness, late_reason)
    mint = (await require(chain, Security, security, commitment="finalized")).mint
    read = await _read_alike(chain, witnesses, security, mint, clock, attempts, slot)
    slot = read.holdings.slot
    block_time = await chain.get_block_time(slot)
    moment = read.now if block_time is None else block_time
    _require_moment(moment, record_at, longest_lateness, late_reason)
    register = RecordRegister(
        security=bytes(security),
        event_hash=found.event_hash,
        mint=bytes(mint),
        slot=slot,
        block_time=moment,
        record_at=record_at,
        supply=read.holdings.supply,
        decimals=read.security.decimals,
        multiplier=read.multiplier,
        multiplier_bits=read.multiplier_bits,
        root=read.holdings.root,
        witnesses=1 + len(witnesses),
        positions=await classify(chain, read.holdings, read.escrowed, bytes(security), inventory),
        late_reason=late_reason if moment - record_at > longest_lateness else "",
    )
    await store.add(register)
    return TakenRegister(register, register.hash, is_new=True)


async def wait_for_record_date(chain: Chain, action: Pubkey, clock: Clock, on_wait: Callable[[int], None]) -> int:
    """Sleep until the record date of an action has come at a finalized slot; the chain's clock then. `on_wait` is told
    the seconds that are left, each time before it sleeps."""
    record_at = (await require(chain, CorporateAction, action)).terms.record_at
    while (left := record_at - (now := (await newest_finalized(chain))[1])) > 0:
        on_wait(left)
        await clock.sleep(min(float(left), LONGEST_SLEEP))
    return now


async def classify(
    chain: Chain, holdings: Holdings, escrowed: Mapping[bytes, int], security: bytes, inventory: Collection[Pubkey]
) -> tuple[Position, ...]:
    """Every owner's position. What live redemptions have in escrow is their holders' (`escrowed`, raw units by holder);
    what else is there belongs to nobody who could be paid, and counts as the issuer's own. Of owners that no key can
    have, the program that owns them is read as it is now: it says whom to ask, and changes nobody's part."""
    raw = dict(holdings.raw)
    for holder, amount in escrowed.items():
        raw[holder] = raw.get(holder, 0) + amount
    if escrowed:
        raw[security] -= sum(escrowed.values())
        if not raw[security]:
            del raw[security]
    owners, on_curve = sorted(raw), Pubkey.is_on_curve
    programs = await _programs(chain, [owner for owner in owners if not on_curve(Pubkey.from_bytes(owner))])
    own, frozen = {security, *map(bytes, inventory)}, holdings.frozen
    wallet = HolderClass.WALLET
    special = own | frozen.keys() | escrowed.keys() | programs.keys()
    return tuple(
        _position(owner, raw[owner], frozen.get(owner, 0), escrowed.get(owner, 0), programs.get(owner), owner in own)
        if owner in special
        else Position(owner, raw[owner], wallet)
        for owner in owners
    )


def _position(owner: bytes, raw: int, frozen: int, escrowed: int, program: bytes | None, is_own: bool) -> Position:
    if is_own:
        holder_class = HolderClass.INVENTORY
    elif frozen:
        holder_class = HolderClass.FROZEN
    else:
        holder_class = HolderClass.WALLET if program is None else HolderClass.PROGRAM
    return Position(owner, raw, holder_class, min(frozen, raw), escrowed, program or b"")


async def _read_alike(
    chain: Chain, witnesses: Sequence[Chain], security: Pubkey, mint: Pubkey, clock: Clock, attempts: int, slot: int
) -> SecurityHoldings:
    """Holdings that every endpoint gives alike, not before `slot`. Refused when two never do."""
    difference = ""
    for attempt in range(attempts):
        if attempt:
            await clock.sleep(PAUSE)
        read = await read_security_holdings(chain, security, mint, clock, min_context_slot=slot, attempts=attempts)
        for number, witness in enumerate(witnesses, 2):
            other = await read_security_holdings(
                witness, security, mint, clock, min_context_slot=read.holdings.slot, attempts=attempts
            )
            difference = _difference(read, other, number)
            if difference:
                break
        else:
            return read
    raise Refused(
        f"Two endpoints give different registers, in each of {attempts} readings. {difference}",
        hint="If tokens move all the time, hold transfers for a moment; if they do not, find out which endpoint is"
        " wrong before anything is paid.",
    )


def _difference(read: SecurityHoldings, other: SecurityHoldings, number: int) -> str:
    """What two endpoints say differently of what decides the register, in a sentence; empty for nothing."""
    owner = read.holdings.first_difference(other.holdings)
    if owner is not None:
        who = Pubkey.from_bytes(owner)
        return f"The first difference is {who}: {_said(read, owner, 1)}, {_said(other, owner, number)}."
    if read.escrowed != other.escrowed:
        return f"Endpoint {number} has the escrowed tokens of other redemptions."
    ours, theirs = (
        (each.security.mint, each.security.decimals, each.multiplier, each.multiplier_bits) for each in (read, other)
    )
    return "" if ours == theirs else f"Endpoint {number} has another mint, decimals or multiplier of the security."


def _said(read: SecurityHoldings, owner: bytes, number: int) -> str:
    raw, frozen = (format_base_units(each, read.security.decimals) for each in read.holdings.of(owner))
    return f"endpoint {number} says {raw} tokens ({frozen} frozen) at slot {read.holdings.slot}"


async def _programs(chain: Chain, owners: Sequence[bytes]) -> dict[bytes, bytes]:
    """The program that owns each of these addresses' accounts, empty where there is no account."""
    found: dict[bytes, bytes] = {}
    for part in _parts(owners):
        _, accounts = await chain.get_accounts([Pubkey.from_bytes(owner) for owner in part], "finalized")
        for owner, account in zip(part, accounts, strict=True):
            found[owner] = bytes(account.owner) if account else b""
    return found


def _parts(owners: Sequence[bytes]) -> Iterable[Sequence[bytes]]:
    return (owners[start : start + _AT_ONCE] for start in range(0, len(owners), _AT_ONCE))


def _require_action(found: CorporateAction, security: Pubkey) -> None:
    if found.security != security:
        raise InputError(f"This action is of security {found.security}, not of {security}.")
    if found.status in (ActionStatus.CANCELLED, ActionStatus.REPLACED):
        raise Refused(
            f"This version of the action was {found.status.name.lower()}.",
            hint="Name the version that counts: tally action list",
        )
    if not found.terms.record_at:
        raise Refused("This action has no record date.", hint="Announce a version that has one.")


def _require_moment(now: int, record_at: int, longest_lateness: int, late_reason: str) -> None:
    if now < record_at:
        raise Refused(
            f"The record date {moment_text(record_at)} has not come: by the newest finalized slot it is"
            f" {moment_text(now)}.",
            hint="Run it then, or let it wait: tally dividend record --wait",
        )
    if now - record_at > longest_lateness and not late_reason.strip():
        raise Refused(
            f"The record date {moment_text(record_at)} was {now - record_at} s ago, and a node tells only who holds the"
            " security now.",
            hint="Whoever bought or sold since would be paid wrongly. If nobody did, or the register is right for"
            " another reason, give it and it is kept in the register.",
        )


__all__ = [
    "LONGEST_LATENESS",
    "TakenRegister",
    "classify",
    "take_register",
    "wait_for_record_date",
]
