"""A month of three securities with everything in it that a report can hold, consistent from the fills up.

ALPA pays a dividend and has a delivery that its custodian booked after the statement. BETB splits two for one in the
middle of the month. GAMC was short for three days, is held, and has a multiplier to come. The report is version 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from tallystick.domain.amounts import MULTIPLIER_ONE, multiplier_to_float_bits
from tallystick.domain.breaks import BreakKind, break_id
from tallystick.domain.canonical import sha256
from tallystick.domain.closes import DailyClose, RegisterReference, SecurityClose, StatementReference, parse_close
from tallystick.domain.identifiers import custody_account_hash, custody_accounts_hash, event_hash, movement_hash
from tallystick.domain.register import Register, TokenAccount, build_register
from tallystick.domain.report_anchors import day_number, day_text, days_hash, drawn_day, first_day
from tallystick.domain.reserve_report.declared import (
    Assertion,
    Change,
    Correction,
    Declared,
    DeclaredAccount,
    DeclaredBreak,
    DeclaredCustodian,
    DeclaredDividend,
    DeclaredHolding,
    DeclaredPrice,
    DeclaredTiming,
    DeclaredWallets,
    Examination,
    Officer,
    StatementPart,
    StatementTree,
)
from tallystick.domain.reserve_report.document import build_document, report_bytes
from tallystick.domain.reserve_report.facts import (
    ActionFacts,
    ApprovalFacts,
    AttestationFacts,
    ClosedDay,
    DistributionFacts,
    DrawFacts,
    FillFacts,
    HoldFacts,
    LogEntry,
    Moment,
    MovementFacts,
    OrderFacts,
    OrderOutcome,
    PublicationFacts,
    ReportFacts,
    RoleFacts,
    SecurityAt,
    SecurityFacts,
    SeizureFacts,
)
from tallystick.domain.reserve_report.values import report_account

PERIOD: Final = 202610
VERSION: Final = 2
LEI: Final = "EXAMPLEISSUERLTD0094"
CUSTODIANS: Final = ("HWUPKR0MPOU8FGXBT394", "EXAMPLECUSTODYBANK81")
NEW_ACCOUNT: Final = "SAFE-9"
"""Of the third security at the second custodian; its first statement is still to come."""
URI: Final = "https://reports.example/2026-10/v2/report.json"
SHARE: Final = 10**6
DAY: Final = 86_400
MONTH: Final = first_day(PERIOD) * DAY
DAYS: Final = 31
CLOSED: Final = (1, 2, 3, 6, 8, 9, 10, 13, 15, 16, 20, 27, 31)
"""Days of the month that were closed; the others were left out, so that every value can be changed in a minute."""
_SLOTS_PER_DAY: Final = 216_000
_OPENING_SLOT: Final = 300_000_000


def key(name: str) -> bytes:
    """32 bytes that stand for a name."""
    return sha256(b"sample", name.encode())


ISSUER: Final = key("issuer")
PROGRAM: Final = key("program")
PROGRAM_HASH: Final = key("program file")
TREASURY: Final = key("treasury")
LOST: Final = key("lost wallet")


def close_moment(day: int) -> Moment:
    """When day 1 to 31 was closed, eight seconds before its end; day 0 is the last of September."""
    return Moment(_OPENING_SLOT + day * _SLOTS_PER_DAY, MONTH + day * DAY - 8)


def at(day: int, hour: int = 12) -> int:
    """A time of a day of the month, from 1."""
    return MONTH + (day - 1) * DAY + hour * 3_600


@dataclass(frozen=True, slots=True)
class _Plan:
    """What happens to one security: fills (kind, day, shares, raw), reserves attested on days, a split, balances."""

    isin: str
    ticker: str
    name: str
    opening: int
    fills: tuple[tuple[str, int, int, int], ...]
    reserves: tuple[tuple[int, int], ...]
    balances: tuple[tuple[str, int, bool], ...]
    split_day: int = 0
    pending: int = 0


_PLANS: Final = (
    _Plan(
        "US0378331005",
        "ALPA",
        "Alpha plc, ordinary shares",
        100 * SHARE,
        (("mint", 4, 10 * SHARE, 10 * SHARE), ("burn", 20, 15 * SHARE, 15 * SHARE), ("burn", 31, 5 * SHARE, 5 * SHARE)),
        ((0, 110 * SHARE), (21, 95 * SHARE)),
        (
            ("treasury", 7 * SHARE, False),
            ("lost wallet", 2 * SHARE, False),
            ("ann", 60 * SHARE, False),
            ("bob", 18 * SHARE, True),
            ("escrow", 3 * SHARE, False),
        ),
    ),
    _Plan(
        "US0231351067",
        "BETB",
        "Beta plc, class B",
        40 * SHARE,
        (("mint", 3, 7_000_001, 7_000_001), ("mint", 20, 9_000_001, 4_500_000), ("correction", 22, 1_000_000, 500_000)),
        ((0, 47_000_001), (15, 94_000_002), (19, 103_000_004), (23, 102_000_004)),
        (("ann", 30 * SHARE, False), ("cleo", 21_000_001, False)),
        split_day=15,
    ),
    _Plan(
        "US5949181045",
        "GAMC",
        "Gamma plc, ordinary shares",
        20 * SHARE,
        (("mint", 2, 5 * SHARE, 5 * SHARE),),
        ((0, 26 * SHARE), (8, 24 * SHARE), (11, 26 * SHARE)),
        (("bob", 25 * SHARE, False),),
        pending=2 * MULTIPLIER_ONE,
    ),
)


def sample_facts() -> ReportFacts:
    """What the chain says, before this version is published."""
    closes, opening = _closes(), _opening()
    before = key("running hash before October")
    number = day_number(opening.day)
    closed = [ClosedDay(number, opening.hash, opening.slot, before, (number + 1) * DAY + 600)]
    running = before
    for close in closes:
        number = day_number(close.day)
        running = days_hash(running, number, close.hash, close.slot)
        closed.append(ClosedDay(number, close.hash, close.slot, running, (number + 1) * DAY + 600))
    slot_hash = key("slot hash")
    publications = (
        _publication(202609, 1, key("report of September"), bytes(32), bytes(32), before),
        _publication(
            PERIOD, 1, key("first report of October"), _account(202609, 1), key("report of September"), running
        ),
    )
    return ReportFacts(
        cluster="4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY",
        program=PROGRAM,
        program_hash=PROGRAM_HASH,
        issuer=ISSUER,
        issuer_name="Example Issuer Ltd",
        lei=LEI,
        period=PERIOD,
        as_of=close_moment(DAYS),
        moments=tuple(close_moment(day) for day in CLOSED),
        securities=tuple(sorted((_facts(plan) for plan in _PLANS), key=lambda each: each.address)),
        roles=(
            RoleFacts("attestor", key("attestor 1"), MONTH - 90 * DAY, MONTH - 89 * DAY, 0, 1),
            RoleFacts("attestor", key("attestor 2"), MONTH - 90 * DAY, MONTH - 89 * DAY, 0, 1),
            RoleFacts("operator", key("operator"), MONTH - 90 * DAY, MONTH - 89 * DAY, at(9), 2),
            RoleFacts("publisher", key("publisher"), MONTH - 90 * DAY, MONTH - 89 * DAY, 0, 1),
        ),
        log=(
            LogEntry(301_944_000, at(9), "5sigOne", 0, "RoleRevoked", {"kind": "operator", "holder": "Operator1"}),
            LogEntry(302_160_000, at(10), "5sigTwo", 1, "HoldPlaced", {"scopes": ["mint", "redeem"], "reason": 7}),
        ),
        closed_days=tuple(closed),
        days_hash=running,
        draw=DrawFacts(
            key("draw"),
            1,
            307_000_032,
            running,
            307_000_033,
            slot_hash,
            drawn_day(ISSUER, PERIOD, slot_hash),
            MONTH + 31 * DAY + 7_200,
        ),
        publications=publications,
        opening=Moment(opening.slot, opening.block_time),
        program_slot=opening.slot - 1,
    )


def sample_declared() -> Declared:
    """What the issuer declares."""
    closes, opening = _closes(), _opening()
    alpha, beta, gamma = _PLANS
    return Declared(
        period=PERIOD,
        version=VERSION,
        generator="tallystick 0.1.0",
        uri=URI,
        basis="Settled shares at custodians, share for share, at the last close of the month.",
        criteria=("AICPA 2025 criteria for stablecoin reporting, Part I", "One share held for each share equivalent"),
        days_before=key("running hash before October"),
        closes=closes,
        opening=opening,
        custodians=(
            DeclaredCustodian(
                CUSTODIANS[0],
                "First Custody AG",
                "bank",
                "CH",
                "FINMA",
                "Example Issuer Ltd, clients",
                "segregated",
                "none",
            ),
            DeclaredCustodian(
                CUSTODIANS[1],
                "Second Custody Bank",
                "bank",
                "US",
                "OCC",
                "Example Issuer Ltd",
                "omnibus",
                "right of set-off for fees",
            ),
        ),
        holdings=(
            _holding(alpha, 0, 60 * SHARE, aggregate=61 * SHARE, taken_off=(("PLED", SHARE),)),
            _holding(alpha, 1, 35 * SHARE, unsettled_buys=2 * SHARE, unsettled_sells=SHARE),
            _holding(beta, 0, 102_000_004, in_transit=3 * SHARE, is_encumbered=False),
            _holding(gamma, 0, 26 * SHARE, pending_entitlements=26 * SHARE),
        ),
        without_statement=(DeclaredAccount(gamma.isin, CUSTODIANS[1], NEW_ACCOUNT),),
        timing=(DeclaredTiming("2026-10-31", alpha.isin, "SAFE-1", "DLV-77", -5 * SHARE, "TIMING_ASOF"),),
        wallets=(DeclaredWallets(alpha.isin, (TREASURY,), (LOST,)),),
        breaks=_breaks(),
        dividends=(
            DeclaredDividend(
                key("distribution"),
                gross=30_000,
                withheld_upstream=4_500,
                net=25_500,
                entitled=20_000,
                withheld=3_000,
                fee=100,
                carried_forward=300,
                inventory=1_700,
                surplus=395,
                residue=5,
                carried_in=50,
                carried_out=350,
                already=10,
                overpaid=10,
                amount=20_000,
            ),
        ),
        statements=StatementTree(
            key("statement lines"),
            4,
            (
                StatementPart(CUSTODIANS[1], "SAFE-2", "ST-31-2", close_moment(DAYS).time - 3_600, 1),
                StatementPart(CUSTODIANS[0], "SAFE-1", "ST-31-1", close_moment(DAYS).time - 3_600, 3),
            ),
        ),
        prices=(
            DeclaredPrice(alpha.isin, "187.25", "USD", "closing price, Nasdaq", at(30, 21)),
            DeclaredPrice(beta.isin, "12.5", "USD", "closing price, Nasdaq", at(30, 21)),
        ),
        assertion=Assertion(
            "The figures in this report are complete and correct to the best of our knowledge.",
            (
                Officer("Ada Example", "Chief Executive Officer", key("officer"), sha256(b"s") + sha256(b"t")),
                Officer("Ben Example", "Chief Financial Officer"),
            ),
        ),
        examination=Examination(
            "Example Auditors LLP",
            "AT-C 205",
            "unqualified",
            "2026-11-12",
            "https://auditors.example/opinion.pdf",
            key("opinion"),
        ),
        correction=Correction(
            "The price of BETB was of another day.",
            (Change("/assets/1/price/amount", '"12.4"', '"12.5"'),),
        ),
    )


def published(facts: ReportFacts, content: bytes, *, uri: str = URI) -> ReportFacts:
    """The facts once a report of these bytes is published as this version."""
    last = facts.publications[-1]
    own = replace(
        _publication(PERIOD, VERSION, sha256(content), last.address, last.hash, facts.days_hash),
        uri=uri,
        corrects=_account(PERIOD, VERSION - 1),
    )
    return replace(facts, publications=(*facts.publications, own))


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Stands in for Ed25519: the sample's signature is over nothing, and is taken as good."""
    return (public_key, len(signature)) == (key("officer"), 64) and bool(message)


def sample_report() -> tuple[bytes, ReportFacts]:
    """The report and the facts once it is published."""
    facts = sample_facts()
    content = report_bytes(build_document(facts, sample_declared()))
    return content, published(facts, content)


def _account(period: int, version: int) -> bytes:
    return report_account(PROGRAM, ISSUER, period, version)


def _publication(
    period: int, version: int, content: bytes, previous: bytes, previous_hash: bytes, days: bytes
) -> PublicationFacts:
    slot = close_moment(DAYS if period == PERIOD else 0).slot
    return PublicationFacts(
        _account(period, version),
        period,
        version,
        content,
        f"https://reports.example/{period}-{version}.json",
        slot,
        previous,
        previous_hash,
        bytes(32),
        days,
        key("publisher"),
        MONTH + 40 * DAY + version * 3_600,
    )


def _order_of(place: int) -> bytes:
    return key(f"order {place}")


def _multiplier(plan: _Plan, time: int) -> int:
    return 2 * MULTIPLIER_ONE if plan.split_day and time >= at(plan.split_day, 0) else MULTIPLIER_ONE


def _figures(plan: _Plan, moment: Moment) -> SecurityAt:
    done = [fill for fill in plan.fills if at(fill[1]) <= moment.time]
    burnt = sum(raw for kind, _, _, raw in done if kind != "mint")
    day, reserve = max(each for each in plan.reserves if at(each[0], 9) <= moment.time)
    is_pending = plan.pending and moment.time >= at(25)
    return SecurityAt(
        minted=plan.opening + sum(raw for kind, _, _, raw in done if kind == "mint"),
        burnt=burnt,
        escrow=sum(raw for name, raw, _ in plan.balances if name == "escrow") if moment.time >= at(28) else 0,
        redeemed=sum(shares for kind, _, shares, _ in done if kind == "burn"),
        reserve=reserve,
        reserve_as_of=at(day, 6),
        attestation=key(f"{plan.isin} attested on {day}"),
        multiplier=_multiplier(plan, moment.time),
        pending_multiplier=plan.pending if is_pending else 0,
        pending_at=at(31) + 20 * DAY if is_pending else 0,
    )


def _facts(plan: _Plan) -> SecurityFacts:
    is_alpha, is_gamma = plan.ticker == "ALPA", plan.ticker == "GAMC"
    security = key(plan.isin)
    return SecurityFacts(
        address=security,
        mint=key(f"mint {plan.isin}"),
        isin=plan.isin,
        ticker=plan.ticker,
        name=plan.name,
        decimals=6,
        opening=_figures(plan, close_moment(0)),
        as_of=_figures(plan, close_moment(DAYS)),
        days=tuple(_figures(plan, close_moment(day)) for day in CLOSED),
        fills=tuple(
            FillFacts(
                key(f"fill {plan.isin} {place}"),
                kind,
                key(f"movement {plan.isin} {place}"),
                _order_of(place),
                shares,
                raw,
                _multiplier(plan, at(day)),
                at(day),
                key("corrected") if kind == "correction" else bytes(32),
            )
            for place, (kind, day, shares, raw) in enumerate(plan.fills)
        ),
        movements=tuple(
            MovementFacts(
                key(f"movement {plan.isin} {place}"),
                movement_hash(CUSTODIANS[0], "SAFE-1", "DLV-77" if day == 31 else f"REF-{place}"),
                "delivery" if kind == "burn" else "receipt",
                shares,
                shares,
                at(day) - 600,
            )
            for place, (kind, day, shares, _) in enumerate(plan.fills)
        ),
        orders=(
            *(
                OrderFacts(
                    _order_of(place),
                    "redemption" if kind == "burn" else "subscription",
                    key("ann"),
                    raw if kind == "burn" else shares,
                    raw if kind == "burn" else shares,
                    at(day) - 3_000 * (place + 1) ** 3,
                    OrderOutcome.SETTLED,
                    at(day),
                )
                for place, (kind, day, shares, raw) in enumerate(plan.fills)
                if kind != "correction"
            ),
            OrderFacts(
                key("called off"), "subscription", key("bob"), SHARE, 0, at(5), OrderOutcome.CANCELLED, at(6), 3
            ),
            *(
                (
                    OrderFacts(key("back"), "redemption", key("bob"), SHARE, 0, at(7), OrderOutcome.RETURNED, at(9), 4),
                    OrderFacts(key("open"), "redemption", key("ann"), 3 * SHARE, 0, at(28), OrderOutcome.OPEN),
                )
                if is_alpha
                else ()
            ),
        ),
        attestations=tuple(_attestation(plan, day, shares) for day, shares in plan.reserves),
        actions=_actions(plan),
        distributions=_distributions(plan) if is_alpha else (),
        holds=(
            HoldFacts(key("hold 1"), key("guardian"), "guardian", ("mint", "redeem"), 7, at(5), 0, at(7)),
            HoldFacts(key("hold 2"), key("compliance"), "compliance", ("mint",), 2, at(30), 0, 0),
        )
        if is_gamma
        else (),
        seizures=(SeizureFacts(key("seizure"), key("mallory"), SHARE, 9, "executed", at(8), at(12)),)
        if is_gamma
        else (),
        custody_accounts_hash=custody_accounts_hash(
            [*_accounts(plan), *([custody_account_hash(CUSTODIANS[1], NEW_ACCOUNT)] if is_gamma else [])]
        ),
        register=sample_register(plan.isin),
    )


def sample_register(isin: str) -> Register:
    """The holders of a security at the as-of."""
    plan = next(each for each in _PLANS if each.isin == isin)
    return build_register(
        TokenAccount(key(f"{isin} {name}"), key(name), raw, frozen) for name, raw, frozen in plan.balances
    )


def _attestation(plan: _Plan, day: int, shares: int) -> AttestationFacts:
    time, content = at(day, 8), key(f"{plan.isin} attested on {day}")
    earlier = [fill for fill in plan.fills if at(fill[1]) <= time]
    return AttestationFacts(
        key(f"attestation {plan.isin} {day}"),
        content,
        at(day, 6),
        shares,
        sum(taken for kind, _, taken, _ in earlier if kind == "burn"),
        at(day, 9),
        2,
        (
            ApprovalFacts(key("attestor 1"), content, time, True),
            ApprovalFacts(key("attestor 2"), content, at(day, 9), True),
        ),
    )


def _actions(plan: _Plan) -> tuple[ActionFacts, ...]:
    if plan.ticker == "ALPA":
        return (
            ActionFacts(
                key("dividend"),
                key(plan.isin),
                event_hash("DIV-2026-3"),
                1,
                bytes(32),
                "dividend",
                "approved",
                at(2),
                at(3),
                at(3),
                at(9, 0),
                at(10, 0),
                at(24, 0),
                0,
                1,
                1,
                285_000_000_000_000,
                "USD",
                1_500,
                0,
                0,
            ),
        )
    if plan.ticker == "BETB":
        return (
            ActionFacts(
                key("split"),
                key(plan.isin),
                event_hash("SPL-2026-1"),
                2,
                key("split, first version"),
                "split",
                "completed",
                at(5),
                at(6),
                at(15, 0),
                at(15, 0),
                at(14, 0),
                0,
                at(15, 0),
                2,
                1,
                0,
                "",
                0,
                MULTIPLIER_ONE,
                2 * MULTIPLIER_ONE,
            ),
        )
    return ()


def _distributions(plan: _Plan) -> tuple[DistributionFacts, ...]:
    return (
        DistributionFacts(
            key("distribution"),
            key(plan.isin),
            key("dividend"),
            1,
            key("payment mint"),
            2,
            key("tree"),
            4,
            20_000,
            20_000,
            18_500,
            3,
            0,
            "approved",
            at(22),
            at(23),
            at(31) + 90 * DAY,
            0,
        ),
        DistributionFacts(
            key("old distribution"),
            key(plan.isin),
            key("old dividend"),
            1,
            key("payment mint"),
            2,
            key("old tree"),
            2,
            900,
            900,
            400,
            1,
            500,
            "closed",
            at(1) - 60 * DAY,
            at(1) - 59 * DAY,
            at(2),
            at(3),
        ),
    )


def _breaks() -> tuple[DeclaredBreak, ...]:
    alpha, beta, gamma = _PLANS
    return (
        _break(BreakKind.QUANTITY_SHORT, gamma.isin, "", "statements", "one share fewer than required", SHARE, 8, 11),
        _break(BreakKind.ENCUMBERED, alpha.isin, "SAFE-1", "PLED", "one share pledged", SHARE, 26, 0),
        _break(
            BreakKind.TIMING_ASOF, alpha.isin, "SAFE-1", "DLV-77", "delivered after the statement", 5 * SHARE, 31, 0
        ),
        _break(BreakKind.ESCROW_MISMATCH, beta.isin, "", "escrow", "escrow holds one unit more", 1, 2, 3),
        _break(BreakKind.PARSE_ERROR, "", "SAFE-2", "page 2", "a page that cannot be read", None, 1, 0),
    )


def _break(
    kind: BreakKind, isin: str, account: str, reference: str, message: str, amount: int | None, first: int, closed: int
) -> DeclaredBreak:
    return DeclaredBreak(
        break_id(kind, isin, account, reference),
        kind.value,
        isin,
        account,
        reference,
        message,
        amount,
        at(first),
        at(closed) if closed else 0,
        "custody",
    )


def _accounts(plan: _Plan) -> Sequence[bytes]:
    first = custody_account_hash(CUSTODIANS[0], "SAFE-1")
    return (first, custody_account_hash(CUSTODIANS[1], "SAFE-2")) if plan.ticker == "ALPA" else (first,)


def _holding(
    plan: _Plan,
    place: int,
    settled: int,
    *,
    aggregate: int = 0,
    taken_off: tuple[tuple[str, int], ...] = (),
    unsettled_buys: int = 0,
    unsettled_sells: int = 0,
    in_transit: int = 0,
    pending_entitlements: int = 0,
    is_encumbered: bool | None = None,
) -> DeclaredHolding:
    return DeclaredHolding(
        plan.isin,
        CUSTODIANS[place],
        f"SAFE-{place + 1}",
        key(f"statement {plan.isin} {DAYS} {place}"),
        f"ST-31-{place + 1}",
        close_moment(DAYS).time - 3_600,
        aggregate or settled,
        settled,
        taken_off,
        unsettled_buys,
        unsettled_sells,
        in_transit,
        pending_entitlements,
        is_encumbered,
    )


def _statements(plan: _Plan, day: int, figures: SecurityAt) -> tuple[StatementReference, ...]:
    accounts = _accounts(plan)
    parts = [figures.reserve - 35 * SHARE, 35 * SHARE] if len(accounts) == 2 else [figures.reserve]
    return tuple(
        StatementReference(
            account,
            key(f"statement {plan.isin} {day} {place}"),
            (key(f"file {day} {place}"),),
            close_moment(day).time - 3_600,
            parts[place],
        )
        for place, account in enumerate(accounts)
    )


def _security_close(plan: _Plan, day: int) -> SecurityClose:
    moment = close_moment(day)
    figures, register = _figures(plan, moment), sample_register(plan.isin)
    return SecurityClose(
        isin=plan.isin,
        mint=key(f"mint {plan.isin}"),
        decimals=6,
        supply=figures.supply,
        multiplier=figures.multiplier,
        required=figures.required,
        reserve=figures.reserve,
        reserve_as_of=figures.reserve_as_of,
        redeemed=figures.redeemed,
        minted=figures.minted,
        burnt=figures.burnt,
        inventory=7 * SHARE if plan.ticker == "ALPA" else 0,
        escrow=figures.escrow,
        register_root=register.root if day == DAYS else key(f"register {plan.isin} {day}"),
        holders=len(register.entries),
        attestation=figures.attestation,
        statements=_statements(plan, day, figures),
        breaks=tuple(
            each.id
            for each in _breaks()
            if each.first_seen <= moment.time
            and (not each.closed_at or moment.time < each.closed_at)
            and (each.instrument or "US0378331005") == plan.isin
        ),
        multiplier_bits=multiplier_to_float_bits(figures.multiplier),
        registers=(RegisterReference(event_hash("DIV-2026-3"), moment.slot - 9, key("register at the record date")),)
        if plan.ticker == "ALPA" and day == 10
        else (),
    )


def _close(day: int, previous: bytes) -> DailyClose:
    moment = close_moment(day)
    close = DailyClose(
        issuer=ISSUER,
        cluster="4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY",
        program_hash=PROGRAM_HASH,
        day=day_text(first_day(PERIOD) + day - 1),
        slot=moment.slot,
        block_time=moment.time,
        previous=previous,
        securities=tuple(_security_close(plan, day) for plan in sorted(_PLANS, key=lambda each: each.isin)),
    )
    return parse_close(close.content, previous)


def _opening() -> DailyClose:
    return _close(0, key("close of 29 September"))


def _closes() -> tuple[DailyClose, ...]:
    closes: list[DailyClose] = []
    previous = _opening().hash
    for day in CLOSED:
        closes.append(_close(day, previous))
        previous = closes[-1].hash
    return tuple(closes)
