"""The report as a PDF: PDF/A-3a and PDF/UA-1, the document attached, the same bytes for the same document.

The template is fixed and the document reaches it as data, so that nothing in a document is read as markup. Fonts are
those of this package alone, and the only time in the file is the as-of time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.resources import as_file, files
from typing import Any, Final

import typst

from tallystick.adapters.publish.blocks import (
    Block,
    Chart,
    Column,
    Fact,
    Facts,
    Kind,
    Row,
    Section,
    Subheading,
    Table,
    Tone,
    Words,
    codes,
)
from tallystick.adapters.publish.charts import charts, described, parts
from tallystick.adapters.publish.fonts import breakable, fitted, font_folder, shown, width
from tallystick.adapters.publish.layout import LINE, ROOM, UNBROKEN, in_lines, laid_out
from tallystick.adapters.publish.reading import count, instant_in_words, period, short
from tallystick.adapters.publish.sections import sections
from tallystick.adapters.publish.sections.evidence import COMMAND
from tallystick.adapters.publish.sections.outcome import glance, verdict
from tallystick.domain.reserve_report.document import read_report
from tallystick.errors import InputError

STANDARDS: Final[list[typst.PDFStandard]] = ["a-3a", "ua-1"]
"""PDF/A-3a: kept for long, attachments allowed, structure tagged. PDF/UA-1: readable by machines for who cannot see."""


def render_pdf(content: bytes) -> bytes:
    """The PDF of a report whose report.json is `content`, with it attached byte for byte.

    InputError when the content is not a report, or one that lacks a figure.
    """
    document: Mapping[str, Any] = read_report(content)
    try:
        paper = _paper(document, hashlib.sha256(content).hexdigest())
        created = int(datetime.fromisoformat(document["header"]["as_of"]["time"]).timestamp())
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(f"This report lacks what every report has: {error!r}.") from error
    with as_file(font_folder()) as fonts:
        return typst.compile(
            files("tallystick.adapters.publish").joinpath("report.typ").read_bytes(),
            format="pdf",
            font_paths=typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(fonts)]),
            ignore_system_fonts=True,
            sys_inputs={"paper": json.dumps(paper), "content": content.decode("utf-8")},
            pdf_standards=STANDARDS,
            timestamp=created,
        )


def _paper(document: Mapping[str, Any], digest: str) -> dict[str, Any]:
    """Everything that the template sets, as texts that it takes as they are."""
    header = document["header"]
    mark, tone = verdict(document)
    month, version = period(header["period"]), header["version"]
    found = sections(document, digest)
    drawings = charts(document, is_paper=True)
    title = shown(f"Reserve report of {header['issuer']['name']}, {month}, version {version}")
    return {
        "title": title,
        "running_title": fitted(title, ROOM - 8_000, 750),
        "issuer": shown(header["issuer"]["name"]),
        "issuer_size": next(
            (size for size in (2_400, 1_800) if width(header["issuer"]["name"], size, is_bold=True) <= ROOM), 1_300
        ),
        "month": month,
        "edition": f"Version {version}",
        "verdict": {"mark": mark, "tone": tone, "words": shown(document["summary"]["words"])},
        "glance": _block(glance(document), drawings),
        "cover": _block(cover(document, digest), drawings),
        "command": COMMAND,
        "digest": short(digest),
        "attached": f"The document that this paper shows, SHA-256 {digest}",
        "sections": [_section(each, drawings) for each in (*found, _in_full(found))],
    }


def cover(document: Mapping[str, Any], digest: str) -> Facts:
    """Which report this is, of whom, of when, and against what it is checked."""
    header = document["header"]
    as_of, opening = header["as_of"], header["opening"]
    month = header["month"]
    return Facts(
        (
            Fact("Issuer", f"{header['issuer']['name']}, LEI {header['issuer']['lei']}"),
            Fact("Issuer's account", header["issuer"]["address"], Kind.WHOLE),
            Fact("Report", header["report_id"]),
            Fact(
                "Figures as of",
                f"{instant_in_words(as_of['time'])}, the close of {as_of['day']} at slot {count(as_of['slot'])}",
            ),
            Fact("Month", f"{instant_in_words(month['from'])}, to before {instant_in_words(month['until'])}"),
            Fact(
                "Figures of the month",
                f"after the close of {opening['day']} ({instant_in_words(opening['time'])}, slot "
                f"{count(opening['slot'])}), up to the as-of"
                if opening
                else "from its first second up to the as-of",
            ),
            Fact("Basis", header["basis"] or "not declared", tone=Tone.PLAIN if header["basis"] else Tone.ABSENT),
            *(Fact(f"Criterion {place}", each) for place, each in enumerate(header["criteria"], start=1)),
            *(() if header["criteria"] else (Fact("Criteria", "not declared", tone=Tone.ABSENT),)),
            Fact("SHA-256 of report.json", digest, Kind.WHOLE),
            Fact("Published in the account", document["anchor"]["account"], Kind.WHOLE),
            Fact("Cluster", header["cluster"], Kind.WHOLE),
            Fact("Program", header["program"], Kind.WHOLE),
            Fact("SHA-256 of the program", header["program_hash"], Kind.WHOLE),
            Fact("Made with", header["generator"]),
        )
    )


def _in_full(found: Sequence[Section]) -> Section:
    """The appendix of every code that a table had to shorten."""
    listed = list(codes(found))
    return Section(
        "Keys and hashes in full",
        (
            Table(
                "In the order in which they appear",
                (Column("Shortened", Kind.CODE), Column("In full", Kind.WHOLE), Column("First shown as")),
                tuple(Row((code, code, title)) for title, code in listed if short(code) != code),
                otherwise="No table has a key or a hash.",
            ),
        ),
        is_appendix=True,
    )


def _section(section: Section, drawings: Mapping[str, str]) -> dict[str, Any]:
    return {
        "title": shown(section.title),
        "is_appendix": section.is_appendix,
        "source": section.source,
        "blocks": [_block(each, drawings) for each in section.blocks],
    }


def _block(block: Block, drawings: Mapping[str, str]) -> dict[str, Any]:
    if isinstance(block, Words):
        return {"is": "words", "text": breakable(block.text, LINE), "tone": block.tone}
    if isinstance(block, Subheading):
        return {"is": "subheading", "text": breakable(block.text, LINE)}
    if isinstance(block, Facts):
        return {"is": "facts", "lines": [_fact(each) for each in block.lines]}
    if isinstance(block, Chart):
        names = parts(drawings, block.name)
        return {
            "is": "chart",
            "title": block.title,
            "drawings": [
                {"svg": drawings[each], "words": f"{block.words} {described(drawings[each])}"} for each in names
            ],
        }
    return _table(block)


def _fact(fact: Fact) -> dict[str, Any]:
    return {
        "label": breakable(fact.label, UNBROKEN),
        "value": in_lines(shown(fact.value)) if fact.kind is Kind.WHOLE else breakable(fact.value, LINE),
        "kind": fact.kind,
        "tone": fact.tone,
    }


def _table(table: Table) -> dict[str, Any]:
    found = laid_out(table)
    return {
        "is": "table",
        "title": breakable(table.title, LINE),
        "note": breakable(table.note, LINE),
        "otherwise": table.otherwise,
        "titles": found.titles,
        "kinds": found.kinds,
        "rows": [{"cells": cells, "tone": tone} for cells, tone in zip(found.rows, found.tones, strict=True)],
        "size": found.size,
        "gaps": found.gaps,
        "widths": found.widths,
    }
