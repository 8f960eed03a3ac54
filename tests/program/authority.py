"""Who may call what: every valid call signed by every key, and what came of it.

A thief has one key and a purse. Of a valid call it takes one signer's place, or several, or all of them, with its own
role, limit and hold beside it where it has one, or the rightful ones. What is accepted is the matrix of
docs/authority.md; everything else has to be refused for who signs, and moves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from itertools import product
from typing import TypeAlias

from cases import CASES, VARIANTS, Case
from chain_in_process import Receipt, State, changed
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from substituting import layout_of
from tallystick.program import addresses
from tallystick.program.generated import types
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.generated.types import RoleKind
from tallystick.program.text import encode_text
from world import DAY, HOUR, ONE, SCOPE_MINT, SCOPE_TRANSFER, Issuer, Security, World, key

Accounts: TypeAlias = dict[str, Pubkey]
KEYS_OF_A_KIND = 3
"""Of each role: one that acts, one that acted before, and one that did neither."""


class Mark(StrEnum):
    """What a key may do with a call."""

    ALONE = "alone"
    OWN = "own"
    SECOND = "second"
    BESIDE = "beside"
    NEVER = ""


MEANING = {
    Mark.ALONE: "this key's signature is enough, beside a fee payer's",
    Mark.OWN: "enough, but only of the one key that is named there or began it, not of another of its kind",
    Mark.SECOND: "enough, but not of the key of this kind that took the step before, or that it is about",
    Mark.BESIDE: "counts only with another key's signature beside it",
    Mark.NEVER: "refused, and nothing moves",
}
PENDING_ADMIN, ANOTHER_HOLDER = key("pending admin"), key("another holder")


def _of_kind(kind: RoleKind) -> Callable[[World, Accounts], list[Pubkey]]:
    return lambda world, there: [world.alpha.key(kind, number) for number in range(1, KEYS_OF_A_KIND + 1)]


KEYS: dict[str, Callable[[World, Accounts], list[Pubkey]]] = {
    "upgrade authority": lambda world, there: [world.chain.upgrade_authority],
    "admin": lambda world, there: [world.alpha.admin],
    "pending admin": lambda world, there: [world.alpha.state.pending_admin],
    "guardian": _of_kind(RoleKind.GUARDIAN),
    "attestor": _of_kind(RoleKind.ATTESTOR),
    "operator": _of_kind(RoleKind.OPERATOR),
    "compliance": _of_kind(RoleKind.COMPLIANCE),
    "corporate actions": _of_kind(RoleKind.CORPORATE_ACTIONS),
    "distributor": _of_kind(RoleKind.DISTRIBUTOR),
    "reconciliation": _of_kind(RoleKind.RECONCILIATION),
    "publisher": _of_kind(RoleKind.PUBLISHER),
    "holder": lambda world, there: [world.alice],
    "inventory's owner": lambda world, there: [there.get("inventory_owner", world.bob)],
    "payout key": lambda world, there: [there.get("payout_key", key("payout key"))],
    "funder": lambda world, there: [there.get("funder", key("funder"))],
    "another holder": lambda world, there: [ANOTHER_HOLDER],
    "stranger": lambda world, there: [world.stranger],
}
"""Every key that the design knows, by the name of its column. The holder is the one whose orders and tokens the calls
are about; the inventory's owner stands for it where an order is Bob's. The stranger pays what it can."""


# Rows ----------------------------------------------------------------------------------------------------------------


def _attest_first(world: World) -> Instruction:
    """The first approval of a claim, which puts nothing in force."""
    world.chain.warp(DAY // 2)
    return world.acme.attest(world.acme.content(9_000 * ONE))


def _open_as_holder(world: World) -> Instruction:
    return world.acme.open_subscription(world.alice, "new", 5 * ONE)


def _cancel_subscription_as_holder(world: World) -> Instruction:
    world.chain.warp(31 * DAY)
    return world.acme.cancel_subscription(world.order("open"), by_holder=True)


def _cancel_redemption_as_holder(world: World) -> Instruction:
    return world.acme.cancel_redemption(world.order("requested"), by_holder=True)


def _cancel_accepted(world: World) -> Instruction:
    return world.acme.cancel_redemption(world.order("accepted"))


def _release_own(world: World) -> Instruction:
    world.chain.send(world.acme.place_hold(1, SCOPE_TRANSFER))
    return world.acme.release_hold(1)


def _release_expired(world: World) -> Instruction:
    world.chain.send(world.acme.place_hold(1, SCOPE_TRANSFER, RoleKind.RECONCILIATION))
    world.chain.warp(HOUR)
    return world.acme.release_hold(1, RoleKind.RECONCILIATION, authority=world.stranger)


def _release_of_a_revoked_owner(world: World) -> Instruction:
    world.chain.send(world.acme.place_hold(1, SCOPE_MINT))
    world.chain.send(world.alpha.revoke_role(RoleKind.COMPLIANCE))
    world.chain.warp(1)
    return world.acme.release_hold(1, consent=RoleKind.GUARDIAN, authority=world.alpha.admin)


def _way_of(instruction: str, case: Case) -> str:
    """The row's name of a variant: `veto, own removal` for `veto_own_removal`."""
    words = case.__name__.split("_")
    return f"{instruction}, {' '.join(word for word in words if word not in instruction.split('_'))}"


WAYS: dict[str, Case] = {
    "attest, for the first time": _attest_first,
    "open_subscription, by the holder": _open_as_holder,
    "cancel_subscription, after its deadline": _cancel_subscription_as_holder,
    "cancel_redemption, not accepted yet": _cancel_redemption_as_holder,
    "cancel_redemption, accepted": _cancel_accepted,
    "release_hold, of compliance": _release_own,
    "release_hold, expired": _release_expired,
    "release_hold, of a revoked owner": _release_of_a_revoked_owner,
}
"""Other ways to make the same call, in which other keys may."""
ROWS: dict[str, Case] = CASES | {_way_of(instruction, case): case for (instruction, _), case in VARIANTS.items()} | WAYS
"""Every call tried, by its row's name: the instruction, and how."""


def instruction_of(row: str) -> str:
    """The instruction that a row calls."""
    return row.partition(",")[0]


# A thief's calls -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Forgery:
    """A call in which the thief signs; alone, or with rightful keys beside it."""

    call: Instruction
    alone: bool


def forgeries(world: World, call: Instruction, thief: Pubkey, *, pays: bool) -> Iterator[Forgery]:
    """Every way for the thief to sign the call, those alone first."""
    layout = layout_of(call).accounts
    places = [index for index, each in enumerate(layout) if each.signer and each.name != "payer"]
    payers = [index for index, each in enumerate(layout) if each.name == "payer"]
    paying = dict.fromkeys(payers, thief) if pays or not places else {}
    choices = []
    for place in places:
        rightful = call.accounts[place].pubkey
        choices.append(dict.fromkeys((thief, *([PROGRAM_ID] if layout[place].optional else []), rightful)))
    made = []
    for chosen in product(*choices):
        if places and not any(
            signer == thief and call.accounts[place].pubkey != PROGRAM_ID
            for place, signer in zip(places, chosen, strict=True)
        ):
            continue  # Nobody has to sign in the only places that are the thief's: its signature counts for nothing.
        others = set(chosen) - {thief, PROGRAM_ID}
        signers = dict(zip(places, chosen, strict=True)) | paying
        made += [Forgery(each, not others) for each in _with_what_is_its_own(world, call, signers, thief)]
    yield from sorted(made, key=lambda forgery: not forgery.alone)


def _with_what_is_its_own(
    world: World, call: Instruction, signers: dict[int, Pubkey], thief: Pubkey
) -> Iterator[Instruction]:
    """The call so signed, with every choice of role, limit and hold accounts that are the thief's or the rightful."""
    layout = layout_of(call).accounts
    if layout_of(call).name == "initialize":
        yield _initialize(world, {layout[index].name: signer for index, signer in signers.items()})
        return
    taken = {call.accounts[index].pubkey for index, signer in signers.items() if signer == thief}
    options: list[tuple[Pubkey, ...]] = []
    for index, meta in enumerate(call.accounts[: len(layout)]):
        if index in signers:
            options.append((signers[index],))
            continue
        if layout[index].writable and layout[index].optional:  # What the call is about, and no proof of who signs.
            options.append((meta.pubkey,))
            continue
        own = _own_instead(world, layout[index].name, meta.pubkey, taken, thief, _security(call))
        absent = [PROGRAM_ID] if layout[index].optional and layout[index].name.endswith("role") else []
        options.append(tuple(dict.fromkeys((*own, meta.pubkey, *absent))))
    for chosen in product(*options):
        metas = list(call.accounts)
        for index, address in enumerate(chosen):
            there = address != PROGRAM_ID
            metas[index] = AccountMeta(address, layout[index].signer and there, layout[index].writable and there)
        yield Instruction(call.program_id, bytes(call.data), metas)


def _own_instead(
    world: World, name: str, address: Pubkey, taken: set[Pubkey], thief: Pubkey, security: Pubkey | None
) -> list[Pubkey]:
    """What of the thief's could stand for an account that is bound to a key whose place it took."""
    if name.endswith("role") and address == PROGRAM_ID:
        return roles_of(world, thief)
    for victim in taken:
        for issuer in (world.alpha.address, world.omega.address):
            for kind in RoleKind:
                if address == _role(issuer, kind, victim):
                    there = world.chain.find(address) is not None
                    return roles_of(world, thief) if there else [_role(issuer, kind, thief)]
        if security is None:
            continue
        if address == _limit(security, victim):
            own = _limit(security, thief)
            return [own] if world.chain.find(own) else []
        if name == "hold" and world.chain.find(address) is None:
            return [
                _hold(security, thief, number) for number in range(10) if address == _hold(security, victim, number)
            ]
    return []


_role, _limit, _hold = cache(addresses.role_address), cache(addresses.limit_address), cache(addresses.hold_address)


def _security(call: Instruction) -> Pubkey | None:
    return named(call).get("security")


def named(call: Instruction) -> Accounts:
    """The call's accounts by name."""
    return {each.name: meta.pubkey for each, meta in zip(layout_of(call).accounts, call.accounts, strict=False)}


def roles_of(world: World, holder: Pubkey) -> list[Pubkey]:
    """The role accounts of a key."""
    found = [_role(world.alpha.address, kind, holder) for kind in RoleKind]
    return [address for address in found if world.chain.find(address)]


def _initialize(world: World, signers: Accounts) -> Instruction:
    """An issuer's address is bound to its admin's key: a thief in that place makes an issuer of its own."""
    nonce = 7
    third = Issuer(world.chain, "third")
    params = types.InitializeParams(
        nonce, third.key(RoleKind.GUARDIAN), third.delay, encode_text("third", 64), b"HWUPKR0MPOU8FGXBT394"
    )
    issuer = addresses.issuer_address(addresses.issuer_id(signers["admin"], nonce))
    return third.initialize(**(signers | {"issuer": issuer, "params": params}))


# The world in which they are tried -----------------------------------------------------------------------------------


@cache
def _peopled() -> tuple[World, State, int]:
    """The world with three keys of every role, a pending admin and one more approved holder with tokens."""
    world = World.fresh()
    chain, alpha, acme = world.chain, world.alpha, world.acme
    for kind in RoleKind:
        for number in range(1, KEYS_OF_A_KIND + 1):
            if chain.find(alpha.role(kind, number)) is None:
                chain.send(alpha.grant_role(kind, number))
    chain.send(replace(acme, operator=3).set_limit())
    chain.send(alpha.propose_admin(PENDING_ADMIN))
    for wallet in (PENDING_ADMIN, ANOTHER_HOLDER, *(each for find in KEYS.values() for each in find(world, {}))):
        if chain.find(wallet) is None:
            chain.fund(wallet)
    alpha.do_approve(ANOTHER_HOLDER)
    chain.send(acme.create_tokens(ANOTHER_HOLDER))
    chain.send(acme.transfer(acme.tokens(world.bob), world.bob, acme.tokens(ANOTHER_HOLDER), ONE))
    chain.warp(alpha.delay)
    return world, chain.state(), chain.now


def peopled() -> World:
    """That world, as it was made."""
    world, state, now = _peopled()
    world.chain.restore(state, now)
    return world


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one call: a mark for each column, and the errors of what was refused."""

    marks: dict[str, Mark]
    refusals: dict[str, frozenset[str]]
    refused: int
    """How many calls were refused."""
    moved: tuple[str, ...]
    """What moved though it was refused: nothing, or the test fails."""


@cache
def tried(row: str) -> Row:
    """The call of a row, signed by every key in every way."""
    world = peopled()
    call = ROWS[row](world)
    trial = Trial(world, call, world.chain.state(), world.chain.now, world.chain.slot, [], [])
    refused = 0
    marks: dict[str, Mark] = {}
    refusals: dict[str, frozenset[str]] = {}
    for column, find in KEYS.items():
        trial.refusals.clear()
        keys = find(world, named(call))
        outcomes = {thief: trial.outcome(thief, pays=column == "stranger") for thief in keys}
        marks[column] = _mark(call, outcomes)
        refusals[column] = frozenset(trial.refusals)
        refused += len(trial.refusals)
    return Row(marks, refusals, refused, tuple(trial.moved))


def _mark(call: Instruction, outcomes: dict[Pubkey, Mark]) -> Mark:
    alone = {thief for thief, mark in outcomes.items() if mark is Mark.ALONE}
    if len(alone) == len(outcomes):
        return Mark.ALONE
    if alone:
        signers = {meta.pubkey for meta in call.accounts if meta.is_signer}
        return Mark.OWN if alone <= signers else Mark.SECOND
    return Mark.BESIDE if Mark.BESIDE in outcomes.values() else Mark.NEVER


@dataclass(frozen=True, slots=True)
class Trial:
    """One call in the state in which it is valid."""

    world: World
    call: Instruction
    state: State
    now: int
    slot: int
    refusals: list[str]
    moved: list[str]

    def outcome(self, thief: Pubkey, *, pays: bool) -> Mark:
        """The most that a key may. Every forgery that is refused must leave everything as it was."""
        chain = self.world.chain
        for forgery in forgeries(self.world, self.call, thief, pays=pays):
            result = chain.attempt(forgery.call)
            if isinstance(result, Receipt):
                self._restore()
                return Mark.ALONE if forgery.alone else Mark.BESIDE
            self.refusals.append(result.name)
            after = chain.state()
            if after != self.state:
                self.moved.extend(changed(self.state, after))
                self._restore()
        return Mark.NEVER

    def _restore(self) -> None:
        self.world.chain.restore(self.state, self.now)
        self.world.chain.slot = self.slot
        self.world.chain.set_time(self.now)


__all__ = ["KEYS", "MEANING", "ROWS", "WAYS", "Mark", "Row", "Security", "instruction_of", "peopled", "tried"]
