"""A holder's statement adds up, proves itself, and says why somebody is not paid; any changed field is found."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import reduce
from typing import Any

import pytest
from desk import key
from paying_desk import PayingDesk
from tallystick.domain.amounts import parse_quantity
from tallystick.domain.canonical import canonical_json
from tallystick.domain.dividends import PayoutBatch, PayoutLine, PayoutRecord
from tallystick.domain.entitlements import pack_pages
from tallystick.errors import InputError, LedgerError, Refused
from tallystick.services.dividend_statements import holder_statement, verify_statement
from tallystick.services.payout_lines import SCHEMA, find_line

OWNERS = ("alice", "bob", "stranger", "heir", "authority", "pauper")


async def statement(desk: PayingDesk, record: PayoutRecord, name: str) -> dict[str, Any]:
    """As it is written to a file and read again."""
    made = await holder_statement(desk.chain, desk.payouts, desk.outbox, record, desk[name])
    found: dict[str, Any] = json.loads(json.dumps(made))
    return found


async def test_everybodys_statement_adds_up_paid_or_not() -> None:
    desk = await PayingDesk.opened()
    record = await desk.funded(desk.rules(fee=123, minimum=parse_quantity("20.5")))
    await desk.pushed(record)
    for name in OWNERS:
        assert verify_statement(await statement(desk, record, name)) == (), name


async def test_a_payment_is_told_with_its_transaction_once_it_is_made() -> None:
    desk = await PayingDesk.opened()
    record = await desk.funded()
    before = (await statement(desk, record, "alice"))["payment"]
    assert (before["is_paid"], before["signature"], before["state"]) == (False, None, "approved")
    await desk.pushed(record)
    await desk.run(await desk.plan_claim(record, "stranger"))
    pushed, claimed = [(await statement(desk, record, name))["payment"] for name in ("alice", "stranger")]
    assert (pushed["is_paid"], claimed["is_paid"]) == (True, True)
    assert len({pushed["signature"], claimed["signature"], None}) == 3


async def test_a_closed_distribution_still_tells_who_was_paid() -> None:
    desk = await PayingDesk.opened()
    record = await desk.funded()
    await desk.pushed(record)
    desk.warp(366 * 24 * 3600)
    record = await desk.closed(record)
    paid = {name: (await statement(desk, record, name))["payment"] for name in ("alice", "stranger")}
    assert (paid["alice"]["is_paid"], paid["stranger"]["is_paid"]) == (True, False)
    assert paid["stranger"]["may_claim_until"] is None


async def test_who_is_not_paid_is_told_why() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan(desk.rules(minimum=parse_quantity("25")))
    said = {name: (await statement(desk, record, name))["not_paid_because"] for name in OWNERS}
    assert said["alice"] is None
    assert "less than the minimum of 25" in said["heir"]
    assert "inventory" in said["authority"]
    assert "smallest unit" in said["pauper"]


async def test_the_parts_are_those_of_the_tables() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan(desk.rules(fee=100))
    cash = (await statement(desk, record, "bob"))["cash"]
    # 300.500001 shares at 0.24 gross, 15% upstream, 5% by treaty, a fee of 1%.
    assert (cash["gross"], cash["upstream_tax"], cash["withheld"], cash["fee"]) == (
        "72.12",
        "10.818",
        "3.606",
        "0.7212",
    )
    assert cash["withholding"] == {
        "class": "treaty",
        "rate_percent": "5",
        "from": "2020-01-01",
        "reason": "article 10",
        "why_this_class": "classified by the issuer",
    }
    held = (await statement(desk, record, "bob"))["position"]
    assert (held["raw"], held["shares"], held["class"]) == ("300500001", "300.500001", "wallet")


async def test_somebody_who_held_nothing_has_no_statement() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan()
    with pytest.raises(Refused, match="held none of this security"):
        await statement(desk, record, "guardian")


NOT_COVERED = {
    *("isin", "record_at", "pay_at", "register.slot", "register.hash", "position.class", "cash.currency"),
    *("cash.withholding.class", "cash.withholding.from", "cash.withholding.reason"),
    *("cash.withholding.why_this_class", "payment.state", "payment.is_paid", "payment.finalized_slot"),
    *("payment.signature", "payment.may_claim_until", "not_paid_because", "how_to_check"),
}
"""Names, reasons, and what only the chain says."""


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if not isinstance(value, dict | list):
        yield path
        return
    for key_, each in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _leaves(each, (*path, key_))


def _others(value: object) -> list[object]:
    """What somebody might write in place of a value."""
    if isinstance(value, int):
        return [value + 1]
    assert isinstance(value, str)
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
        whole, dot, fraction = value.partition(".")
        return [str(int(whole) + 1) + dot + fraction, f"{whole}.{fraction.ljust(6, '0')[:5]}7"]
    if re.fullmatch(r"[0-9a-f]{64}", value):
        return [value[::-1]]
    return [str(key("somebody else").pubkey()) if len(value) > 40 else value + "X"]


async def test_an_amount_without_its_payment_is_found() -> None:
    desk = await PayingDesk.opened()
    found = await statement(desk, await desk.plan(), "bob")
    found["payment"] = None
    assert verify_statement(found) == ("There is an amount, and no payment with a proof of it.",)


async def test_an_entitlement_that_somebody_changed_in_the_store_is_not_stated() -> None:
    desk = await PayingDesk.opened()
    plan = await desk.compute()
    changed = [replace(each, amount=each.amount + 1) for each in plan.entitlements.entitlements]
    pages = pack_pages(changed, plan.tax_class_names)
    record = await desk.payouts.add(plan.record, plan.batches, pages, plan.carries)
    for name in ("bob", "pauper"):
        with pytest.raises(LedgerError, match="not what its list of payments has"):
            await statement(desk, record, name)


async def test_every_figure_that_somebody_changed_is_found() -> None:
    desk = await PayingDesk.opened()
    found = await statement(desk, await desk.plan(desk.rules(fee=123)), "bob")
    assert verify_statement(found) == ()
    missed, tried = set(), 0
    for path in _leaves(found):
        *parents, last = path
        place = reduce(lambda value, name: value[name], parents, found)
        kept = place[last]
        for other in [] if kept is None or path == ("schema",) else _others(kept):
            place[last], tried = other, tried + 1
            try:
                problems = verify_statement(found)
            except InputError:
                problems = ("no statement at all",)
            if not problems:
                missed.add(".".join(map(str, path)))
        place[last] = kept
    assert missed <= NOT_COVERED
    assert tried > 40


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.update(schema="other"),
        lambda found: found["cash"].pop("gross"),
        lambda found: found["payment"].update(account="nobody"),
        lambda found: found["payment"].update(flat_hash="zz"),
    ],
)
async def test_what_is_no_statement_is_no_input(change: Callable[[dict[str, Any]], object]) -> None:
    desk = await PayingDesk.opened()
    found = await statement(desk, await desk.plan(), "alice")
    change(found)
    with pytest.raises(InputError, match="statement"):
        verify_statement(found)


@pytest.mark.parametrize("size", [1, 2, 3, 57])
@pytest.mark.parametrize("pushed", [0, 1, 5, 8, 11])
async def test_every_line_is_found_by_its_owner_whatever_the_batches(size: int, pushed: int) -> None:
    desk = PayingDesk()
    owners = [bytes([2 * number + 1]) * 32 for number in range(11)]
    # Two parts, each in the order of its owners: every other owner is pushed first.
    mixed = sorted(owners, key=lambda owner: owner[0] * 7 % 23)
    ordered = [*sorted(mixed[:pushed]), *sorted(mixed[pushed:])]
    lines = [PayoutLine(owner, owner, 255, 1) for owner in ordered]
    batches = [PayoutBatch(at // size, tuple(lines[at : at + size])) for at in range(0, 11, size)]
    document = canonical_json({"schema": SCHEMA, "counts": {"pushed": pushed}})
    record = PayoutRecord(
        address=b"a" * 32,
        security=b"s" * 32,
        action=b"c" * 32,
        number=0,
        payment_mint=b"m" * 32,
        token_program=b"t" * 32,
        payment_decimals=6,
        payout_key=b"k" * 32,
        refund=b"r" * 32,
        root=b"R" * 32,
        batches=len(batches),
        entries=11,
        total=11,
        expires_at=1,
        document=document,
        created_at=0,
        batch_size=size,
    )
    await desk.payouts.add(record, batches, (), ())
    for place, owner in enumerate(ordered):
        placed = await find_line(desk.payouts, record, owner)
        assert placed is not None
        assert (placed.batch * size + placed.index, placed.line.owner) == (place, owner)
        assert await find_line(desk.payouts, record, bytes([owner[0] - 1]) * 32) is None
