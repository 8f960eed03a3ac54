"""The proofs of a report's holders as files, from the registers that were kept with its as-of close."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from solders.pubkey import Pubkey

from tallystick.adapters.store.closes import CloseStore
from tallystick.domain.reserve_report.shards import shard_register
from tallystick.errors import LedgerError, Refused
from tallystick.program.addresses import security_address


async def holder_files(closes: CloseStore, content: bytes) -> AsyncIterator[tuple[str, bytes]]:
    """Names below holders/ and contents of every security's shards, of the report in `content` (report.json).

    Refused when the store does not have the register at the as-of close; LedgerError when it has another root than the
    report.
    """
    document: dict[str, Any] = json.loads(content)
    day, slot = document["header"]["as_of"]["day"], document["holders"]["slot"]
    seen: set[str] = set()
    for row in document["holders"]["securities"]:
        isin, mint = row["isin"], row["mint"]
        if row["root"] is None:
            continue  # Not listed yet at the close: nobody holds it.
        if isin in seen:
            raise Refused(
                f"Two securities of this report have the ISIN {isin}; their proofs would have the same place.",
                hint="Give the retired one another ISIN: tally security metadata announce",
            )
        seen.add(isin)
        kept = await closes.register(bytes(security_address(Pubkey.from_string(mint))), day)
        if kept is None:
            raise Refused(
                f"The holders of {row['ticker']} at the close of {day} are not kept in this store.",
                hint="They are kept by tally close on the machine that closed the day; publish where that store is.",
            )
        if kept.root.hex() != row["root"] or kept.slot != slot:
            raise LedgerError(
                f"The holders of {row['ticker']} kept for {day} are of slot {kept.slot} with root {kept.root.hex()};"
                f" the report has slot {slot} and {row['root']}.",
                hint="Restore the store from a backup, and find out who changed it.",
            )
        for name, data in shard_register(kept.register, isin=isin, mint=mint, slot=kept.slot):
            yield f"{isin}/{name}", data


__all__ = ["holder_files"]
