"""Whether the register of holders at the as-of slot is the one whose root the report has, and fills are the supply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tallystick.domain.reserve_report.checks import Check, Disagreement, Status, check_of
from tallystick.domain.reserve_report.comparison import INSTEAD, differ
from tallystick.domain.reserve_report.facts import SecurityFacts, Unserved
from tallystick.domain.reserve_report.material import Material


def verify_holders(material: Material, document: Mapping[str, Any]) -> Check:
    """Root, count and sum of each register, rewound to the as-of slot, and the issuer's own wallets in it.

    Where a register is not served, the inventory that the document tells is held against the close's.
    """
    name, section = "registers of holders", "holders"
    securities = material.securities
    wrong = next((each for place, one in enumerate(securities) for each in _wrong_register(material, one, place)), None)
    told = document.get("tokens")
    wrong = wrong or next((each for each in _wrong_inventories(material, told if isinstance(told, list) else [])), None)
    missing = [each.ticker for each in securities if each.register is None]
    if wrong is None and missing:
        words = f"The node does not serve what rewinds the registers of {', '.join(missing)}; "
        words += f"{INSTEAD[Unserved.REGISTERS]}."
        return Check(name, section, Status.NOT_SERVED, words)
    holders = sum(len(each.register.entries) for each in securities if each.register)
    words = f"{holders} holders at slot {material.facts.as_of.slot} have the roots of the report and hold the supply."
    return check_of(name, section, wrong, words)


def verify_fills(material: Material) -> Check:
    """Fills of the month lead from opening to closing supply, and none allocates more than its movement has."""
    wrong = next((each for security in material.securities for each in _wrong_fills(security)), None)
    count = sum(len(each.fills) for each in material.securities)
    words = f"{count} fills lead from the opening supply to the closing one; no movement was used twice."
    return check_of("fills and movements", "roll_forward", wrong, words)


def _wrong_register(material: Material, security: SecurityFacts, place: int) -> Iterator[Disagreement]:
    part, register, path = material.closed(security), security.register, f"/holders/securities/{place}"
    if register is None:
        return
    if part is None:
        yield Disagreement(f"{security.ticker} is not in the as-of close.", path)
        return
    if register.total != security.as_of.supply:
        yield differ(f"{path}/raw", str(register.total), str(security.as_of.supply))
    if len(register.entries) != part.holders:
        yield differ(f"{path}/holders", len(register.entries), part.holders)
    if register.root != part.register_root:
        yield differ(f"{path}/root", register.root.hex(), part.register_root.hex())
    own = {wallet for each in material.declared.wallets if each.isin == security.isin for wallet in each.inventory}
    inventory = sum(each.raw for each in register.entries if each.owner in own)
    if inventory != part.inventory:
        yield differ(f"/tokens/{place}/inventory_total", str(part.inventory), str(inventory))


def _wrong_inventories(material: Material, told: Sequence[object]) -> Iterator[Disagreement]:
    for place, (security, row) in enumerate(zip(material.securities, told, strict=False)):
        part = material.closed(security)
        if security.register is not None or part is None or not isinstance(row, Mapping):
            continue
        expected, found = str(part.inventory), row.get("inventory_total")
        if expected != found:
            yield differ(f"/tokens/{place}/inventory_total", expected, found)


def _wrong_fills(security: SecurityFacts) -> Iterator[Disagreement]:
    minted = sum(each.raw for each in security.fills if each.kind == "mint")
    burnt = sum(each.raw for each in security.fills if each.kind != "mint")
    opening, closing = security.opening, security.as_of
    if (opening.minted + minted, opening.burnt + burnt) != (closing.minted, closing.burnt):
        yield Disagreement(f"{security.ticker}: the fills of the month do not lead from opening to closing supply.")
    for movement in security.movements:
        if movement.allocated > movement.shares:
            yield Disagreement(f"{security.ticker}: a movement of {movement.shares} was used for {movement.allocated}.")
