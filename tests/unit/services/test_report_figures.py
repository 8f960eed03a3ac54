"""The figures of a moment from accounts alone, one rule at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import pytest
from solders.pubkey import Pubkey
from tallystick.domain.amounts import MULTIPLIER_ONE
from tallystick.domain.canonical import canonical_json
from tallystick.domain.reserve_report.facts import Moment, OrderOutcome, SecurityAt
from tallystick.errors import LedgerError
from tallystick.program.borsh import Reader
from tallystick.program.generated import events
from tallystick.program.generated.accounts import (
    Attestation,
    CorporateAction,
    Fill,
    Hold,
    Order,
    Role,
    Security,
    Seizure,
)
from tallystick.program.generated.types import (
    ActionStatus,
    FillKind,
    OrderKind,
    OrderStatus,
    RoleKind,
    SeizureStatus,
)
from tallystick.program.layout import AccountLayout
from tallystick.services.report_figures import Records, figures_at, in_force_order, require_counters
from tallystick.services.report_instants import Instants, Step
from tallystick.services.report_lists import (
    NEVER,
    Month,
    action_facts,
    hold_facts,
    order_facts,
    revoked_at,
    role_facts,
    scope_names,
    seizure_facts,
)
from tallystick.services.report_lives import Life, life_of
from tallystick.services.report_log import LOGGED, details_of

Kind = TypeVar("Kind", bound=AccountLayout)
EARLY, MIDDLE, LATE = Moment(10, 100), Moment(20, 200), Moment(30, 300)
MOMENTS = (EARLY, MIDDLE, LATE)
START, UNTIL = 150, 400


def key(number: int) -> Pubkey:
    return Pubkey.from_bytes(bytes([number] * 32))


def blank(layout: type[Kind], /, **fields: Any) -> Kind:
    """An account whose other fields are zeros."""
    assert layout.SIZE is not None
    return replace(layout.decode(layout.DISCRIMINATOR + bytes(layout.SIZE - 8)), **fields)  # type: ignore[type-var]


def figures(records: Records, lives: dict[Pubkey, Life] | None = None, **later: Any) -> tuple[SecurityAt, ...]:
    known = lives or {address: life_of(action) for address, action in records.actions.items()}
    return figures_at(records, known, Instants(MOMENTS, **later))


def fill(kind: FillKind, raw: int, settled_at: int, order: int = 9, shares: int | None = None) -> Fill:
    return blank(
        Fill, kind=kind, raw=raw, shares=raw if shares is None else shares, settled_at=settled_at, order=key(order)
    )


def test_a_correction_burns_and_redeems_nothing() -> None:
    records = Records(
        fills={
            key(1): fill(FillKind.MINT, 100, 90),
            key(2): fill(FillKind.CORRECTION, 30, 150),
            key(3): fill(FillKind.BURN, 20, 250, shares=40),
        }
    )
    found = [(each.minted, each.burnt, each.redeemed, each.supply) for each in figures(records)]
    assert found == [(100, 0, 0, 100), (100, 30, 0, 70), (100, 50, 40, 50)]


def redemption(status: OrderStatus, status_at: int, filled: int = 0) -> Order:
    return blank(
        Order, kind=OrderKind.REDEMPTION, status=status, quantity=50, filled=filled, opened_at=90, status_at=status_at
    )


@pytest.mark.parametrize(
    ("order", "fills", "escrow"),
    [
        (redemption(OrderStatus.OPEN, 90), [], [50, 50, 50]),
        (redemption(OrderStatus.ACCEPTED, 95), [], [50, 50, 50]),
        (redemption(OrderStatus.ACCEPTED, 95, 20), [(20, 150)], [50, 30, 30]),
        (redemption(OrderStatus.SETTLED, 250, 50), [(20, 150), (30, 250)], [50, 30, 0]),
        (redemption(OrderStatus.CANCELLED, 250, 20), [(20, 150)], [50, 30, 0]),
        (redemption(OrderStatus.WITHDRAWN, 150), [], [50, 0, 0]),
    ],
    ids=["open", "accepted", "in part", "settled", "cancelled in part", "withdrawn"],
)
def test_escrow_is_what_was_asked_less_what_was_burnt_or_returned(
    order: Order, fills: list[tuple[int, int]], escrow: list[int]
) -> None:
    burns = {key(20 + number): fill(FillKind.BURN, raw, at) for number, (raw, at) in enumerate(fills)}
    records = Records(orders={key(9): order}, fills=burns)
    assert [each.escrow for each in figures(records)] == escrow


def attested(as_of: int, in_force_at: int, supersedes: int = 0) -> Attestation:
    content = bytes([as_of % 256] * 31 + [supersedes])
    return blank(
        Attestation,
        content_hash=content,
        as_of=as_of,
        shares=as_of * 10 + supersedes,
        in_force_at=in_force_at,
        supersedes=key(supersedes) if supersedes else Pubkey.default(),
    )


def test_the_attestation_in_force_is_the_last_that_came_in_force() -> None:
    records = Records(attestations={key(1): attested(50, 90), key(2): attested(60, 150), key(3): attested(70, 0)})
    assert [each.reserve for each in figures(records)] == [500, 600, 600]
    assert figures(Records())[0].attestation == bytes(32)


def test_an_attestation_that_replaces_another_of_the_same_as_of_and_second_comes_behind_it() -> None:
    accounts = {
        key(1): attested(50, 90, supersedes=3),
        key(2): attested(50, 90),
        key(3): attested(50, 90, supersedes=2),
    }
    assert [address for address, _ in in_force_order(accounts)] == [key(2), key(3), key(1)]
    assert figures(Records(attestations=accounts))[0].reserve == 503


def test_a_step_in_the_second_of_a_moment_counts_unless_it_came_later() -> None:
    records = Records(fills={key(1): fill(FillKind.MINT, 100, 200)})
    assert [each.minted for each in figures(records)] == [0, 100, 100]
    later = {MIDDLE: frozenset({(key(1), Step.MADE)})}
    assert [each.minted for each in figures(records, later=later)] == [0, 0, 100]


def test_two_moments_of_one_second_are_told_apart() -> None:
    records = Records(fills={key(1): fill(FillKind.MINT, 100, 200)})
    moments = (Moment(20, 200), Moment(21, 200))
    instants = Instants(moments, {moments[0]: frozenset({(key(1), Step.MADE)})})
    assert [each.minted for each in figures_at(records, {}, instants)] == [0, 100]


def split(status: ActionStatus, status_at: int, effective_at: int, after: int = 4 * MULTIPLIER_ONE) -> CorporateAction:
    action = blank(
        CorporateAction, status=status, announced_at=50, approved_at=60, status_at=status_at, multiplier_after=after
    )
    return replace(action, terms=replace(action.terms, effective_at=effective_at))


@pytest.mark.parametrize(
    ("action", "found"),
    [
        (split(ActionStatus.EXECUTED, 90, 200), [(1, 4), (4, 0), (4, 0)]),
        (split(ActionStatus.EXECUTED, 150, 300), [(1, 0), (1, 4), (4, 0)]),
        (split(ActionStatus.APPROVED, 60, 200, 0), [(1, 0), (1, 0), (1, 0)]),
        (split(ActionStatus.CANCELLED, 90, 200), [(1, 0), (1, 0), (1, 0)]),
    ],
    ids=["at its second", "executed later", "not executed", "taken back"],
)
def test_a_change_waits_from_its_execution_and_is_in_force_from_its_time(
    action: CorporateAction, found: list[tuple[int, int]]
) -> None:
    multipliers = [
        (each.multiplier // MULTIPLIER_ONE, each.pending_multiplier // MULTIPLIER_ONE)
        for each in figures(Records(actions={key(1): action}))
    ]
    assert multipliers == found


@pytest.mark.parametrize("name", ["minted", "burnt", "escrowed", "redeemed", "reserve", "reserve_as_of"])
def test_a_counter_that_differs_is_named(name: str) -> None:
    security = blank(Security, multiplier=MULTIPLIER_ONE)
    found = figures(Records())[-1]
    require_counters(found, key(1), security, {}, 300)
    figure = "escrow" if name == "escrowed" else name
    with pytest.raises(LedgerError, match=f"come to {figure} 0, the security itself says 7"):
        require_counters(found, key(1), replace(security, **{name: 7}), {}, 300)


# What belongs in a month ---------------------------------------------------------------------------------------------


def month(as_of: Moment = LATE) -> Month:
    return Month(Moment(2**64 - 1, START - 1), UNTIL, as_of, Instants(MOMENTS))


@pytest.mark.parametrize(
    ("status", "status_at", "settle_by", "outcome", "ended_at", "reason"),
    [
        (OrderStatus.OPEN, 90, 350, OrderOutcome.OPEN, 0, 0),
        (OrderStatus.OPEN, 90, 300, OrderOutcome.OPEN, 0, 0),
        (OrderStatus.OPEN, 90, 299, OrderOutcome.CANCELLED, 299, 0),
        (OrderStatus.SETTLED, 250, 350, OrderOutcome.SETTLED, 250, 0),
        (OrderStatus.CANCELLED, 250, 350, OrderOutcome.CANCELLED, 250, 5),
        (OrderStatus.CANCELLED, 290, 280, OrderOutcome.CANCELLED, 280, 5),
        (OrderStatus.CANCELLED, 310, 280, OrderOutcome.CANCELLED, 280, 0),
        (OrderStatus.CANCELLED, 310, 305, OrderOutcome.OPEN, 0, 0),
        (OrderStatus.SETTLED, 310, 350, OrderOutcome.OPEN, 0, 0),
    ],
)
def test_what_became_of_a_subscription(
    status: OrderStatus, status_at: int, settle_by: int, outcome: OrderOutcome, ended_at: int, reason: int
) -> None:
    order = blank(
        Order, status=status, quantity=50, opened_at=90, status_at=status_at, settle_by=settle_by, reason_code=5
    )
    [found] = order_facts(Records(orders={key(9): order}), month())
    assert (found.outcome, found.ended_at, found.reason_code) == (outcome, ended_at, reason)


def test_an_order_that_ended_before_the_month_or_was_opened_behind_it_is_left_out() -> None:
    before = blank(Order, status=OrderStatus.CANCELLED, quantity=1, opened_at=90, status_at=149, settle_by=350)
    behind = blank(Order, status=OrderStatus.OPEN, quantity=1, opened_at=301, settle_by=350)
    assert order_facts(Records(orders={key(1): before, key(2): behind}), month()) == ()


def months(*later: tuple[int, Step]) -> tuple[Month, Month]:
    """Two that follow one another, the first up to MIDDLE; `later` are steps in its last second and behind its slot."""
    marks = frozenset((key(number), step) for number, step in later)
    instants = Instants(MOMENTS, {MIDDLE: marks})
    return Month(EARLY, UNTIL, MIDDLE, instants), Month(MIDDLE, UNTIL, LATE, instants)


@pytest.mark.parametrize(
    ("settle_by", "status_at", "found"),
    [
        (199, 0, ([(OrderOutcome.CANCELLED, 199)], [])),
        (200, 0, ([(OrderOutcome.OPEN, 0)], [(OrderOutcome.CANCELLED, 200)])),
        (201, 0, ([(OrderOutcome.OPEN, 0)], [(OrderOutcome.CANCELLED, 201)])),
        (199, 200, ([(OrderOutcome.CANCELLED, 199)], [])),
        (200, 201, ([(OrderOutcome.OPEN, 0)], [(OrderOutcome.CANCELLED, 200)])),
        (200, 200, ([(OrderOutcome.CANCELLED, 200)], [])),
    ],
)
def test_a_deadline_is_over_in_one_month(
    settle_by: int, status_at: int, found: tuple[list[tuple[OrderOutcome, int]], ...]
) -> None:
    status = OrderStatus.CANCELLED if status_at else OrderStatus.OPEN
    order = blank(Order, status=status, quantity=50, opened_at=150, status_at=status_at or 150, settle_by=settle_by)
    told = [order_facts(Records(orders={key(1): order}), each) for each in months()]
    assert tuple([(each.outcome, each.ended_at) for each in month] for month in told) == found


@pytest.mark.parametrize(("step", "carried"), [(None, [[False], [True]]), (Step.MADE, [[], [False]])])
def test_an_order_is_opened_in_one_month(step: Step | None, carried: list[list[bool]]) -> None:
    order = blank(Order, status=OrderStatus.OPEN, quantity=50, opened_at=200, settle_by=350)
    told = [order_facts(Records(orders={key(1): order}), each) for each in months(*([(1, step)] if step else []))]
    assert [[each.is_carried for each in month] for month in told] == carried


@pytest.mark.parametrize(
    ("later", "statuses"),
    [
        ((), [["executed"], []]),
        ((Step.DECIDED,), [["approved"], ["executed"]]),
        ((Step.DECIDED, Step.APPROVED), [["announced"], ["executed"]]),
        ((Step.DECIDED, Step.APPROVED, Step.MADE), [[], ["executed"]]),
    ],
)
def test_an_action_is_told_in_the_months_in_which_it_became_something(
    later: tuple[Step, ...], statuses: list[list[str]]
) -> None:
    action = blank(
        CorporateAction,
        status=ActionStatus.EXECUTED,
        announced_at=200,
        approved_at=200,
        status_at=200,
        multiplier_after=2 * MULTIPLIER_ONE,
    )
    records, lives = Records(actions={key(1): action}), {key(1): life_of(action)}
    told = [action_facts(records, lives, each) for each in months(*((1, step) for step in later))]
    assert [[each.status for each in month] for month in told] == statuses


@pytest.mark.parametrize(
    ("later", "statuses"),
    [
        ((), [["executed"], []]),
        ((Step.DECIDED,), [["proposed"], ["executed"]]),
        ((Step.DECIDED, Step.MADE), [[], ["executed"]]),
    ],
)
def test_a_seizure_is_told_in_the_months_of_its_steps(later: tuple[Step, ...], statuses: list[list[str]]) -> None:
    seizure = blank(Seizure, status=SeizureStatus.EXECUTED, proposed_at=200, executed_at=200)
    told = [seizure_facts({key(1): seizure}, each) for each in months(*((1, step) for step in later))]
    assert [[each.status for each in month] for month in told] == statuses


def test_a_date_is_in_one_month() -> None:
    first, second = months()
    assert [[each.touches(date) for date in (100, 101, 200, 201, 399, 400)] for each in (first, second)] == [
        [False, True, True, True, True, False],
        [False, False, False, True, True, False],
    ]


@pytest.mark.parametrize(
    ("placed_at", "released_at", "found"),
    [(90, 0, [0]), (90, 160, [160]), (90, 149, []), (250, 310, [0]), (301, 0, [])],
    ids=["still holds", "released in the month", "before it", "behind the as-of", "placed behind"],
)
def test_a_hold_is_in_the_months_that_it_covered(placed_at: int, released_at: int, found: list[int]) -> None:
    hold = blank(Hold, scope=5, placed_at=placed_at, released_at=released_at, expires_at=120)
    assert [each.released_at for each in hold_facts(Records(holds={key(1): hold}), month())] == found


@pytest.mark.parametrize(
    ("proposed_at", "executed_at", "found"),
    [(90, 0, []), (90, 160, ["executed"]), (160, 0, ["proposed"]), (160, 310, ["proposed"]), (90, 310, [])],
)
def test_a_seizure_is_in_the_months_that_it_was_proposed_or_executed_in(
    proposed_at: int, executed_at: int, found: list[str]
) -> None:
    status = SeizureStatus.EXECUTED if executed_at else SeizureStatus.PROPOSED
    seizure = blank(Seizure, status=status, proposed_at=proposed_at, executed_at=executed_at)
    assert [each.status for each in seizure_facts({key(1): seizure}, month())] == found


@pytest.mark.parametrize(
    ("kind", "ends_at", "ended"),
    [
        (RoleKind.OPERATOR, NEVER, 0),
        (RoleKind.OPERATOR, 250, 250),
        (RoleKind.GUARDIAN, 250, 240),
        (RoleKind.GUARDIAN, 105, 105),
    ],
    ids=["in force", "at once", "after the delay", "before it was in force"],
)
def test_when_somebody_ended_a_role(kind: RoleKind, ends_at: int, ended: int) -> None:
    role = blank(Role, kind=kind, granted_at=90, in_force_from=100, ends_at=ends_at, grants=1)
    assert revoked_at(role, delay=10) == ended


def test_a_role_ends_in_the_report_once_somebody_ended_it() -> None:
    role = blank(Role, kind=RoleKind.GUARDIAN, granted_at=90, in_force_from=100, ends_at=310, grants=1)
    [ended] = role_facts([(key(1), role)], 10, month())
    [kept] = role_facts([(key(1), role)], 9, month())
    assert (ended.ends_at, kept.ends_at) == (310, 0)


def test_scopes_have_names() -> None:
    assert [scope_names(scope) for scope in (0, 1, 6, 7)] == [
        (),
        ("mint",),
        ("redeem", "transfer"),
        ("mint", "redeem", "transfer"),
    ]


@pytest.mark.parametrize("kind", LOGGED, ids=lambda kind: kind.__name__)
def test_every_logged_event_is_told_as_canonical_json(kind: type[Any]) -> None:
    event = kind.read(Reader(bytes(2_000), "an event of zeros"))
    details = details_of(event)
    assert canonical_json(details)
    assert all(not isinstance(each, int) or isinstance(each, bool) for each in details.values())


def test_an_events_keys_hashes_amounts_and_words_are_readable() -> None:
    event = events.HoldPlaced(key(1), key(2), key(3), RoleKind.COMPLIANCE, 5, 7, NEVER)
    assert details_of(event) == {
        "security": str(key(1)),
        "hold": str(key(2)),
        "owner": str(key(3)),
        "owner_kind": "compliance",
        "scope": ["mint", "transfer"],
        "reason_code": "7",
        "expires_at": str(NEVER),
    }
