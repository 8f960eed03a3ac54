"""The register of holders, its Merkle tree and its proofs."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tallystick.domain.breaks import BreakKind
from tallystick.domain.merkle import EMPTY_ROOT, MerkleTree, merkle_proof, merkle_root, verify_proof
from tallystick.domain.register import Register, TokenAccount, build_register, supply_break
from tallystick.errors import InputError, LedgerError

# The eight leaves and the roots over the first n of them, as published with RFC 6962's reference implementation.
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_rfc_6962(size: int) -> None:
    assert merkle_root(LEAVES[:size]).hex() == ROOTS[size]


@given(st.lists(st.binary(max_size=12), min_size=1, max_size=40), st.data())
def test_every_leaf_has_a_proof_that_fits_nothing_else(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    root, proof = merkle_root(leaves), merkle_proof(leaves, index)
    assert verify_proof(root, leaves[index], index, len(leaves), proof)
    assert not verify_proof(root, leaves[index] + b"x", index, len(leaves), proof)
    assert not verify_proof(root, leaves[index], index, len(leaves), (*proof, bytes(32)))
    assert not verify_proof(bytes(32), leaves[index], index, len(leaves), proof)
    if proof:
        assert not verify_proof(root, leaves[index], index, len(leaves), proof[:-1])
        assert not verify_proof(root, leaves[index], index, len(leaves), (*proof[:-1], bytes(31)))


def test_a_node_cannot_be_passed_off_as_a_leaf() -> None:
    left, right = (hashlib.sha256(b"\x00" + leaf).digest() for leaf in (b"a", b"b"))
    assert merkle_root([left + right]) != merkle_root([b"a", b"b"])


@pytest.mark.parametrize("index", [-1, 3])
def test_a_proof_for_no_leaf_is_refused(index: int) -> None:
    with pytest.raises(InputError, match="no leaf"):
        merkle_proof([b"a", b"b", b"c"], index)
    assert not verify_proof(merkle_root([b"a", b"b", b"c"]), b"a", index, 3, ())


def account(number: int, owner: int, raw: int, *, frozen: bool = False) -> TokenAccount:
    return TokenAccount(bytes([1]) + number.to_bytes(31, "big"), bytes([owner]) * 32, raw, frozen)


def test_accounts_are_merged_by_owner_in_the_order_of_their_bytes() -> None:
    register = build_register([account(1, 9, 5), account(2, 3, 7), account(3, 9, 1, frozen=True), account(4, 4, 0)])
    assert [(each.owner[0], each.raw, each.frozen_raw, each.accounts) for each in register.entries] == [
        (3, 7, 0, 1),
        (9, 6, 1, 2),
    ]
    assert register.total == 13
    assert register.find(bytes([4]) * 32) is None


def test_the_register_root_is_the_published_one() -> None:
    register = build_register([account(1, 2, 1_000_000), account(2, 1, 250_000)])
    leaves = [bytes([1]) * 32 + (250_000).to_bytes(8, "little"), bytes([2]) * 32 + (1_000_000).to_bytes(8, "little")]
    hashes = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
    assert register.root == hashlib.sha256(b"\x01" + hashes[0] + hashes[1]).digest()
    assert register.root.hex() == "d8830eb4a817dd2f9d829261625def3c2402781d7c4209882bf21bded935eab7"
    assert Register(()).root == EMPTY_ROOT


@given(st.permutations(list(range(6))))
def test_the_root_does_not_depend_on_the_order_of_accounts(order: list[int]) -> None:
    accounts = [account(number, number % 4, number + 1) for number in range(6)]
    assert build_register([accounts[i] for i in order]).root == build_register(accounts).root


def test_each_holder_proves_its_entry_and_no_other_amount() -> None:
    register = build_register([account(number, number + 1, number * 3 + 1) for number in range(7)])
    for entry in register.entries:
        proof = register.proof(entry.owner)
        assert proof.proves(register.root)
        assert not proof.proves(bytes(32))
        more = type(proof)(proof.owner, proof.raw + 1, proof.index, proof.size, proof.path)
        assert not more.proves(register.root)


def test_somebody_who_holds_nothing_has_no_proof() -> None:
    with pytest.raises(LedgerError, match="holds none"):
        build_register([account(1, 1, 1)]).proof(bytes(32))


def test_an_account_listed_twice_is_refused() -> None:
    with pytest.raises(LedgerError, match="listed twice"):
        build_register([account(1, 1, 5), account(1, 1, 6)])


@pytest.mark.parametrize(
    "wrong",
    [
        TokenAccount(bytes(31), bytes(32), 1),
        TokenAccount(bytes(32), bytes(33), 1),
        account(1, 1, -1),
        account(1, 1, 2**64),
    ],
)
def test_an_account_that_cannot_be_is_refused(wrong: TokenAccount) -> None:
    with pytest.raises(LedgerError):
        build_register([wrong])


def test_a_register_that_holds_more_than_a_mint_can_issue_is_refused() -> None:
    with pytest.raises(LedgerError, match="u64"):
        build_register([account(1, 1, 2**63), account(2, 2, 2**63)])


def test_holders_that_do_not_add_up_to_the_supply_are_a_break() -> None:
    register = build_register([account(1, 1, 5)])
    assert supply_break(register, 5, "US0378331005") is None
    found = supply_break(register, 7, "US0378331005", as_of=3)
    assert found is not None
    assert (found.kind, found.amount, found.as_of) == (BreakKind.REGISTER_MISMATCH, -2, 3)


@pytest.mark.parametrize("size", [4_095, 4_096, 4_097, 8_192, 12_288, 12_289, 20_481])
def test_the_root_of_many_leaves_is_that_of_the_tree_over_all_of_them(size: int) -> None:
    leaves = [number.to_bytes(3, "big") for number in range(size)]
    whole = MerkleTree([hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves])
    assert merkle_root(iter(leaves)) == whole.root
