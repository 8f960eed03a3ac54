"""Writes the evidence behind an issuer's reports as files, which an auditor reads without our store or our program.

Files are written once: a folder that holds anything else is refused, and after writing every file is read back and held
against the hash that the manifest names. The same books and the same chain make the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import Clock
from tallystick.adapters.publish.folder import PublishFolder
from tallystick.domain.canonical import CanonicalValue, canonical_json, sha256
from tallystick.domain.report_anchors import period_text
from tallystick.errors import Refused, StoreConflict
from tallystick.services.audit_books import AuditSources, Files, books_files
from tallystick.services.audit_month import month_files
from tallystick.services.audit_readme import readme_text
from tallystick.services.report_history import Progress

MANIFEST: Final = "manifest.json"
SUMS: Final = "SHA256SUMS"
README: Final = "README.txt"
TOPS: Final = frozenset({"audit-log", "books", "closes", "dividends", "months", "statements", MANIFEST, SUMS, README})
"""What an export has in its folder."""
FORMAT: Final = "tallystick audit export"
FORMAT_VERSION: Final = 1

FileWritten = Callable[[str, int], None]
"""Called with the name of each file that is written, and how many are by now."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: names with their SHA-256, `manifest_hash` the SHA-256 of manifest.json, months as YYYY-MM.
    `missing` is what should be there and was not to be had, with the reason."""

    files: tuple[tuple[str, bytes], ...]
    manifest_hash: bytes
    periods: tuple[str, ...]
    missing: tuple[tuple[str, str], ...]


async def export_audit(
    chain: Chain,
    sources: AuditSources,
    folder: PublishFolder,
    published: PublishFolder,
    clock: Clock,
    *,
    period: int | None,
    pdf: Callable[[bytes], bytes],
    on_file: FileWritten | None = None,
    progress: Progress | None = None,
) -> Exported:
    """Write everything about one period (YYYYMM), or about every month that has a report, into an empty folder.

    `published` is where reports are published, `pdf` makes the PDF of one that is not yet. A folder with an earlier
    export of the very same content is completed. Refused when the folder has anything else, LedgerError when books or
    audit log were changed, StoreConflict when a file is not what was written.
    """
    periods = await _periods(sources, period)
    missing: dict[str, str] = {}
    written: dict[str, tuple[bytes, int]] = {}
    there = set(await folder.list())
    for name in sorted(there):
        if name.split("/")[0] not in TOPS:
            raise _not_empty(name)

    async def put(name: str, data: bytes) -> None:
        known = await folder.read(name) if name in there else None
        if known not in (None, data):
            raise _not_empty(name)
        await folder.write(name, data)
        written[name] = (sha256(data), len(data))
        if on_file is not None:
            on_file(name, len(written))

    async for name, data in _all_files(chain, sources, published, clock, periods, period, pdf, missing, progress):
        await put(name, data)
    names = tuple(period_text(each) for each in periods)
    cluster = str(await chain.get_genesis_hash())
    lacking = tuple(sorted(missing.items()))
    await put(README, readme_text(issuer=str(sources.issuer), cluster=cluster, periods=names, missing=lacking))
    files: list[CanonicalValue] = [
        {"name": name, "sha256": digest.hex(), "bytes": size} for name, (digest, size) in sorted(written.items())
    ]
    manifest = canonical_json(
        {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "issuer": str(sources.issuer),
            "cluster": cluster,
            "periods": list(names),
            "missing": [{"name": name, "reason": reason} for name, reason in lacking],
            "files": files,
        }
    )
    await put(MANIFEST, manifest)
    sums = "".join(f"{digest.hex()}  {name}\n" for name, (digest, _) in sorted(written.items()))
    await put(SUMS, sums.encode())
    await _read_back(folder, written)
    return Exported(
        tuple((name, digest) for name, (digest, _) in sorted(written.items())), sha256(manifest), names, lacking
    )


async def _all_files(
    chain: Chain,
    sources: AuditSources,
    published: PublishFolder,
    clock: Clock,
    periods: tuple[int, ...],
    period: int | None,
    pdf: Callable[[bytes], bytes],
    missing: dict[str, str],
    progress: Progress | None,
) -> Files:
    """Months first: what cannot be exported is refused before much is written."""
    for each in periods:
        async for name, data in month_files(chain, sources, published, clock, each, pdf, missing.__setitem__, progress):
            yield name, data
    async for name, data in books_files(sources, period, missing.__setitem__):
        yield name, data


async def _periods(sources: AuditSources, period: int | None) -> tuple[int, ...]:
    if period is not None:
        return (period,)
    return tuple(sorted({each.period for each in await sources.reports.list(bytes(sources.issuer))}))


async def _read_back(folder: PublishFolder, written: dict[str, tuple[bytes, int]]) -> None:
    found = await folder.list()
    extra = sorted(set(found).difference(written))
    if extra:
        raise _not_empty(extra[0])
    for name, (digest, _) in written.items():
        data = await folder.read(name)
        if data is None or sha256(data) != digest:
            raise StoreConflict(
                f"{name} is not what was written a moment ago.",
                hint="The disk lost it or somebody changed it: export into another folder, and find out why.",
            )


def _not_empty(name: str) -> Refused:
    return Refused(
        f"The folder has {name}, which is not of this export.",
        hint="Export into an empty folder; nothing was overwritten.",
    )


__all__ = ["Exported", "export_audit"]
