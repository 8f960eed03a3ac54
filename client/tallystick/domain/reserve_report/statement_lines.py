"""A Merkle tree over the lines of a month's custodian statements, so that one line can be shown without the others.

A leaf is the canonical JSON of one line with the statement it is on and a salt. The salt is HMAC-SHA256 of a secret
seed over the line's place, so that nobody can guess a line and try it against a proof's hashes; whoever has the seed
can show any line again. The tree is the one of merkle.py. Described with vectors in docs/merkle.md.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tallystick.domain.canonical import CanonicalValue, canonical_json, sha256
from tallystick.domain.holdings import HoldingLine, StatementOfHoldings, sub_balance_documents
from tallystick.domain.merkle import LEAF_PREFIX, MerkleTree, verify_proof
from tallystick.domain.reserve_report.declared import StatementPart, StatementTree
from tallystick.domain.reserve_report.shapes import Count, Hex, Items, members, unfit
from tallystick.errors import InputError

SEED_LENGTH: Final = 32
PROOF_FORMAT: Final = "tallystick statement line"
PROOF_FORMAT_VERSION: Final = 1
PROOF_SIZE_LIMIT: Final = 64 * 2**10
"""Bytes of the longest proof that is read."""

_SALT_TAG: Final = b"tallystick:statement-line"
_PROOF_KEYS: Final = ("format", "format_version", "index", "line", "path", "root", "size")
_LINE_TEXTS: Final = ("account", "aggregate", "custodian", "isin", "other_id", "place", "salt", "statement_id", "unit")
_LINE_KEYS: Final = (*_LINE_TEXTS, "as_of", "position", "sub_balances")


@dataclass(frozen=True, slots=True)
class StatementLineProof:
    """One line with its salt, its place in the tree, the number of lines, and the hashes up to the root."""

    line: Mapping[str, CanonicalValue]
    index: int
    size: int
    path: tuple[bytes, ...]
    root: bytes

    def document(self) -> dict[str, CanonicalValue]:
        """The proof as JSON."""
        return {
            "format": PROOF_FORMAT,
            "format_version": PROOF_FORMAT_VERSION,
            "index": self.index,
            "line": dict(self.line),
            "path": [each.hex() for each in self.path],
            "root": self.root.hex(),
            "size": self.size,
        }

    def proves(self, statements: StatementTree) -> bool:
        """True when this line is in the tree that a report states: its root and its number of lines."""
        is_of_tree = (self.root, self.size) == (statements.root, statements.lines)
        return is_of_tree and verify_proof(self.root, canonical_json(self.line), self.index, self.size, self.path)


@dataclass(frozen=True, slots=True)
class StatementLines:
    """All lines of the month in the order of the tree, and what a report states of them."""

    lines: tuple[Mapping[str, CanonicalValue], ...]
    tree: StatementTree

    def find(self, custodian_lei: str, account: str, statement_id: str, position: int) -> int:
        """The index of a line, `position` counted from 0 in its statement. InputError when there is none."""
        wanted = (custodian_lei, account, statement_id, position)
        for index, line in enumerate(self.lines):
            if tuple(line[name] for name in ("custodian", "account", "statement_id", "position")) == wanted:
                return index
        raise InputError(f"Statement {statement_id} of {account} has no line {position} in this month's tree.")

    def proof(self, index: int) -> StatementLineProof:
        """The proof of one line. InputError when there is no such line."""
        if not 0 <= index < len(self.lines):
            raise InputError(f"There is no line {index} among {len(self.lines)}.")
        leaves = [sha256(LEAF_PREFIX, canonical_json(line)) for line in self.lines]
        return StatementLineProof(
            self.lines[index], index, len(self.lines), MerkleTree(leaves).proof(index), self.tree.root
        )


def statement_lines(statements: Iterable[StatementOfHoldings], seed: bytes) -> StatementLines:
    """The tree over the lines of these statements: by custodian, account, as-of, statement id, then as in the file.

    InputError when the seed has not 32 bytes, or one statement is there twice. A statement without lines has none here.
    """
    if len(seed) != SEED_LENGTH:
        raise InputError(f"The seed of the salts has {SEED_LENGTH} bytes, not {len(seed)}.")
    ordered = sorted(statements, key=_key)
    if len({_key(each) for each in ordered}) != len(ordered):
        raise InputError("A statement is there twice.", hint="Give each statement of the month once.")
    lines = tuple(_line(each, line, position, seed) for each in ordered for position, line in enumerate(each.lines))
    if not lines:
        return StatementLines((), StatementTree())
    root = MerkleTree([sha256(LEAF_PREFIX, canonical_json(line)) for line in lines]).root
    parts = tuple(
        StatementPart(each.custodian_lei, each.account, each.statement_id, each.as_of, len(each.lines))
        for each in ordered
    )
    return StatementLines(lines, StatementTree(root, len(lines), parts))


def line_salt(seed: bytes, custodian_lei: str, account: str, as_of: int, statement_id: str, position: int) -> bytes:
    """HMAC-SHA256 by the seed over "tallystick:statement-line" and the canonical JSON of the other arguments."""
    place: list[CanonicalValue] = [custodian_lei, account, as_of, statement_id, position]
    return hmac.digest(seed, _SALT_TAG + canonical_json(place), "sha256")


def read_line_proof(content: bytes) -> StatementLineProof:
    """The proof that a file holds. InputError when it is none; whether it proves anything is `proves`."""
    if len(content) > PROOF_SIZE_LIMIT:
        raise InputError(f"A proof of {len(content)} bytes; at most {PROOF_SIZE_LIMIT} are read.")
    try:
        found: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"This is not a statement line's proof: {error}.") from error
    canonical_json(found)  # nothing but text, integers, booleans, lists and objects
    document = members(found, _PROOF_KEYS, "")
    if (document["format"], document["format_version"]) != (PROOF_FORMAT, PROOF_FORMAT_VERSION):
        raise InputError(f"This is not a {PROOF_FORMAT!r} of version {PROOF_FORMAT_VERSION}.")
    line = members(document["line"], _LINE_KEYS, "/line")
    for name in _LINE_TEXTS:
        if not isinstance(line[name], str):
            raise unfit(f"/line/{name}", "text", line[name])
    return StatementLineProof(
        found["line"],
        Count().read(document["index"], "/index"),
        Count().read(document["size"], "/size"),
        Items(Hex()).read(document["path"], "/path"),
        Hex().read(document["root"], "/root"),
    )


def _key(statement: StatementOfHoldings) -> tuple[str, str, int, str]:
    return statement.custodian_lei, statement.account, statement.as_of, statement.statement_id


def _line(statement: StatementOfHoldings, line: HoldingLine, position: int, seed: bytes) -> dict[str, CanonicalValue]:
    sub_balances: Sequence[CanonicalValue] = sub_balance_documents(line.sub_balances)
    return {
        "account": statement.account,
        "aggregate": str(line.aggregate),
        "as_of": statement.as_of,
        "custodian": statement.custodian_lei,
        "isin": line.isin,
        "other_id": line.other_id,
        "place": line.place,
        "position": position,
        "salt": line_salt(seed, *_key(statement), position).hex(),
        "statement_id": statement.statement_id,
        "sub_balances": sub_balances,
        "unit": line.unit.value,
    }
