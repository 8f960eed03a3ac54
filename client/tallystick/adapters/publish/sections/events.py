"""Corporate actions with what was paid, and the log of who could do what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tallystick.adapters.publish.blocks import (
    Block,
    Fact,
    Facts,
    Kind,
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
    ABSENT,
    amount,
    amounts,
    basis_points,
    count,
    detail,
    instant,
    multiplier,
    worded,
)

Node = Mapping[str, Any]

_DATES: Final = (
    ("Announced, UTC", "announced_at"),
    ("Approved, UTC", "approved_at"),
    ("Ex, UTC", "ex_at"),
    ("Record, UTC", "record_at"),
    ("Pay, UTC", "pay_at"),
    ("Effective, UTC", "effective_at"),
    ("Status since, UTC", "status_at"),
)
_TIMES: Final = ("opened_at", "approved_at", "expires_at", "closed_at")
_DIVISION: Final = (
    ("Gross, as the custodians confirmed", "gross"),
    ("Withheld upstream", "withheld_upstream"),
    ("Net, as it arrived", "net"),
    ("Entitled", "entitled"),
    ("Withheld", "withheld"),
    ("Fees", "fee"),
    ("Carried forward, too little to pay", "carried_forward"),
    ("For the issuer's own inventory", "inventory"),
    ("Surplus", "surplus"),
    ("Rounding residue", "residue"),
    ("Carried in from before", "carried_in"),
    ("Carried out", "carried_out"),
    ("Paid already", "already"),
    ("Overpaid", "overpaid"),
    ("Committed by the distribution", "amount"),
)


def corporate_actions(document: Node) -> Section:
    """Each action with its terms and distributions, then distributions of earlier actions."""
    actions: Sequence[Node] = document["corporate_actions"]
    earlier: Sequence[Node] = document["earlier_distributions"]
    blocks: list[Block] = []
    if not actions:
        blocks.append(Words("No corporate action touched the month."))
    for each in actions:
        blocks.append(Subheading(f"{each['ticker']}: {worded(each['kind'])}, {worded(each['status'])}"))
        blocks.append(Facts(_terms(each)))
        blocks.extend(_distributions(each["distributions"]))
    if earlier:
        blocks.append(Subheading("Distributions of earlier corporate actions"))
    for each in earlier:
        blocks.append(Facts((Fact("Security", each["ticker"]), Fact("Action", each["action"], Kind.WHOLE))))
        blocks.extend(_distributions([each["distribution"]]))
    return Section("Corporate actions", tuple(blocks))


def _terms(action: Node) -> tuple[Fact, ...]:
    lines = [
        Fact("ISIN", action["isin"]),
        Fact("Version", count(action["version"])),
        *(Fact(title, instant(action[name])) for title, name in _DATES if action[name]),
    ]
    if action["multiplier"]:
        lines += [
            Fact("Multiplier before", multiplier(action["multiplier"]["before"]), Kind.NUMBER),
            Fact("Multiplier after", multiplier(action["multiplier"]["after"]), Kind.NUMBER),
            Fact("Ratio", f"{count(action['numerator'])} for {count(action['denominator'])}"),
        ]
    if int(action["gross_per_share"]):
        lines.append(Fact("Gross per share", f"{multiplier(action['gross_per_share'])} {action['currency']}".strip()))
        lines.append(Fact("Withholding tax", basis_points(action["withholding"])))
    lines.append(Fact("Event", action["event"], Kind.WHOLE))
    lines.append(Fact("Account on chain", action["account"], Kind.WHOLE))
    if action["replaces"]:
        lines.append(Fact("Replaces", action["replaces"], Kind.WHOLE))
    return tuple(lines)


def _distributions(found: Sequence[Node]) -> list[Block]:
    if not found:
        return []
    names = ("total", "funded", "paid", "unclaimed", "refunded")
    blocks: list[Block] = [
        Table(
            "Cash on chain",
            (
                text("Number"),
                text("Status"),
                number("Payments"),
                number("Made"),
                *(number(each.capitalize()) for each in names),
            ),
            rows(
                [count(each["number"]) for each in found],
                [worded(each["status"]) for each in found],
                [count(each["entries"]) for each in found],
                [count(each["paid_entries"]) for each in found],
                *(amounts((each[name], each["payment_decimals"]) for each in found) for name in names),
            ),
            note="In tokens of the payment mint. Unclaimed is the total less what was paid.",
        ),
        Table(
            "Accounts and times of the distribution",
            (
                text("Number"),
                text("Opened, UTC"),
                text("Approved, UTC"),
                text("Expires, UTC"),
                text("Closed, UTC"),
                code("Account"),
                code("Payment mint"),
                code("Root"),
            ),
            rows(
                [count(each["number"]) for each in found],
                *([instant(each[name]) for each in found] for name in _TIMES),
                *([each[name] for each in found] for name in ("account", "payment_mint", "root")),
            ),
        ),
    ]
    for each in found:
        if each["division"] is None:
            blocks.append(
                Words(f"How the cash of distribution {each['number']} was divided: not declared.", Tone.ABSENT)
            )
        else:
            blocks.append(
                Table(
                    f"From what arrived to what is paid, distribution {each['number']}",
                    (text("Part"), number("Amount")),
                    rows(
                        [title for title, _ in _DIVISION],
                        amounts((each["division"][name], each["payment_decimals"]) for _, name in _DIVISION),
                    ),
                    note="In tokens of the payment mint.",
                )
            )
    return blocks


def control_log(document: Node) -> Section:
    """Programs, roles, changes and seizures."""
    found = document["control_log"]
    decimals = {each["isin"]: each["decimals"] for each in document["test"]}
    entries, roles, seizures = found["entries"], found["roles"], found["seizures"]
    return Section(
        "Control log",
        (
            Table(
                "Programs that ran",
                (text("From the close of"), code("SHA-256 of the program")),
                rows([each["from_day"] for each in found["programs"]], [each["hash"] for each in found["programs"]]),
                otherwise="No day was closed.",
                note="A second row is a change of the program within the month.",
            ),
            Table(
                "Roles",
                (
                    text("Role"),
                    code("Key"),
                    text("Granted, UTC"),
                    text("In force from, UTC"),
                    text("Ended, UTC"),
                    number("Grants"),
                ),
                rows(
                    [worded(each["kind"]) for each in roles],
                    [each["key"] for each in roles],
                    *([instant(each[name]) for each in roles] for name in ("granted_at", "in_force_from")),
                    [instant(each["ends_at"]) if each["ends_at"] else "in force" for each in roles],
                    [count(each["grants"]) for each in roles],
                ),
                otherwise="No role was in force.",
            ),
            Table(
                "Changes in the month",
                (text("Time, UTC"), number("Slot"), text("Event"), text("Details"), code("Transaction")),
                rows(
                    [instant(each["time"]) for each in entries],
                    [count(each["slot"]) for each in entries],
                    [each["event"] for each in entries],
                    [_details(each["details"]) for each in entries],
                    [each["signature"] for each in entries],
                ),
                otherwise="Nothing changed of who may do what, nor of what may be done.",
                note="Events and their fields have the program's own names; amounts are in base units, times in UTC.",
            ),
            Table(
                "Seizures",
                (
                    text("Security"),
                    text("Status"),
                    number("Tokens"),
                    number("Reason code"),
                    text("Proposed, UTC"),
                    text("Executed, UTC"),
                    code("Wallet"),
                    code("Account"),
                ),
                rows(
                    [each["ticker"] for each in seizures],
                    [worded(each["status"]) for each in seizures],
                    [amount(each["raw"], decimals.get(each["isin"], 0)) for each in seizures],
                    [count(each["reason_code"]) for each in seizures],
                    *([instant(each[name]) for each in seizures] for name in ("proposed_at", "executed_at")),
                    [each["wallet"] for each in seizures],
                    [each["account"] for each in seizures],
                    tones=[Tone.FAILED] * len(seizures),
                ),
                otherwise="No tokens were seized, and no seizure was proposed.",
            ),
        ),
    )


def _details(details: Node) -> str:
    """The fields of an event, as it names them."""
    parts = [f"{worded(name)}: {detail(value, name)}" for name, value in details.items() if value not in (None, "")]
    return "; ".join(parts) or ABSENT
