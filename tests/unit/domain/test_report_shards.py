"""Holders' proofs as files: each shard is a subtree of the register's tree, and shows who is in it and who is not."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import replace
from hashlib import sha256

import pytest
from tallystick.domain.canonical import canonical_json
from tallystick.domain.merkle import EMPTY_ROOT
from tallystick.domain.register import Register, RegisterEntry
from tallystick.domain.reserve_report.shards import (
    LIMIT,
    SHARD_LEAVES,
    Shard,
    find_shard,
    holder_proof,
    index_files,
    raw_of,
    read_shard,
    shard_register,
)
from tallystick.errors import InputError, LedgerError

ISIN, MINT, SLOT = "US0378331005", "So11111111111111111111111111111111111111112", 4_711


def register_of(holders: int) -> Register:
    owners = sorted(sha256(number.to_bytes(4, "little")).digest() for number in range(holders))
    return Register(tuple(RegisterEntry(owner, number + 1, 0, 1) for number, owner in enumerate(owners)))


def files_of(register: Register) -> dict[str, bytes]:
    return dict(shard_register(register, isin=ISIN, mint=MINT, slot=SLOT))


def shards_of(register: Register) -> list[Shard]:
    return [read_shard(content) for name, content in files_of(register).items() if not name.startswith("index")]


def is_true(shard: Shard, register: Register) -> bool:
    return shard.is_of(isin=ISIN, mint=MINT, slot=SLOT, root=register.root, size=len(register.entries))


@pytest.mark.parametrize("holders", [1, 2, 1_023, 1_024, 1_025, 2_048, 3_000, 5_121])
def test_every_shard_leads_to_the_root_of_the_register_and_together_they_are_its_leaves(holders: int) -> None:
    register = register_of(holders)
    found = shards_of(register)
    assert all(is_true(shard, register) for shard in found)
    assert [leaf for shard in found for leaf in shard.leaves] == [(each.owner, each.raw) for each in register.entries]


def test_a_register_of_nobody_is_an_index_with_the_empty_root() -> None:
    files = files_of(Register(()))
    assert list(files) == ["index.json"]
    index = json.loads(files["index.json"])
    assert (index["root"], index["size"], index["firsts"]) == (EMPTY_ROOT.hex(), 0, "")


def test_the_index_leads_every_holder_to_the_shard_it_is_in() -> None:
    register = register_of(3_000)
    packed = b64decode(json.loads(files_of(register)["index.json"])["firsts"])
    firsts = [packed[place : place + 32] for place in range(0, len(packed), 32)]
    found = shards_of(register)
    for entry in register.entries[::97]:
        assert raw_of(entry.owner, [found[find_shard(firsts, entry.owner)]]) == entry.raw


def test_the_same_register_gives_the_same_bytes_and_none_above_the_limit() -> None:
    largest = Register(
        tuple(RegisterEntry(number.to_bytes(32, "big"), 2**64 - 1 - number, 0, 1) for number in range(1, 2_050))
    )
    files = files_of(largest)
    assert files == files_of(largest)
    # With the longest path there can be, 20 hashes of 67 bytes, a full shard still fits.
    assert max(len(content) for content in files.values()) + 20 * 67 < LIMIT


def test_an_index_of_more_shards_than_fit_is_cut_into_pages_that_each_fit() -> None:
    firsts = [number.to_bytes(32, "big") for number in range(2_100)]
    files = {name: json.loads(content) for name, content in index_files({"isin": ISIN}, firsts)}
    assert list(files) == ["index.json", "index-00000.json", "index-00001.json", "index-00002.json"]
    assert b64decode(files["index.json"]["pages"]) == firsts[0] + firsts[1_024] + firsts[2_048]
    pages = [files[f"index-{number:05d}.json"] for number in range(3)]
    assert b"".join(b64decode(page["firsts"]) for page in pages) == b"".join(firsts)
    assert [page["page"] for page in pages] == [0, 1, 2]
    assert all(len(canonical_json(page)) < LIMIT for page in files.values())


@pytest.mark.parametrize(
    "changed",
    [
        {"isin": "US5949181045"},
        {"mint": "11111111111111111111111111111111"},
        {"slot": SLOT + 1},
        {"root": bytes(32)},
        {"size": 2_999},
        {"start": 0},
        {"start": 1_025},
        {"path": ()},
        {"leaves": ()},
    ],
)
def test_a_shard_with_one_thing_changed_is_not_of_the_register(changed: dict[str, object]) -> None:
    register = register_of(3_000)
    shard = shards_of(register)[1]
    assert is_true(shard, register)
    assert not is_true(replace(shard, **changed), register)  # type: ignore[arg-type]


def test_a_shard_with_one_more_unit_for_one_holder_is_not_of_the_register() -> None:
    register = register_of(3_000)
    shard = shards_of(register)[2]
    owner, raw = shard.leaves[5]
    assert not is_true(replace(shard, leaves=(*shard.leaves[:5], (owner, raw + 1), *shard.leaves[6:])), register)


def test_leaves_out_of_order_prove_nothing_even_under_their_own_root() -> None:
    register = register_of(2)
    turned = Register(register.entries[::-1])
    shard = shards_of(turned)[0]
    assert shard.root == turned.root
    assert not is_true(shard, turned)


def between(register: Register, place: int) -> bytes:
    """An owner that is not in the register, right after the one at `place`."""
    return (int.from_bytes(register.entries[place].owner, "big") + 1).to_bytes(32, "big")


def test_absence_shows_in_one_shard_but_at_an_edge_between_two() -> None:
    register = register_of(3_000)
    first, second, third = shards_of(register)
    assert raw_of(between(register, 40), [first]) == 0
    assert raw_of(bytes(32), [first]) == 0
    assert raw_of(b"\xff" * 32, [third]) == 0
    at_edge = between(register, SHARD_LEAVES - 1)
    assert raw_of(at_edge, [first]) is None
    assert raw_of(at_edge, [second]) is None
    assert raw_of(at_edge, [first, third]) is None
    assert raw_of(at_edge, [second, first]) == 0


def test_a_shard_says_nothing_of_owners_before_or_after_it() -> None:
    register = register_of(3_000)
    _, second, _ = shards_of(register)
    assert raw_of(register.entries[0].owner, [second]) is None
    assert raw_of(register.entries[-1].owner, [second]) is None


def test_one_holder_has_a_proof_of_its_own_and_nobody_else_has() -> None:
    register = register_of(3_000)
    entry = register.entries[1_500]
    document = json.loads(holder_proof(register, entry.owner, isin=ISIN, mint=MINT, slot=SLOT))
    assert b64decode(document["leaf"]) == entry.leaf
    assert (document["index"], document["size"], document["root"]) == (1_500, 3_000, register.root.hex())
    with pytest.raises(LedgerError):
        holder_proof(register, bytes(32), isin=ISIN, mint=MINT, slot=SLOT)


@pytest.mark.parametrize(
    "changed",
    [
        {"format": "another"},
        {"version": 2},
        {"leaves": "####"},
        {"leaves": b64encode(bytes(39)).decode()},
        {"path": ["xy"]},
        {"size": "many"},
    ],
)
def test_a_file_that_is_no_shard_is_refused(changed: dict[str, str | int | list[str]]) -> None:
    document = json.loads(files_of(register_of(1))["00000.json"])
    with pytest.raises(InputError):
        read_shard(canonical_json({**document, **changed}))
