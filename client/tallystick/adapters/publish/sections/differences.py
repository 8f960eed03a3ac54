"""What did not agree, what was on hold, and how orders went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tallystick.adapters.publish.blocks import (
    Block,
    Chart,
    Column,
    Fact,
    Facts,
    Section,
    Table,
    Tone,
    Words,
    code,
    number,
    rows,
    text,
)
from tallystick.adapters.publish.reading import (
    ABSENT,
    amount,
    amounts,
    count,
    counted,
    duration,
    instant,
    instant_in_words,
    up_to,
    worded,
)

Node = Mapping[str, Any]

_UNITS: Final = {"raw": "tokens", "shares": "shares"}


def differences(document: Node) -> Section:
    """Breaks with their ages, the largest shortfall, holds."""
    found = document["differences"]
    listed = {each["isin"]: (each["ticker"], each["decimals"]) for each in document["test"]}
    open_breaks: Sequence[Node] = found["open"]
    return Section(
        "Differences",
        (
            Words(
                f"{counted(len(open_breaks), 'break was', 'breaks were')} open at the as-of time."
                if open_breaks
                else "No break was open at the as-of time.",
                Tone.FAILED if open_breaks else Tone.PLAIN,
            ),
            Facts(
                (
                    Fact("Opened in the month", count(found["opened_in_month"])),
                    Fact("Closed in the month", count(found["closed_in_month"])),
                    _shortfall(found["largest_shortfall"], listed),
                )
            ),
            *(
                (Chart("ageing", "Age of open breaks", "Breaks open at the as-of time, by age."),)
                if open_breaks
                else ()
            ),
            *_breaks("Open breaks", open_breaks, listed, is_open=True),
            *_breaks("Breaks closed in the month", found["closed"], listed, is_open=False),
            _holds(found["holds"]),
        ),
    )


def _shortfall(found: Node | None, listed: Mapping[str, tuple[str, int]]) -> Fact:
    if found is None:
        return Fact("Largest shortfall", "none on any day of the month")
    ticker, decimals = listed.get(found["isin"], (found["isin"], 0))
    until = instant_in_words(found["until"]) if found["until"] else "the as-of time, and still open"
    return Fact(
        "Largest shortfall",
        f"{ticker}: {amount(found['amount'], decimals)} missing for {duration(found['seconds'])}, "
        f"from {instant_in_words(found['from'])} to {until}",
        tone=Tone.FAILED,
    )


def _breaks(
    title: str, found: Sequence[Node], listed: Mapping[str, tuple[str, int]], *, is_open: bool
) -> tuple[Block, ...]:
    last: tuple[Column, ...] = (text("Owner"),) if is_open else (text("Closed at, UTC"), text("Owner"))
    table = Table(
        title,
        (
            text("Kind"),
            text("Security"),
            number("Amount"),
            text("Unit"),
            text("Age" if is_open else "Lasted"),
            text("First seen, UTC"),
            *last,
            code("Break"),
        ),
        rows(
            [worded(each["kind"]) for each in found],
            [_named(each["isin"], listed) for each in found],
            [amount(each["amount"], listed.get(each["isin"], ("", 0))[1]) for each in found],
            [_UNITS.get(each["unit"], ABSENT) for each in found],
            [duration(each["age_seconds"]) for each in found],
            [instant(each["first_seen"]) for each in found],
            *(() if is_open else ([instant(each["closed_at"]) for each in found],)),
            [each["owner"] or "nobody" for each in found],
            [each["id"] for each in found],
            tones=[Tone.FAILED if is_open else Tone.PLAIN] * len(found),
        ),
        otherwise="None.",
    )
    if not found:
        return (table,)
    return (
        table,
        Table(
            "What they are about",
            (code("Break"), text("Account"), text("Clearing reference"), text("Cause")),
            rows(
                [each["id"] for each in found],
                [each["account"] or ABSENT for each in found],
                [each["reference"] or ABSENT for each in found],
                [each["cause"] or ABSENT for each in found],
            ),
        ),
    )


def _named(isin: str, listed: Mapping[str, tuple[str, int]]) -> str:
    return "the issuer" if not isin else listed[isin][0] if isin in listed else isin


def _holds(found: Sequence[Node]) -> Table:
    return Table(
        "Holds in the month",
        (
            text("Security"),
            text("Covers"),
            text("Placed by"),
            number("Reason code"),
            text("Placed at, UTC"),
            text("Released at, UTC"),
            text("Expires at, UTC"),
        ),
        rows(
            [each["ticker"] for each in found],
            [", ".join(each["scopes"]) for each in found],
            [worded(each["owner_kind"]) for each in found],
            [count(each["reason_code"]) for each in found],
            [instant(each["placed_at"]) for each in found],
            [instant(each["released_at"]) if each["released_at"] else "not released" for each in found],
            [instant(each["expires_at"]) if each["expires_at"] else "never" for each in found],
        ),
        otherwise="No security was on hold at any moment of the month.",
    )


def activity(document: Node) -> Section:
    """Subscriptions and redemptions, and how long they took."""
    found: Sequence[Node] = document["activity"]
    return Section(
        "Activity",
        (
            _orders("Subscriptions", "subscriptions", "Cancelled", "cancelled", "Shares settled", found),
            _orders("Redemptions", "redemptions", "Returned", "returned", "Tokens settled", found),
            Words(
                "Time to settle is from the opening of an order to its last fill. Half of the orders took at most the "
                "median, 95 of 100 at most the second figure.",
                Tone.MUTED,
            ),
            _settled(found),
            Chart("settling", "Time to settle", "Orders settled in the month, by the time they took."),
        ),
    )


def _orders(
    title: str, name: str, called_off: str, called_off_name: str, quantity: str, found: Sequence[Node]
) -> Table:
    orders: list[Node] = [each[name] for each in found]
    return Table(
        title,
        (
            text("Security"),
            number("Opened"),
            number("Settled"),
            number(called_off),
            number("Open"),
            number(quantity),
            number("Median to settle"),
            number("95 of 100 within"),
        ),
        rows(
            [each["ticker"] for each in found],
            *([count(each[part]) for each in orders] for part in ("opened", "settled", called_off_name, "open")),
            amounts((order["quantity"], each["decimals"]) for each, order in zip(found, orders, strict=True)),
            *([duration(each[part]) for each in orders] for part in ("median_seconds", "percentile_95_seconds")),
        ),
        otherwise="No security was listed.",
    )


def _settled(found: Sequence[Node]) -> Table:
    listed = [
        (each["ticker"], kind, each[kind]["buckets"]) for each in found for kind in ("subscriptions", "redemptions")
    ]
    limits = [bucket["up_to_seconds"] for bucket in listed[0][2]] if listed else []
    titles = [up_to(limit, below or 0) for limit, below in zip(limits, [0, *limits], strict=False)]
    return Table(
        "Settled orders by the time they took",
        (text("Security"), text("Orders"), *(number(each.capitalize()) for each in titles)),
        rows(
            [ticker for ticker, _, _ in listed],
            [kind for _, kind, _ in listed],
            *([count(buckets[at]["orders"]) for _, _, buckets in listed] for at in range(len(limits))),
        ),
        otherwise="No security was listed.",
    )
