"""Names, addresses and the second person's word of a published report."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from tallystick.domain.canonical import sha256
from tallystick.domain.report_anchors import parse_period, period_text
from tallystick.domain.reserve_report.published import (
    URI_LIMIT,
    Anchor,
    Approval,
    anchor_bytes,
    approval_bytes,
    approval_message,
    read_anchor,
    read_approval,
    report_uri,
    require_base_uri,
    version_folder,
)
from tallystick.errors import InputError, LedgerError

APPROVAL = Approval(sha256(b"report"), "4Nd1mYb1fNb7wRrJZ3Lh6YpD7rTgXU2pHp8UqKkq7mDe", "5" * 88)


def test_a_month_is_a_number_and_back() -> None:
    assert (parse_period("2026-10"), period_text(202610), version_folder(202610, 2)) == (
        202610,
        "2026-10",
        "2026-10/v2",
    )


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "202610", "1969-12", "2026-10-01", ""])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"{text!r} is not a month; write YYYY-MM")):
        parse_period(text)


@pytest.mark.parametrize("version", [0, -1, 2**16])
def test_what_is_no_version_has_no_folder(version: int) -> None:
    with pytest.raises(InputError, match="count from 1"):
        version_folder(202610, version)


def test_a_report_is_below_the_address_of_all_reports() -> None:
    expected = "https://reports.example.com/a/2026-10/v1/report.json"
    assert report_uri("https://reports.example.com/a/", 202610, 1) == expected


@pytest.mark.parametrize(
    "base",
    [
        "http://example.com",
        "https://",
        "https://example.com/a?b=c",
        "https://example.com/#a",
        "https://example.com/a b",
        "https://exämple.com",
        "https://example.com//a",
        "https://key@example.com",
        "ftp://example.com",
        "",
    ],
)
def test_an_address_that_is_none_is_refused(base: str) -> None:
    with pytest.raises(InputError, match="no address of reports"):
        require_base_uri(base)


def test_the_longest_address_of_any_version_fits_the_chain() -> None:
    room = URI_LIMIT - len(report_uri("https://a.example", 202610, 2**16 - 1))
    base = "https://a.example/" + "b" * (room - 1)
    assert len(report_uri(base, 202610, 2**16 - 1)) == URI_LIMIT
    with pytest.raises(InputError, match="may have 200 bytes"):
        require_base_uri(base + "b")


def test_what_is_signed_names_what_it_is_and_the_report() -> None:
    assert approval_message(sha256(b"report")) == b"tallystick:report-approval" + sha256(b"report")
    with pytest.raises(LedgerError):
        approval_message(b"short")


def test_an_approval_is_read_back_as_it_was_written() -> None:
    content = approval_bytes(APPROVAL)
    assert read_approval(content) == APPROVAL
    assert content.startswith(b'{"approver":"4Nd1mYb1f')


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        approval_bytes(APPROVAL) + b"\n",
        approval_bytes(APPROVAL).replace(b'"digest"', b'"Digest"'),
        approval_bytes(replace(APPROVAL, digest=b"short")),
        approval_bytes(APPROVAL).replace(b"followed by", b"without"),
        approval_bytes(APPROVAL).replace(b"4Nd1", b"\\ud800"),
        b"[" * 100_000,
    ],
)
def test_an_approval_that_was_changed_is_none(content: bytes) -> None:
    with pytest.raises(LedgerError):
        read_approval(content)


def test_an_anchor_says_null_for_what_a_node_no_longer_tells() -> None:
    anchor = Anchor("Acc", sha256(b"report"), 0, "", 1_793_491_152)
    assert b'"published_at":"2026-10-31T23:59:12Z","signature":null,"slot":null' in anchor_bytes(anchor)
    assert b'"signature":"5x","slot":7' in anchor_bytes(replace(anchor, slot=7, signature="5x"))
    for each in (anchor, replace(anchor, slot=7, signature="5x")):
        assert read_anchor(anchor_bytes(each)) == each


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"account":"a","hash":"00","published_at":"x","slot":1}'])
def test_an_anchor_that_was_changed_is_none(content: bytes) -> None:
    with pytest.raises(LedgerError):
        read_anchor(content)
