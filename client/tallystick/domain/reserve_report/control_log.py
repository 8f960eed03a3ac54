"""Who could do what in the month, what was changed of it, and which program ran."""

from __future__ import annotations

import json

from tallystick.domain.canonical import CanonicalValue, canonical_json
from tallystick.domain.reserve_report.material import Material, Row
from tallystick.domain.reserve_report.values import address, digits, moment, moment_or_none


def control_log(material: Material) -> Row:
    """Events, roles, programs and seizures."""
    return {
        "entries": [
            {
                "time": moment(each.time),
                "slot": each.slot,
                "signature": each.signature,
                "place": each.place,
                "event": each.event,
                "details": json.loads(canonical_json(each.details)),
            }
            for each in material.facts.log
        ],
        "roles": [
            {
                "kind": each.kind,
                "key": address(each.holder),
                "granted_at": moment_or_none(each.granted_at),
                "in_force_from": moment_or_none(each.in_force_from),
                "ends_at": moment_or_none(each.ends_at),
                "grants": each.grants,
            }
            for each in material.facts.roles
        ],
        "programs": _programs(material),
        "seizures": [
            {
                "isin": security.isin,
                "ticker": security.ticker,
                "account": address(each.address),
                "wallet": address(each.wallet),
                "raw": digits(each.raw),
                "reason_code": each.reason_code,
                "status": each.status,
                "proposed_at": moment_or_none(each.proposed_at),
                "executed_at": moment_or_none(each.executed_at),
            }
            for security in material.securities
            for each in security.seizures
        ],
    }


def _programs(material: Material) -> list[CanonicalValue]:
    """The program of each close, where it is another than that of the close before."""
    rows: list[CanonicalValue] = []
    before = b""
    for close in material.declared.closes:
        if close.program_hash != before:
            rows.append({"hash": close.program_hash.hex(), "from_day": close.day})
        before = close.program_hash
    return rows
