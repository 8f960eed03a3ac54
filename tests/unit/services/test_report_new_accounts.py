"""A custody account that counts before its first statement arrives: the month is reported, and says so."""

from __future__ import annotations

from typing import Any

import pytest
from building_desk import DAYS_TO_OCTOBER, BuildingDesk
from desk import ACCOUNT, DAY, SHARE
from tallystick.domain.reserve_report.checks import Status
from tallystick.domain.reserve_report.document import read_report
from tallystick.services.report_declaration import declaration_content, parse_declaration
from tallystick.services.report_verify import verify_report
from tallystick.services.securities import CustodyAccount
from tallystick.services.security_policy import plan_update_policy

OTHER = CustodyAccount("EXAMPLEISSUERLTD0093", "SAFE 2")


@pytest.fixture
async def desk() -> BuildingDesk:
    """Two days closed; between them a second custodian's account came into force, of which no statement is there."""
    desk = BuildingDesk()
    await desk.begin()
    await desk.journal.record(desk.book("IN S-1", 300 * SHARE, desk.now))
    await desk.give("alice", 300 * SHARE, "s-1")
    await desk.attest(300 * SHARE)
    await desk.end_day()
    plan = await plan_update_policy(
        desk.chain, payer=desk["payer"], security=desk.security, changes={}, custody_accounts=(ACCOUNT, OTHER)
    )
    await desk.run(plan)
    desk.warp(2)
    desk.accounts = (ACCOUNT, OTHER)
    await desk.end_day()
    desk.warp((DAYS_TO_OCTOBER - 2) * DAY)
    await desk.anchor()
    return desk


async def declare(desk: BuildingDesk, text: str) -> None:
    content = declaration_content(parse_declaration(text))
    await desk.books.declarations.declare(bytes(desk.issuer), 202609, content, desk.now)


async def test_an_account_without_a_statement_is_named_and_the_report_holds(desk: BuildingDesk) -> None:
    built = await desk.build()
    document: Any = read_report(built.report.content)
    [security] = document["assets"]
    assert [each["account"] for each in security["accounts"]] == [ACCOUNT.account]
    [silent] = security["without_statement"]
    assert (silent["custodian"]["lei"], silent["account"]) == (OTHER.custodian_lei, OTHER.account)
    await desk.publish(built.report)
    verified = await verify_report(desk.chain, built.report.content, desk.clock, issuer=desk.issuer)
    assert [each for each in verified.checks if each.status is Status.FAILED] == []


async def test_with_its_statement_it_is_an_account_as_the_others(desk: BuildingDesk) -> None:
    desk.warp(1)
    await desk.receive(300 * SHARE)
    await desk.receive(0, OTHER)
    await desk.end_day()
    desk.warp((31 - 1) * DAY)
    await desk.anchor((await desk.closes.all(bytes(desk.issuer)))[-1])
    document: Any = read_report((await desk.build(period=202610)).report.content)
    [security] = document["assets"]
    assert sorted(each["account"] for each in security["accounts"]) == sorted((ACCOUNT.account, OTHER.account))
    assert security["without_statement"] == []


async def test_the_terms_of_its_custodian_are_declared_too(desk: BuildingDesk) -> None:
    await declare(desk, f'[[custodians]]\nlei = "{OTHER.custodian_lei}"\nname = "New Custody"\n')
    document: Any = read_report((await desk.build()).report.content)
    assert document["assets"][0]["without_statement"][0]["custodian"]["name"] == "New Custody"


async def test_the_terms_of_a_custodian_without_an_account_are_left_out(desk: BuildingDesk) -> None:
    await declare(desk, '[[custodians]]\nlei = "HWUPKR0MPOU8FGXBT394"\nname = "Elsewhere"\n')
    document: Any = read_report((await desk.build()).report.content)
    leis = {each["lei"] for each in document["declared"]["custodians"]}
    assert leis == {ACCOUNT.custodian_lei, OTHER.custodian_lei}
