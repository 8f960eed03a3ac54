"""Who stands for the report: management's assertion, an examination, the statements it rests on, the closed days."""

from __future__ import annotations

from typing import Final

from tallystick.domain.canonical import sha256
from tallystick.domain.report_anchors import day_text, days_in, first_day
from tallystick.domain.reserve_report.material import Material, Row
from tallystick.domain.reserve_report.values import address, moment

ASSERTION_TAG: Final = b"tallystick:report-assertion"


def assertion_message(period: int, as_of_close: bytes, text: str) -> bytes:
    """What an officer signs: tag, period as u32 (little-endian), hash of the as-of close, SHA-256 of the text."""
    return ASSERTION_TAG + period.to_bytes(4, "little") + as_of_close + sha256(text.encode("utf-8"))


def assertion(material: Material) -> Row:
    """The assertion and the examination, or that there is none."""
    found, examination = material.declared.assertion, material.declared.examination
    signed = sum(1 for each in found.officers if each.signature) if found else 0
    if found is None:
        words = "No assertion by the issuer's management is in this report."
    else:
        words = f"Asserted by {len(found.officers)}, of whom {signed} signed."
    return {
        "words": words,
        "text": found.text if found else None,
        "asserted_by": [
            {
                "name": each.name,
                "title": each.title,
                "key": address(each.key) if each.key else None,
                "signature": address(each.signature) if each.signature else None,
            }
            for each in (found.officers if found else ())
        ],
        "examination": {
            "examiner": examination.examiner,
            "standard": examination.standard,
            "opinion": examination.opinion,
            "date": examination.date,
            "document_uri": examination.document_uri,
            "document_hash": examination.document_hash.hex(),
        }
        if examination
        else None,
        "examination_words": f"examined by {examination.examiner} ({examination.standard}): {examination.opinion}"
        if examination
        else "not examined",
    }


def statements(material: Material) -> Row:
    """The root over the lines of the month's statements, and how many lines each statement has."""
    tree = material.declared.statements
    return {
        "root": tree.root.hex(),
        "lines": tree.lines,
        "statements": [
            {
                "custodian": each.custodian_lei,
                "account": each.account,
                "statement_id": each.statement_id,
                "as_of": moment(each.as_of),
                "lines": each.lines,
            }
            for each in tree.statements
        ],
    }


def days(material: Material) -> Row:
    """The running hash of closed days before and after the month's closes, and the days that have none."""
    declared = material.declared
    closed, first = {each.day for each in declared.closes}, first_day(declared.period)
    every = [day_text(number) for number in range(first, first + days_in(declared.period))]
    return {
        "before": declared.days_before.hex(),
        "after": material.running_hashes[-1].hex(),
        "count": len(declared.closes),
        "last_day": material.close.day,
        "left_out": [day for day in every if day not in closed],
    }
