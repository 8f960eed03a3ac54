"""The report as a PDF shows every value of the document, carries the document, and is the same bytes everywhere."""

from __future__ import annotations

import ctypes
import hashlib
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paper_material as material
import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from paper_reading import by_section, compact, leaves, number_of, numbers, pages, texts_of
from tallystick.adapters.publish import fonts
from tallystick.adapters.publish.pdf import render_pdf
from tallystick.adapters.publish.reading import short
from tallystick.errors import InputError


def rendered(document: dict[str, Any]) -> bytes:
    return render_pdf(material.content_of(document))


@pytest.fixture(scope="module")
def content() -> bytes:
    return material.sample_content()


@pytest.fixture(scope="module")
def paper(content: bytes) -> bytes:
    return render_pdf(content)


def missing(document: dict[str, Any], paper: bytes) -> list[str]:
    """Every value of the document that does not stand in its section of the paper; numbers as often as there."""
    sections = by_section(paper)
    compacted = {name: compact(text) for name, text in sections.items()}
    everything = compact("".join(pages(paper)))
    expected: dict[str, Counter[str]] = {}
    found: list[str] = []
    for leaf in leaves(document):
        number = number_of(leaf)
        if number is not None:
            expected.setdefault(leaf.section, Counter())[number] += 1
            continue
        ways = texts_of(leaf)
        if not any(each in compacted[leaf.section] for each in ways):
            found.append(f"{'/'.join(leaf.path)}: {leaf.value!r} in {leaf.section}")
        elif isinstance(leaf.value, str) and short(leaf.value) in ways and compact(leaf.value) not in everything:
            found.append(f"{'/'.join(leaf.path)}: {leaf.value!r} in full")
    for name, wanted in expected.items():
        found += [f"{number} in {name}, {times} times" for number, times in (wanted - numbers(sections[name])).items()]
    return found


def test_every_value_of_the_document_stands_in_its_section(paper: bytes) -> None:
    document = material.sample_document()
    assert len(list(leaves(document))) > 900
    assert missing(document, paper) == []


@pytest.mark.parametrize("name", ["failing", "awkward"])
def test_every_value_of_an_unusual_document_stands_in_its_section(name: str) -> None:
    document = getattr(material, name)()
    assert missing(document, rendered(document)) == []


def test_every_value_of_forty_securities_stands_in_its_section() -> None:
    document = material.enlarged(40, days=4)
    assert missing(document, rendered(document)) == []


def test_a_value_that_is_not_on_paper_is_missed(paper: bytes) -> None:
    changed = material.with_value(["roll_forward", 0, "burnt"], "123456")
    assert missing(changed, paper) == ["0.123456 in Roll-forward, 1 times"]
    changed = material.with_value(["header", "issuer", "name"], "Another Issuer Ltd")
    assert missing(changed, paper) == ["header/issuer/name: 'Another Issuer Ltd' in cover"]


def test_the_document_is_attached_byte_for_byte(paper: bytes, content: bytes) -> None:
    document = pypdfium2.PdfDocument(paper)
    assert document.count_attachments() == 1
    attachment = document.get_attachment(0)
    assert attachment.get_name() == "report.json"
    assert bytes(attachment.get_data()) == content
    document.close()
    assert b"/AFRelationship /Source" in paper or b"/AFRelationship/Source" in paper
    assert b"application#2Fjson" in paper or b"application/json" in paper


def test_two_processes_render_the_same_bytes(paper: bytes, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_bytes(content)
    program = (
        "import hashlib, pathlib, sys\n"
        "from tallystick.adapters.publish.pdf import render_pdf\n"
        "print(hashlib.sha256(render_pdf(pathlib.Path(sys.argv[1]).read_bytes())).hexdigest())\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "report.json")],
            env={"TZ": zone, "LANG": "C", "HOME": str(tmp_path), "SOURCE_DATE_EPOCH": "1"},
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        for zone in ("UTC", "Asia/Tokyo")
    }
    assert digests == {hashlib.sha256(paper).hexdigest()}


def test_it_says_that_it_is_pdf_a_and_accessible(paper: bytes) -> None:
    metadata = paper[paper.index(b"<?xpacket begin") : paper.index(b"<?xpacket end")].decode()
    assert "<pdfaid:part>3</pdfaid:part>" in metadata
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in metadata
    assert "<pdfuaid:part>1</pdfuaid:part>" in metadata
    assert "Reserve report of Example Issuer Ltd, October 2026, version 2" in metadata
    assert re.search(r"<dc:language>.*>en<", metadata)
    assert b"/MarkInfo" in paper
    assert b"/StructTreeRoot" in paper


def test_the_tags_of_a_tables_cells_say_nothing_of_its_rules(paper: bytes) -> None:
    """They were most of the file, once for each cell."""
    cells = re.findall(rb"/S/TD/P [^/]*/A\[(.*?)\]/K", paper)
    in_tables = [each for each in cells if b"/Headers[(" in each]
    assert len(in_tables) > 700
    assert not [each for each in in_tables if b"/Border" in each]


def test_its_only_time_is_the_as_of(paper: bytes) -> None:
    metadata = paper[paper.index(b"<?xpacket begin") : paper.index(b"<?xpacket end")].decode()
    times = set(re.findall(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[^<]*", metadata))
    assert {datetime.fromisoformat(each) for each in times} == {datetime(2026, 10, 31, 23, 59, 52, tzinfo=UTC)}
    dates = {each[:14] for each in re.findall(rb"\(D:([0-9]+)", paper)}
    assert dates <= {b"20261031235952"}


def test_every_font_is_embedded_and_one_of_ours(paper: bytes) -> None:
    names = set()
    document = pypdfium2.PdfDocument(paper)
    for page in document:
        for each in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT], max_depth=5):
            font = pdfium.FPDFTextObj_GetFont(each.raw)
            assert pdfium.FPDFFont_GetIsEmbedded(font) == 1
            names.add(_name(font))
    document.close()
    assert {name.split("+")[-1].split("-")[0] for name in names} == {"IBMPlexSans", "IBMPlexMono"}


def _name(font: Any) -> str:
    length = pdfium.FPDFFont_GetBaseFontName(font, None, 0)
    buffer = ctypes.create_string_buffer(length)
    pdfium.FPDFFont_GetBaseFontName(font, buffer, length)
    return buffer.value.decode()


def test_every_word_lies_within_the_margins() -> None:
    document = pypdfium2.PdfDocument(rendered(material.awkward()))
    for page in document:
        width, height = page.get_size()
        for each in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT], max_depth=5):
            left, bottom, right, top = each.get_bounds()
            assert left >= 50
            assert right <= width - 50
            assert bottom >= 20
            assert top <= height - 20
    document.close()


MARKUP = (
    "#panic()",
    "*not bold* _nor this_ `nor that` $x^2$",
    '#image("/etc/passwd")',
    "= Heading <label> @reference",
    "\\u{41} \\ ~ -- --- ... // no comment /* nor this */",
    '"; #sys.inputs.content; "',
    "]#pagebreak()[",
    "</text><script>alert(1)</script>&amp;",
)


def test_markup_in_a_name_comes_out_as_text() -> None:
    document = material.sample_document()
    document["header"]["issuer"]["name"], document["summary"]["words"] = MARKUP[0], " ".join(MARKUP)
    for row in material.with_ticker(document):
        row["ticker"] = {"BETB": "#panic()", "ALPA": "*x* $y$", "GAMC": "</text>&amp;"}[row["ticker"]]
    for each, name in zip(document["test"], MARKUP[1:], strict=False):
        each["words"] = name
    document["assets"][0]["accounts"][0]["custodian"]["name"] = " ".join(MARKUP)
    document["control_log"]["entries"][0]["details"] = {name: name for name in MARKUP}
    document["assertion"]["text"] = "\n".join(MARKUP)
    paper = rendered(document)
    assert missing(document, paper) == []
    assert len(pages(paper)) < 20


def test_what_no_font_has_is_shown_by_its_code() -> None:
    document = material.with_value(["header", "issuer", "name"], "日本株式 Ltd \u202etxt.exe")
    text = compact(pages(rendered(document))[0])
    assert "[U+65E5][U+672C][U+682A][U+5F0F]Ltd[U+202E]txt.exe" in text


def test_a_report_that_failed_says_so_on_every_page() -> None:
    texts = pages(rendered(material.failing()))
    assert all("NOT PASSED" in each for each in texts)
    assert "1 of 3 securities did not pass on 2026-10-31: ALPA." in texts[0]
    assert re.search(r"ALPA .*\N{MINUS SIGN}3\.000000 96\.6666\s% FAIL", texts[1])


def test_what_nobody_declared_is_said() -> None:
    document = material.failing()
    for each in document["assets"]:
        each["price"] = each["market_value"] = None
        for account in each["accounts"]:
            account["custodian"] |= {"liens": "", "segregation": ""}
    document["second_look"] = {"draw": None, "close": None, "test": [], "words": "No day of this month was drawn."}
    sections = by_section(rendered(document))
    assert "Segregation not declared" in sections["Assets"]
    assert "Pledges and liens not declared" in sections["Assets"]
    assert "Prices: not declared." in sections["Assets"]
    assert "No day of this month was drawn." in sections["Second look"]
    assert "not examined by an independent accountant" in sections["Assertion and examination"]
    assert "No assertion by the issuer's management" in sections["Assertion and examination"]


def test_figures_without_a_register_are_dashes_with_a_reason() -> None:
    document = material.sample_document()
    for each in document["tokens"]:
        each |= dict.fromkeys(("frozen", "lost", "inventory_total", "redeemable", "redeemable_shares"))
        for wallet in each["inventory"]:
            wallet["raw"] = None
    text = by_section(rendered(document))["Tokens"]
    assert "was not served when this report was built" in " ".join(text.split())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"format":"another"}',
        b'{"format":"tallystick reserve report","format_version":1}',
        b'{"format": "tallystick reserve report", "format_version": 1}',
    ],
)
def test_what_is_no_report_is_refused(content: bytes) -> None:
    with pytest.raises(InputError):
        render_pdf(content)


def test_a_report_without_one_of_its_parts_is_refused() -> None:
    for name in ("test", "backing", "assertion", "anchor"):
        document = material.sample_document()
        del document[name]
        with pytest.raises(InputError, match="lacks"):
            rendered(document)


def test_fonts_come_with_their_licence() -> None:
    folder = fonts.font_folder()
    assert "SIL Open Font License, Version 1.1" in " ".join(folder.joinpath("OFL.txt").read_text().split())
    assert sorted(each.name for each in folder.iterdir() if each.name.endswith(".ttf")) == [
        "IBMPlexMono-Regular.ttf",
        "IBMPlexSans-Bold.ttf",
        "IBMPlexSans-Regular.ttf",
    ]
