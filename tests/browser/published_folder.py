"""A published folder as `tally report publish` lays it out, with registers large enough for several shards."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from report_sample import sample_report
from solders.keypair import Keypair
from tallystick.adapters.publish.charts import charts
from tallystick.adapters.publish.site import proof_of_reserves, render_index, render_page
from tallystick.domain.amounts import Quantity
from tallystick.domain.base58 import base58_encode
from tallystick.domain.canonical import canonical_json
from tallystick.domain.holdings import Basis, Completeness, HoldingLine, StatementOfHoldings, SubBalance
from tallystick.domain.register import Register, RegisterEntry
from tallystick.domain.reserve_report.published import (
    Anchor,
    Approval,
    PublishedVersion,
    anchor_bytes,
    approval_bytes,
    approval_message,
    version_folder,
)
from tallystick.domain.reserve_report.shards import holder_proof, shard_register
from tallystick.domain.reserve_report.statement_lines import StatementLines, statement_lines

HOLDERS: Final = {"BETB": 2_500, "ALPA": 40, "GAMC": 0}
"""BETB has three shards and a multiplier of two."""
RAW: Final = 12_500_000
"""What each holder has: 12.5 tokens."""


def lines_of_month() -> StatementLines:
    """Three lines of two statements, in more letters than ASCII has."""
    first = HoldingLine(
        "US0378331005",
        Quantity(10_005, 1),
        sub_balances=(SubBalance("PLED", Quantity(25, 1)),),
        place="Zürich \u2028 “1”\t",
    )
    statements = [
        StatementOfHoldings(
            "EXAMPLECUSTODYBANK81",
            "SAFE-1",
            1_793_491_192,
            1_793_494_792,
            name,
            Basis.SETTLED,
            Completeness.COMPLETE,
            True,
            lines,
            (bytes(32),),
            "semt.002",
            1,
        )
        for name, lines in (("ST-1", (first, replace(first, isin="US5949181045"))), ("ST-2", (first,)))
    ]
    return statement_lines(statements, b"\x07" * 32)


def register_of(holders: int, offset: int = 0) -> Register:
    """So many holders, of whom nobody knows the keys; the same number gives the same ones."""
    owners = sorted(sha256(f"holder {offset + number}".encode()).digest() for number in range(holders))
    return Register(tuple(RegisterEntry(owner, RAW, 0, 1) for owner in owners))


@dataclass(frozen=True, slots=True)
class PublishedFolder:
    """The folder, what is in it by ticker, and ways to change a file of the version."""

    path: Path
    registers: dict[str, Register]
    rows: dict[str, dict[str, Any]]
    digest: str

    def at(self, path: Path) -> PublishedFolder:
        """The same in another place."""
        return replace(self, path=path)

    @property
    def version(self) -> Path:
        return self.path / version_folder(202610, 2)

    def address(self, ticker: str, place: int) -> str:
        """The address of a holder by its place in a register."""
        return base58_encode(self.registers[ticker].entries[place].owner)

    def shard(self, ticker: str, number: int) -> Path:
        return self.version / "holders" / self.rows[ticker]["isin"] / f"{number:05d}.json"

    def index(self, ticker: str) -> Path:
        return self.version / "holders" / self.rows[ticker]["isin"] / "index.json"

    def proof(self, ticker: str, place: int) -> dict[str, Any]:
        """One holder's proof as a file of its own."""
        register, row = self.registers[ticker], self.rows[ticker]
        owner = register.entries[place].owner
        made = holder_proof(register, owner, isin=row["isin"], mint=row["mint"], slot=row["slot"])
        found: dict[str, Any] = json.loads(made)
        return found

    def page(self) -> Path:
        return self.version / "index.html"


def change(file: Path, alter: Callable[[dict[str, Any]], object]) -> None:
    """Let `alter` change a JSON file."""
    document = json.loads(file.read_bytes())
    alter(document)
    file.write_bytes(canonical_json(document))


def approval_of(digest: bytes, signs: bytes | None = None) -> bytes:
    """approval.json of a report, signed by the second person over another digest where one is given."""
    key = Keypair.from_seed(bytes(31) + b"\x02")
    signature = key.sign_message(approval_message(signs or digest))
    return approval_bytes(Approval(digest, str(key.pubkey()), str(signature)))


def publish(path: Path, registers: dict[str, Register] | None = None) -> PublishedFolder:
    """The sample report with these registers, and every file beside it that the page or its check reads.

    A security without a register was not listed yet at the as-of.
    """
    registers = registers or {ticker: register_of(holders) for ticker, holders in HOLDERS.items()}
    document = json.loads(sample_report()[0])
    slot = document["holders"]["slot"]
    for row in document["holders"]["securities"]:
        register = registers.get(row["ticker"])
        if register is None:
            row |= {"root": None, "holders": None, "raw": None}
        else:
            row |= {"root": register.root.hex(), "holders": len(register.entries), "raw": str(register.total)}
    tree = lines_of_month().tree
    document["statements"] |= {"root": tree.root.hex(), "lines": tree.lines}
    content = canonical_json(document)
    digest = sha256(content).digest()
    rows = {row["ticker"]: {**row, "slot": slot} for row in document["holders"]["securities"]}
    folder = PublishedFolder(path, registers, rows, digest.hex())
    approval = approval_of(digest)
    anchor = Anchor(document["anchor"]["account"], digest, slot + 500, base58_encode(digest + digest), 1_793_700_000)
    version = PublishedVersion(202610, 2, content, anchor)
    files = {
        "report.json": content,
        "report.pdf": b"%PDF-1.7",
        "approval.json": approval,
        "anchor.json": anchor_bytes(anchor),
        "index.html": render_page(content, approval, charts(document)),
    }
    for ticker, register in registers.items():
        row = rows[ticker]
        for name, data in shard_register(register, isin=row["isin"], mint=row["mint"], slot=slot):
            files[f"holders/{row['isin']}/{name}"] = data
    for name, data in files.items():
        (folder.version / name).parent.mkdir(parents=True, exist_ok=True)
        (folder.version / name).write_bytes(data)
    (path / "index.html").write_bytes(render_index([version]))
    (path / "proof-of-reserves.json").write_bytes(proof_of_reserves([version]))
    return folder
