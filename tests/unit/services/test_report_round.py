"""A month in which everything happened is built, published and verified by a stranger, and nothing fails."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from building_desk import DAY, DAYS_TO_OCTOBER, PERIOD, BuildingDesk
from desk import SHARE, movement
from tallystick.domain.breaks import Break, BreakKind
from tallystick.domain.reserve_report.checks import Check, Status
from tallystick.services.movements import Part
from tallystick.services.redemption import plan_cancel_redemption, plan_settle_redemption
from tallystick.services.report_build import Built
from tallystick.services.report_declaration import declaration_content, parse_declaration
from tallystick.services.report_verify import Verified, verify_report
from tallystick.services.securities import plan_list_security
from test_report_facts import ForgetfulChain, half_a_month, much_more


async def verify(desk: BuildingDesk, built: Built) -> Verified:
    return await verify_report(desk.chain, built.report.content, desk.clock, issuer=desk.issuer)


def failures(verified: Verified) -> list[tuple[str, str]]:
    return [(each.name, each.words) for each in verified.checks if each.status is Status.FAILED]


@pytest.fixture
async def desk() -> BuildingDesk:
    """Half a month of everything, its day closed with a break open, and more of everything after that."""
    made = BuildingDesk()
    record = await half_a_month(made)
    await made.journal.record(made.book("IN S-1", 300 * SHARE, made.now - 60))
    order = await made.ask("bob", 10 * SHARE, "r-4")
    plan = await plan_settle_redemption(
        made.chain,
        payer=made["payer"],
        operator=made["operator"],
        security=made.security,
        movement=movement("OUT R-4", 30 * SHARE),
        parts=[Part(order, 10 * SHARE)],
    )
    await made.run(plan)
    await made.journal.record(made.book("OUT R-4", 30 * SHARE, made.now - 60, is_out=True))
    await made.journal.record(made.book("IN S-9", 40 * SHARE, made.now + 30))
    short = Break(BreakKind.QUANTITY_SHORT, "short of 5", "US0378331005", "", "custody", 5 * SHARE)
    await made.breaks.record(bytes(made.security), [short], made.now)
    made.warp(60)
    await made.end_day(60)
    await made.breaks.record(bytes(made.security), [], made.now)
    await much_more(made, record)
    made.warp(9 * DAY)
    await made.anchor()
    return made


async def test_every_part_of_a_full_month_is_in_the_report_and_verifies(desk: BuildingDesk) -> None:
    built = await desk.build()
    document: Any = built.document
    distributions = [one for each in document["corporate_actions"] for one in each["distributions"]]
    assert [one["division"]["net"] for one in distributions if one["division"]] == [str(204 * 10**6)]
    [still_open] = document["differences"]["open"]
    assert (still_open["amount"], still_open["kind"]) == (str(5 * SHARE), "QUANTITY_SHORT")
    assert [(each["reference"], each["amount"], each["kind"]) for each in document["assets"][0]["timing"]] == [
        ("OUT R-4", str(20 * SHARE), "PENDING_SETTLEMENT"),
        ("IN S-9", str(40 * SHARE), "TIMING_ASOF"),
        ("IN S-9", str(-40 * SHARE), "PENDING_SETTLEMENT"),
    ]
    assert document["activity"][0]["subscriptions"]["cancelled"] == 1
    await desk.publish(built.report)
    verified = await verify(desk, built)
    assert failures(verified) == []
    again = await desk.build()
    assert (again.is_changed, again.report.digest) == (False, built.report.digest)


async def test_a_correction_verifies_too(desk: BuildingDesk) -> None:
    await desk.publish((await desk.build()).report)
    content = declaration_content(parse_declaration('basis = "Better said"'))
    await desk.books.declarations.declare(bytes(desk.issuer), PERIOD, content, desk.now)
    corrected = await desk.build(reason="the basis was unclear")
    await desk.publish(corrected.report)
    assert failures(await verify(desk, corrected)) == []


async def test_the_month_after_begins_where_this_one_ended() -> None:
    desk = BuildingDesk()
    await desk.month()
    await desk.publish((await desk.build()).report)
    await desk.attest(520 * SHARE)
    await desk.give("bob", 20 * SHARE, "s-3")
    october = await desk.end_day()
    desk.warp(31 * 86_400)
    await desk.anchor(october)
    built = await desk.build(period=202610)
    document: Any = built.document
    assert document["header"]["previous"]["period"] == "2026-09"
    assert document["header"]["opening"]["day"] == "2026-09-22"
    assert document["days"]["count"] == 1
    [row] = document["roll_forward"]
    assert (row["opening"], row["minted"], row["closing"]) == (str(500 * SHARE), str(20 * SHARE), str(520 * SHARE))
    await desk.publish(built.report)
    assert failures(await verify(desk, built)) == []


async def test_a_security_listed_later_is_no_part_of_the_month_on_a_node_that_forgot() -> None:
    desk = BuildingDesk()
    await desk.month()
    built = await desk.build()
    await desk.publish(built.report)
    spec = replace(desk.spec(), security_id="EXAMPLE-B", isin="US0231351067", ticker="OTHER")
    await desk.run(await plan_list_security(desk.chain, payer=desk["payer"], issuer=desk.issuer, spec=spec))
    desk.warp(1)
    forgetful = ForgetfulChain(desk.chain.ledger, since=desk.moment.slot)
    verified = await verify_report(forgetful, built.report.content, desk.clock, issuer=desk.issuer)
    assert failures(verified) == []
    assert Status.NOT_SERVED in {each.status for each in verified.checks}


async def test_a_month_of_which_a_close_was_left_out_on_chain_between_others_is_reported_and_verifies() -> None:
    desk = BuildingDesk()
    await desk.begin()
    await desk.give("alice", 300 * SHARE, "s-1")
    await desk.attest(300 * SHARE)
    first, left_out, last = [await desk.end_day() for _ in range(3)]
    desk.warp(DAYS_TO_OCTOBER * DAY)
    await desk.anchor(first, last)
    built = await desk.build()
    await desk.publish(built.report)
    document: Any = built.document
    assert (document["days"]["count"], left_out.day in document["days"]["left_out"]) == (2, True)
    verified = await verify(desk, built)
    assert failures(verified) == []
    [found] = [each for each in verified.checks if each.name == "closed days on chain"]
    assert (found.status, "left out on chain: ask the issuer why" in found.words) == (Status.STATED, True)


async def test_what_came_to_escrow_and_what_left_it_in_the_second_of_a_close_fail_nothing_on_a_node_that_forgot() -> (
    None
):
    """Ten came before the close and ten left behind it: neither order of the whole second has what the close has."""
    desk = BuildingDesk()
    await desk.begin()
    await desk.give("alice", 300 * SHARE, "s-1")
    await desk.attest(300 * SHARE)
    order = await desk.ask("alice", 10 * SHARE, "r-1", accept=False)
    desk.warp(60)
    await desk.ask("alice", 10 * SHARE, "r-2", accept=False)
    close = await desk.end_day(0)
    back = await plan_cancel_redemption(
        desk.chain, payer=desk["payer"], authority=desk["operator"], order=order, reason_code=3
    )
    await desk.run(back)
    assert (desk.now, close.securities[0].escrow) == (close.block_time, 20 * SHARE)
    desk.warp(DAYS_TO_OCTOBER * DAY)
    await desk.anchor()
    built = await desk.build()
    await desk.publish(built.report)
    assert failures(await verify(desk, built)) == []
    forgetful = ForgetfulChain(desk.chain.ledger, since=close.slot + 20)
    verified = await verify_report(forgetful, built.report.content, desk.clock, issuer=desk.issuer)
    assert failures(verified) == []
    assert {"tokens", "order within a second"} <= {
        each.name for each in verified.checks if each.status is Status.NOT_SERVED
    }


async def test_a_month_in_which_nothing_ever_happened_is_backed_and_verifies() -> None:
    """Of one security there is a statement, of the other none yet."""
    desk = BuildingDesk()
    await desk.begin()
    spec = replace(desk.spec(), security_id="EXAMPLE-B", isin="US0231351067", ticker="OTHER")
    await desk.run(await plan_list_security(desk.chain, payer=desk["payer"], issuer=desk.issuer, spec=spec))
    await desk.end_day()
    desk.warp(DAYS_TO_OCTOBER * DAY)
    await desk.anchor()
    built = await desk.build()
    await desk.publish(built.report)
    document: Any = built.document
    assert {(row["held"], row["required"], row["is_passed"]) for row in document["test"]} == {
        (None, "0", True),
        (str(1_000 * SHARE), "0", True),
    }
    assert document["summary"]["is_passed"]
    assert failures(await verify(desk, built)) == []


async def test_statements_that_the_attestors_signed_are_shown_and_later_ones_are_the_custodians_word() -> None:
    desk = BuildingDesk()
    await desk.month()
    built = await desk.build()
    await desk.publish(built.report)
    assert statements_check(await verify(desk, built)).status is Status.PASSED
    desk = BuildingDesk()
    await desk.begin()
    await desk.give("alice", 300 * SHARE, "s-1")
    desk.warp(60)
    await desk.receive(400 * SHARE)
    await desk.end_day()
    desk.warp(DAYS_TO_OCTOBER * DAY)
    await desk.anchor()
    built = await desk.build()
    await desk.publish(built.report)
    found = statements_check(await verify(desk, built))
    assert (found.status, "not the ones that the attestors signed" in found.words) == (Status.STATED, True)


def statements_check(verified: Verified) -> Check:
    [found] = [each for each in verified.checks if each.name == "custodians' statements"]
    return found
