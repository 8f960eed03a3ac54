"""The shares: where they are held and under which terms, who attested them, and the backing day by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from tallystick.adapters.publish.blocks import (
    Block,
    Chart,
    Fact,
    Facts,
    Section,
    Subheading,
    Table,
    Tone,
    Words,
    code,
    number,
    rows,
    text,
)
from tallystick.adapters.publish.reading import (
    amounts,
    count,
    counted,
    grouped,
    instant,
    signed,
    yes_no,
)

Node = Mapping[str, Any]

NOT_DECLARED: Final = "not declared"
_TIMING: Final = {
    "TIMING_ASOF": "booked since the statement",
    "PENDING_SETTLEMENT": "not used by an order yet",
}


def assets(document: Node) -> Section:
    """Custodians and accounts, the sum by security, attestations, prices."""
    found: Sequence[Node] = document["assets"]
    accounts = [(each, account) for each in found for account in each["accounts"]]
    return Section(
        "Assets",
        (
            *_custodians(accounts),
            _accounts(accounts),
            _without_statement(found),
            _on_their_way(accounts),
            _taken_off(accounts),
            _timing(found),
            _sums(found),
            *_attestations(found),
            _prices(found),
        ),
    )


def _custodians(accounts: Sequence[tuple[Node, Node]]) -> list[Block]:
    seen: dict[str, Node] = {}
    for _, account in accounts:
        seen.setdefault(account["custodian"]["lei"], account["custodian"])
    if not seen:
        return [Words("No custodian's statement was used by the as-of close.", Tone.FAILED)]
    blocks: list[Block] = []
    for each in seen.values():
        blocks.append(Subheading(f"Custodian: {each['name'] or each['lei']}"))
        blocks.append(
            Facts(
                (
                    Fact("LEI", each["lei"]),
                    *(
                        Fact(title, each[name] or NOT_DECLARED, tone=Tone.PLAIN if each[name] else Tone.ABSENT)
                        for title, name in (
                            ("Name", "name"),
                            ("Kind", "kind"),
                            ("Jurisdiction", "jurisdiction"),
                            ("Regulator", "regulator"),
                            ("Title of the account", "account_title"),
                            ("Segregation", "segregation"),
                            ("Pledges and liens", "liens"),
                        )
                    ),
                )
            )
        )
    return blocks


def _accounts(accounts: Sequence[tuple[Node, Node]]) -> Table:
    return Table(
        "Shares by account, as the custodians' statements say",
        (
            text("Security"),
            text("Custodian"),
            text("Account"),
            text("Statement"),
            text("As of, UTC"),
            code("Hash of the statement"),
            number("In all"),
            number("Free"),
            text("Encumbered"),
        ),
        rows(
            [each["ticker"] for each, _ in accounts],
            [account["custodian"]["name"] or account["custodian"]["lei"] for _, account in accounts],
            [account["account"] for _, account in accounts],
            [account["statement_id"] for _, account in accounts],
            [instant(account["as_of"]) for _, account in accounts],
            [account["statement"] for _, account in accounts],
            amounts((account["aggregate"], each["decimals"]) for each, account in accounts),
            amounts((account["settled"], each["decimals"]) for each, account in accounts),
            [
                "not in its format" if account["is_encumbered"] is None else yes_no(account["is_encumbered"])
                for _, account in accounts
            ],
            tones=[Tone.FAILED if account["is_encumbered"] else Tone.PLAIN for _, account in accounts],
        ),
        otherwise="No statement was used by the as-of close.",
        note="Free shares alone are counted as held.",
    )


def _without_statement(found: Sequence[Node]) -> Table:
    listed = [(each, account) for each in found for account in each["without_statement"]]
    return Table(
        "Custody accounts without a statement",
        (text("Security"), text("Custodian"), text("LEI"), text("Account")),
        rows(
            [each["ticker"] for each, _ in listed],
            [account["custodian"]["name"] for _, account in listed],
            [account["custodian"]["lei"] for _, account in listed],
            [account["account"] for _, account in listed],
        ),
        otherwise="The as-of close used a statement of every custody account.",
        note="Nothing in them is counted as held.",
    )


def _on_their_way(accounts: Sequence[tuple[Node, Node]]) -> Table:
    names = ("unsettled_buys", "unsettled_sells", "in_transit", "pending_entitlements")
    return Table(
        "For information: shares on their way, none of them counted",
        (
            text("Security"),
            text("Account"),
            number("Unsettled buys"),
            number("Unsettled sells"),
            number("In transit"),
            number("Entitlements pending"),
        ),
        rows(
            [each["ticker"] for each, _ in accounts],
            [account["account"] for _, account in accounts],
            *(amounts((account[name], each["decimals"]) for each, account in accounts) for name in names),
        ),
        otherwise="No statement was used by the as-of close.",
    )


def _taken_off(accounts: Sequence[tuple[Node, Node]]) -> Table:
    listed = [(each, account, part) for each, account in accounts for part in account["taken_off"]]
    return Table(
        "Shares on statements that were not counted",
        (text("Security"), text("Account"), text("Code of the balance"), number("Shares")),
        rows(
            [each["ticker"] for each, _, _ in listed],
            [account["account"] for _, account, _ in listed],
            [part["code"] for _, _, part in listed],
            amounts((part["quantity"], each["decimals"]) for each, _, part in listed),
        ),
        otherwise="Every share on the statements was free; none was taken off.",
    )


def _timing(found: Sequence[Node]) -> Table:
    listed = [(each, line) for each in found for line in each["timing"]]
    return Table(
        "Movements between the statements and the chain",
        (
            text("Close of"),
            text("Security"),
            text("Account"),
            text("Reference"),
            text("Why"),
            number("Shares"),
        ),
        rows(
            [line["day"] for _, line in listed],
            [each["ticker"] for each, _ in listed],
            [line["account"] for _, line in listed],
            [line["reference"] for _, line in listed],
            [_TIMING.get(line["kind"], line["kind"]) for _, line in listed],
            [signed(each) for each in amounts((line["amount"], each["decimals"]) for each, line in listed)],
        ),
        otherwise="None: the statements and the chain speak of the same movements.",
    )


def _sums(found: Sequence[Node]) -> Table:
    return Table(
        "By security",
        (
            text("Security"),
            text("ISIN"),
            number("Free in all accounts"),
            number("Reserve in force"),
            number("Attested, less redeemed since"),
        ),
        rows(
            [each["ticker"] for each in found],
            [each["isin"] for each in found],
            *(amounts((each[name], each["decimals"]) for each in found) for name in ("settled", "reserve", "attested")),
        ),
        otherwise="No security was listed.",
        note="In shares.",
    )


def _attestations(found: Sequence[Node]) -> list[Block]:
    signed_by = [(each, each["attestation"]) for each in found if each["attestation"]]
    without = [each["ticker"] for each in found if not each["attestation"]]
    approvals = [(each["ticker"], approval) for each, attestation in signed_by for approval in attestation["approvals"]]
    blocks: list[Block] = [
        Table(
            "Attestations in force",
            (
                text("Security"),
                text("Statements as of, UTC"),
                text("In force from, UTC"),
                number("Shares"),
                number("Redeemed until then"),
                number("Signatures asked for"),
                number("Given"),
                code("Attestation"),
                code("Hash of its content"),
            ),
            rows(
                [each["ticker"] for each, _ in signed_by],
                [instant(attestation["as_of"]) for _, attestation in signed_by],
                [instant(attestation["in_force_at"]) for _, attestation in signed_by],
                *(
                    amounts((attestation[name], each["decimals"]) for each, attestation in signed_by)
                    for name in ("shares", "redeemed")
                ),
                [count(attestation["threshold"]) for _, attestation in signed_by],
                [count(len(attestation["approvals"])) for _, attestation in signed_by],
                [attestation["account"] for _, attestation in signed_by],
                [attestation["content_hash"] for _, attestation in signed_by],
            ),
            otherwise="No attestation was in force.",
        ),
        Table(
            "Who attested",
            (text("Security"), code("Attestor"), text("Approved at, UTC"), text("Attestor's role in force then")),
            rows(
                [ticker for ticker, _ in approvals],
                [approval["attestor"] for _, approval in approvals],
                [instant(approval["approved_at"]) for _, approval in approvals],
                [yes_no(approval["has_role"]) for _, approval in approvals],
                tones=[Tone.PLAIN if approval["has_role"] else Tone.FAILED for _, approval in approvals],
            ),
            otherwise="Nobody attested.",
        ),
    ]
    if without:
        blocks.append(Words(f"Without an attestation in force: {', '.join(without)}.", Tone.FAILED))
    return blocks


def _prices(found: Sequence[Node]) -> Table:
    priced = [(each, each["price"]) for each in found if each["price"]]
    without = [each["ticker"] for each in found if not each["price"]]
    return Table(
        "For information: prices, no part of the test",
        (
            text("Security"),
            number("Price of one share"),
            text("Currency"),
            text("Source"),
            text("At, UTC"),
            number("Market value"),
        ),
        rows(
            [each["ticker"] for each, _ in priced],
            [grouped(price["amount"]) for _, price in priced],
            [price["currency"] for _, price in priced],
            [price["source"] for _, price in priced],
            [instant(price["at"]) for _, price in priced],
            [grouped(each["market_value"]["amount"]) for each, _ in priced],
        ),
        otherwise="Prices: not declared. The test is one of quantity.",
        note=f"Price not declared for: {', '.join(without)}." if priced and without else "",
    )


def backing(document: Node) -> Section:
    """The charts of the month and its closes; the figures are in the appendix."""
    days: Sequence[Node] = document["backing"]
    return Section(
        "Backing over the month",
        (
            Words(
                f"{counted(len(days), 'day was', 'days were')} closed. Each close has the figures of every security at "
                "one finalized slot; the appendix lists them."
            ),
            Chart(
                "backing",
                "Shares at each daily close",
                "Shares attested, on statements and required, by security, at each daily close.",
            ),
            Table(
                "Daily closes",
                (text("Day"), text("Time, UTC"), number("Slot"), code("Hash of the close")),
                rows(
                    [each["day"] for each in days],
                    [instant(each["time"]) for each in days],
                    [count(each["slot"]) for each in days],
                    [each["close"] for each in days],
                ),
                otherwise="No day was closed.",
            ),
        ),
    )


def backing_by_day(document: Node) -> Section:
    """The appendix: every figure of every close, those of closes in a row that are the same once."""
    names = {each["isin"]: (each["ticker"], each["decimals"]) for each in document["test"]}
    by_security: dict[str, list[tuple[str, Node]]] = {}
    for close in document["backing"]:
        for each in close["securities"]:
            by_security.setdefault(each["isin"], []).append((close["day"], each))
    blocks: list[Block] = [Words("Closes in a row with the same figures are one row.", Tone.MUTED)]
    for isin, closes in by_security.items():
        ticker, decimals = names[isin]
        found = _runs(closes)
        columns = {
            name: amounts((each[name], decimals) for _, each in found)
            for name in ("supply", "required", "attested", "on_statements")
        }
        blocks.append(
            Table(
                f"{ticker}, {isin}",
                (
                    text(f"Day, {ticker}"),
                    number("Supply in tokens"),
                    number("Required"),
                    number("Attested"),
                    number("On statements"),
                    number("Open breaks"),
                ),
                rows(
                    [each for each, _ in found],
                    *columns.values(),
                    [count(each["breaks"]) for _, each in found],
                    tones=[
                        Tone.FAILED if int(each["attested"]) < int(each["required"]) else Tone.PLAIN
                        for _, each in found
                    ],
                ),
            )
        )
    if not by_security:
        blocks = [Words("No security was listed on a closed day.")]
    return Section("Backing day by day", tuple(blocks), is_appendix=True)


def _runs(closes: Sequence[tuple[str, Node]]) -> list[tuple[str, Node]]:
    """One security's figures with the days they are of: 2026-10-03 to 2026-10-13 for closes that all have them."""
    runs = [list(run) for _, run in groupby(closes, key=lambda each: each[1])]
    return [(run[0][0] if len(run) == 1 else f"{run[0][0]} to {run[-1][0]}", run[0][1]) for run in runs]
