"""Corporate actions: what operators are told before the program would refuse, and that a rerun does nothing twice."""

from __future__ import annotations

from dataclasses import replace

import pytest
from acting_desk import EVENT, NOTHING, NOTICE, WINDOW, ActingDesk
from desk import DAY, SHARE, movement
from tallystick.adapters.clock import instant
from tallystick.domain.amounts import MULTIPLIER_ONE, multiplier_to_float_bits
from tallystick.domain.identifiers import event_hash
from tallystick.errors import InputError, Refused
from tallystick.program.generated.types import ActionKind, ActionStatus, ActionTerms, RoleKind, SecurityStatus
from tallystick.program.token import decode_mint
from tallystick.services.action_execution import find_delisting
from tallystick.services.action_reads import ActionState, action_details, effect_notes, find_versions, next_step
from tallystick.services.corporate_actions import cancel_reason_hash
from tallystick.services.issuers import plan_revoke_role
from tallystick.services.movements import Part
from tallystick.services.redemption import (
    plan_accept_redemption,
    plan_request_redemption,
    plan_settle_redemption,
)

REVERSE = ActionKind.REVERSE_SPLIT


@pytest.fixture
async def acting() -> ActingDesk:
    """1,000 shares attested, and a notice of 100 seconds."""
    desk = ActingDesk()
    await desk.ready()
    return desk


def double_on_mint(desk: ActingDesk) -> int:
    account = desk.chain.ledger.account(desk.mint)
    assert account is not None
    scaled = decode_mint(account.data).extensions.scaled_ui_amount
    assert scaled is not None
    return scaled.current_bits(desk.now)


async def revoke(desk: ActingDesk, name: str) -> None:
    await desk.run(
        await plan_revoke_role(
            desk.chain,
            payer=desk["payer"],
            issuer=desk.issuer,
            kind=RoleKind.CORPORATE_ACTIONS,
            holder=desk[name],
        )
    )


# From announcement to effect ------------------------------------------------------------------------------------------


async def test_a_split_goes_from_announcement_to_effect_and_redemptions_pay_the_new_shares(acting: ActingDesk) -> None:
    await acting.give("alice", 10 * SHARE, "s-1")
    terms = acting.split()
    await acting.executed(terms)
    before = await acting.account()
    assert (before.multiplier, before.pending_multiplier) == (MULTIPLIER_ONE, 4 * MULTIPLIER_ONE)
    assert double_on_mint(acting) == multiplier_to_float_bits(MULTIPLIER_ONE)
    details = await action_details(acting.chain, acting.at())
    assert details.state is ActionState.PENDING
    await acting.until(terms.effective_at)
    assert double_on_mint(acting) == multiplier_to_float_bits(4 * MULTIPLIER_ONE)
    details = await action_details(acting.chain, acting.at())
    assert details.state is ActionState.IN_EFFECT
    assert next_step(details).startswith("Attest a statement from after")
    await acting.run(
        await plan_request_redemption(
            acting.chain,
            payer=acting["payer"],
            security=acting.security,
            wallet=acting["alice"],
            reference="r-1",
            raw=3 * SHARE,
        )
    )
    order = acting.order("alice", "r-1")
    operator = acting["operator"]
    await acting.run(await plan_accept_redemption(acting.chain, payer=acting["payer"], operator=operator, order=order))
    await acting.run(
        await plan_settle_redemption(
            acting.chain,
            payer=acting["payer"],
            operator=operator,
            security=acting.security,
            movement=movement("OUT 1", 12 * SHARE),
            parts=[Part(order, 3 * SHARE)],
        )
    )
    assert (await acting.account()).redeemed == 12 * SHARE


async def test_a_step_that_was_done_makes_an_empty_plan_that_says_so(acting: ActingDesk) -> None:
    terms = acting.split()
    await acting.executed(terms)
    for plan, note in (
        (await acting.plan_announce(terms), "says so already"),
        (await acting.plan_announce(terms, corrects=True), "says so already"),
        (await acting.plan_approve(), f"{acting['actions-2']} approved it"),
        (await acting.plan_execute(), "multiplier 1 → 4"),
    ):
        assert plan.is_empty
        assert note in plan.notes[0]
    await acting.run(await acting.plan_cancel())
    again = await acting.plan_cancel()
    assert (again.is_empty, "cancelled on" in again.notes[0]) == (True, True)


async def test_whoever_signs_is_told_the_exact_multiplier_and_what_it_means(acting: ActingDesk) -> None:
    await acting.give("alice", 10 * SHARE, "s-1")
    await acting.run(
        await plan_request_redemption(
            acting.chain,
            payer=acting["payer"],
            security=acting.security,
            wallet=acting["alice"],
            reference="r-1",
            raw=2_500_000,
        )
    )
    terms = acting.split(1, 3)
    plan = await acting.plan_announce(terms, REVERSE)
    at, window = instant(terms.effective_at), instant(terms.effective_at - WINDOW)
    told = " ".join(plan.notes)
    assert f"SPLR reverse split: 1:3; effective {at}." in told
    assert "1 → 0.333333333333333333 (in Token-2022 the double 0.3333333333333333)" in told
    assert "100 tokens stand for 100 shares before and for 33.333333 shares after" in told
    assert "2.5 tokens in redemptions under way (0 accepted)" in told
    assert f"Nothing is minted from {window} until a statement from after {at} is attested." in told
    await acting.run(plan)
    assert set(plan.notes[:5]) <= set((await acting.plan_approve()).notes)


async def test_a_plan_says_how_little_time_is_left_to_sign(acting: ActingDesk) -> None:
    assert "signed within 7 s" in " ".join((await acting.plan_announce(acting.split(after=NOTICE + 7))).notes)
    assert "signed within" not in " ".join((await acting.plan_announce(acting.split(after=3 * NOTICE))).notes)


# Announcing -----------------------------------------------------------------------------------------------------------


async def test_too_short_a_notice_names_the_earliest_effective_time(acting: ActingDesk) -> None:
    earliest = instant(acting.now + NOTICE)
    with pytest.raises(Refused, match=rf"100 s of notice: .*earliest effective time is {earliest}"):
        await acting.plan_announce(acting.split(after=NOTICE - 1))
    with pytest.raises(Refused, match="none was given"):
        await acting.plan_announce(acting.split(effective_at=0))


@pytest.mark.parametrize(("new", "old", "kind"), [(11, 1, ActionKind.FORWARD_SPLIT), (1, 11, REVERSE)])
async def test_a_ratio_beyond_the_bound_names_the_largest_allowed(
    acting: ActingDesk, new: int, old: int, kind: ActionKind
) -> None:
    with pytest.raises(Refused, match=rf"{new}:{old} is a larger change .* from 1:10 to 10:1"):
        await acting.plan_announce(acting.split(new, old), kind)


async def test_a_key_without_the_role_announces_nothing(acting: ActingDesk) -> None:
    with pytest.raises(Refused, match="no corporate actions"):
        await acting.plan_announce(acting.split(), by="operator")


async def test_a_correction_is_the_next_version_and_replaces_the_one_before(acting: ActingDesk) -> None:
    first, second = acting.split(), acting.split(5)
    await acting.approved(first)
    with pytest.raises(Refused, match="announced already as version 1, with other terms: forward split 4:1"):
        await acting.plan_announce(second)
    plan = await acting.plan_announce(second, corrects=True)
    assert "Version 1 (approved) is replaced." in plan.notes
    await acting.run(plan)
    versions = await find_versions(acting.chain, acting.security, event_hash(EVENT))
    statuses = [each.status for _, each in versions]
    assert statuses == [ActionStatus.REPLACED, ActionStatus.ANNOUNCED]
    assert (await acting.plan_announce(second)).is_empty
    for plan_of in (acting.plan_approve, acting.plan_execute, acting.plan_cancel):
        with pytest.raises(Refused, match=r"replaced on .* by version 2"):
            await plan_of()


async def test_there_has_to_be_something_to_correct(acting: ActingDesk) -> None:
    with pytest.raises(Refused, match="Nothing was announced of the event CA-1"):
        await acting.plan_announce(acting.split(), corrects=True)


async def test_what_was_cancelled_is_announced_anew_only_as_a_correction(acting: ActingDesk) -> None:
    terms = acting.split()
    await acting.run(await acting.plan_announce(terms))
    await acting.run(await acting.plan_cancel())
    with pytest.raises(Refused, match="was cancelled"):
        await acting.plan_announce(terms)
    with pytest.raises(Refused, match="was cancelled"):
        await acting.plan_approve()
    await acting.run(await acting.plan_announce(terms, corrects=True))
    assert (await acting.action(2)).status is ActionStatus.ANNOUNCED


async def test_an_executed_version_is_not_corrected_and_the_way_out_depends_on_the_clock(acting: ActingDesk) -> None:
    terms = acting.split()
    await acting.executed(terms)
    with pytest.raises(Refused, match="was executed") as pending:
        await acting.plan_announce(acting.split(5), corrects=True)
    assert "cancel it first" in str(pending.value.hint)
    await acting.until(terms.effective_at)
    with pytest.raises(Refused, match="was executed") as matured:
        await acting.plan_announce(acting.split(5), corrects=True)
    assert "an event of its own" in str(matured.value.hint)


CASH = replace(NOTHING, record_at=10, pay_at=20, gross_per_share=24 * 10**16, currency=b"USD", withholding=1_500)
RATIO = replace(NOTHING, numerator=4, denominator=1, effective_at=DAY)


@pytest.mark.parametrize(
    ("kind", "terms", "said"),
    [
        (ActionKind.FORWARD_SPLIT, replace(RATIO, evidence_hash=bytes(32)), "notice is expected"),
        (ActionKind.FORWARD_SPLIT, replace(RATIO, ex_at=-1), "before 1970"),
        (ActionKind.FORWARD_SPLIT, replace(RATIO, numerator=1, denominator=4), "makes no more shares"),
        (ActionKind.STOCK_DIVIDEND, replace(RATIO, numerator=1), "makes no more shares"),
        (ActionKind.FORWARD_SPLIT, replace(RATIO, denominator=0), "has a ratio"),
        (ActionKind.FORWARD_SPLIT, replace(RATIO, gross_per_share=1), "pays no cash"),
        (REVERSE, RATIO, "makes no fewer shares"),
        (ActionKind.REINVESTED_DIVIDEND, replace(RATIO, numerator=3, denominator=4), "never does"),
        (ActionKind.CASH_DIVIDEND, replace(CASH, numerator=4, denominator=1), "leaves the multiplier"),
        (ActionKind.CASH_DIVIDEND, replace(CASH, withholding=10_001), "At most 100%"),
        (ActionKind.CASH_DIVIDEND, replace(CASH, gross_per_share=0), "above zero"),
        (ActionKind.CASH_DIVIDEND, replace(CASH, currency=b"usd"), "three capital letters"),
        (ActionKind.MERGER, replace(CASH, record_at=0), "a record time"),
        (ActionKind.SPIN_OFF, replace(CASH, pay_at=9), "not before it"),
        (ActionKind.DELISTING, RATIO, "leaves the multiplier"),
    ],
)
async def test_terms_of_another_kind_are_an_input_error(
    acting: ActingDesk, kind: ActionKind, terms: ActionTerms, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        await acting.plan_announce(terms, kind)


async def test_cash_is_announced_without_notice_and_is_not_executed(acting: ActingDesk) -> None:
    await acting.approved(CASH, ActionKind.CASH_DIVIDEND)
    details = await action_details(acting.chain, acting.at())
    assert (details.state, details.effect) == (ActionState.APPROVED, None)
    assert "tally dividend record" in next_step(details)
    plan = await acting.plan_announce(CASH, ActionKind.CASH_DIVIDEND)
    assert plan.title == "Announce cash dividend of EXMPL (0.24 USD a share, 15% withheld), event CA-1, version 1"
    for plan_of, said in ((acting.plan_execute, "does not change"), (acting.plan_retire, "does not retire")):
        with pytest.raises(Refused, match=said):
            await plan_of()


# Approving ------------------------------------------------------------------------------------------------------------


async def test_the_announcer_is_told_which_keys_may_approve(acting: ActingDesk) -> None:
    await acting.run(await acting.plan_announce(acting.split()))
    with pytest.raises(Refused, match="cannot approve") as error:
        await acting.plan_approve(by="actions-1")
    assert str(acting["actions-2"]) in str(error.value.hint)
    await revoke(acting, "actions-2")
    with pytest.raises(Refused) as alone:
        await acting.plan_approve(by="actions-1")
    assert "No other key" in str(alone.value.hint)


async def test_an_approver_with_another_notice_is_stopped(acting: ActingDesk) -> None:
    await acting.run(await acting.plan_announce(acting.split()))
    with pytest.raises(Refused, match=f"{(b'f' * 32).hex()}, the announced one {(b'e' * 32).hex()}"):
        await acting.plan_approve(evidence=b"f" * 32)
    assert (await acting.plan_approve(evidence=b"e" * 32)).actions


async def test_whoever_approves_too_late_is_told(acting: ActingDesk) -> None:
    terms = acting.split()
    await acting.run(await acting.plan_announce(terms))
    await acting.until(terms.effective_at)
    assert "it can never be executed" in (await acting.plan_approve()).notes[-1]


# Executing ------------------------------------------------------------------------------------------------------------


async def test_nothing_is_executed_without_a_second_key(acting: ActingDesk) -> None:
    await acting.run(await acting.plan_announce(acting.split()))
    with pytest.raises(Refused, match="it is not approved"):
        await acting.plan_execute()


async def test_the_approval_of_a_revoked_key_does_not_count_even_when_it_is_granted_again(acting: ActingDesk) -> None:
    await acting.approved(acting.split(after=5 * NOTICE))
    await revoke(acting, "actions-2")
    with pytest.raises(Refused, match=rf"{acting['actions-2']} approved it .* its role ended on"):
        await acting.plan_execute()
    await acting.grant("actions-2", RoleKind.CORPORATE_ACTIONS)
    acting.warp(2)
    with pytest.raises(Refused, match="did not stay in force"):
        await acting.plan_execute()


async def test_an_action_lapses_at_its_effective_time(acting: ActingDesk) -> None:
    terms = acting.split()
    await acting.approved(terms)
    await acting.until(terms.effective_at)
    with pytest.raises(Refused, match=r"effective time .* has passed"):
        await acting.plan_execute()
    details = await action_details(acting.chain, acting.at())
    assert details.state is ActionState.LAPSED
    assert "--corrects" in next_step(details)


async def test_a_ratio_at_which_the_supply_cannot_be_written_is_not_executed() -> None:
    desk = ActingDesk()
    await desk.ready(max_change_numerator=2**62)
    await desk.give("alice", 10 * SHARE, "s-1")
    await desk.approved(desk.split(2**62, 1))
    with pytest.raises(Refused, match=r"no multiplier at which .* \(10 tokens\)"):
        await desk.plan_execute()
    await desk.approved(desk.split(1, 2**62), REVERSE, event="CA-2")
    with pytest.raises(Refused, match="no multiplier"):
        await desk.plan_execute(desk.at("CA-2"))
    assert (
        "1 → none that can be written"
        in (await desk.plan_announce(desk.split(1, 2**62), REVERSE, event="CA-3")).notes[2]
    )


async def test_no_mint_makes_the_supply_more_shares_than_can_be_written_after_a_change_that_waits() -> None:
    desk = ActingDesk()
    await desk.ready(max_change_numerator=2**62, supply_cap=2**60)
    await desk.give("alice", SHARE, "s-1")
    await desk.executed(desk.split(2**43, 1))
    order = await desk.subscribe("alice", 2 * SHARE, "s-2")
    for shares, fits in ((SHARE, True), (2 * SHARE, False)):
        parts = (movement("IN 2", 2 * SHARE), Part(order, shares))
        if fits:
            assert (await desk.plan_settle(*parts)).actions
        else:
            with pytest.raises(Refused, match="more shares than can be written"):
                await desk.plan_settle(*parts)


async def test_one_change_waits_at_a_time_and_a_matured_one_makes_room(acting: ActingDesk) -> None:
    first, second = acting.split(2), acting.split(3, after=4 * NOTICE)
    await acting.executed(first)
    await acting.approved(second, event="CA-2")
    told = (await acting.plan_announce(acting.split(5, after=6 * NOTICE), event="CA-3")).notes
    assert "Another change is pending: to 2 at" in " ".join(told)
    assert "Multiplier 2 → 10" in " ".join(told)
    with pytest.raises(Refused, match=rf"Another change .* pending until {instant(first.effective_at)}"):
        await acting.plan_execute(acting.at("CA-2"))
    await acting.until(first.effective_at)
    plan = await acting.plan_execute(acting.at("CA-2"))
    assert "Multiplier 2 → 6" in plan.notes[0]
    await acting.run(plan)
    assert double_on_mint(acting) == multiplier_to_float_bits(2 * MULTIPLIER_ONE)
    await acting.until(second.effective_at)
    assert double_on_mint(acting) == multiplier_to_float_bits(6 * MULTIPLIER_ONE)


# Cancelling -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["actions-1", "guardian"])
async def test_an_executed_change_is_taken_back_until_it_takes_effect(acting: ActingDesk, by: str) -> None:
    terms = acting.split(1, 2)
    await acting.executed(terms, REVERSE)
    plan = await acting.plan_cancel(by=by)
    assert "The multiplier stays 1" in plan.notes[1]
    await acting.run(plan)
    await acting.until(terms.effective_at)
    account = await acting.account()
    assert (account.multiplier, account.pending_multiplier, account.multiplier_effective_at) == (MULTIPLIER_ONE, 0, 0)
    assert double_on_mint(acting) == multiplier_to_float_bits(MULTIPLIER_ONE)


async def test_what_has_taken_effect_is_not_taken_back(acting: ActingDesk) -> None:
    terms = acting.split()
    await acting.executed(terms)
    await acting.until(terms.effective_at)
    with pytest.raises(Refused, match="took effect at"):
        await acting.plan_cancel()


async def test_a_key_without_either_role_cancels_nothing(acting: ActingDesk) -> None:
    await acting.run(await acting.plan_announce(acting.split()))
    with pytest.raises(Refused, match="no corporate actions"):
        await acting.plan_cancel(by="operator")


def test_a_reason_has_a_hash_of_its_own() -> None:
    assert cancel_reason_hash(" x ") == cancel_reason_hash("x") != cancel_reason_hash("y")


# Minting around a change ----------------------------------------------------------------------------------------------


async def test_nothing_is_minted_inside_the_window_and_until_a_statement_from_after_the_change(
    acting: ActingDesk,
) -> None:
    terms = acting.split()
    await acting.executed(terms)
    order = await acting.subscribe("alice", 4 * SHARE, "s-1")
    parts = (movement("IN 1", 4 * SHARE), Part(order, 4 * SHARE))
    await acting.until(terms.effective_at - WINDOW)
    with pytest.raises(Refused, match="The multiplier changes at") as inside:
        await acting.plan_settle(*parts)
    assert "after the change" in str(inside.value.hint)
    await acting.until(terms.effective_at)
    with pytest.raises(Refused, match="before the last change of the multiplier"):
        await acting.plan_settle(*parts)
    await acting.attest(4_000 * SHARE)
    await acting.run(await acting.plan_settle(*parts))
    assert acting.tokens("alice") == SHARE


# Retiring -------------------------------------------------------------------------------------------------------------


async def test_a_security_is_retired_once_by_its_delisting_and_redeems_on(acting: ActingDesk) -> None:
    await acting.give("alice", 10 * SHARE, "s-1")
    terms = replace(NOTHING, effective_at=acting.now + 2 * NOTICE)
    with pytest.raises(Refused, match="No delisting"):
        await find_delisting(acting.chain, acting.security)
    await acting.run(await acting.plan_announce(terms, ActionKind.DELISTING))
    assert await find_delisting(acting.chain, acting.security) == acting.at()
    with pytest.raises(Refused, match="not approved"):
        await acting.plan_retire()
    await acting.run(await acting.plan_approve())
    with pytest.raises(Refused, match=f"takes effect at {instant(terms.effective_at)}"):
        await acting.plan_retire()
    await acting.until(terms.effective_at)
    plan = await acting.plan_retire()
    assert "10 tokens are out" in plan.notes[-1]
    await acting.run(plan)
    assert (await acting.account()).status is SecurityStatus.RETIRED
    assert (await acting.plan_retire()).is_empty
    with pytest.raises(Refused, match="for good"):
        await acting.plan_cancel()
    with pytest.raises(Refused, match="is retired already"):
        await acting.plan_announce(
            replace(NOTHING, effective_at=acting.now + 2 * NOTICE), ActionKind.DELISTING, event="CA-2"
        )
    assert (await acting.plan_announce(acting.split(), event="CA-2")).actions
    assert (await acting.plan_announce(CASH, ActionKind.CASH_DIVIDEND, event="CA-2")).actions
    await acting.run(
        await plan_request_redemption(
            acting.chain,
            payer=acting["payer"],
            security=acting.security,
            wallet=acting["alice"],
            reference="r-1",
            raw=SHARE,
        )
    )
    with pytest.raises(Refused, match="retired"):
        await acting.subscribe("alice", SHARE, "s-2")


# Looking --------------------------------------------------------------------------------------------------------------


async def test_a_moment_that_no_calendar_has_is_shown_as_its_seconds(acting: ActingDesk) -> None:
    await acting.run(await acting.plan_announce(acting.split(effective_at=2**63 - 1)))
    details = await action_details(acting.chain, acting.at())
    assert details.effect is not None
    assert f"{2**63 - 1} s" in " ".join(effect_notes(details.effect, details.security))
    assert [each.action_version for _, each in details.versions] == [1]
    assert details.action.event_hash == (await acting.action(event=EVENT)).event_hash
