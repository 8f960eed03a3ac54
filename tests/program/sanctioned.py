"""What may stand in an account's place, and why that breaks no law."""

from __future__ import annotations

from chain_in_process import key, with_account
from distribution_cases import second_growing
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
            "the event is sent to the program by its id, which stands for the accounts left out as well",
            other("", "", lambda world: TOKEN_2022_PROGRAM)[2],
        )
    ],
    ("revoke_role", "role"): [
        ("the admin may revoke any role of its issuer", other("", "", lambda world: world.alpha.role(ATTESTOR, 3))[2])
    ],
    ("suspend_holder", "holder"): [
        ("compliance may suspend any of its holders", other("", "", lambda world: world.alpha.holder(world.bob))[2])
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


def expired(world: World, call: Instruction, index: int) -> Instruction:
    """A stranger, once the hold has expired."""
    world.chain.warp(HOUR)
    return with_account(call, index, pubkey=world.stranger)
