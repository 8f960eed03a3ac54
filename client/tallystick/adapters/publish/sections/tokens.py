"""The tokens of every security at the as-of time, and how their number came about over the month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.adapters.publish.blocks import Block, Section, Table, Tone, Words, code, number, rows, text
from tallystick.adapters.publish.reading import ABSENT, amounts, count, instant, multiplier, yes_no

Node = Mapping[str, Any]


def tokens(document: Node) -> Section:
    """Supply and what of it can be redeemed, in raw units as tokens and in shares."""
    found: Sequence[Node] = document["tokens"]
    names = [each["ticker"] for each in found]
    blocks: list[Block] = [
        Table(
            "Securities",
            (text("Security"), text("Name"), text("ISIN"), number("Decimals"), code("Mint"), number("Multiplier")),
            rows(
                names,
                [each["name"] for each in found],
                [each["isin"] for each in found],
                [count(each["decimals"]) for each in found],
                [each["mint"] for each in found],
                [multiplier(each["multiplier"]) for each in found],
            ),
            otherwise="No security was listed.",
            note="Shares = tokens x multiplier, exactly.",
        ),
        Table(
            "Multipliers as the mints have them, and changes that wait",
            (
                text("Security"),
                number("Bits of the mint's double"),
                number("Waiting multiplier"),
                text("Effective from, UTC"),
            ),
            rows(
                names,
                [each["multiplier_bits"] or ABSENT for each in found],
                [multiplier(each["pending"]["multiplier"]) if each["pending"] else "none" for each in found],
                [instant(each["pending"]["effective_at"]) if each["pending"] else ABSENT for each in found],
            ),
            otherwise="No security was listed.",
        ),
        Table(
            "From minted to redeemable",
            (
                text("Security"),
                number("Minted"),
                number("Burnt"),
                number("Supply"),
                number("Frozen"),
                number("Lost"),
                number("Inventory"),
                number("Redeemable"),
                number("In escrow"),
            ),
            rows(
                names,
                *(
                    _amounts(found, each)
                    for each in (
                        "minted",
                        "burnt",
                        "supply",
                        "frozen",
                        "lost",
                        "inventory_total",
                        "redeemable",
                        "escrow",
                    )
                ),
            ),
            otherwise="No security was listed.",
            note="In tokens. Supply is minted less burnt. Redeemable is supply less what is frozen (for the time being "
            "not redeemable), lost (for good), and the issuer's own inventory. Tokens in escrow belong to "
            "redemptions under way and are part of the redeemable.",
        ),
        Table(
            "In shares, rounded up",
            (
                text("Security"),
                number("Supply"),
                number("Redeemable"),
                text("Minting"),
                text("Redeeming"),
                text("Transfers"),
            ),
            rows(
                names,
                _amounts(found, "supply_shares"),
                _amounts(found, "redeemable_shares"),
                *([_open(each[name]) for each in found] for name in ("mint_hold", "redeem_hold", "transfer_hold")),
            ),
            otherwise="No security was listed.",
        ),
    ]
    if any(each["redeemable"] is None for each in found):
        blocks.append(
            Words(
                f"{ABSENT} marks figures that rest on the register of holders at the as-of slot, which was not served "
                "when this report was built.",
                Tone.ABSENT,
            )
        )
    blocks.append(_wallets(found))
    return Section("Tokens", tuple(blocks))


def _open(is_held: bool | None) -> str:
    return "on hold" if is_held else "open" if is_held is not None else yes_no(None)


def _wallets(found: Sequence[Node]) -> Table:
    listed = [
        (each["ticker"], "inventory", wallet["wallet"], (wallet["raw"], each["decimals"]))
        for each in found
        for wallet in each["inventory"]
    ] + [
        (each["ticker"], "lost", wallet, (None, each["decimals"])) for each in found for wallet in each["lost_wallets"]
    ]
    return Table(
        "Declared wallets",
        (text("Security"), text("Declared as"), code("Wallet"), number("Tokens")),
        rows(
            [each[0] for each in listed],
            [each[1] for each in listed],
            [each[2] for each in listed],
            amounts(each[3] for each in listed),
        ),
        otherwise="No wallet was declared as the issuer's own inventory, nor as lost.",
    )


def roll_forward(document: Node) -> Section:
    """Opening to closing, in tokens and in shares."""
    found: Sequence[Node] = document["roll_forward"]
    names = [each["ticker"] for each in found]
    in_shares = [
        ("Opening", "opening_shares"),
        ("Minted", "minted_shares"),
        ("Corrected", "corrected_shares"),
        ("Burnt", "burnt_shares"),
        ("Multiplier effect", "multiplier_effect_shares"),
        ("Rounding", "rounding_shares"),
        ("Closing", "closing_shares"),
    ]
    blocks: list[Block] = [
        Table(
            "In tokens",
            (text("Security"), *(number(each) for each in ("Opening", "Minted", "Corrected", "Burnt", "Closing"))),
            rows(names, *(_amounts(found, each) for each in ("opening", "minted", "corrected", "burnt", "closing"))),
            otherwise="No security was listed.",
            note="Closing = opening + minted - corrected - burnt.",
        ),
        Table(
            "In shares",
            (text("Security"), *(number(title) for title, _ in in_shares)),
            rows(names, *(_amounts(found, name) for _, name in in_shares)),
            otherwise="No security was listed.",
            note="Closing = opening + minted - corrected - burnt + multiplier effect + rounding. The multiplier effect "
            "is what corporate actions made of tokens that were there before.",
        ),
        Table(
            "What the figures rest on: fills and custody movements of the month",
            (
                text("Security"),
                number("Mint fills"),
                number("Burn fills"),
                number("Corrections"),
                number("Receipts"),
                number("Deliveries"),
            ),
            rows(
                names,
                *([count(each["fills"][kind]) for each in found] for kind in ("mint", "burn", "correction")),
                *([count(each["movements"][kind]) for each in found] for kind in ("receipts", "deliveries")),
            ),
            otherwise="No security was listed.",
        ),
        Table(
            "Multipliers over the month",
            (text("Security"), number("Opening"), number("Closing")),
            rows(
                names,
                *([multiplier(each[name]) for each in found] for name in ("opening_multiplier", "closing_multiplier")),
            ),
            otherwise="No security was listed.",
        ),
    ]
    return Section("Roll-forward", tuple(blocks))


def _amounts(found: Sequence[Node], name: str) -> list[str]:
    return amounts((each[name], each["decimals"]) for each in found)
