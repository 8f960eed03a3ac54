"""Three months of one issuer, each closed some minutes after its midnight, reported, corrected, and checked by a
stranger: every report begins where the one before ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from acting_desk import NOTHING as NO_TERMS
from building_desk import BuildingDesk
from desk import ACCOUNT, DAY, ISIN, SHARE, movement
from tallystick.adapters.publish.folder import MemoryPublishFolder
from tallystick.adapters.store.reports import StoredReport
from tallystick.domain.amounts import MULTIPLIER_ONE, Quantity
from tallystick.domain.canonical import canonical_json
from tallystick.domain.closes import DailyClose
from tallystick.domain.holdings import HoldingLine
from tallystick.domain.identifiers import event_hash
from tallystick.domain.reserve_report.checks import Status
from tallystick.program.addresses import action_address, order_address
from tallystick.program.generated.types import ActionKind
from tallystick.services.attestation import plan_attest
from tallystick.services.corporate_actions import plan_announce_action
from tallystick.services.daily_close import close_day
from tallystick.services.movements import Part
from tallystick.services.plans import Plan
from tallystick.services.reconciliation_custody import DeclaredSecurity
from tallystick.services.redemption import plan_cancel_redemption
from tallystick.services.report_declaration import Declaration, declaration_content
from tallystick.services.report_draw import draw_period
from tallystick.services.report_inputs import ReportProfile
from tallystick.services.report_verify import Verified, verify_report
from tallystick.services.securities import SecurityAddresses, plan_list_security, plan_set_limit, security_of
from tallystick.services.subscription import order_id, plan_open_subscription, plan_settle_subscription
from test_report_facts import ForgetfulChain
from test_report_release import approve, publish

SEPTEMBER, OCTOBER, NOVEMBER = 202609, 202610, 202611
OTHERS = {"UNUSED": "US0231351067", "USED": "US5949181045"}
"""ISINs of securities listed later: in October, and not used before November; in November, and used at once."""


class MonthsDesk(BuildingDesk):
    """Closes each day at five past midnight, as a timer would. `others` are securities listed later, by their ids."""

    def __init__(self) -> None:
        super().__init__()
        self.others: list[str] = []
        self.folder = MemoryPublishFolder()

    @property
    def profile(self) -> ReportProfile:
        return replace(super().profile, securities=self.all_declared)

    @property
    def all_declared(self) -> Sequence[DeclaredSecurity]:
        """What the profile says of every security."""
        return [self.declared, *(DeclaredSecurity(self.other(each).security, (ACCOUNT,)) for each in self.others)]

    def other(self, security_id: str) -> SecurityAddresses:
        """Where a security is."""
        return security_of(self.issuer, security_id)

    def until(self, day: str, seconds: int) -> None:
        """Let time pass until so many seconds of a day."""
        wanted = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) + seconds
        self.warp(wanted - self.now)

    async def close_yesterday(self) -> DailyClose:
        """The close of the day before this one."""
        yesterday = date.fromisoformat(self.today) - timedelta(days=1)
        statements = [each.statement for each in await self.statements.list()]
        return await close_day(
            self.chain,
            self.issuer,
            yesterday.isoformat(),
            self.all_declared,
            statements,
            self.closes,
            self.breaks,
            self.clock,
            registers=self.registers,
        )

    async def close_until(self, day: str) -> DailyClose:
        """Close every day before this one, each at five past its midnight."""
        last = None
        while self.today < day:
            tomorrow = date.fromisoformat(self.today) + timedelta(days=1)
            self.until(tomorrow.isoformat(), 300)
            last = await self.close_yesterday()
        assert last is not None
        return last

    async def list_other(self, security_id: str) -> None:
        """Another security, with a limit; nothing happens to it yet."""
        spec = replace(self.spec(notice=100, change_window=50), security_id=security_id)
        spec = replace(spec, isin=OTHERS[security_id], ticker=security_id)
        await self.run(await plan_list_security(self.chain, payer=self["payer"], issuer=self.issuer, spec=spec))
        plan = await plan_set_limit(
            self.chain,
            payer=self["payer"],
            security=self.other(security_id).security,
            operator=self["operator"],
            mint_cap=10**6 * SHARE,
            burn_cap=10**6 * SHARE,
            window=DAY,
        )
        await self.run(plan)
        self.others.append(security_id)

    async def attest_all(self, shares: int) -> None:
        """As many shares of each security, on one statement."""
        self.warp(1)
        isins = (ISIN, *(OTHERS[each] for each in self.others))
        await self.receive(shares, lines=tuple(HoldingLine(isin, Quantity(shares, 6)) for isin in isins))
        for security in self.all_declared:
            plan = await plan_attest(
                self.chain,
                self.statements,
                payer=self["payer"],
                security=security.security,
                custody_accounts=(ACCOUNT,),
                attestors=[self[f"attestor-{number}"] for number in (1, 2, 3)],
                journal=self.journal,
            )
            await self.run(plan)

    async def give_other(self, security_id: str, shares: int) -> None:
        """Tokens of another security to alice."""
        address, reference = self.other(security_id).security, f"S {security_id}"
        plan = await plan_open_subscription(
            self.chain,
            payer=self["payer"],
            authority=self["operator"],
            security=address,
            wallet=self["alice"],
            reference=reference,
            shares=shares,
            settle_by=self.now + DAY,
        )
        await self.run(plan)
        order = order_address(address, self["alice"], order_id(reference))
        plan = await plan_settle_subscription(
            self.chain,
            payer=self["payer"],
            operator=self["operator"],
            security=address,
            movement=movement(f"IN {reference}", shares),
            parts=[Part(order, shares)],
        )
        await self.run(plan)

    async def retire_other(self, security_id: str) -> None:
        """Delisted, as soon as may be."""
        terms, security = replace(NO_TERMS, effective_at=self.now + 200), self.other(security_id).security
        plan = await plan_announce_action(
            self.chain,
            payer=self["payer"],
            security=security,
            announcer=self["actions-1"],
            event_id="CA-OUT",
            kind=ActionKind.DELISTING,
            terms=terms,
        )
        await self.run(plan)
        action = action_address(security, event_hash("CA-OUT"), 1)
        await self.run(await self.plan_approve(action))
        self.warp(201)
        await self.run(await self.plan_retire(action))

    async def do(self, plan: Plan) -> None:
        await self.run(plan)

    async def receive_and_give(self, name: str, shares: int, reference: str) -> None:
        """Shares booked at the custodian, and their tokens."""
        await self.journal.record(self.book(f"IN {reference}".upper(), shares, self.now))
        await self.give(name, shares, reference)

    async def report(self, period: int, closes: Sequence[DailyClose]) -> StoredReport:
        """Anchored, drawn, built, approved and published."""
        await self.anchor(*closes)
        await draw_period(
            self.chain,
            self.clock,
            self.do,
            payer=self["payer"],
            issuer=self.issuer,
            publisher=self["publisher"],
            period=period,
        )
        return await self.release(period)

    async def release(self, period: int, reason: str = "") -> StoredReport:
        """Built, approved and published."""
        built = await self.build(period=period, is_draw_needed=True, reason=reason)
        return (await publish(self, await approve(self, built.report), self.folder)).report

    async def closes_of(self, month: str) -> list[DailyClose]:
        return [each for each in await self.closes.all(bytes(self.issuer)) if each.day.startswith(month)]


@dataclass(frozen=True, slots=True)
class Told:
    """What was published, by month and version."""

    desk: MonthsDesk
    reports: Mapping[str, StoredReport]

    def document(self, name: str) -> Any:
        return json.loads(self.reports[name].content)

    async def verify(self, name: str) -> Verified:
        return await verify_report(
            self.desk.chain, self.reports[name].content, self.desk.clock, issuer=self.desk.issuer
        )


async def three_months() -> Told:
    desk, reports = MonthsDesk(), dict[str, StoredReport]()
    await desk.begin()
    await desk.receive_and_give("alice", 300 * SHARE, "s-1")
    await desk.receive_and_give("bob", 200 * SHARE, "s-2")
    await desk.close_until("2026-09-30")
    # Minutes of October that are September's, and within the second of its last close some that are not.
    desk.until("2026-10-01", 120)
    await desk.attest(1_000 * SHARE)
    await desk.receive_and_give("bob", 20 * SHARE, "s-3")
    desk.until("2026-10-01", 300)
    await desk.receive_and_give("bob", 7 * SHARE, "s-4")
    await desk.close_yesterday()
    await desk.receive_and_give("alice", 5 * SHARE, "s-5")
    waiting = await desk.ask("alice", 30 * SHARE, "r-1", accept=False)
    await desk.freeze("bob")
    desk.warp(1)
    reports["2026-09 v1"] = await desk.report(SEPTEMBER, await desk.closes_of("2026-09"))

    await desk.close_until("2026-10-10")
    await desk.thaw("bob")
    await desk.pay_out(await desk.ask("alice", 40 * SHARE, "r-2"), 40 * SHARE, "r-2")
    await desk.close_until("2026-10-15")
    await desk.list_other("UNUSED")
    await desk.close_until("2026-10-31")
    await desk.attest(2_000 * SHARE)
    await desk.executed(desk.split(new=2, after=2 * DAY), ActionKind.FORWARD_SPLIT, event="CA-SPLIT")
    await desk.close_until("2026-11-01")
    await desk.run(
        await plan_cancel_redemption(
            desk.chain, payer=desk["payer"], authority=desk["operator"], order=waiting, reason_code=6
        )
    )
    desk.warp(1)
    reports["2026-10 v1"] = await desk.report(OCTOBER, await desk.closes_of("2026-10"))
    content = declaration_content(Declaration(basis="Better said."))
    await desk.books.declarations.declare(bytes(desk.issuer), OCTOBER, content, desk.now)
    reports["2026-10 v2"] = await desk.release(OCTOBER, "The basis was unclear.")

    await desk.close_until("2026-11-10")
    await desk.attest_all(2_100 * SHARE)
    await desk.receive_and_give("bob", 10 * SHARE, "s-6")
    await desk.give_other("UNUSED", 30 * SHARE)
    await desk.retire_other("UNUSED")
    await desk.close_until("2026-11-20")
    await desk.list_other("USED")
    desk.warp(2)
    await desk.attest_all(2_200 * SHARE)
    await desk.give_other("USED", 50 * SHARE)
    await desk.close_until("2026-12-01")
    desk.warp(1)
    reports["2026-11 v1"] = await desk.report(NOVEMBER, await desk.closes_of("2026-11"))
    return Told(desk, reports)


@pytest.fixture(scope="module")
def told() -> Told:
    return asyncio.run(three_months())


NAMES = ("2026-09 v1", "2026-10 v1", "2026-10 v2", "2026-11 v1")


@pytest.mark.parametrize("name", NAMES)
async def test_every_one_of_them_verifies(told: Told, name: str) -> None:
    verified = await told.verify(name)
    assert [(each.name, each.words) for each in verified.checks if each.status is Status.FAILED] == []
    assert {each.status for each in verified.checks} == {Status.PASSED, Status.STATED}
    [opening] = [each for each in verified.checks if each.name == "opening"]
    assert opening.status is Status.PASSED


def on_a_node_that_forgot(told: Told, content: bytes) -> Awaitable[Verified]:
    """Verified with accounts of now and not one transaction, long after."""
    ledger = told.desk.chain.ledger
    return verify_report(ForgetfulChain(ledger, since=ledger.slot), content, told.desk.clock, issuer=told.desk.issuer)


@pytest.mark.parametrize("name", NAMES)
async def test_every_one_of_them_holds_on_a_node_that_forgot_what_came_first(told: Told, name: str) -> None:
    verified = await on_a_node_that_forgot(told, told.reports[name].content)
    assert [(each.name, each.words) for each in verified.checks if each.status is Status.FAILED] == []
    not_served = {each.name for each in verified.checks if each.status is Status.NOT_SERVED}
    assert "order within a second" in not_served


@pytest.mark.parametrize(
    ("section", "field"),
    [("roll_forward", "burnt"), ("roll_forward", "closing"), ("tokens", "supply"), ("test", "required")],
)
async def test_what_that_order_does_not_decide_is_checked_all_the_same(told: Told, section: str, field: str) -> None:
    document = told.document("2026-11 v1")
    of_used(document[section])[field] = "1"
    verified = await on_a_node_that_forgot(told, canonical_json(document))
    paths = [each.path for each in verified.checks if each.status is Status.FAILED and each.section == section]
    assert [path.split("/")[-1] for path in paths] == [field]


def of_used(rows: list[Any]) -> Any:
    """The row of the security that was there from the beginning."""
    [found] = [row for row in rows if row["isin"] == ISIN]
    return found


@pytest.mark.parametrize("october", ["2026-10 v1", "2026-10 v2"])
def test_each_roll_forward_begins_with_the_closing_of_the_one_before(told: Told, october: str) -> None:
    rows = [of_used(told.document(name)["roll_forward"]) for name in ("2026-09 v1", october, "2026-11 v1")]
    for before, after in pairwise(rows):
        for name in ("", "_shares", "_multiplier"):
            assert after[f"opening{name}"] == before[f"closing{name}"]
    assert rows[0]["opening"] == "0"
    assert [int(row["minted"]) // SHARE for row in rows] == [527, 5, 5]
    assert [int(row["burnt"]) // SHARE for row in rows] == [0, 40, 0]
    assert [int(row["multiplier_effect_shares"]) // SHARE for row in rows] == [0, 0, 492]


def test_headers_follow_one_another(told: Told) -> None:
    headers = [told.document(name)["header"] for name in NAMES]
    assert [each["opening"] and each["opening"]["day"] for each in headers] == [
        None,
        "2026-09-30",
        "2026-09-30",
        "2026-10-31",
    ]
    assert headers[1]["opening"] == headers[0]["as_of"]
    assert headers[3]["opening"] == headers[2]["as_of"]
    assert headers[0]["as_of"]["time"] == "2026-10-01T00:05:00Z"
    previous = [each["previous"] and f"{each['previous']['period']} v{each['previous']['version']}" for each in headers]
    assert previous == [None, "2026-09 v1", "2026-10 v1", "2026-10 v2"]
    assert headers[2]["corrects"]["reason"] == "The basis was unclear."


def test_orders_and_log_entries_are_in_one_month_each(told: Told) -> None:
    documents = [told.document(name) for name in ("2026-09 v1", "2026-10 v2", "2026-11 v1")]
    rows = [of_used(each["activity"]) for each in documents]
    assert [(row["subscriptions"]["opened"], row["subscriptions"]["settled"]) for row in rows] == [
        (4, 4),
        (1, 1),
        (1, 1),
    ]
    redemptions = [row["redemptions"] for row in rows]
    assert [(row["opened"], row["settled"], row["returned"], row["open"]) for row in redemptions] == [
        (0, 0, 0, 0),
        (2, 1, 0, 1),
        (0, 0, 1, 0),
    ]
    entries = [entry for each in documents for entry in each["control_log"]["entries"]]
    assert len({(each["signature"], each["place"]) for each in entries}) == len(entries)
    names = [[each["event"] for each in one["control_log"]["entries"]] for one in documents]
    assert [one.count("AccountFrozen") for one in names] == [0, 1, 0]
    assert [one.count("SecurityListed") for one in names] == [1, 1, 1]
    assert [one.count("SecurityRetired") for one in names] == [0, 0, 1]
    chain = told.desk.chain.ledger
    assert sum(one.count("RoleGranted") for one in names) > 5
    assert max(each["slot"] for each in entries) <= chain.slot


def test_a_split_waits_in_one_month_and_takes_effect_in_the_next(told: Told) -> None:
    october, november = told.document("2026-10 v2"), told.document("2026-11 v1")
    tokens = [of_used(each["tokens"]) for each in (october, november)]
    assert tokens[0]["pending"] == {"multiplier": str(2 * MULTIPLIER_ONE), "effective_at": "2026-11-02T00:05:01Z"}
    assert [int(each["multiplier"]) // MULTIPLIER_ONE for each in tokens] == [1, 2]
    assert tokens[1]["pending"] is None
    actions = [[each["kind"] for each in one["corporate_actions"]] for one in (october, november)]
    assert actions == [["forward_split"], ["delisting", "forward_split"]]


def test_securities_listed_later_begin_with_nothing(told: Told) -> None:
    rows = {
        (name, row["ticker"]): (int(row["opening"]) // SHARE, int(row["minted"]) // SHARE, int(row["closing"]) // SHARE)
        for name in ("2026-09 v1", "2026-10 v2", "2026-11 v1")
        for row in told.document(name)["roll_forward"]
        if row["isin"] != ISIN
    }
    assert rows == {
        ("2026-10 v2", "UNUSED"): (0, 0, 0),
        ("2026-11 v1", "UNUSED"): (0, 30, 30),
        ("2026-11 v1", "USED"): (0, 50, 50),
    }
    assert told.document("2026-11 v1")["summary"]["is_passed"]


def test_what_was_minted_in_the_second_of_the_close_and_behind_it_had_not_been_used(told: Told) -> None:
    timing = of_used(told.document("2026-09 v1")["assets"])["timing"]
    assert [(each["kind"], int(each["amount"]) // SHARE) for each in timing if each["reference"] == "IN S-5"] == [
        ("TIMING_ASOF", 5),
        ("PENDING_SETTLEMENT", -5),
    ]


def test_a_superseded_version_is_shown_as_such(told: Told) -> None:
    listed = json.loads(told.desk.folder.files["proof-of-reserves.json"])["reports"]
    assert {f"{each['period']} v{each['version']}": bool(each["superseded_by"]) for each in listed} == {
        "2026-09 v1": False,
        "2026-10 v1": True,
        "2026-10 v2": False,
        "2026-11 v1": False,
    }


async def test_built_again_after_everything_a_month_stays_what_it_was(told: Told) -> None:
    for period, name in ((SEPTEMBER, "2026-09 v1"), (OCTOBER, "2026-10 v2"), (NOVEMBER, "2026-11 v1")):
        again = await told.desk.build(period=period, is_draw_needed=True)
        assert (again.is_changed, again.report.digest) == (False, told.reports[name].digest)
