"""The second person's approval on the page: a true signature holds, another is refused, an unchecked one is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from chromium import OTHER_HOST
from holder_page import FILE, HTTP
from published_folder import PublishedFolder, approval_of
from tallystick.adapters.publish.charts import charts
from tallystick.adapters.publish.site import render_page
from tallystick.domain.base58 import base58_decode, base58_encode
from tallystick.domain.reserve_report.published import Approval, approval_bytes, read_approval

LACKS_ED25519 = """
const importKey = SubtleCrypto.prototype.importKey;
SubtleCrypto.prototype.importKey = function (format, data, algorithm, ...rest) {
  if (algorithm.name === "Ed25519") return Promise.reject(new DOMException("Unrecognized name.", "NotSupportedError"));
  return importKey.call(this, format, data, algorithm, ...rest);
};
"""


def flipped(text: str) -> str:
    """The same bytes with one bit changed, in base 58."""
    data = bytearray(base58_decode(text))
    data[5] ^= 1
    return base58_encode(bytes(data))


TAMPERED: dict[str, Callable[[Approval], Approval]] = {
    "signature": lambda true: Approval(true.digest, true.approver, flipped(true.signature)),
    "key": lambda true: Approval(true.digest, flipped(true.approver), true.signature),
    "signature of another report": lambda true: read_approval(approval_of(true.digest, sha256(b"another").digest())),
    "signature too short": lambda true: Approval(true.digest, true.approver, true.signature[:40]),
    "key in no base 58": lambda true: Approval(true.digest, "0OIl", true.signature),
}


@pytest.mark.parametrize("way", [HTTP, FILE])
async def test_a_true_approval_holds(published: PublishedFolder, open_page: Any, way: str) -> None:
    page = await open_page(published, way)
    found = await page.approval()
    assert (found.state, found.head) == ("held", "Approval: the signature holds")
    assert read_approval((published.version / "approval.json").read_bytes()).approver in found.text
    assert page.errors == []


@pytest.mark.parametrize("alter", TAMPERED.values(), ids=TAMPERED)
async def test_a_tampered_approval_is_refused_in_red(
    folder: PublishedFolder, open_page: Any, alter: Callable[[Approval], Approval]
) -> None:
    content = (folder.version / "report.json").read_bytes()
    approval = alter(read_approval((folder.version / "approval.json").read_bytes()))
    folder.page().write_bytes(render_page(content, approval_bytes(approval), charts(json.loads(content))))
    page = await open_page(folder)
    found = await page.approval()
    assert (found.state, found.head) == ("mismatch", "Approval: the signature does not hold")
    assert page.errors == []


async def test_a_browser_without_ed25519_says_so_and_still_checks_holders(
    published: PublishedFolder, open_page: Any
) -> None:
    page = await open_page(published, before=LACKS_ED25519)
    found = await page.approval()
    assert (found.state, found.head) == ("problem", "Approval: the signature was not checked")
    assert "Your browser cannot check Ed25519" in found.text
    assert "tally report verify does" in found.text
    assert (await page.check(published.address("BETB", 1_500)))[0].state == "held"


async def test_over_plain_http_the_approval_is_not_checked(published: PublishedFolder, open_page: Any) -> None:
    page = await open_page(published, host=OTHER_HOST)
    found = await page.approval()
    assert (found.state, "Over plain http" in found.text) == ("problem", True)
