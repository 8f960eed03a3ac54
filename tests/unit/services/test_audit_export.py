"""The evidence as files: checked here as an auditor would, from the files alone and with nothing of ours."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from building_desk import PERIOD, BuildingDesk
from desk import ISIN, LEI
from solders.pubkey import Pubkey
from solders.signature import Signature
from tallystick.adapters.custody.archive import MemoryStatementArchive
from tallystick.adapters.publish.folder import LocalPublishFolder, MemoryPublishFolder, PublishFolder
from tallystick.adapters.store.audit import MemoryAuditLog
from tallystick.adapters.store.confirmations import MemoryConfirmationStore
from tallystick.adapters.store.events import KnownEvent, MemoryEventBook
from tallystick.adapters.store.orders import BookedOrder, MemoryOrderBook
from tallystick.domain.amounts import Quantity
from tallystick.domain.canonical import sha256
from tallystick.domain.confirmations import CashConfirmation, ConfirmationFunction
from tallystick.domain.orders import OrderKind
from tallystick.errors import LedgerError, Refused, StoreConflict
from tallystick.services.audit_books import AuditSources
from tallystick.services.audit_export import Exported, export_audit

MONTH = "months/2026-09"


class AuditedDesk(BuildingDesk):
    """A month, its report, and books that an auditor asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.archive = MemoryStatementArchive()
        self.order_book = MemoryOrderBook()
        self.event_book = MemoryEventBook()
        self.confirmed = MemoryConfirmationStore()
        self.log = MemoryAuditLog()
        self.published = MemoryPublishFolder()

    async def begin_audit(self) -> None:
        """A month with its report as a draft, statements in the archive, two entries in the audit log."""
        await self.month()
        await self.build()
        for name in ("alice", "bob"):
            address, holder = bytes(self.order(name, "s-1")), bytes(self[name])
            order = BookedOrder(address, bytes(self.security), holder, OrderKind.SUBSCRIPTION, 5, "=S-1", self.now)
            await self.order_book.record(order)
        for action in ("begin", "end"):
            await self.log.append(at=self.now, actor="anna@desk", action=action, subject="close", details={})

    @property
    def sources(self) -> AuditSources:
        """What an export is taken from."""
        return AuditSources(
            self.issuer,
            {bytes(self.security): ISIN},
            self.closes,
            self.statements,
            self.archive,
            self.journal,
            self.order_book,
            self.event_book,
            self.confirmed,
            self.breaks,
            self.payouts,
            self.books.declarations,
            self.log,
            self.books.reports,
        )

    async def export(self, folder: PublishFolder, period: int | None = PERIOD) -> Exported:
        """As the command does it, with a PDF that says what it was made from."""
        return await export_audit(
            self.chain,
            self.sources,
            folder,
            self.published,
            self.clock,
            period=period,
            pdf=lambda content: b"pdf of " + sha256(content),
        )


@pytest.fixture
async def desk() -> AuditedDesk:
    desk = AuditedDesk()
    await desk.begin_audit()
    return desk


@pytest.fixture
async def files(desk: AuditedDesk) -> dict[str, bytes]:
    """An export of the month."""
    folder = MemoryPublishFolder()
    await desk.export(folder)
    return folder.files


def rows(files: dict[str, bytes], name: str) -> list[dict[str, str]]:
    """A table as a spreadsheet reads it."""
    return list(csv.DictReader(io.StringIO(files[f"{name}.csv"].decode(), newline="")))


def hashed(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


async def everything(folder: PublishFolder) -> dict[str, bytes | None]:
    return {name: await folder.read(name) for name in await folder.list()}


def root(leaves: Sequence[bytes]) -> bytes:
    """Of RFC 6962, section 2.1, over the leaves' data."""
    if len(leaves) < 2:
        return hashed(b"\0", *leaves) if leaves else hashed()
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashed(b"\1", root(leaves[:half]), root(leaves[half:]))


def test_every_file_has_the_sum_that_the_list_says(files: dict[str, bytes]) -> None:
    sums = dict(reversed(line.split("  ")) for line in files["SHA256SUMS"].decode().splitlines())
    assert sums.keys() == files.keys() - {"SHA256SUMS"}
    assert all(hashlib.sha256(files[name]).hexdigest() == digest for name, digest in sums.items())
    manifest = json.loads(files["manifest.json"])
    assert {each["name"]: (each["sha256"], each["bytes"]) for each in manifest["files"]} == {
        name: (digest, len(files[name])) for name, digest in sums.items() if name != "manifest.json"
    }
    assert manifest["periods"] == ["2026-09"]


def test_the_closes_follow_from_each_other_and_the_chain_has_them(files: dict[str, bytes], desk: AuditedDesk) -> None:
    closes = rows(files, "closes/closes")
    assert [each["day"] for each in closes] == ["2026-09-21", "2026-09-22"]
    previous, days = bytes(32), bytes(32)
    for close in closes:
        assert close["previous"] == previous.hex()
        previous = hashed(b"tallystick:daily-close", previous, hashed(files[close["file"]]))
        assert close["hash"] == previous.hex()
    for day in rows(files, f"{MONTH}/chain/closed-days"):
        number, slot = int(day["day"]).to_bytes(4, "little"), int(day["as_of_slot"]).to_bytes(8, "little")
        days = hashed(b"tallystick:days", days, number, bytes.fromhex(day["close_hash"]), slot)
        assert day["days_hash"] == days.hex()
    assert rows(files, f"{MONTH}/chain/issuer")[0]["days_hash"] == days.hex()


def test_the_holders_make_the_root_of_the_close_and_of_the_report(files: dict[str, bytes]) -> None:
    holders = rows(files, f"{MONTH}/holders/US0378331005")
    leaves = [bytes(Pubkey.from_string(each["owner"])) + int(each["raw"]).to_bytes(8, "little") for each in holders]
    assert len(leaves) == 3
    assert leaves == sorted(leaves)
    close = json.loads(files["closes/2026-09-22.json"])["securities"][0]
    report = json.loads(files[f"{MONTH}/report/v1/report.json"])["holders"]["securities"][0]
    assert root(leaves).hex() == close["register_root"] == report["root"]


def test_the_audit_log_is_a_chain_of_hashes(files: dict[str, bytes]) -> None:
    previous = bytes(32)
    chain, contents = rows(files, "audit-log/chain"), files["audit-log/entries.jsonl"].splitlines()
    for link, content in zip(chain, contents, strict=True):
        assert link["previous"] == previous.hex()
        previous = hashed(b"tallystick:audit", previous, content)
        assert link["hash"] == previous.hex()
    assert len(chain) == 2


def test_books_and_chain_say_the_same_apart_from_each_other(files: dict[str, bytes]) -> None:
    assert {each["reference"]: each["shares"] for each in rows(files, "books/movements")} == {
        "IN S-1": str(300 * 10**6),
        "IN S-2": str(200 * 10**6),
    }
    fills = rows(files, f"{MONTH}/chain/fills")
    assert sorted(each["shares"] for each in fills) == [str(200 * 10**6), str(300 * 10**6)]
    figures = {each["moment"]: each for each in rows(files, f"{MONTH}/chain/figures")}
    assert (figures["opening"]["supply"], figures["as of"]["supply"]) == ("0", str(500 * 10**6))
    assert {each["kind"] for each in rows(files, f"{MONTH}/chain/roles")} >= {"attestor", "operator", "publisher"}


def test_each_table_is_exact_in_json_and_harmless_in_a_spreadsheet(files: dict[str, bytes]) -> None:
    assert {each["reference"] for each in json.loads(files["books/orders.json"])} == {"=S-1"}
    assert {each["reference"] for each in rows(files, "books/orders")} == {"'=S-1"}
    for name in [each.removesuffix(".csv") for each in files if each.endswith(".csv") and "/holders/" not in each]:
        assert len(json.loads(files[f"{name}.json"])) == len(rows(files, name))


def test_a_statement_that_the_archive_lost_is_said_and_the_rest_is_exported(files: dict[str, bytes]) -> None:
    missing = json.loads(files["manifest.json"])["missing"]
    statements = rows(files, "statements/statements")
    assert len(statements) == 2
    assert [each["name"] for each in missing] == sorted(
        f"statements/received/{source}" for each in statements for source in json.loads(each["received"])
    )
    assert missing[0]["name"].encode() in files["README.txt"]
    for each in statements:
        assert hashed(files[f"statements/read/{each['key']}.json"]).hex() == each["read_sha256"]


async def test_a_statement_that_is_kept_is_there_as_it_was_received(desk: AuditedDesk) -> None:
    class Archive(MemoryStatementArchive):
        async def get(self, source_hash: bytes) -> bytes:
            return b"file " + source_hash

    desk.archive = Archive()
    folder = MemoryPublishFolder()
    assert (await desk.export(folder)).missing == ()
    received = {name: data for name, data in folder.files.items() if name.startswith("statements/received/")}
    assert len(received) == 2
    assert all(data == b"file " + bytes.fromhex(name[-64:]) for name, data in received.items())


async def test_the_custodians_confirmations_are_there_as_they_came(desk: AuditedDesk) -> None:
    source = await desk.archive.keep(b"the custodian's message")
    confirmation = CashConfirmation(
        LEI, "SAFE 1", "CONF-1", ConfirmationFunction.NEW, "CA-30", "DVCA", ISIN, Quantity(10), "USD", Quantity(5),
        Quantity(1), Quantity(4), "2026-09-21", "2026-09-20", source, "mt566", desk.now,
    )  # fmt: skip
    await desk.confirmed.add(confirmation)
    await desk.event_book.record(KnownEvent(bytes(desk.security), "CA-30", desk.now))
    folder = MemoryPublishFolder()
    await desk.export(folder)
    assert folder.files[f"dividends/received/{source.hex()}"] == b"the custodian's message"
    [row] = rows(folder.files, "dividends/confirmations")
    assert (row["event_id"], row["gross"], row["source_hash"]) == ("CA-30", "5", source.hex())


async def test_an_approved_report_is_there_with_its_approval(desk: AuditedDesk) -> None:
    report = (await desk.reports())[0]
    await desk.publish(report)
    desk.published.files["2026-09/v1/report.pdf"] = b"as it was published"
    folder = MemoryPublishFolder()
    await desk.export(folder)
    approval = json.loads(folder.files[f"{MONTH}/report/v1/approval.json"])
    assert approval["digest"] == hashed(folder.files[f"{MONTH}/report/v1/report.json"]).hex()
    assert Signature.from_string(approval["signature"])
    assert folder.files[f"{MONTH}/report/v1/report.pdf"] == b"as it was published"
    assert rows(folder.files, f"{MONTH}/report/versions")[0]["state"] == "published"


async def test_the_same_evidence_has_the_same_bytes(desk: AuditedDesk, files: dict[str, bytes]) -> None:
    desk.warp(3 * 86_400)
    folder = MemoryPublishFolder()
    await desk.export(folder)
    assert folder.files == files


async def test_a_folder_is_completed_and_never_mixed(desk: AuditedDesk, tmp_path: Path) -> None:
    folder = LocalPublishFolder(tmp_path)
    first = await desk.export(folder)
    await folder.remove("closes/closes.csv")
    assert await desk.export(folder) == first
    before = await everything(folder)
    await desk.log.append(at=1, actor="anna@desk", action="begin", subject="x")
    with pytest.raises(Refused, match="audit-log"):
        await desk.export(folder)
    assert await everything(folder) == before


async def test_a_folder_with_something_else_in_it_is_refused(desk: AuditedDesk) -> None:
    folder = MemoryPublishFolder()
    await folder.write("holiday.jpg", b"x")
    with pytest.raises(Refused, match=r"holiday\.jpg"):
        await desk.export(folder)
    assert await folder.list() == ("holiday.jpg",)
    folder = MemoryPublishFolder()
    await folder.write("closes/2020-01-01.json", b"of another issuer")
    with pytest.raises(Refused, match=r"closes/2020-01-01\.json"):
        await desk.export(folder)


async def test_a_disk_that_loses_what_was_written_is_noticed(desk: AuditedDesk) -> None:
    class Losing(MemoryPublishFolder):
        async def read(self, name: str) -> bytes | None:
            return b"rotten" if name == "books/orders.csv" else await super().read(name)

    with pytest.raises(StoreConflict, match=r"books/orders\.csv is not what was written"):
        await desk.export(Losing())


async def test_books_that_somebody_changed_are_not_exported(desk: AuditedDesk) -> None:
    row = desk.closes.rows[bytes(desk.issuer)]
    row[0], row[1] = row[1], row[0]
    with pytest.raises(LedgerError):
        await desk.export(MemoryPublishFolder())


async def test_without_a_month_everything_is_exported_and_every_month_that_has_a_report(desk: AuditedDesk) -> None:
    folder = MemoryPublishFolder()
    await desk.end_day()
    exported = await desk.export(folder, None)
    assert exported.periods == ("2026-09",)
    assert [each["day"] for each in rows(folder.files, "closes/closes")][-1] > "2026-09-30"
    assert f"{MONTH}/report/v1/report.json" in folder.files


def test_what_is_here_is_in_the_readme(files: dict[str, bytes]) -> None:
    text = files["README.txt"].decode()
    assert {len(line) <= 120 for line in text.splitlines()} == {True}
    tops: set[Any] = {name.split("/")[0] for name in files if "/" in name}
    assert tops == {"closes", "statements", "books", "dividends", "audit-log", "months"}
    for top in tops:
        assert f"\n{top}/" in text
    for name in {each.split("/")[3].split(".")[0] for each in files if f"{MONTH}/chain/" in each}:
        assert name in text
