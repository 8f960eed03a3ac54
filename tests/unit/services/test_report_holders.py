"""The files of holders' proofs: from the register that was kept with the close, and from no other."""

from __future__ import annotations

from typing import Any

import pytest
from desk import key
from solders.pubkey import Pubkey
from tallystick.adapters.store.closes import MemoryCloseStore
from tallystick.domain.canonical import canonical_json
from tallystick.domain.close_register import CloseRegister
from tallystick.domain.closes import NO_PREVIOUS, DailyClose, SecurityClose
from tallystick.domain.register import Register, RegisterEntry
from tallystick.domain.reserve_report.shards import read_shard
from tallystick.errors import LedgerError, Refused
from tallystick.program.addresses import security_address
from tallystick.services.report_holders import holder_files

DAY, SLOT, ISIN = "2026-10-31", 700, "US0378331005"
MINT = key("mint").pubkey()
REGISTER = Register(tuple(RegisterEntry(number.to_bytes(32, "big"), 5, 0, 1) for number in range(1, 2_001)))


async def closes(mint: Pubkey = MINT) -> MemoryCloseStore:
    """A store with the close of the as-of and its holders."""
    security = SecurityClose(ISIN, bytes(mint), 6, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, REGISTER.root, 2_000, bytes(32))
    close = DailyClose(b"i" * 32, "cluster", bytes(32), DAY, SLOT, 1, NO_PREVIOUS, (security,))
    kept = CloseRegister(b"i" * 32, bytes(security_address(mint)), DAY, SLOT, REGISTER.root, REGISTER)
    store = MemoryCloseStore()
    await store.append(close, [kept])
    return store


def content(*rows: dict[str, Any], day: str = DAY, slot: int = SLOT) -> bytes:
    securities = [
        {"isin": ISIN, "ticker": "tAAPL", "mint": str(MINT), "root": REGISTER.root.hex()} | row for row in rows
    ]
    return canonical_json({"header": {"as_of": {"day": day}}, "holders": {"slot": slot, "securities": securities}})


async def files(store: MemoryCloseStore, report: bytes) -> dict[str, bytes]:
    return {name: data async for name, data in holder_files(store, report)}


async def test_each_holder_is_in_one_shard_that_proves_the_reports_root() -> None:
    found = await files(await closes(), content({}))
    assert list(found) == [f"{ISIN}/{name}.json" for name in ("index", "00000", "00001")]
    shards = [read_shard(found[f"{ISIN}/0000{number}.json"]) for number in range(2)]
    assert sum(len(each.leaves) for each in shards) == 2_000
    for shard in shards:
        assert shard.is_of(isin=ISIN, mint=str(MINT), slot=SLOT, root=REGISTER.root, size=2_000)


async def test_a_security_that_was_not_listed_yet_has_no_files() -> None:
    assert await files(await closes(), content({"root": None})) == {}


async def test_holders_that_were_not_kept_are_said() -> None:
    with pytest.raises(Refused, match=f"holders of tAAPL at the close of {DAY} are not kept"):
        await files(MemoryCloseStore(), content({}))


@pytest.mark.parametrize("report", [content({"root": "ab" * 32}), content({}, slot=SLOT + 1)])
async def test_holders_of_another_root_or_slot_are_not_published(report: bytes) -> None:
    with pytest.raises(LedgerError, match=f"kept for {DAY} are of slot {SLOT}"):
        await files(await closes(), report)


async def test_two_securities_with_one_isin_are_refused() -> None:
    with pytest.raises(Refused, match=f"have the ISIN {ISIN}"):
        await files(await closes(), content({}, {"mint": str(key("other").pubkey())}))
