"""The tree of a distribution: the vectors that the program's own tests read too, and what the builder refuses."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tallystick.domain.distribution_tree import (
    MAX_BATCHES,
    MAX_ENTRIES,
    DistributionTree,
    Entry,
    batch_leaf,
    entry_leaf,
    flat_hash,
    flat_text,
)
from tallystick.domain.merkle import MerkleTree, merkle_root, root_of_proof
from tallystick.errors import AmountError, InputError

FOLDER = Path(__file__).resolve().parents[2] / "vectors"
VECTORS = json.loads((FOLDER / "merkle.json").read_text())
DISTRIBUTION = bytes.fromhex(VECTORS["distribution"])


def entries(count: int) -> list[Entry]:
    return [Entry(hashlib.sha256(place.to_bytes(4, "little")).digest(), 255, 1 + place) for place in range(count)]


def test_the_vectors_are_what_is_written() -> None:
    sys.path.insert(0, str(FOLDER))
    try:
        from write_merkle import written
    finally:
        sys.path.remove(str(FOLDER))
    assert (FOLDER / "merkle.json").read_text() == written()


@pytest.mark.parametrize("batch", VECTORS["batches"], ids=lambda batch: batch["batch"])
def test_hashes_are_those_of_the_vectors(batch: dict) -> None:  # type: ignore[type-arg]
    found = [Entry(bytes.fromhex(each["address"]), each["bump"], each["amount"]) for each in batch["entries"]]
    leaves = [entry_leaf(place, entry) for place, entry in enumerate(found)]
    assert [leaf.hex() for leaf in leaves] == [each["entry_leaf"] for each in batch["entries"]]
    assert flat_text(found).hex() == batch["flat_text"]
    assert flat_hash(found).hex() == batch["flat_hash"]
    root = MerkleTree(leaves).root
    assert root.hex() == batch["entries_root"]
    leaf = batch_leaf(DISTRIBUTION, batch["batch"], batch["count"], flat_hash(found), root)
    assert leaf.hex() == batch["batch_leaf"]


@pytest.mark.parametrize("proof", VECTORS["proofs"], ids=lambda proof: f"{proof['leaf_index']}of{proof['leaf_count']}")
def test_a_proof_leads_to_its_root_and_to_no_other_place(proof: dict) -> None:  # type: ignore[type-arg]
    leaf, count, index = bytes.fromhex(proof["leaf"]), proof["leaf_count"], proof["leaf_index"]
    path = [bytes.fromhex(node) for node in proof["proof"]]
    root = bytes.fromhex(proof["root"])
    assert root_of_proof(leaf, index, count, path) == root
    for other in {0, 1, count // 2, count - 1, index + 1, count} - {index}:
        assert root_of_proof(leaf, other, count, path) != root
    assert root_of_proof(leaf, index, count, [*path, bytes(32)]) is None
    assert not path or root_of_proof(leaf, index, count, path[:-1]) is None


@given(st.integers(1, 400), st.integers(1, MAX_ENTRIES), st.data())
def test_every_batch_and_entry_has_a_proof(count: int, size: int, data: st.DataObject) -> None:
    tree = DistributionTree(DISTRIBUTION, entries(count), size=size)
    batch = data.draw(st.sampled_from(tree.batches))
    index = data.draw(st.integers(0, len(batch.entries) - 1))
    root = root_of_proof(
        entry_leaf(index, batch.entries[index]), index, len(batch.entries), batch.tree.proof(index)
    )  # fmt: skip
    assert root == batch.entries_root
    leaf = batch_leaf(DISTRIBUTION, batch.index, len(batch.entries), batch.flat_hash, batch.entries_root)
    assert root_of_proof(leaf, batch.index, len(tree.batches), tree.proof(batch.index)) == tree.root
    assert (tree.entries, tree.total) == (count, count * (count + 1) // 2)


def test_the_root_names_the_distribution() -> None:
    assert DistributionTree(bytes(32), entries(3)).root != DistributionTree(DISTRIBUTION, entries(3)).root


def test_a_batch_cannot_be_passed_off_as_an_entry_nor_an_entry_as_a_holding() -> None:
    entry = entries(1)[0]
    assert len({flat_hash([entry]), entry_leaf(0, entry), merkle_root([entry.text])}) == 3


@pytest.mark.parametrize(
    ("found", "error"),
    [
        ([], InputError),
        ([Entry(bytes(31), 255, 1)], InputError),
        (entries(2) + entries(1), InputError),
        ([Entry(bytes(32), 255, 0)], AmountError),
        ([Entry(bytes(32), 256, 1)], AmountError),
        ([Entry(bytes(32), 255, 2**64)], AmountError),
    ],
)
def test_a_list_that_cannot_be_paid_is_refused(found: list[Entry], error: type[Exception]) -> None:
    with pytest.raises(error):
        DistributionTree(DISTRIBUTION, found)


def test_a_batch_that_does_not_fit_a_transaction_is_refused() -> None:
    for size in (0, MAX_ENTRIES + 1):
        with pytest.raises(InputError):
            DistributionTree(DISTRIBUTION, entries(3), size=size)
    with pytest.raises(InputError):
        DistributionTree(DISTRIBUTION, entries(1) * (MAX_BATCHES + 1), size=1)


def test_a_tree_of_no_leaves_is_refused_and_so_is_a_proof_of_none() -> None:
    with pytest.raises(InputError):
        MerkleTree([])
    with pytest.raises(InputError):
        MerkleTree([bytes(32)]).proof(1)


def test_a_hundred_thousand_entries_take_seconds() -> None:
    found = [Entry(place.to_bytes(32, "big"), 255, 1) for place in range(100_000)]
    started = time.process_time()
    tree = DistributionTree(DISTRIBUTION, found)
    assert len(tree.proof(len(tree.batches) - 1)) <= 15
    assert time.process_time() - started < 10
