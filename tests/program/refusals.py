"""Calls that one rule of the program refuses, and the error that says which. What accounts alone can break is in
substitutes.py. A refusal that no sequence of calls can reach yet is shown on a rewritten account, or listed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from action_refusals import ACTION_REFUSALS
from cases import NEWCOMER
from chain_in_process import digest, key
from control_refusals import CONTROL_REFUSALS
from distribution_refusals import DISTRIBUTION_REFUSALS
from report_refusals import REPORT_REFUSALS
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from tallystick.program import addresses
from tallystick.program.generated import accounts, types
from tallystick.program.generated.types import RoleKind, SecurityStatus
from tallystick.program.text import encode_text
from world import (
    CUSTODY,
    DAY,
    HOUR,
    IN,
    MULTIPLIER_ONE,
    ONE,
    OUT,
    POLICY,
    SCOPE_MINT,
    SCOPE_REDEEM,
    SCOPE_TRANSFER,
    Issuer,
    Movement,
    Security,
    World,
)  # fmt: skip

Refused = tuple[str, str, Callable[[World], Instruction]]
NOBODY = Pubkey.default()
FRESH = Movement("fresh in", 30 * ONE)
ADMIN: Callable[[World], Pubkey] = lambda world: world.alpha.admin  # noqa: E731
NEW: Callable[[World], Pubkey] = lambda world: NEWCOMER  # noqa: E731


def _initialize(**change: object) -> Callable[[World], Instruction]:
    """A third issuer with one parameter changed."""

    def make(world: World) -> Instruction:
        third = Issuer(world.chain, "third")
        params = types.InitializeParams(
            third.nonce, third.key(RoleKind.GUARDIAN), third.delay, encode_text("third", 64), b"HWUPKR0MPOU8FGXBT394"
        )
        return third.initialize(params=replace(params, **change))  # type: ignore[arg-type]

    return make


def _list(**change: object) -> Callable[[World], Instruction]:
    """A third security with one parameter changed."""
    return lambda world: Security(world.alpha, "GAMMA").list_security(**change)


def _policy(**change: int) -> Callable[[World], Instruction]:
    """A third security with one term of its policy changed."""
    return _list(policy=replace(POLICY, **change))


def _attest(**change: object) -> Callable[[World], Instruction]:
    """A new claim with one field changed."""

    def make(world: World) -> Instruction:
        world.chain.warp(HOUR)
        return world.acme.attest(world.acme.content(9_000 * ONE, **change))

    return make


def _settle(
    order: str = "open", movement: Movement = FRESH, shares: int | None = None
) -> Callable[[World], Instruction]:
    """A mint for one of Alice's orders."""
    return lambda world: world.acme.settle_subscription(world.order(order), movement, shares)


def _after(prepare: Callable[[World], object], call: Callable[[World], Instruction]) -> Callable[[World], Instruction]:
    """Something happens first."""

    def make(world: World) -> Instruction:
        prepare(world)
        return call(world)

    return make


def _rewritten(call: Callable[[World], Instruction], **change: object) -> Callable[[World], Instruction]:
    """The security's account is changed past every rule first."""
    return _after(lambda world: world.acme.rewrite(**change), call)


def _sent(make: Callable[[World], Instruction]) -> Callable[[World], object]:
    return lambda world: world.chain.send(make(world))


def _warped(seconds: int) -> Callable[[World], object]:
    return lambda world: world.chain.warp(seconds)


def _at(when: Callable[[World], int], call: Callable[[World], Instruction]) -> Callable[[World], Instruction]:
    """The chain's clock shows a time first."""
    return _after(lambda world: world.chain.set_time(when(world)), call)


def _by(field: str, order: str, seconds: int) -> Callable[[World], int]:
    """Some seconds from a deadline of one of Alice's orders."""
    return lambda world: int(getattr(world.chain.read(accounts.Order, world.order(order)), field)) + seconds


def _held(scope: int) -> Callable[[World], object]:
    return _sent(lambda world: world.acme.place_hold(1, scope))


def _line(world: World, number: int, **change: object) -> tuple[types.StatementLine, ...]:
    lines = list(world.acme.content(9_000 * ONE).lines)
    lines[number] = replace(lines[number], **change)  # type: ignore[arg-type]
    return tuple(lines)


def _attest_lines(change: Callable[[World], dict[str, object]]) -> Callable[[World], Instruction]:
    def make(world: World) -> Instruction:
        world.chain.warp(HOUR)
        return world.acme.attest(replace(world.acme.content(9_000 * ONE), **change(world)))  # type: ignore[arg-type]

    return make


def _in_force(world: World) -> types.AttestationContent:
    """The content of an attestation that has just come in force."""
    world.chain.warp(HOUR)
    content = world.acme.content(9_000 * ONE)
    for attestor in (1, 2):
        world.chain.send(world.acme.attest(content, attestor))
    return content


def _approve_one_in_force(world: World) -> Instruction:
    """Again, where the security has forgotten it: only a rewritten security has."""
    content = _in_force(world)
    world.acme.rewrite(reserve_as_of=content.as_of - 1)
    return world.acme.attest(content, 3)


def _same_as_of(world: World) -> Instruction:
    content = _in_force(world)
    return world.acme.attest(replace(content, redeemed=0))


def _hold(
    scope: int = SCOPE_MINT, kind: RoleKind = RoleKind.COMPLIANCE, expires_in: int | None = HOUR
) -> Callable[[World], Instruction]:
    return lambda world: world.acme.place_hold(1, scope, kind, expires_in)


def _accept_newcomer(world: World) -> Instruction:
    return world.alpha.accept_admin(NEWCOMER)


def _propose_operator(world: World) -> Instruction:
    operator = world.alpha.key(RoleKind.OPERATOR)
    world.chain.send(world.alpha.propose_admin(operator))
    world.chain.warp(world.alpha.delay)
    return world.alpha.accept_admin(operator)


def _grant(kind: RoleKind, holder: Callable[[World], Pubkey]) -> Callable[[World], Instruction]:
    return lambda world: world.alpha.grant_role(kind, holder(world))


def _veto_two(world: World) -> Instruction:
    world.chain.send(world.alpha.grant_role(RoleKind.OPERATOR, NEWCOMER))
    world.chain.send(world.acme.set_limit(mint_cap=10**13))
    role = world.alpha.role(RoleKind.OPERATOR, NEWCOMER)
    return world.alpha.veto(role=role, security=world.acme.address, limit=world.acme.limit())


def _wrong_content_hash(world: World) -> Instruction:
    return world.acme.attest(world.acme.content(9_000 * ONE), content_hash=digest("another content"))


def _release_twice(world: World) -> Instruction:
    world.chain.send(world.acme.place_hold(1, SCOPE_MINT))
    world.chain.send(world.acme.release_hold(1))
    return world.acme.release_hold(1)


def _new_operators_settle(world: World) -> Instruction:
    """An operator that no limit was set for yet, but one waits."""
    operator = world.alpha.key(RoleKind.OPERATOR, 2)
    world.chain.send(world.beta.set_limit(operator=operator))
    return replace(world.beta, operator=2).settle_subscription(world.order("open", world.beta), FRESH)


def _spent_order(world: World) -> None:
    """An order whose fills have all been counted away: only a rewritten one has."""
    order = world.order("open")
    world.chain.rewrite(order, lambda state: replace(state, fills=2**32 - 1), accounts.Order)


REFUSALS: list[Refused] = [
    *REPORT_REFUSALS,
    # who may act
    ("KeyHoldsAnotherRole", "the first guardian is the admin", _initialize(guardian=key("third admin"))),
    ("KeyHoldsAnotherRole", "the admin becomes an operator", _grant(RoleKind.OPERATOR, ADMIN)),
    ("KeyHoldsAnotherRole", "the admin becomes a guardian", _grant(RoleKind.GUARDIAN, ADMIN)),
    ("KeyHoldsAnotherRole", "an attestor becomes an operator",
     _grant(RoleKind.OPERATOR, lambda world: world.alpha.key(RoleKind.ATTESTOR))),
    ("KeyHoldsAnotherRole", "an operator becomes an attestor",
     _grant(RoleKind.ATTESTOR, lambda world: world.alpha.key(RoleKind.OPERATOR))),
    ("KeyHoldsAnotherRole", "compliance becomes a guardian",
     _grant(RoleKind.GUARDIAN, lambda world: world.alpha.key(RoleKind.COMPLIANCE))),
    ("KeyHoldsAnotherRole", "a guardian becomes corporate actions",
     _grant(RoleKind.CORPORATE_ACTIONS, lambda world: world.alpha.key(RoleKind.GUARDIAN))),
    ("KeyHoldsAnotherRole", "the proposed admin becomes an operator",
     _after(_sent(lambda world: world.alpha.propose_admin(NEWCOMER)), _grant(RoleKind.OPERATOR, NEW))),
    ("KeyHoldsAnotherRole", "a key that waits for one role gets a second",
     _after(_sent(_grant(RoleKind.OPERATOR, NEW)), _grant(RoleKind.ATTESTOR, NEW))),
    ("KeyHoldsAnotherRole", "an operator becomes admin", _propose_operator),
    ("KeyHoldsAnotherRole", "the admin is proposed", lambda world: world.alpha.propose_admin(world.alpha.admin)),
    ("RoleAlreadyGranted", "twice", lambda world: world.alpha.grant_role(RoleKind.OPERATOR)),
    ("RoleAlreadyGranted", "to a guardian whose removal waits",
     _after(_sent(lambda world: world.alpha.revoke_role(RoleKind.GUARDIAN, 2)),
            lambda world: world.alpha.grant_role(RoleKind.GUARDIAN, 2))),
    ("RoleEnded", "revoked twice",
     _after(_sent(lambda world: world.alpha.revoke_role(RoleKind.OPERATOR)),
            lambda world: world.alpha.revoke_role(RoleKind.OPERATOR))),
    ("RoleEnded", "a guardian's removal starts anew",
     _after(_sent(lambda world: world.alpha.revoke_role(RoleKind.GUARDIAN, 2)),
            lambda world: world.alpha.revoke_role(RoleKind.GUARDIAN, 2))),
    ("NothingToVeto", "no admin is proposed", lambda world: world.alpha.veto()),
    ("AmbiguousVeto", "a role and a limit", _veto_two),
    ("DelayNotOver", "the proposed admin hurries",
     _after(_sent(lambda world: world.alpha.propose_admin(NEWCOMER)), _accept_newcomer)),
    ("NotHolderNorOperator", "a stranger orders for Alice",
     lambda world: world.acme.open_subscription(world.alice, "new", ONE, authority=world.stranger)),
    ("NotHolderNorOperator", "a stranger cancels Alice's subscription",
     lambda world: world.acme.cancel_subscription(world.order("open"), by_holder=True, authority=world.stranger)),
    ("NotHolderNorOperator", "Alice cancels what was accepted",
     lambda world: world.acme.cancel_redemption(world.order("accepted"), by_holder=True)),
    # settings
    ("DefaultKey", "nobody is guardian", _initialize(guardian=NOBODY)),
    ("DefaultKey", "nobody gets a role", _grant(RoleKind.OPERATOR, lambda world: NOBODY)),
    ("DefaultKey", "nobody gets a limit", lambda world: world.acme.set_limit(operator=NOBODY)),
    ("DefaultKey", "nobody is approved", lambda world: world.alpha.approve_holder(NOBODY)),
    ("PeriodOutOfBounds", "no delay", _initialize(delay=0)),
    ("PeriodOutOfBounds", "a delay over 30 days", _initialize(delay=30 * DAY + 1)),
    ("PeriodOutOfBounds", "no attestation age", _policy(max_attestation_age=0)),
    ("PeriodOutOfBounds", "an attestation age over 7 days", _policy(max_attestation_age=7 * DAY + 1)),
    ("PeriodOutOfBounds", "no time to accept", _policy(accept_period=0)),
    ("PeriodOutOfBounds", "over 30 days to settle", _policy(settle_period=30 * DAY + 1)),
    ("PeriodOutOfBounds", "no notice", _policy(notice=0)),
    ("PeriodOutOfBounds", "no change window", _policy(change_window=0)),
    ("ThresholdOutOfBounds", "one attestor is enough", _policy(threshold=1)),
    ("ThresholdOutOfBounds", "nine attestors", _policy(threshold=9)),
    ("MarginOutOfBounds", "more than half", _policy(margin=5_001)),
    ("SupplyCapMissing", "no cap", _policy(supply_cap=0)),
    ("ChangeBoundOutOfBounds", "no denominator", _policy(max_change_denominator=0)),
    ("ChangeBoundOutOfBounds", "less than one to one", _policy(max_change_numerator=1, max_change_denominator=2)),
    ("NoPermissionClass", "nobody may order", _policy(allowed_classes=0)),
    ("NoPermissionClass", "a holder of no class", lambda world: world.alpha.approve_holder(NEWCOMER, classes=0)),
    ("LimitOutOfBounds", "no mints", lambda world: world.acme.set_limit(mint_cap=0)),
    ("LimitOutOfBounds", "no burns", lambda world: world.acme.set_limit(burn_cap=0)),
    ("LimitOutOfBounds", "no window", lambda world: world.acme.set_limit(window=0)),
    ("LimitOutOfBounds", "a window over 30 days", lambda world: world.acme.set_limit(window=30 * DAY + 1)),
    ("TooManyDecimals", "ten", _list(decimals=10)),
    ("CustodyAccountsOutOfBounds", "none", _list(custody_accounts=0)),
    ("CustodyAccountsOutOfBounds", "seventeen", _list(custody_accounts=17)),
    ("CustodyAccountsOutOfBounds", "no lines", _attest(lines=())),
    ("BadIsin", "a wrong check digit", _list(isin=b"US0378331006")),
    ("BadIsin", "lower case", _list(isin=b"us0378331005")),
    ("BadLei", "wrong check digits", _initialize(lei=b"HWUPKR0MPOU8FGXBT395")),
    ("BadText", "an issuer without a name", _initialize(name=bytes(64))),
    ("BadText", "a gap in a name", _initialize(name=b"a\0b" + bytes(61))),
    ("BadText", "not UTF-8", _initialize(name=b"\xff" * 64)),
    ("BadText", "a control character", _list(ticker=encode_text("A", 16)[:1] + b"\n" + bytes(14))),
    ("BadText", "a name over 64 bytes", _list(name="x" * 65)),
    ("BadText", "an address over 200 bytes", _list(uri="x" * 201)),
    ("BadText", "no name", _list(name="")),
    ("HashMissing", "no terms", _list(terms_hash=bytes(32))),
    ("HashMissing", "no custody accounts", _list(custody_accounts_hash=bytes(32))),
    ("HashMissing", "no investor", lambda world: world.alpha.approve_holder(NEWCOMER, investor_id=bytes(32))),
    ("HashMissing", "a suspension without evidence",
     lambda world: world.alpha.suspend_holder(world.alice, params=types.SuspendHolderParams(bytes(32)))),
    ("HashMissing", "nothing received",
     lambda world: world.acme.attest(world.acme.content(5), received_hash=bytes(32))),
    ("HashMissing", "no statement",
     _attest_lines(lambda world: {"lines": _line(world, 0, statement_hash=bytes(32))})),
    ("HashMissing", "a hold without reason",
     lambda world: world.acme.place_hold(1, SCOPE_MINT, params=types.PlaceHoldParams(1, 1, 7, bytes(32), None))),
    ("InvariantBroken", "a movement without reference",
     lambda world: world.acme.settle_subscription(
         world.order("open"), FRESH, params=types.SettleSubscriptionParams(types.MovementParams(bytes(32), 9), 9),
         movement=addresses.movement_address(world.acme.address, bytes(32)))),
    # holders
    ("HolderApprovalLapsed", "at the second it lapses",
     _after(_sent(lambda world: world.alpha.approve_holder(world.alice, approved_until=world.chain.now + 9)),
            _after(_warped(9), lambda world: world.acme.request_redemption(world.alice, "new", ONE)))),
    ("ApprovalInThePast", "now", lambda world: world.alpha.approve_holder(NEWCOMER, approved_until=world.chain.now)),
    ("HolderAlreadySuspended", "twice",
     _after(_sent(lambda world: world.alpha.suspend_holder(world.alice)),
            lambda world: world.alpha.suspend_holder(world.alice))),
    # reserve
    ("LinesNotSorted", "the other way round",
     _attest_lines(lambda world: {"lines": world.acme.content(9_000 * ONE).lines[::-1]})),
    ("LinesNotSorted", "one account twice",
     _attest_lines(lambda world: {"lines": _line(world, 1, account=CUSTODY[0])})),
    ("CustodyAccountsDiffer", "another account",
     _attest_lines(lambda world: {"lines": _line(world, 1, account=b"\xff" * 32)})),
    ("CustodyAccountsDiffer", "an account left out",
     _attest_lines(lambda world: {"lines": _line(world, 0)[:1], "shares": 6_000 * ONE})),
    ("SharesDiffer", "one more", _attest(shares=9_000 * ONE + 1)),
    ("AsOfDiffers", "the later line's", _attest_lines(lambda world: {"as_of": world.acme.content(5).as_of + 30})),
    ("AsOfInTheFuture", "by a second",
     lambda world: world.acme.attest(world.acme.content(5, as_of=world.chain.now + 1))),
    ("AsOfInTheFuture", "of one line by a second",
     _attest_lines(lambda world: {"lines": _line(world, 1, as_of=world.chain.now + 1)})),
    ("AttestationTooOld", "by a second",
     _after(_warped(3 * DAY), lambda world: world.acme.attest(world.acme.content(5, as_of=world.chain.now - DAY - 1)))),
    ("AttestationNotNewer", "older by a second",
     lambda world: world.acme.attest(world.acme.content(5, as_of=world.acme.state.reserve_as_of - 1))),
    ("AttestationNotNewer", "as old, superseding nothing", _same_as_of),
    ("RedeemedTooHigh", "by the smallest part of a share",
     lambda world: world.acme.attest(world.acme.content(
         5, redeemed=world.acme.state.redeemed + world.acme.state.accepted + 1))),
    ("ContentHashDiffers", "another content's", _wrong_content_hash),
    ("AlreadyApproved", "one attestor twice",
     _after(_sent(lambda world: world.acme.attest(world.acme.content(5), 1)),
            lambda world: world.acme.attest(world.acme.content(5), 1))),
    ("AttestationClosed", "by a third attestor, on a rewritten security", _approve_one_in_force),
    ("NoReserve", "nothing attested", _rewritten(_settle(), reserve_as_of=0, attestations=0, attestation=NOBODY)),
    ("ReserveTooOld", "by a second",
     _at(lambda world: world.acme.state.reserve_as_of + DAY + 1, _settle())),
    ("ReserveBeforeMultiplierChange", "at the very second",
     lambda world: _rewritten(_settle(), multiplier_changed_at=world.acme.state.reserve_as_of)(world)),
    ("ReserveBeforeMultiplierChange", "a pending change took effect",
     lambda world: _rewritten(
         _settle(), pending_multiplier=2 * MULTIPLIER_ONE, multiplier_effective_at=world.chain.now)(world)),
    ("MultiplierChangeWindow", "a change is near",
     lambda world: _rewritten(
         _settle(), pending_multiplier=2 * MULTIPLIER_ONE, multiplier_effective_at=world.chain.now + HOUR)(world)),
    ("ReserveExceeded", "by the smallest part of a share",
     lambda world: _rewritten(
         _settle(), reserve=world.acme.minted.supply + world.acme.state.redeemed + 30 * ONE - 1)(world)),
    ("SupplyCapExceeded", "by the smallest unit",
     lambda world: _rewritten(
         _settle(), policy=replace(POLICY, supply_cap=world.acme.minted.supply + 30 * ONE - 1))(world)),
    ("SupplyDiverged", "a rewritten count",
     lambda world: _rewritten(_settle(), minted=world.acme.state.minted + 1)(world)),
    # limits and holds
    ("LimitExceeded", "a mint over the cap",
     _after(_sent(lambda world: world.acme.set_limit(mint_cap=ONE)), _settle())),
    ("LimitExceeded", "a burn over the cap",
     _after(_sent(lambda world: world.acme.set_limit(burn_cap=ONE)),
            lambda world: world.acme.settle_redemption(world.order("accepted"), Movement("o", 9 * ONE), 9 * ONE))),
    ("LimitNotInForce", "the first setting waits", _new_operators_settle),
    ("MintHeld", "a hold on mints", _after(_held(SCOPE_MINT), _settle())),
    ("MintHeld", "a hold on transfers", _after(_held(SCOPE_TRANSFER), _settle())),
    ("RedeemHeld", "a hold on redemptions stops requests",
     _after(_held(SCOPE_REDEEM), lambda world: world.acme.request_redemption(world.alice, "new", ONE))),
    ("RedeemHeld", "and acceptance",
     _after(_held(SCOPE_REDEEM), lambda world: world.acme.accept_redemption(world.order("requested")))),
    ("RedeemHeld", "and settlement", _after(_held(SCOPE_REDEEM), lambda world: world.acme.settle_redemption(
        world.order("accepted"), Movement("o", 9 * ONE), 9 * ONE))),
    ("RedeemHeld", "and corrections",
     _after(_held(SCOPE_REDEEM), lambda world: world.acme.correct_fill(world.fill(), world.bob, ONE))),
    ("BadScope", "none", _hold(scope=0)),
    ("BadScope", "one bit too many", _hold(scope=8)),
    ("RoleCannotHold", "an attestor", _hold(kind=RoleKind.ATTESTOR)),
    ("BadExpiry", "now", _hold(expires_in=0)),
    ("BadExpiry", "a machine's over 72 hours", _hold(kind=RoleKind.RECONCILIATION, expires_in=72 * HOUR + 1)),
    ("BadExpiry", "a machine's without end", _hold(kind=RoleKind.OPERATOR, expires_in=None)),
    ("HoldReleased", "twice", _release_twice),
    ("NotHoldOwner", "the admin alone, where the owner's role has ended",
     _after(_held(SCOPE_MINT), _after(_sent(lambda world: world.alpha.revoke_role(RoleKind.COMPLIANCE)),
            lambda world: world.acme.release_hold(1, authority=world.alpha.admin)))),
    ("NotHoldOwner", "the owner, whose role has ended",
     _after(_held(SCOPE_MINT), _after(_sent(lambda world: world.alpha.revoke_role(RoleKind.COMPLIANCE)),
            lambda world: world.acme.release_hold(1)))),
    ("ComplianceMissing", "reconciliation alone",
     _after(_sent(lambda world: world.acme.place_hold(1, SCOPE_MINT, RoleKind.RECONCILIATION)),
            lambda world: world.acme.release_hold(1, RoleKind.RECONCILIATION))),
    ("HoldCountDiverged", "a rewritten count",
     _after(_held(SCOPE_MINT), _rewritten(lambda world: world.acme.release_hold(1), mint_holds=0))),
    # orders, movements, fills
    ("ZeroQuantity", "an empty subscription", lambda world: world.acme.open_subscription(world.alice, "new", 0)),
    ("ZeroQuantity", "an empty redemption", lambda world: world.acme.request_redemption(world.alice, "new", 0)),
    ("ZeroQuantity", "an empty mint", _settle(shares=0)),
    ("ZeroQuantity", "an empty burn",
     lambda world: world.acme.settle_redemption(world.order("accepted", wallet=world.bob), OUT, 0)),
    ("ZeroQuantity", "an empty correction", lambda world: world.acme.correct_fill(world.fill(), world.bob, 0)),
    ("OrderNotOpen", "filled", _settle("filled", FRESH, ONE)),
    ("OrderNotOpen", "cancelled",
     _after(_sent(lambda world: world.acme.cancel_subscription(world.order("open"))), _settle())),
    ("OrderNotOpen", "cancelled twice",
     _after(_sent(lambda world: world.acme.cancel_redemption(world.order("requested"))),
            lambda world: world.acme.cancel_redemption(world.order("requested")))),
    ("OrderNotOpen", "withdrawn twice",
     _after(_sent(_at(_by("accept_by", "requested", 1),
                      lambda world: world.acme.withdraw_redemption(world.order("requested")))),
            lambda world: world.acme.withdraw_redemption(world.order("requested")))),
    ("OrderNotOpen", "withdrawn after it was cancelled",
     _after(_sent(lambda world: world.acme.cancel_redemption(world.order("requested"))),
            _at(_by("accept_by", "requested", 1),
                lambda world: world.acme.withdraw_redemption(world.order("requested"))))),
    ("OrderNotAccepted", "settled before it was accepted",
     lambda world: world.acme.settle_redemption(world.order("requested"), Movement("o", ONE), ONE)),
    ("DeadlinePassed", "a subscription by a second",
     _at(_by("settle_by", "open", 1), _settle())),
    ("DeadlinePassed", "accepted a second late",
     _at(_by("accept_by", "requested", 1),
         lambda world: world.acme.accept_redemption(world.order("requested")))),
    ("DeadlineNotPassed", "Alice cancels early",
     lambda world: world.acme.cancel_subscription(world.order("open"), by_holder=True)),
    ("DeadlineNotPassed", "withdrawn at the very second",
     _at(_by("accept_by", "requested", 0),
         lambda world: world.acme.withdraw_redemption(world.order("requested")))),
    ("DeadlineOutOfBounds", "now", lambda world: world.acme.open_subscription(world.alice, "new", ONE, 0)),
    ("DeadlineOutOfBounds", "over 90 days",
     lambda world: world.acme.open_subscription(world.alice, "new", ONE, 90 * DAY + 1)),
    ("OrderExceeded", "more than is open", _settle(movement=Movement("big", 51 * ONE))),
    ("OrderExceeded", "a burn over what is open",
     lambda world: world.acme.settle_redemption(world.order("accepted"), Movement("o", 16 * ONE), 15 * ONE + 1)),
    ("MovementExceeded", "more than moved", _settle(shares=30 * ONE + 1)),
    ("MovementDiffers", "other shares", _settle(movement=replace(IN, shares=IN.shares + 1), shares=ONE)),
    ("MovementDiffers", "another direction", _settle(movement=OUT, shares=ONE)),
    ("TooSmall", "less than a token unit", _rewritten(_settle(shares=1), multiplier=2 * MULTIPLIER_ONE)),
    ("TooSmall", "a burn of less than a share's part",
     _rewritten(lambda world: world.acme.settle_redemption(world.order("accepted"), Movement("o", ONE), 1),
                multiplier=MULTIPLIER_ONE // 2)),
    ("FillExists", "the same order from the same movement",
     _after(_sent(lambda world: world.acme.settle_subscription(world.order("open"), FRESH, 10 * ONE)),
            lambda world: world.acme.settle_subscription(world.order("open"), FRESH, 10 * ONE))),
    ("CorrectionExceeded", "more than was minted",
     lambda world: world.acme.correct_fill(world.fill(world.bob), world.alice, 200 * ONE + 1)),
    ("Overflow", "the fills of an order", _after(_spent_order, _settle())),
    ("SecurityRetired", "no order", _rewritten(
        lambda world: world.acme.open_subscription(world.alice, "new", ONE), status=SecurityStatus.RETIRED)),
    ("SecurityRetired", "no mint", _rewritten(_settle(), status=SecurityStatus.RETIRED)),
    *CONTROL_REFUSALS,
]  # fmt: skip
REFUSALS += ACTION_REFUSALS
REFUSALS += DISTRIBUTION_REFUSALS

UNREACHABLE: dict[str, str] = {}
"""Errors that nothing raises, and what is said instead."""
