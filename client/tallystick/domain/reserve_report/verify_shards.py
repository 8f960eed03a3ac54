"""Whether the holders' files beside a report are those of its registers: the roots in it, and all of the shards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tallystick.domain.register import Register, RegisterEntry
from tallystick.domain.reserve_report.checks import Check, Status
from tallystick.domain.reserve_report.published import HOLDERS
from tallystick.domain.reserve_report.shards import SHARD_LEAVES, read_shard, shard_name, shard_register
from tallystick.errors import InputError

NAME: Final = "holders' files"


def verify_shards(document: Mapping[str, Any], files: Mapping[str, bytes]) -> Check | None:
    """Every file below holders/ by its name, made again from the leaves in them; None where there is none at all.

    The leaves have to lead to the roots in the report, which other checks hold against the chain.
    """
    found = {name: data for name, data in files.items() if name.startswith(f"{HOLDERS}/")}
    if not found:
        return None
    try:
        expected = _made_again(document["holders"], found)
    except InputError as error:
        return Check(NAME, "files", Status.FAILED, error.message)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return Check(NAME, "files", Status.FAILED, f"The report's part on holders cannot be read: {error!r}.")
    for name in sorted(expected.keys() | found.keys()):
        if name not in expected:
            return Check(NAME, "files", Status.FAILED, f"{name} is of no register in the report.")
        if found.get(name) != expected[name]:
            words = f"{name} is {'changed' if name in found else 'missing'}: holders cannot check their tokens with it."
            return Check(NAME, "files", Status.FAILED, words)
    words = f"{len(found):,} files hold every holder's entry, and lead to the roots in the report."
    return Check(NAME, "files", Status.PASSED, words)


def _made_again(holders: Mapping[str, Any], found: Mapping[str, bytes]) -> dict[str, bytes]:
    """Every file below holders/, from the leaves of those found. InputError for a shard that is missing or foreign."""
    expected: dict[str, bytes] = {}
    for row in holders["securities"]:
        if row["root"] is None:
            continue
        folder = f"{HOLDERS}/{row['isin']}"
        register = _register(row, holders["slot"], found, folder)
        files_of = shard_register(register, isin=row["isin"], mint=row["mint"], slot=holders["slot"])
        expected |= {f"{folder}/{name}": data for name, data in files_of}
    return expected


def _register(row: Mapping[str, Any], slot: int, found: Mapping[str, bytes], folder: str) -> Register:
    """The register of one security from its shards. InputError for one that is missing, or of another register."""
    entries: list[RegisterEntry] = []
    for number in range(-(-row["holders"] // SHARD_LEAVES)):
        name = shard_name(number)
        content = found.get(f"{folder}/{name}")
        if content is None:
            raise InputError(f"{folder}/{name} is missing: holders cannot check their tokens without it.")
        shard = read_shard(content)
        is_next = shard.start == number * SHARD_LEAVES
        root, size = bytes.fromhex(row["root"]), row["holders"]
        if not is_next or not shard.is_of(isin=row["isin"], mint=row["mint"], slot=slot, root=root, size=size):
            raise InputError(f"{folder}/{name} does not lead to the root in the report.")
        entries.extend(RegisterEntry(owner, raw, 0, 1) for owner, raw in shard.leaves)
    return Register(tuple(entries))
