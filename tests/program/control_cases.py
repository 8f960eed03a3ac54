"""One valid call of every instruction that controls a security or a holding; part of cases.py."""

from __future__ import annotations

from collections.abc import Callable

from chain_in_process import key
from control import CUSTODIAN_WALLET, Control
from solders.instruction import Instruction
from world import ONE, World

NEW_WALLET = key("alice's new wallet")


def update_policy(world: World) -> Instruction:
    """A higher supply cap, which waits."""
    return Control(world.acme).update_policy(supply_cap=2 * 10**15)


def name_seizure_account(world: World) -> Instruction:
    """A first one."""
    world.chain.send(world.acme.create_tokens(CUSTODIAN_WALLET))
    return Control(world.acme).name_seizure_account(CUSTODIAN_WALLET)


def announce_metadata(world: World) -> Instruction:
    """Another name and ISIN."""
    return Control(world.acme).announce_metadata()


def update_metadata(world: World) -> Instruction:
    """As announced, after the notice; the mint grows."""
    Control(world.acme).do_announce()
    return Control(world.acme).update_metadata()


def freeze_account(world: World) -> Instruction:
    """Alice's."""
    return Control(world.acme).freeze_account(world.alice)


def thaw_account(world: World) -> Instruction:
    """Alice's, which was frozen."""
    world.chain.send(Control(world.acme).freeze_account(world.alice))
    return Control(world.acme).thaw_account(world.alice)


def thaw_permissioned(world: World) -> Instruction:
    """Alice's, of a security that asks for her record."""
    world.acme.rewrite(permissioned=True)
    return thaw_account(world)


def propose_seizure(world: World) -> Instruction:
    """Of a part of Alice's."""
    return Control(world.acme).propose_seizure(world.alice, 7 * ONE)


def seize(world: World) -> Instruction:
    """A part of Alice's, whose account is frozen: thawed, moved, frozen again."""
    control = Control(world.acme)
    world.chain.send(control.freeze_account(world.alice))
    control.do_propose_seizure(world.alice, 7 * ONE)
    return control.seize(world.alice)


def reissue(world: World) -> Instruction:
    """From Alice's wallet to a new one of hers; the old account is frozen."""
    control = Control(world.acme)
    world.chain.send(control.freeze_account(world.alice))
    control.do_approve_new_wallet(NEW_WALLET)
    return control.reissue(world.alice, NEW_WALLET)


CONTROL_CASES: dict[str, Callable[[World], Instruction]] = {
    case.__name__: case
    for case in (
        update_policy, name_seizure_account, announce_metadata, update_metadata, freeze_account, thaw_account,
        propose_seizure, seize, reissue,
    )
}  # fmt: skip
