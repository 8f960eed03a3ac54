"""What may stand in an account's place, and why that breaks no law."""

from __future__ import annotations

from dataclasses import dataclass

from chain_in_process import key, with_account
from distribution_cases import second_growing
from reports import DRAW_SLOTS, Reports
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from substituting import ALICE, ATTESTOR, BOB, Pick, Run, other
from tallystick.program.generated.instructions import INSTRUCTIONS
from tallystick.program.token import TOKEN_2022_PROGRAM
from world import HOUR, World, copy_to


def another_account(wallet: Pick, place: str) -> Pick:
    """A token account of the same holder that is not its associated one."""

    def pick(world: World) -> Pubkey:
        return copy_to(world.chain, world.acme.tokens(wallet(world)), key(place), TOKEN_2022_PROGRAM)

    return pick


ANY_PAYER = "rent comes from whoever signs to pay it; it gives no power"
EVENT_BY_ID = "the event is sent to the program by its id, which stands for the accounts left out as well"
COSIGNER_UNASKED = "who signs beside the guardian counts for its own removal alone"
SAME_HOLDER = "a holder may keep tokens in several accounts, and where a return goes is the holder's either way"
SANCTIONED: dict[tuple[str, str], list[tuple[str, Run]]] = {
    (instruction, "payer"): [(ANY_PAYER, other("", "", lambda world: world.chain.fund(key("another payer")))[2])]
    for instruction, layout in INSTRUCTIONS.items()
    if any(account.name == "payer" for account in layout.accounts)
} | {
    ("settle_subscription", "recipient"): [(SAME_HOLDER, other("", "", another_account(ALICE, "second"))[2])],
    ("request_redemption", "source"): [(SAME_HOLDER, other("", "", another_account(ALICE, "second"))[2])],
    ("cancel_redemption", "destination"): [(SAME_HOLDER, other("", "", another_account(ALICE, "second"))[2])],
    ("withdraw_redemption", "destination"): [(SAME_HOLDER, other("", "", another_account(ALICE, "second"))[2])],
    ("correct_fill", "inventory"): [(SAME_HOLDER, other("", "", another_account(BOB, "second"))[2])],
    ("veto", "program"): [
        (
            EVENT_BY_ID,
            other("", "", lambda world: TOKEN_2022_PROGRAM)[2],
        )
    ],
    ("revoke_role", "role"): [
        ("the admin may revoke any role of its issuer", other("", "", lambda world: world.alpha.role(ATTESTOR, 3))[2])
    ],
    ("suspend_holder", "holder"): [
        ("compliance may suspend any of its holders", other("", "", lambda world: world.alpha.holder(world.bob))[2])
    ],
    ("draw_day", "draw"): [
        (
            "anyone draws any day that was asked for: only one slot's hash can decide it",
            lambda world, call, index: asked_abroad(world, call, index),
        )
    ],
    ("grow_distribution", "distribution"): [
        (
            "anyone may pay for the growth of any distribution that has still to grow",
            other("", "", lambda world: second_growing(world))[2],
        )
    ],
    ("release_hold", "authority"): [
        ("anyone releases an expired hold", lambda world, call, index: expired(world, call, index)),
    ],
}  # fmt: skip
"""What may stand in an account's place, and why that breaks no law."""


@dataclass(frozen=True, slots=True)
class Twice:
    """Accounts that may stand in two places of one call, and why. Names are as in the IDL; empty means any."""

    reason: str
    places: frozenset[str]
    sources: frozenset[str] = frozenset()
    instructions: frozenset[str] = frozenset()

    def covers(self, instruction: str, place: str, source: str) -> bool:
        """Whether `source`'s account in this place is meant."""
        return (
            place in self.places
            and (not self.sources or source in self.sources)
            and (not self.instructions or instruction in self.instructions)
        )


SAME_KEY_TWICE: list[Twice] = [
    Twice(ANY_PAYER, frozenset({"payer"})),
    Twice(EVENT_BY_ID, frozenset({"program"}), instructions=frozenset({"veto"})),
    Twice(COSIGNER_UNASKED, frozenset({"cosigner", "cosigner_role"}), instructions=frozenset({"veto"})),
    Twice(
        "the program's id stands for an account that is left out",
        frozenset({"linked_to"}),
        frozenset({"program"}),
        frozenset({"open_distribution"}),
    ),
]
"""Only keys that sign the call are given in a signer's place: nobody signs for an account of a program."""
NEVER_CLOSED = (
    "made again where it is not there, but no call closes one: test_attack_coverage.py shows it of every call"
)
HARMLESS_ABSENCE: dict[tuple[str, str, str], str] = (
    {
        (instruction, account, change): NEVER_CLOSED
        for instruction, account in (("attest", "attestation"), ("settle_redemption", "movement"))
        for change in ("emptied", "emptied, with lamports")
    }
    | {
        ("close_distribution", "rent_recipient", change): "lamports may be sent to any account, whatever it holds"
        for change in ("emptied", "emptied, with lamports", "old bytes, no program", "zeros")
    }
    | {
        ("close_distribution", "payment_mint", "old bytes, no program"): (
            "closing takes the mint's address alone, which the distribution names"
        )
    }
    | {
        ("pay_entitlement", "holder", change): "a wallet without a record is not suspended; no call closes a record"
        for change in ("emptied", "emptied, with lamports", "old bytes, no program")
    }
)
"""Accounts that may be closed or brought back, and why."""
CLOSES: dict[str, set[str]] = {}
"""Accounts of the program that an instruction closes, by name."""


def expired(world: World, call: Instruction, index: int) -> Instruction:
    """A stranger, once the hold has expired."""
    world.chain.warp(HOUR)
    return with_account(call, index, pubkey=world.stranger)


def asked_abroad(world: World, call: Instruction, index: int) -> Instruction:
    """A day that another issuer asked for."""
    draw = Reports(world.omega).do_request()
    world.chain.set_slot(world.chain.slot + DRAW_SLOTS + 1)
    return with_account(call, index, pubkey=draw)
