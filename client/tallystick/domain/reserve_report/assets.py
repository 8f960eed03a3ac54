"""The shares of each security by custodian and account, the attestation of them, and what they are worth."""

from __future__ import annotations

from typing import Final

from tallystick.domain.amounts import format_base_units, parse_quantity
from tallystick.domain.canonical import CanonicalValue
from tallystick.domain.reserve_report.declared import DeclaredCustodian, DeclaredHolding, DeclaredPrice
from tallystick.domain.reserve_report.facts import SecurityFacts
from tallystick.domain.reserve_report.material import Material, Row, titled
from tallystick.domain.reserve_report.values import address, digits, moment, moment_or_none

CUSTODIAN: Final = ("lei", "name", "kind", "jurisdiction", "regulator", "account_title", "segregation", "liens")


def assets(material: Material) -> list[CanonicalValue]:
    """The holdings of each security on the statements that the as-of close rests on."""
    return [_assets(material, security) for security in material.securities]


def _assets(material: Material, security: SecurityFacts) -> Row:
    declared = material.declared
    custodians = {each.lei: each for each in declared.custodians}

    def custodian(lei: str) -> DeclaredCustodian:
        return custodians.get(lei, DeclaredCustodian(lei))

    holdings = [each for each in declared.holdings if each.isin == security.isin]
    settled = sum(each.settled for each in holdings)
    price = next((each for each in declared.prices if each.isin == security.isin), None)
    return {
        **titled(security),
        "accounts": [_account(each, custodian(each.custodian_lei)) for each in holdings],
        "without_statement": [
            {
                "custodian": {"lei": each.custodian_lei, "name": custodian(each.custodian_lei).name},
                "account": each.account,
            }
            for each in declared.without_statement
            if each.isin == security.isin
        ],
        "settled": digits(settled),
        "timing": [
            {
                "day": each.day,
                "account": each.account,
                "reference": each.reference,
                "amount": digits(each.amount),
                "kind": each.kind,
            }
            for each in declared.timing
            if each.isin == security.isin
        ],
        "reserve": digits(security.as_of.reserve),
        "attested": digits(material.attested(security, security.as_of)),
        "attestation": _attestation(material, security),
        "price": {
            "amount": price.amount,
            "currency": price.currency,
            "source": price.source,
            "at": moment(price.at),
        }
        if price
        else None,
        "market_value": _market_value(price, settled, security.decimals) if price else None,
    }


def _account(holding: DeclaredHolding, custodian: DeclaredCustodian) -> Row:
    return {
        "custodian": {name: getattr(custodian, name) for name in CUSTODIAN},
        "account": holding.account,
        "as_of": moment(holding.as_of),
        "statement_id": holding.statement_id,
        "statement": holding.statement_hash.hex(),
        "aggregate": digits(holding.aggregate),
        "settled": digits(holding.settled),
        "taken_off": [{"code": code, "quantity": digits(quantity)} for code, quantity in holding.taken_off],
        "unsettled_buys": digits(holding.unsettled_buys),
        "unsettled_sells": digits(holding.unsettled_sells),
        "in_transit": digits(holding.in_transit),
        "pending_entitlements": digits(holding.pending_entitlements),
        "is_encumbered": holding.is_encumbered,
    }


def _attestation(material: Material, security: SecurityFacts) -> CanonicalValue:
    found = material.attestation(security, security.as_of)
    return (
        {
            "account": address(found.address),
            "content_hash": found.content_hash.hex(),
            "as_of": moment(found.as_of),
            "in_force_at": moment_or_none(found.in_force_at),
            "shares": digits(found.shares),
            "redeemed": digits(found.redeemed),
            "threshold": found.threshold,
            "approvals": [
                {"attestor": address(each.attestor), "approved_at": moment(each.approved_at), "has_role": each.has_role}
                for each in found.approvals
            ],
        }
        if found
        else None
    )


def _market_value(price: DeclaredPrice, settled: int, decimals: int) -> Row:
    """Price times settled shares, exactly. AmountError when the price is no exact decimal text."""
    amount = parse_quantity(price.amount)
    return {
        "amount": format_base_units(amount.units * settled, amount.scale + decimals),
        "currency": price.currency,
    }
