"""Building transactions of the three versions with their limits."""

from __future__ import annotations

import pytest
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV1
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from tallystick.adapters.chain.transactions import MAX_TRANSACTION_SIZE, Version, build_transaction
from tallystick.adapters.chain.wire import limits_of, version_of
from tallystick.errors import InputError

PAYER = Keypair.from_seed(bytes([1] * 32)).pubkey()
PROGRAM = Pubkey.from_bytes(bytes([8] * 32))


def note(size: int = 1, accounts: int = 0) -> Instruction:
    named = [Pubkey.from_bytes(number.to_bytes(32, "big")) for number in range(1, accounts + 1)]
    return Instruction(PROGRAM, bytes(size), [AccountMeta(address, False, True) for address in named])


def build(
    version: Version, *instructions: Instruction, units: int = 9_000, data: int | None = 65_536, fee: int = 0
) -> VersionedTransaction:
    return build_transaction(
        instructions or [note()],
        PAYER,
        Hash.default(),
        version=version,
        compute_unit_limit=units,
        loaded_accounts_data_size_limit=data,
        priority_fee=fee,
    )


@pytest.mark.parametrize("version", ["legacy", 0, 1])
def test_the_limits_and_the_priority_fee_are_the_same_in_every_version(version: Version) -> None:
    transaction = build(version, fee=90)
    limits = limits_of(transaction.message)
    assert version_of(transaction) == version
    assert (limits.units, limits.loaded_data, limits.priority) == (9_000, 65_536, 90)
    assert transaction.signatures == [Signature.default()]


@pytest.mark.parametrize("version", ["legacy", 0])
def test_a_priority_fee_that_does_not_divide_is_rounded_down_and_never_costs_more(version: Version) -> None:
    assert limits_of(build(version, units=700_001, fee=3).message).priority <= 3


def test_version_1_says_its_limits_where_absent_ones_would_be_zero() -> None:
    message = build(1).message
    assert isinstance(message, MessageV1)
    assert (message.config.compute_unit_limit, message.config.loaded_accounts_data_size_limit) == (9_000, 65_536)
    with pytest.raises(InputError, match="loaded accounts data"):
        build(1, data=None)


@pytest.mark.parametrize("version", ["legacy", 0])
def test_the_older_versions_may_leave_the_loaded_data_limit_out(version: Version) -> None:
    assert limits_of(build(version, data=None).message).loaded_data == 64 * 1024 * 1024


@pytest.mark.parametrize(("version", "fits"), [("legacy", 1_000), (0, 1_000), (1, 3_800)])
def test_a_transaction_larger_than_its_version_allows_is_refused_with_both_sizes(version: Version, fits: int) -> None:
    assert len(bytes(build(version, note(fits)))) <= MAX_TRANSACTION_SIZE[version]
    with pytest.raises(InputError, match=f"{MAX_TRANSACTION_SIZE[version]}"):
        build(version, note(fits + 400))


@pytest.mark.parametrize("version", ["legacy", 0, 1])
def test_more_accounts_than_an_index_counts_are_refused(version: Version) -> None:
    with pytest.raises(InputError):
        build(version, note(accounts=300))


@pytest.mark.parametrize(
    ("units", "data", "fee"), [(0, 1, 0), (1_400_001, 1, 0), (1, 0, 0), (1, 64 * 1024 * 1024 + 1, 0), (1, 1, -1)]
)
def test_a_limit_out_of_range_is_refused(units: int, data: int, fee: int) -> None:
    with pytest.raises(InputError):
        build(0, units=units, data=data, fee=fee)


def test_a_version_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match="not one of"):
        build(2)  # type: ignore[arg-type]


def test_lookup_tables_shorten_version_0_and_are_refused_elsewhere() -> None:
    instruction = note(accounts=20)
    table = AddressLookupTableAccount(PROGRAM, [meta.pubkey for meta in instruction.accounts])

    def with_table(version: Version) -> VersionedTransaction:
        return build_transaction(
            [instruction],
            PAYER,
            Hash.default(),
            version=version,
            compute_unit_limit=9_000,
            loaded_accounts_data_size_limit=65_536,
            lookup_tables=[table],
        )

    assert len(bytes(with_table(0))) < len(bytes(build(0, instruction))) - 500
    for version in ("legacy", 1):
        with pytest.raises(InputError, match="version 0 alone"):
            with_table(version)  # type: ignore[arg-type]
