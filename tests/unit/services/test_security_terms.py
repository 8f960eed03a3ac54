"""Policy and metadata: what tightens counts at once, what loosens waits, what is announced is written as announced."""

from __future__ import annotations

from dataclasses import replace

import pytest
from controlling_desk import ControllingDesk
from desk import ACCOUNT, DAY, SHARE
from tallystick.errors import InputError, Refused
from tallystick.program.generated.types import Policy, VetoSubject
from tallystick.services.plans import Plan
from tallystick.services.rules import custody_accounts_at, policy_at
from tallystick.services.securities import CustodyAccount
from tallystick.services.security_metadata import (
    Metadata,
    announced_metadata,
    plan_announce_metadata,
    plan_update_metadata,
    read_metadata,
)
from tallystick.services.security_policy import BOUNDS, changed_policy, plan_update_policy, policy_changes, span_text
from tallystick.services.vetoes import plan_veto_setting
from tallystick.services.waiting_changes import waiting_changes

OTHER = CustodyAccount(ACCOUNT.custodian_lei, "SAFE 2")


@pytest.fixture
async def listed() -> ControllingDesk:
    """A security under the desk's policy; changes wait one second."""
    desk = ControllingDesk()
    await desk.ready()
    return desk


async def plan(desk: ControllingDesk, *accounts: CustodyAccount, **changes: int) -> Plan:
    return await plan_update_policy(
        desk.chain,
        payer=desk["payer"],
        security=desk.security,
        changes=changes,
        custody_accounts=accounts or None,
    )


async def veto(desk: ControllingDesk, subject: VetoSubject) -> Plan:
    return await plan_veto_setting(
        desk.chain, payer=desk["payer"], security=desk.security, guardian=desk["guardian"], subject=subject
    )


async def in_force(desk: ControllingDesk) -> Policy:
    return policy_at(await desk.listed(), desk.now)


async def waiting(desk: ControllingDesk) -> list[str]:
    return [each.kind for each in await waiting_changes(desk.chain, desk.security, await desk.listed(), desk.now)]


async def test_a_tightened_policy_counts_at_once(listed: ControllingDesk) -> None:
    made = await plan(listed, margin=100, notice=2 * DAY)
    assert made.notes[0] == "margin: 0% -> 1% (tighter)"
    assert any("at once" in note for note in made.notes)
    await listed.run(made)
    assert ((await in_force(listed)).margin, (await in_force(listed)).notice) == (100, 2 * DAY)
    assert (await plan(listed, margin=100)).is_empty
    assert await waiting(listed) == []


def test_a_span_is_said_exactly_in_its_largest_unit() -> None:
    assert [span_text(each) for each in (0, 1, 90, 120, 5400, 7200, 2 * DAY, DAY + 1)] == [
        "0 s",
        "1 s",
        "90 s",
        "2 min",
        "90 min",
        "2 h",
        "2 d",
        "86401 s",
    ]


async def test_a_loosened_policy_waits_and_then_counts_without_a_step(listed: ControllingDesk) -> None:
    made = await plan(listed, supply_cap=2 * 10**15, margin=5)
    assert any("looser" in note for note in made.notes)
    assert any("What tightens waits with it: margin" in note for note in made.notes)
    await listed.run(made)
    assert (await in_force(listed)).supply_cap == 10**15
    assert await waiting(listed) == ["policy"]
    assert "It waits until" in (await plan(listed, supply_cap=2 * 10**15, margin=5)).notes[0]
    listed.warp(2)
    assert ((await in_force(listed)).supply_cap, (await in_force(listed)).margin) == (2 * 10**15, 5)
    assert await waiting(listed) == []
    await listed.run(await plan(listed, margin=6))
    assert ((await in_force(listed)).supply_cap, (await in_force(listed)).margin) == (2 * 10**15, 6)


async def test_a_waiting_policy_is_vetoed_or_dropped(listed: ControllingDesk) -> None:
    await listed.run(await plan(listed, supply_cap=2 * 10**15))
    await listed.run(await veto(listed, VetoSubject.POLICY))
    assert (await veto(listed, VetoSubject.POLICY)).is_empty
    listed.warp(2)
    assert (await in_force(listed)).supply_cap == 10**15
    await listed.run(await plan(listed, supply_cap=2 * 10**15))
    dropping = await plan(listed)
    assert any("is dropped: supply cap" in note for note in dropping.notes)
    await listed.run(dropping)
    listed.warp(2)
    assert (await in_force(listed)).supply_cap == 10**15
    assert (await plan(listed)).is_empty


async def test_a_policy_in_force_is_not_vetoed(listed: ControllingDesk) -> None:
    await listed.run(await plan(listed, supply_cap=2 * 10**15))
    listed.warp(2)
    with pytest.raises(Refused, match="is in force since"):
        await veto(listed, VetoSubject.POLICY)
    with pytest.raises(InputError):
        await veto(listed, VetoSubject.ADMIN)


async def test_other_custody_accounts_wait_and_then_attestations_list_them(listed: ControllingDesk) -> None:
    before = custody_accounts_at(await listed.listed(), listed.now)
    made = await plan(listed, ACCOUNT, OTHER)
    assert any("custody accounts: 1" in note for note in made.notes)
    await listed.run(made)
    assert custody_accounts_at(await listed.listed(), listed.now) == before
    listed.warp(2)
    assert custody_accounts_at(await listed.listed(), listed.now)[1] == 2
    with pytest.raises(Refused):
        await listed.plan_attest()
    await listed.receive(600 * SHARE)
    await listed.receive(400 * SHARE, OTHER)
    await listed.run(await listed.plan_attest(ACCOUNT, OTHER))
    assert (await listed.listed()).reserve == 1_000 * SHARE


@pytest.mark.parametrize("name", sorted(BOUNDS))
async def test_a_setting_out_of_bounds_is_refused(listed: ControllingDesk, name: str) -> None:
    least, most = BOUNDS[name]
    for value in (least - 1, most + 1):
        with pytest.raises(InputError):
            await plan(listed, **{name: value})


async def test_a_setting_that_is_none_and_a_ratio_below_one_are_refused(listed: ControllingDesk) -> None:
    with pytest.raises(InputError, match="has no treshold"):
        await plan(listed, treshold=3)
    with pytest.raises(InputError, match="ratio of at least 1"):
        await plan(listed, max_change_numerator=1, max_change_denominator=2)


@pytest.mark.parametrize(
    ("name", "tighter"),
    [
        ("threshold", 3),
        ("margin", 1),
        ("max_attestation_age", DAY - 1),
        ("supply_cap", 10**15 - 1),
        ("accept_period", 99),
        ("settle_period", 99),
        ("notice", DAY + 1),
        ("change_window", DAY + 1),
        ("max_change_numerator", 9),
    ],
)
async def test_tighter_and_looser_are_what_the_program_says(listed: ControllingDesk, name: str, tighter: int) -> None:
    # The vectors of state/policy.rs, tightening_is_tightening_in_every_field.
    before = await in_force(listed)
    after, custody = replace(before, **{name: tighter}), (bytes(32), 1)
    assert [each.is_looser for each in policy_changes(before, after, 6, custody, custody)] == [False]
    assert [each.is_looser for each in policy_changes(after, before, 6, custody, custody)] == [True]
    await listed.run(await plan(listed, **{name: tighter}))
    assert await in_force(listed) == after
    await listed.run(await plan(listed, **{name: getattr(before, name)}))
    assert await in_force(listed) == after
    assert await waiting(listed) == ["policy"]


def test_an_equal_ratio_in_other_terms_is_no_looser() -> None:
    before = Policy(2, 0, DAY, 1, 1, 1, DAY, 1, 10, 1, 1)
    after = changed_policy(before, {"max_change_numerator": 20, "max_change_denominator": 2})
    assert [each.is_looser for each in policy_changes(before, after, 6, (b"", 1), (b"", 1))] == [False]


def test_another_class_is_looser_and_one_less_is_tighter() -> None:
    before = Policy(2, 0, DAY, 1, 1, 1, DAY, 1, 10, 1, 0b101)
    for classes, is_looser in ((0b1, False), (0b111, True), (0b10, True)):
        after = changed_policy(before, {"allowed_classes": classes})
        assert [each.is_looser for each in policy_changes(before, after, 6, (b"", 1), (b"", 1))] == [is_looser]


NEW = Metadata("Example Holdings Inc.", "EXHLD", "https://example.com/2.json", "US5949181045", b"u" * 32)


async def announce(desk: ControllingDesk, metadata: Metadata = NEW) -> Plan:
    return await plan_announce_metadata(desk.chain, payer=desk["payer"], security=desk.security, metadata=metadata)


async def write(desk: ControllingDesk, metadata: Metadata | None = None) -> Plan:
    return await plan_update_metadata(desk.chain, payer=desk["payer"], security=desk.security, metadata=metadata)


async def test_metadata_is_written_as_announced_after_its_notice(listed: ControllingDesk) -> None:
    made = await announce(listed)
    assert made.notes[0] == "name: Example Inc. -> Example Holdings Inc."
    await listed.run(made)
    assert "It is announced" in (await announce(listed)).notes[0]
    assert await waiting(listed) == ["metadata"]
    with pytest.raises(Refused, match="It can be written from"):
        await write(listed)
    listed.warp(DAY + 1)
    with pytest.raises(Refused, match="Other content was announced"):
        await write(listed, replace(NEW, name="Another"))
    await listed.run(await write(listed))
    assert await read_metadata(listed.chain, listed.security) == NEW
    assert (await listed.listed()).previous_isin == b"US0378331005"
    assert (await write(listed)).is_empty
    assert (await announce(listed)).is_empty
    assert await waiting(listed) == []


async def test_announced_content_is_found_in_its_event(listed: ControllingDesk) -> None:
    with pytest.raises(Refused, match="Nothing is announced"):
        await announced_metadata(listed.chain, listed.security)
    await listed.run(await announce(listed, replace(NEW, ticker="OLD")))
    await listed.run(await announce(listed))
    assert await announced_metadata(listed.chain, listed.security) == NEW


async def test_announced_metadata_is_vetoed_until_it_is_written(listed: ControllingDesk) -> None:
    await listed.run(await announce(listed))
    listed.warp(DAY + 1)
    await listed.run(await veto(listed, VetoSubject.METADATA))
    assert (await write(listed)).is_empty
    with pytest.raises(Refused, match="nothing is written unannounced"):
        await write(listed, NEW)


def test_metadata_that_the_program_refuses_is_refused_before() -> None:
    long = "x" * 201
    for name, wrong in (("name", ""), ("name", long), ("ticker", long), ("uri", long), ("terms_hash", bytes(32))):
        with pytest.raises(InputError):
            replace(NEW, **{name: wrong}).params()  # type: ignore[arg-type]
