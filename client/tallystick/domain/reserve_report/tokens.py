"""The tokens of each security at the as-of, how they came to be over the month, and the roots of their holders."""

from __future__ import annotations

from tallystick.domain.amounts import MULTIPLIER_ONE, Rounding, share_equivalent
from tallystick.domain.canonical import CanonicalValue
from tallystick.domain.reserve_report.declared import DeclaredWallets
from tallystick.domain.reserve_report.facts import HoldFacts, SecurityFacts
from tallystick.domain.reserve_report.material import Material, Row, titled
from tallystick.domain.reserve_report.values import address, digits, moment


def tokens(material: Material) -> list[CanonicalValue]:
    """Supply, and what of it holders can redeem. Without a register at the as-of, what rests on it is null."""
    return [_tokens(material, security) for security in material.securities]


def roll_forward(material: Material) -> list[CanonicalValue]:
    """Opening, minted, corrected, burnt, closing, in raw units and in shares, so that both add up exactly."""
    return [_roll_forward(material, security) for security in material.securities]


def holders(material: Material) -> Row:
    """The root of each security's register of holders, as the as-of close has it."""
    rows: list[CanonicalValue] = []
    for security in material.securities:
        part = material.closed(security)
        rows.append(
            {
                "isin": security.isin,
                "ticker": security.ticker,
                "mint": address(security.mint),
                "decimals": security.decimals,
                "root": part.register_root.hex() if part else None,
                "holders": part.holders if part else None,
                "raw": digits(security.as_of.supply),
            }
        )
    return {"slot": material.facts.as_of.slot, "time": moment(material.now), "securities": rows}


def is_held(security: SecurityFacts, scope: str, now: int) -> bool:
    """Whether a hold covers minting, redeeming or transfers at a time; one on transfers covers all three."""
    return any(_covers(each, scope, now) for each in security.holds)


def _covers(hold: HoldFacts, scope: str, now: int) -> bool:
    is_in_force = hold.placed_at <= now and not hold.released_at and (not hold.expires_at or now < hold.expires_at)
    return is_in_force and (scope in hold.scopes or "transfer" in hold.scopes)


def _tokens(material: Material, security: SecurityFacts) -> Row:
    at, part, register = security.as_of, material.closed(security), security.register
    wallets = next((w for w in material.declared.wallets if w.isin == security.isin), DeclaredWallets(security.isin))
    own, lost = set(wallets.inventory), set(wallets.lost) - set(wallets.inventory)
    inventory: list[CanonicalValue] = [
        {
            "wallet": address(wallet),
            "raw": digits(held.raw if (held := register.find(wallet)) else 0) if register else None,
        }
        for wallet in wallets.inventory
    ]
    row: Row = {
        **titled(security),
        "name": security.name,
        "mint": address(security.mint),
        "multiplier": digits(at.multiplier),
        "multiplier_bits": digits(part.multiplier_bits) if part else None,
        "pending": {"multiplier": digits(at.pending_multiplier), "effective_at": moment(at.pending_at)}
        if at.pending_multiplier
        else None,
        "minted": digits(at.minted),
        "burnt": digits(at.burnt),
        "supply": digits(at.supply),
        "supply_shares": digits(at.required),
        "escrow": digits(at.escrow),
        "inventory": inventory,
        "lost_wallets": [address(wallet) for wallet in wallets.lost],
        "mint_hold": is_held(security, "mint", material.now),
        "redeem_hold": is_held(security, "redeem", material.now),
        "transfer_hold": is_held(security, "transfer", material.now),
    }
    if register is None:
        return row | dict.fromkeys(("frozen", "lost", "inventory_total", "redeemable", "redeemable_shares"))
    others = [each for each in register.entries if each.owner not in own]
    inventory_total = register.total - sum(each.raw for each in others)
    lost_total = sum(each.raw for each in others if each.owner in lost)
    frozen = sum(each.frozen_raw for each in others if each.owner not in lost)
    redeemable = at.supply - inventory_total - lost_total - frozen
    return row | {
        "frozen": digits(frozen),
        "lost": digits(lost_total),
        "inventory_total": digits(inventory_total),
        "redeemable": digits(redeemable),
        # Rounded up, as everything that is owed.
        "redeemable_shares": digits(share_equivalent(max(0, redeemable), at.multiplier, Rounding.UP)),
    }


def _roll_forward(material: Material, security: SecurityFacts) -> Row:
    opening, closing, fills = security.opening, security.as_of, security.fills
    raw = dict.fromkeys(("mint", "burn", "correction"), 0)
    shares, counts, product = dict(raw), dict(raw), 0
    for fill in fills:
        raw[fill.kind] += fill.raw
        shares[fill.kind] += fill.shares
        counts[fill.kind] += 1
        product += (fill.raw if fill.kind == "mint" else -fill.raw) * fill.multiplier
    # A correction burns what a mint was too much, and its shares were never received.
    booked = shares["mint"] - shares["burn"] - shares["correction"]
    at_multipliers = closing.supply * closing.multiplier - opening.supply * opening.multiplier - product
    effect = at_multipliers // MULTIPLIER_ONE if at_multipliers >= 0 else -(-at_multipliers // MULTIPLIER_ONE)
    # What is left is less than one raw unit's worth of each fill, and the rounding up of both ends.
    rounding = closing.required - opening.required - booked - effect
    return {
        **titled(security),
        "opening": digits(opening.supply),
        "minted": digits(raw["mint"]),
        "corrected": digits(raw["correction"]),
        "burnt": digits(raw["burn"]),
        "closing": digits(closing.supply),
        "opening_shares": digits(opening.required),
        "minted_shares": digits(shares["mint"]),
        "corrected_shares": digits(shares["correction"]),
        "burnt_shares": digits(shares["burn"]),
        "multiplier_effect_shares": digits(effect),
        "rounding_shares": digits(rounding),
        "closing_shares": digits(closing.required),
        "opening_multiplier": digits(opening.multiplier),
        "closing_multiplier": digits(closing.multiplier),
        "fills": {**counts},
        "movements": {
            "receipts": sum(1 for each in security.movements if each.direction == "receipt"),
            "deliveries": sum(1 for each in security.movements if each.direction == "delivery"),
        },
    }
