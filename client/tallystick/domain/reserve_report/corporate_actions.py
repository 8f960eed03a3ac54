"""Corporate actions that touch the month, with what their distributions paid and left unclaimed."""

from __future__ import annotations

from dataclasses import fields

from tallystick.domain.canonical import CanonicalValue
from tallystick.domain.reserve_report.declared import DeclaredDividend
from tallystick.domain.reserve_report.facts import ActionFacts, DistributionFacts, SecurityFacts
from tallystick.domain.reserve_report.material import Material, Row
from tallystick.domain.reserve_report.values import address, digits, moment_or_none


def corporate_actions(material: Material) -> list[CanonicalValue]:
    """Each action with its distributions, by security."""
    return [_action(material, security, action) for security in material.securities for action in security.actions]


def earlier_distributions(material: Material) -> list[CanonicalValue]:
    """Distributions still open in the month whose action does not touch it any more."""
    return [
        {
            "isin": security.isin,
            "ticker": security.ticker,
            "action": address(each.action),
            "distribution": _distribution(material, each),
        }
        for security in material.securities
        for each in security.distributions
        if each.action not in {action.address for action in security.actions}
    ]


def _action(material: Material, security: SecurityFacts, action: ActionFacts) -> Row:
    has_multiplier = bool(action.multiplier_before or action.multiplier_after)
    return {
        "isin": security.isin,
        "ticker": security.ticker,
        "account": address(action.address),
        "event": action.event_hash.hex(),
        "version": action.version,
        "replaces": address(action.replaces) if any(action.replaces) else None,
        "kind": action.kind,
        "status": action.status,
        "status_at": moment_or_none(action.status_at),
        "announced_at": moment_or_none(action.announced_at),
        "approved_at": moment_or_none(action.approved_at),
        "ex_at": moment_or_none(action.ex_at),
        "record_at": moment_or_none(action.record_at),
        "pay_at": moment_or_none(action.pay_at),
        "effective_at": moment_or_none(action.effective_at),
        "numerator": digits(action.numerator),
        "denominator": digits(action.denominator),
        "multiplier": {"before": digits(action.multiplier_before), "after": digits(action.multiplier_after)}
        if has_multiplier
        else None,
        "gross_per_share": digits(action.gross_per_share),
        "currency": action.currency,
        "withholding": action.withholding,
        "distributions": [
            _distribution(material, each) for each in security.distributions if each.action == action.address
        ],
    }


def _distribution(material: Material, each: DistributionFacts) -> Row:
    division = next((found for found in material.declared.dividends if found.distribution == each.address), None)
    return {
        "account": address(each.address),
        "number": each.number,
        "payment_mint": address(each.payment_mint),
        "payment_decimals": each.payment_decimals,
        "root": each.root.hex(),
        "entries": each.entries,
        "total": digits(each.total),
        "funded": digits(each.funded),
        "paid": digits(each.paid),
        "paid_entries": each.paid_entries,
        "unclaimed": digits(each.total - each.paid),
        "refunded": digits(each.refunded),
        "status": each.status,
        "opened_at": moment_or_none(each.opened_at),
        "approved_at": moment_or_none(each.approved_at),
        "expires_at": moment_or_none(each.expires_at),
        "closed_at": moment_or_none(each.closed_at),
        "division": _division(division) if division else None,
    }


def _division(division: DeclaredDividend) -> Row:
    names = [each.name for each in fields(division) if each.name != "distribution"]
    return {name: digits(getattr(division, name)) for name in names}
