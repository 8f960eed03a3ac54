"""Corporate actions that one rule refuses, and the error that says which; conventions as in refusals.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from actions import Action, delisting, dividend, split
from solders.instruction import Instruction
from tallystick.program.generated import types
from tallystick.program.generated.types import ActionKind
from world import DAY, MULTIPLIER_ONE, ONE, Movement, World

Make = Callable[[World], Action]
Call = Callable[[World], Instruction]
Refused = tuple[str, str, Call]


def _split(new: int = 2, old: int = 1, **terms: object) -> Make:
    return lambda world: split(world.acme, new, old, **terms)


def _as(kind: ActionKind, make: Make) -> Make:
    """The same terms under another kind."""
    return lambda world: replace(make(world), kind=kind)


def _dividend(**terms: object) -> Make:
    return lambda world: dividend(world.acme, **terms)  # type: ignore[arg-type]


def _announce(make: Make) -> Call:
    return lambda world: make(world).announce()


def _announced(call: Callable[[Action], Instruction], make: Make | None = None) -> Call:
    return lambda world: call((make or _split())(world).do_announce())


def _approved(call: Callable[[Action], Instruction], make: Make | None = None) -> Call:
    return lambda world: call((make or _split())(world).do_approve())


def _executed(call: Callable[[Action], Instruction], make: Make | None = None) -> Call:
    def run(world: World) -> Instruction:
        action = (make or _split())(world)
        action.do_execute()
        return call(action)

    return run


def _cancelled(call: Callable[[Action], Instruction]) -> Call:
    def run(world: World) -> Instruction:
        action = split(world.acme, 2).do_approve()
        world.chain.send(action.cancel())
        return call(action)

    return run


def _replaced(call: Callable[[Action], Instruction]) -> Call:
    def run(world: World) -> Instruction:
        action = split(world.acme, 2).do_approve()
        action.next().do_announce()
        return call(action)

    return run


def _at_effect(call: Callable[[Action], Instruction], seconds: int = 0) -> Callable[[Action], Instruction]:
    """The chain's clock shows the effective time, or some seconds from it."""

    def run(action: Action) -> Instruction:
        action.security.chain.set_time(action.terms.effective_at + seconds)
        return call(action)

    return run


def _rewritten(make: Call, **change: object) -> Call:
    """The security is changed past every rule after all but the call."""

    def run(world: World) -> Instruction:
        call = make(world)
        world.acme.rewrite(**change)
        return call

    return run


def _second(world: World) -> Instruction:
    """A second split while the first is pending."""
    split(world.acme, 2).do_execute()
    return replace(split(world.acme, 3), event="EVENT 2").do_approve().execute()


def _tightened(world: World) -> Instruction:
    """The bound was lowered after the approval."""
    call = split(world.acme, 10).do_approve().execute()
    world.acme.rewrite(policy=replace(world.acme.state.policy, max_change_numerator=9))
    return call


def _a_second_later(world: World) -> Action:
    """A new version with nothing changed."""
    action = split(world.acme, 2).do_announce()
    world.chain.warp(1)
    return action.next()


def _mint_before_a_change(world: World) -> Instruction:
    """The supply fits after the change, and does not once this is minted."""
    split(world.acme, 2).do_execute()
    supply = world.acme.minted.supply
    pending = 2**64 * MULTIPLIER_ONE // (supply + 29 * ONE)
    world.acme.rewrite(pending_multiplier=pending, multiplier_effective_at=world.chain.now + DAY)
    return world.acme.settle_subscription(world.order("open"), Movement("fresh in", 30 * ONE))


def _retired(make: Make) -> Call:
    def run(world: World) -> Instruction:
        replace(delisting(world.acme), event="DELISTING").do_execute()
        return make(world).announce()

    return run


def _retire_twice(world: World) -> Instruction:
    second = replace(delisting(world.acme), event="EVENT 2").do_approve()
    delisting(world.acme).do_execute()
    return second.retire()


APPROVE = lambda action: action.approve()  # noqa: E731
EXECUTE = lambda action: action.execute()  # noqa: E731
CANCEL = lambda action: action.cancel()  # noqa: E731
RETIRE = lambda action: action.retire()  # noqa: E731
AGAIN = lambda action: action.next(effective_at=action.security.chain.now + DAY).announce()  # noqa: E731

ACTION_REFUSALS: list[Refused] = [
    # announce
    ("HashMissing", "an action without event", lambda world: split(world.acme, 2).announce(
        params=types.AnnounceActionParams(bytes(32), 1, ActionKind.FORWARD_SPLIT, split(world.acme, 2).terms))),
    ("HashMissing", "an action without evidence", _announce(_split(evidence_hash=bytes(32)))),
    ("WrongActionVersion", "a first version 0", _announce(lambda world: replace(split(world.acme, 2), version=0))),
    ("WrongActionVersion", "a first version 2",
     lambda world: replace(split(world.acme, 2), version=2).announce(replaced=None)),
    ("WrongActionVersion", "a version left out", _announced(lambda action: replace(action, version=3).announce(
        replaced=action.address))),
    ("ActionNotReplaceable", "executed", _executed(AGAIN)),
    ("NoticeTooShort", "a split by a second", _announce(lambda world: split(
        world.acme, 2, effective_at=world.chain.now + DAY - 1))),
    ("NoticeTooShort", "a delisting by a second", _announce(lambda world: delisting(
        world.acme, effective_at=world.chain.now + DAY - 1))),
    ("NoticeTooShort", "a new version with the old time", _announce(_a_second_later)),
    ("BadActionTimes", "before 1970", _announce(_split(ex_at=-1))),
    ("BadActionTimes", "nobody is counted", _announce(_dividend(record_at=0))),
    ("BadActionTimes", "paid before holders are counted", _announce(lambda world: dividend(
        world.acme, pay_at=dividend(world.acme).terms.record_at - 1))),
    ("BadRatio", "a forward split that leaves it", _announce(_as(ActionKind.FORWARD_SPLIT, _split(1, 1)))),
    ("BadRatio", "a forward split that goes down", _announce(_as(ActionKind.FORWARD_SPLIT, _split(1, 2)))),
    ("BadRatio", "a stock dividend that goes down", _announce(_as(ActionKind.STOCK_DIVIDEND, _split(20, 21)))),
    ("BadRatio", "a reverse split that goes up", _announce(_as(ActionKind.REVERSE_SPLIT, _split(2, 1)))),
    ("BadRatio", "a reverse split to nothing", _announce(_as(ActionKind.REVERSE_SPLIT, _split(0, 1)))),
    ("BadRatio", "a reinvested dividend that goes down", _announce(_as(ActionKind.REINVESTED_DIVIDEND, _split(1, 2)))),
    ("BadRatio", "for no shares", _announce(_split(2, 0))),
    ("BadRatio", "a cash dividend with a ratio", _announce(_dividend(numerator=2, denominator=1))),
    ("BadRatio", "a delisting with a ratio", _announce(_as(ActionKind.DELISTING, _split()))),
    ("ChangeTooLarge", "up", _announce(_split(10 * 10**9 + 1, 10**9))),
    ("ChangeTooLarge", "down", _announce(_split(10**9, 10 * 10**9 + 1))),
    ("ChangeTooLarge", "under the policy of the day it is executed", _tightened),
    ("BadCash", "nothing paid", _announce(_dividend(gross=0))),
    ("BadCash", "no currency", _announce(_dividend(currency=bytes(3)))),
    ("BadCash", "a currency in small letters", _announce(_dividend(currency=b"usd"))),
    ("BadCash", "a split that pays", _announce(_split(gross_per_share=1))),
    ("BadCash", "a split with a currency", _announce(_split(currency=b"USD"))),
    ("WithholdingOutOfBounds", "more than all", _announce(_dividend(withholding=10_001))),
    ("SecurityRetired", "no second delisting", _retired(lambda world: delisting(world.acme))),
    # approve
    ("ApprovedByAnnouncer", "one key twice",
     _announced(lambda action: replace(action, approver=action.announcer).approve())),
    ("ActionNotAnnounced", "approved twice", _approved(APPROVE)),
    ("ActionNotAnnounced", "cancelled", _cancelled(APPROVE)),
    ("ActionNotAnnounced", "replaced", _replaced(APPROVE)),
    # execute
    ("ActionNotApproved", "announced only", _announced(EXECUTE)),
    ("ActionNotApproved", "executed twice", _executed(EXECUTE)),
    ("ActionNotApproved", "cancelled", _cancelled(EXECUTE)),
    ("ActionNotApproved", "replaced", _replaced(EXECUTE)),
    ("ActionOfWrongKind", "a delisting is no change", _approved(EXECUTE, lambda world: delisting(world.acme))),
    ("EffectiveTimePassed", "at the very second", _approved(_at_effect(EXECUTE))),
    ("ChangePending", "another split", _second),
    ("MultiplierOutOfRange", "nothing is left", _rewritten(_approved(EXECUTE, _split(1, 2)), multiplier=1)),
    ("MultiplierOutOfRange", "more than 128 bits", _rewritten(_approved(EXECUTE), multiplier=2**127)),
    ("MultiplierOutOfRange", "shares of the supply over 64 bits",
     _rewritten(_approved(EXECUTE), minted=2**63, burnt=0, multiplier=MULTIPLIER_ONE)),
    ("MultiplierOutOfRange", "a mint whose shares would not fit after a pending change", _mint_before_a_change),
    # cancel
    ("HashMissing", "a cancellation without reason",
     _announced(lambda action: action.cancel(params=types.CancelActionParams(13, bytes(32))))),
    ("ActionNotCancellable", "at the second it takes effect", _executed(_at_effect(CANCEL))),
    ("ActionNotCancellable", "cancelled twice", _cancelled(CANCEL)),
    ("ActionNotCancellable", "replaced", _replaced(CANCEL)),
    ("ActionNotCancellable", "retired", _executed(CANCEL, lambda world: delisting(world.acme))),
    # retire
    ("EffectiveTimeAhead", "a second early", _approved(_at_effect(RETIRE, -1), lambda world: delisting(world.acme))),
    ("ActionNotApproved", "announced only, to retire",
     _announced(_at_effect(RETIRE), lambda world: delisting(world.acme))),
    ("SecurityRetired", "twice", _retire_twice),
]  # fmt: skip
