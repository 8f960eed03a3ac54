"""A register of more than 1,024 shards, whose index is in pages: the right page leads to the shard, no other does.

Most shards are roots alone, which nobody looks into; those that are looked into are whole, and so is the tree above.
"""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from holder_page import FILE, HTTP
from published_folder import PublishedFolder, approval_of, change, publish, register_of
from tallystick.adapters.publish.charts import charts
from tallystick.adapters.publish.site import render_page
from tallystick.domain.base58 import base58_encode
from tallystick.domain.canonical import canonical_json
from tallystick.domain.merkle import MerkleTree
from tallystick.domain.reserve_report.shards import PAGE_SHARDS, SHARD_LEAVES, index_files, shard_name

SHARDS = 2 * PAGE_SHARDS + 20
"""Three pages, the last one short."""
HOLDERS = SHARDS * SHARD_LEAVES - 100
WHOLE = (1_023, 1_024, 2_050)
RAW = 12_500_000


def owner(place: int, after: int = 0) -> bytes:
    """A holder by its place in the register; or who comes right after it and is nobody."""
    return place.to_bytes(4, "big") + bytes(27) + bytes([after])


def leaves_of(number: int) -> list[bytes]:
    start = number * SHARD_LEAVES
    places = range(start, min(start + SHARD_LEAVES, HOLDERS))
    return [owner(place) + RAW.to_bytes(8, "little") for place in places]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> PublishedFolder:
    """A published folder whose BETB has that register."""
    folder = publish(tmp_path_factory.mktemp("large"), {"BETB": register_of(3)})
    tree = MerkleTree(
        [
            MerkleTree([sha256(b"\x00" + leaf).digest() for leaf in leaves_of(number)]).root
            if number in WHOLE
            else sha256(f"shard {number}".encode()).digest()
            for number in range(SHARDS)
        ]
    )
    report = json.loads((folder.version / "report.json").read_bytes())
    (row,) = [each for each in report["holders"]["securities"] if each["ticker"] == "BETB"]
    row |= {"root": tree.root.hex(), "holders": HOLDERS, "raw": str(HOLDERS * RAW)}
    content = canonical_json(report)
    approval = approval_of(sha256(content).digest())
    head = {
        "version": 1,
        "isin": row["isin"],
        "mint": row["mint"],
        "slot": report["holders"]["slot"],
        "root": row["root"],
        "size": HOLDERS,
    }
    files = dict(index_files(head, [owner(number * SHARD_LEAVES) for number in range(SHARDS)]))
    for number in WHOLE:
        files[shard_name(number)] = canonical_json(
            {
                **head,
                "format": "tallystick holders shard",
                "start": number * SHARD_LEAVES,
                "leaves": b64encode(b"".join(leaves_of(number))).decode(),
                "path": [each.hex() for each in tree.proof(number)],
            }
        )
    (folder.version / "report.json").write_bytes(content)
    (folder.version / "approval.json").write_bytes(approval)
    folder.page().write_bytes(render_page(content, approval, charts(report)))
    for name, data in files.items():
        (folder.index("BETB").parent / name).write_bytes(data)
    return folder


def files_asked(page: Any, folder: PublishedFolder) -> list[str]:
    """Names of the files of BETB that the page asked for."""
    isin = folder.rows["BETB"]["isin"]
    return sorted(Path(path).name for path in page.asked if f"holders/{isin}/" in path)


@pytest.mark.parametrize(
    ("place", "index", "shard"),
    [
        (1_023 * SHARD_LEAVES + 1_023, "index-00000.json", "01023.json"),
        (1_024 * SHARD_LEAVES, "index-00001.json", "01024.json"),
        (2_050 * SHARD_LEAVES + 7, "index-00002.json", "02050.json"),
    ],
    ids=["last of the first page", "first of the second page", "third page"],
)
async def test_a_holder_is_found_by_one_page_of_the_index(
    large: PublishedFolder, open_page: Any, place: int, index: str, shard: str
) -> None:
    page = await open_page(large)
    (beta,) = await page.check(base58_encode(owner(place)))
    assert (beta.state, beta.head) == ("held", "12.5 BETB = 25 shares (× 2)")
    assert f"Entry {place + 1:,} of {HOLDERS:,} holders" in beta.text
    assert files_asked(page, large) == sorted(["index.json", index, shard])


async def test_it_is_found_among_files_too(large: PublishedFolder, open_page: Any) -> None:
    page = await open_page(large, FILE)
    await page.choose()
    assert (await page.check(base58_encode(owner(1_024 * SHARD_LEAVES + 9))))[0].state == "held"


async def test_who_would_stand_between_two_pages_sees_the_neighbours(large: PublishedFolder, open_page: Any) -> None:
    page = await open_page(large, HTTP)
    edge = 1_024 * SHARD_LEAVES
    (beta,) = await page.check(base58_encode(owner(edge - 1, after=1)))
    assert beta.state == "absent"
    assert f"entries {edge:,} and {edge + 1:,} stand side by side" in beta.text
    assert files_asked(page, large) == ["01023.json", "01024.json", "index-00000.json", "index.json"]


@pytest.mark.parametrize("way", ["another page", "another page by its number", "shard"])
async def test_a_tampered_page_or_shard_behind_it_is_refused(large: PublishedFolder, open_page: Any, way: str) -> None:
    second, shard = large.index("BETB").with_name("index-00001.json"), large.shard("BETB", 1_024)
    misled = shard.with_name("02047.json")
    kept = {file: file.read_bytes() for file in (second, shard)}
    try:
        if way == "shard":
            change(shard, lambda each: each["path"].__setitem__(10, "00" * 32))
        else:
            second.write_bytes(second.with_name("index-00000.json").read_bytes())
        if way == "another page by its number":
            change(second, lambda each: each.update(page=1))
            misled.write_bytes(shard.read_bytes())
        page = await open_page(large)
        (beta,) = await page.check(base58_encode(owner(1_024 * SHARD_LEAVES + 9)))
        assert beta.state == "mismatch"
    finally:
        misled.unlink(missing_ok=True)
        for file, data in kept.items():
            file.write_bytes(data)
