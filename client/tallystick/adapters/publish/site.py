"""The published folder as a web site: one page for each version of a report, an index of all, and a file for machines.

A page is one file: style and script are in it, and its content security policy lets no other run, nor anything be
loaded from elsewhere. It is derived from report.json and approval.json alone: the same two give the same bytes whenever
it is rendered. Layout of the folder: docs/integrators.md.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, TemplateError
from markupsafe import Markup

from tallystick.adapters.publish import reading
from tallystick.domain.canonical import CanonicalValue, canonical_json, sha256
from tallystick.domain.reserve_report.published import (
    PROOF_OF_RESERVES,
    REPORT,
    Anchor,
    Approval,
    PublishedVersion,
    anchor_bytes,
    read_approval,
    version_folder,
)
from tallystick.errors import InputError

PROOF_FORMAT: Final = "tallystick proof of reserves"
PROOF_VERSION: Final = 1

_CONTENTS: Final[tuple[tuple[str, str], ...]] = (
    ("test", "The test"),
    ("check", "Check your own tokens"),
    ("second-look", "A second look"),
    ("tokens", "Tokens"),
    ("roll-forward", "Start to end"),
    ("assets", "Shares at custodians"),
    ("backing", "Backing, day by day"),
    ("differences", "Differences"),
    ("activity", "Subscriptions, redemptions"),
    ("corporate-actions", "Corporate actions"),
    ("control-log", "Control log"),
    ("statements", "Custodians’ statements"),
    ("holders", "Holders"),
    ("assertion", "Assertion, examination"),
    ("corrections", "Corrections"),
    ("anchor", "On chain, verification"),
)


def render_page(content: bytes, approval: bytes, charts: Mapping[str, str]) -> bytes:
    """The page of one version, from the bytes of its report.json and approval.json.

    `charts` are SVG texts, as charts.py makes them of the same report. InputError when the bytes are not JSON, or
    the approval is of another report, or the report lacks a figure; LedgerError when it is not as it was written.
    """
    report = _document(content, "report")
    approved = read_approval(approval)
    if approved.digest != sha256(content):
        raise InputError("The approval is of another report.", hint="Approve this one with: tally report approve")
    try:
        return _page(report, approved, sha256(content).hex(), charts)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, TemplateError) as error:
        raise InputError(f"This report lacks what every report has: {error!r}.") from error


def _page(report: Mapping[str, Any], approved: Approval, digest: str, charts: Mapping[str, str]) -> bytes:
    tokens = report["tokens"]
    decimals = {each["isin"]: each["decimals"] for each in tokens}
    header, script = report["header"], _text("check.js")
    return _render(
        "page.html.jinja",
        title=f"{header['issuer']['name']}: reserve report, {reading.period(header['period'])}",
        script=script,
        report=report,
        approval=approved,
        digest=digest,
        charts=_drawings(charts),
        contents=[each for each in _CONTENTS if each[0] != "corrections" or header["corrects"]],
        tickers={each["isin"]: each["ticker"] for each in tokens},
        decimals_of=lambda isin: decimals.get(isin, 0),
        facts=_facts(report, approved, digest),
    )


def render_index(versions: Sequence[PublishedVersion]) -> bytes:
    """The index of every version that is on chain, newest month first."""
    found = _listed(versions)
    issuer = found[0].report["header"]["issuer"]["name"] if found else "Reserve reports"
    return _render(
        "index.html.jinja",
        title=f"{issuer}: proof of reserves",
        script="",
        issuer=issuer,
        versions=found,
        proof=PROOF_OF_RESERVES,
    )


def proof_of_reserves(versions: Sequence[PublishedVersion]) -> bytes:
    """What other systems poll: canonical JSON of each security's figures in the newest report, and of every version.

    docs/integrators.md describes each field.
    """
    found = _listed(versions)
    header = found[0].report["header"] if found else None
    return canonical_json(
        {
            "format": PROOF_FORMAT,
            "format_version": PROOF_VERSION,
            "issuer": header and header["issuer"],
            "cluster": header and header["cluster"],
            "program": header and header["program"],
            "securities": _securities(found[0]) if found else [],
            "reports": [
                {
                    "report_id": each.report["header"]["report_id"],
                    "is_passed": each.report["summary"]["is_passed"],
                    "path": f"{each.folder}/{REPORT}",
                    "anchor": _document(anchor_bytes(each.anchor), "anchor"),
                    **_source(each),
                    "securities": _securities(each),
                }
                for each in found
            ],
        }
    )


@dataclass(frozen=True, slots=True)
class _Listed:
    """A published version as it is listed: its document, where it is, and the month's newest version if another."""

    report: dict[str, Any]
    folder: str
    anchor: Anchor
    superseded_by: PublishedVersion | None


def _listed(versions: Sequence[PublishedVersion]) -> list[_Listed]:
    """Newest month first, then newest version."""
    ordered = sorted(versions, key=lambda each: (each.period, each.version))
    newest = {each.period: each for each in ordered}
    return [
        _Listed(
            _document(each.content, "report"),
            version_folder(each.period, each.version),
            each.anchor,
            None if newest[each.period] is each else newest[each.period],
        )
        for each in reversed(ordered)
    ]


def _securities(listed: _Listed) -> list[CanonicalValue]:
    """One object for each security: its own figures, and everything that says where they are from."""
    tokens = {(each["isin"], each["ticker"]): each for each in listed.report["tokens"]}
    figures = ("isin", "ticker", "decimals", "required", "held", "attested", "surplus", "ratio", "is_passed")
    found: list[CanonicalValue] = []
    for test in listed.report["test"]:
        token = tokens[test["isin"], test["ticker"]]
        row = {name: test[name] for name in figures}
        row |= {name: token[name] for name in ("mint", "multiplier", "supply", "supply_shares")}
        found.append({**row, **_source(listed)})
    return found


def _source(listed: _Listed) -> dict[str, CanonicalValue]:
    header, later = listed.report["header"], listed.superseded_by
    return {
        "period": header["period"],
        "version": header["version"],
        "as_of": header["as_of"],
        "hash": listed.anchor.hash.hex(),
        "account": listed.anchor.account,
        "superseded_by": later
        and {"version": later.version, "hash": later.anchor.hash.hex(), "account": later.anchor.account},
    }


def _drawings(charts: Mapping[str, str]) -> dict[str, list[Markup]]:
    """Charts by the name of what they show; one that needs several drawings has them in their order."""
    found: dict[str, list[Markup]] = {}
    for name, svg in charts.items():
        found.setdefault(name.partition("-")[0], []).append(Markup(svg))  # noqa: S704 - ours, escaped where it is made
    return found


def _facts(report: Mapping[str, Any], approved: Approval, digest: str) -> Markup:
    """What the script needs to know, as JSON that cannot end its element."""
    multipliers = {each["mint"]: each["multiplier"] for each in report["tokens"]}
    holders = report["holders"]
    facts: dict[str, CanonicalValue] = {
        "report": digest,
        "approval": {"approver": approved.approver, "signature": approved.signature},
        "statements": {"root": report["statements"]["root"], "lines": report["statements"]["lines"]},
        "securities": [
            {**each, "slot": holders["slot"], "time": holders["time"], "multiplier": multipliers[each["mint"]]}
            for each in holders["securities"]
        ],
    }
    text = canonical_json(facts).decode()
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)  # noqa: S704 - no letter is left that HTML would read


def _render(name: str, *, script: str, **values: object) -> bytes:
    style = _text("style.css")
    rules = (
        "default-src 'none'",
        f"script-src {_allowed(script)}",
        f"style-src {_allowed(style)}",
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
    )
    page = (
        _environment()
        .get_template(name)
        .render(
            policy="; ".join(rules),
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            **values,
        )
    )
    return page.encode()


def _allowed(text: str) -> str:
    """What a content security policy names to allow that very inline text; nothing at all for an empty one."""
    return f"'sha256-{b64encode(sha256(text.encode())).decode()}'" if text else "'none'"


def _document(content: bytes, what: str) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise InputError(f"The {what} is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise InputError(f"The {what} is not a JSON object.")
    return document


def _part_of(value: str | None, row: Mapping[str, str | None]) -> str:
    """How long a bar for a test's figure is beside the longer of its two, in per cent with two places."""
    longest = max(int(row["held"] or 0), int(row["required"] or 0), 1)
    hundredths = max(int(value or 0), 0) * 10_000 // longest
    return f"{hundredths // 100}.{hundredths % 100:02d}%"


def _unsigned(value: str | None) -> str | None:
    return value and value.removeprefix("-")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tallystick.adapters.publish"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for name in (
        "amount",
        "basis_points",
        "count",
        "days_in_a_row",
        "detail",
        "duration",
        "grouped",
        "instant",
        "instant_in_words",
        "multiplier",
        "per_cent",
        "period",
        "sentence",
        "signed",
        "worded",
        "yes_no",
    ):
        environment.filters[name] = getattr(reading, name)
    environment.filters |= {"part_of": _part_of, "unsigned": _unsigned}
    return environment


def _text(name: str) -> str:
    """One of the templates as it is."""
    environment = _environment()
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]
