"""Whether the tables of a report add up, from the document alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from tallystick.domain.reserve_report.checks import Check, Status, check_of
from tallystick.domain.reserve_report.comparison import differ
from tallystick.errors import TallystickError


def verify_arithmetic(document: dict[str, Any]) -> Check:
    """Sums, balances and counts of every table that has them."""
    count = 0
    try:
        for rule in _RULES:
            for path, expected, found in rule(document):
                count += 1
                if expected != found:
                    wrong = differ(path, str(expected), str(found))
                    return check_of("arithmetic", "every table", wrong, "")
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, TallystickError) as error:
        words = f"The tables are not as they have to be: {error!r}."
        return Check("arithmetic", "every table", Status.FAILED, words)
    return check_of("arithmetic", "every table", None, f"{count} sums and balances add up.")


_Sum = tuple[str, object, object]
"""A place, what it has to be, what it is."""


def _tests(document: dict[str, Any]) -> Iterator[_Sum]:
    for section, rows in (("/test", document["test"]), ("/second_look/test", document["second_look"]["test"])):
        for index, row in enumerate(rows):
            path = f"{section}/{index}"
            if row["held"] is None:
                yield f"{path}/is_passed", not int(row["required"]), row["is_passed"]
                continue
            held, required = int(row["held"]), int(row["required"])
            yield f"{path}/held", int(row["on_statements"]) + int(row["timing"]), held
            yield f"{path}/surplus", held - required, int(row["surplus"])
            yield f"{path}/is_passed", held >= required and int(row["attested"]) >= required, row["is_passed"]
    yield "/summary/is_passed", all(row["is_passed"] for row in document["test"]), document["summary"]["is_passed"]


def _closes(document: dict[str, Any]) -> Iterator[_Sum]:
    """What the closes say under the same name, also where a node leaves the chain's own figure in doubt."""
    contents = [_by_isin(each) for each in document["declared"]["closes"]["contents"]]
    for index, row in enumerate(document["test"]):
        if part := contents[-1].get(row["isin"]):
            yield f"/test/{index}/required", part["required"], row["required"]
    for index, row in enumerate(document["tokens"]):
        if part := contents[-1].get(row["isin"]):
            for name in ("supply", "minted", "burnt", "escrow", "multiplier"):
                yield f"/tokens/{index}/{name}", part[name], row[name]
            yield f"/tokens/{index}/supply_shares", part["required"], row["supply_shares"]
    for place, (day, parts) in enumerate(zip(document["backing"], contents, strict=True)):
        for index, row in enumerate(day["securities"]):
            if part := parts.get(row["isin"]):
                for name in ("supply", "required"):
                    yield f"/backing/{place}/securities/{index}/{name}", part[name], row[name]


def _by_isin(close: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A close's securities, without those that share an ISIN."""
    isins = [each["isin"] for each in close["securities"]]
    return {each["isin"]: each for each in close["securities"] if isins.count(each["isin"]) == 1}


def _tokens(document: dict[str, Any]) -> Iterator[_Sum]:
    for index, row in enumerate(document["tokens"]):
        path = f"/tokens/{index}"
        yield f"{path}/supply", int(row["minted"]) - int(row["burnt"]), int(row["supply"])
        if row["redeemable"] is not None:
            inventory, lost, frozen = (int(row[name]) for name in ("inventory_total", "lost", "frozen"))
            yield f"{path}/inventory_total", sum(int(each["raw"]) for each in row["inventory"]), inventory
            yield f"{path}/redeemable", int(row["supply"]) - inventory - lost - frozen, int(row["redeemable"])


def _roll_forward(document: dict[str, Any]) -> Iterator[_Sum]:
    for index, row in enumerate(document["roll_forward"]):
        raw = int(row["opening"]) + int(row["minted"]) - int(row["corrected"]) - int(row["burnt"])
        yield f"/roll_forward/{index}/closing", raw, int(row["closing"])
        shares = int(row["opening_shares"]) + int(row["minted_shares"]) - int(row["corrected_shares"])
        shares += int(row["multiplier_effect_shares"]) + int(row["rounding_shares"]) - int(row["burnt_shares"])
        yield f"/roll_forward/{index}/closing_shares", shares, int(row["closing_shares"])
        yield f"/roll_forward/{index}/closing", int(document["tokens"][index]["supply"]), int(row["closing"])


def _assets(document: dict[str, Any]) -> Iterator[_Sum]:
    for index, row in enumerate(document["assets"]):
        settled = sum(int(each["settled"]) for each in row["accounts"])
        yield f"/assets/{index}/settled", settled, int(row["settled"])
        yield f"/test/{index}/on_statements", settled, int(document["test"][index]["on_statements"] or 0)
        for place, each in enumerate(row["accounts"]):
            free = int(each["aggregate"]) - sum(int(part["quantity"]) for part in each["taken_off"])
            yield f"/assets/{index}/accounts/{place}/settled", free, int(each["settled"])


def _differences(document: dict[str, Any]) -> Iterator[_Sum]:
    part = document["differences"]
    yield "/differences/ageing", len(part["open"]), sum(each["open"] for each in part["ageing"])
    yield "/summary/breaks_open", len(part["open"]), document["summary"]["breaks_open"]


def _activity(document: dict[str, Any]) -> Iterator[_Sum]:
    for index, row in enumerate(document["activity"]):
        for kind in ("subscriptions", "redemptions"):
            in_buckets = sum(each["orders"] for each in row[kind]["buckets"])
            yield f"/activity/{index}/{kind}/settled", in_buckets, row[kind]["settled"]


def _distributions(document: dict[str, Any]) -> Iterator[_Sum]:
    found = [
        (f"/corporate_actions/{index}/distributions/{place}", each)
        for index, row in enumerate(document["corporate_actions"])
        for place, each in enumerate(row["distributions"])
    ]
    found += [
        (f"/earlier_distributions/{index}/distribution", row["distribution"])
        for index, row in enumerate(document["earlier_distributions"])
    ]
    for path, each in found:
        yield f"{path}/unclaimed", int(each["total"]) - int(each["paid"]), int(each["unclaimed"])
        if each["division"]:
            yield from _division(path, each, {name: int(value) for name, value in each["division"].items()})


def _division(path: str, distribution: dict[str, Any], part: dict[str, int]) -> Iterator[_Sum]:
    """The equations of domain/entitlements.py, ControlTotals; none of the parts is less than nothing."""
    for name, amount in part.items():
        yield f"{path}/division/{name}", max(amount, 0), amount
    used = sum(part[name] for name in ("entitled", "withheld", "fee", "carried_forward", "inventory", "surplus"))
    yield f"{path}/division/net", used + part["residue"], part["net"]
    owed = part["entitled"] + part["carried_forward"] + part["carried_in"]
    yield f"{path}/division/amount", owed - part["carried_out"] - part["already"] + part["overpaid"], part["amount"]
    yield f"{path}/division/net", part["gross"] - part["withheld_upstream"], part["net"]
    yield f"{path}/division/amount", int(distribution["total"]), part["amount"]


def _counts(document: dict[str, Any]) -> Iterator[_Sum]:
    statements, summary = document["statements"], document["summary"]
    yield "/statements/lines", sum(each["lines"] for each in statements["statements"]), statements["lines"]
    yield "/days/count", len(document["backing"]), document["days"]["count"]
    yield "/summary/securities", len(document["test"]), summary["securities"]
    holders = sum(each["holders"] for each in document["holders"]["securities"])
    yield "/summary/holders", holders, summary["holders"]


_RULES: Final[tuple[Callable[[dict[str, Any]], Iterator[_Sum]], ...]] = (
    _tests,
    _closes,
    _tokens,
    _roll_forward,
    _assets,
    _differences,
    _activity,
    _distributions,
    _counts,
)
