"""The published folder as a web site: one page for each version of a report, an index of all, and a file for machines.

A page is one file: style and script are in it, and its content security policy lets no other run, nor anything be loaded
from elsewhere. It is derived from report.json and approval.json alone, so that the same two give the same bytes whenever
it is rendered. Layout of the folder: docs/integrators.md.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tallystick.adapters.publish import reading
from tallystick.domain.canonical import CanonicalValue, canonical_json, sha256
from tallystick.errors import InputError

PROOF_NAME: Final = "proof-of-reserves.json"
PROOF_FORMAT: Final = "tallystick proof of reserves"
PROOF_VERSION: Final = 1

_CONTENTS: Final = (
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

    `charts` are SVG texts as charts.py makes them, in the order in which they are shown. InputError when the bytes are not
    those of a report.
    """
    report = _document(content, "report")
    tokens = report["tokens"]
    decimals = {each["isin"]: each["decimals"] for each in tokens}
    digest = sha256(content).hex()
    header, script = report["header"], _text("check.js")
    return _render(
        "page.html.jinja",
        title=f"{header['issuer']['name']}: reserve report, {reading.period(header['period'])}",
        script=script,
        report=report,
        approval=_document(approval, "approval"),
        digest=digest,
        charts=[Markup(svg) for svg in charts.values()],  # noqa: S704 - our own, escaped where they are made
        contents=[each for each in _CONTENTS if each[0] != "corrections" or header["corrects"]],
        tickers={each["isin"]: each["ticker"] for each in tokens},
        decimals_of=lambda isin: decimals.get(isin, 0),
        facts=_facts(report, digest),
    )


def render_index(reports: Sequence[bytes], anchors: Sequence[bytes]) -> bytes:
    """The index of every version, newest month first, from the bytes of their report.json and of every anchor.json."""
    versions = _versions(reports, anchors)
    issuer = versions[0]["header"]["issuer"]["name"] if versions else "Reserve reports"
    shown = [
        {
            "period": each["header"]["period"],
            "version": each["header"]["version"],
            "path": each["path"],
            "time": each["header"]["as_of"]["time"],
            "is_passed": each["summary"]["is_passed"],
            "words": each["summary"]["words"],
            "test": each["test"],
            "anchor": each["anchor"],
            "superseded_by": each["superseded_by"] and each["superseded_by"]["version"],
        }
        for each in versions
    ]
    return _render(
        "index.html.jinja",
        title=f"{issuer}: proof of reserves",
        script="",
        issuer=issuer,
        reports=shown,
        latest=shown[0] if shown else None,
    )


def proof_of_reserves(reports: Sequence[bytes], anchors: Sequence[bytes]) -> bytes:
    """What other systems poll: canonical JSON of the newest figures of each security, and of every version.

    From the bytes of every report.json and anchor.json. `securities` are those of the newest version that is on chain,
    since only that can be checked; docs/integrators.md describes each field.
    """
    versions = _versions(reports, anchors)
    anchored = next((each for each in versions if each["anchor"]), None)
    header = versions[0]["header"] if versions else None
    document: dict[str, CanonicalValue] = {
        "format": PROOF_FORMAT,
        "format_version": PROOF_VERSION,
        "issuer": header and header["issuer"],
        "cluster": header and header["cluster"],
        "program": header and header["program"],
        "securities": _securities(anchored) if anchored else [],
        "reports": [_version_document(each) for each in versions],
    }
    return canonical_json(document)


def _versions(reports: Sequence[bytes], anchors: Sequence[bytes]) -> list[dict[str, Any]]:
    """Every report with its hash, path, anchor and what superseded it; newest month first, then newest version."""
    found = {each["hash"]: each for each in (_document(anchor, "anchor") for anchor in anchors)}
    versions = []
    for content in reports:
        report, digest = _document(content, "report"), sha256(content).hex()
        header = report["header"]
        path = f"{header['period']}/v{header['version']}/"
        versions.append({**report, "hash": digest, "path": path, "anchor": found.get(digest), "superseded_by": None})
    versions.sort(key=lambda each: (each["header"]["period"], each["header"]["version"]), reverse=True)
    newest: dict[str, dict[str, Any]] = {}
    for each in versions:
        period = each["header"]["period"]
        if period in newest:
            by = newest[period]
            account = by["anchor"]["account"] if by["anchor"] else None
            each["superseded_by"] = {"version": by["header"]["version"], "hash": by["hash"], "account": account}
        else:
            newest[period] = each
    return versions


def _securities(version: Mapping[str, Any]) -> list[CanonicalValue]:
    tests = {(each["isin"], each["ticker"]): each for each in version["test"]}
    header, anchor = version["header"], version["anchor"]
    found: list[CanonicalValue] = []
    for token in version["tokens"]:
        test = tests[token["isin"], token["ticker"]]
        found.append(
            {
                "isin": token["isin"],
                "ticker": token["ticker"],
                "mint": token["mint"],
                "decimals": token["decimals"],
                "multiplier": token["multiplier"],
                "supply": token["supply"],
                "required": test["required"],
                "held": test["held"],
                "ratio": test["ratio"],
                "is_passed": test["is_passed"],
                "as_of": header["as_of"],
                "period": header["period"],
                "version": header["version"],
                "hash": version["hash"],
                "account": anchor and anchor["account"],
                "superseded_by": version["superseded_by"],
            }
        )
    return found


def _version_document(version: Mapping[str, Any]) -> dict[str, CanonicalValue]:
    header = version["header"]
    return {
        "report_id": header["report_id"],
        "period": header["period"],
        "version": header["version"],
        "hash": version["hash"],
        "path": version["path"] + "report.json",
        "is_passed": version["summary"]["is_passed"],
        "anchor": version["anchor"],
        "superseded_by": version["superseded_by"],
        "securities": _securities(version),
    }


def _facts(report: Mapping[str, Any], digest: str) -> Markup:
    """What the script needs to know, as JSON that cannot end its element."""
    multipliers = {each["mint"]: each["multiplier"] for each in report["tokens"]}
    holders = report["holders"]
    facts: dict[str, CanonicalValue] = {
        "report": digest,
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
        f"script-src {_source(script)}",
        f"style-src {_source(style)}",
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


def _source(text: str) -> str:
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


def _part_of(value: str, row: Mapping[str, str]) -> str:
    """How long a bar for a test's figure is beside the longer of its two, in per cent with two places."""
    longest = max(int(row["held"]), int(row["required"]), 1)
    hundredths = int(value) * 10_000 // longest
    return f"{hundredths // 100}.{hundredths % 100:02d}%"


def _plain(value: CanonicalValue) -> str:
    """A detail of an event: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else canonical_json(value).decode()


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
        "duration",
        "grouped",
        "instant",
        "instant_in_words",
        "multiplier",
        "per_cent",
        "period",
        "yes_no",
    ):
        environment.filters[name] = getattr(reading, name)
    environment.filters |= {"part_of": _part_of, "plain": _plain}
    return environment


@cache
def _text(name: str) -> str:
    assert (loader := _environment().loader) is not None
    return loader.get_source(_environment(), name)[0]
