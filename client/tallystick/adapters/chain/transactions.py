"""Builds transactions of the three versions, and collects their signatures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.compute_budget import (
    set_compute_unit_limit,
    set_compute_unit_price,
    set_loaded_accounts_data_size_limit,
)
from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import Message, MessageV0, MessageV1, TransactionConfig, VersionedMessage
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from tallystick.adapters.chain.signers import TransactionSigner
from tallystick.errors import ChainError, InputError, TallystickError

Version = Literal["legacy", 0, 1]

MAX_COMPUTE_UNITS: Final = 1_400_000
MAX_LOADED_ACCOUNTS_DATA: Final = 64 * 1024 * 1024
_PAGE: Final = 32 * 1024
# Indices are one byte; the compute budget program takes one place.
MAX_ADDRESSES: Final = 255
# Bytes: one IPv6 packet's payload, and SIMD-0296 for version 1.
MAX_TRANSACTION_SIZE: Final[dict[Version, int]] = {"legacy": 1_232, 0: 1_232, 1: 4_096}


def build_transaction(
    instructions: Sequence[Instruction],
    payer: Pubkey,
    blockhash: Hash,
    *,
    version: Version = 0,
    compute_unit_limit: int,
    loaded_accounts_data_size_limit: int | None,
    priority_fee: int = 0,
    lookup_tables: Sequence[AddressLookupTableAccount] = (),
) -> VersionedTransaction:
    """An unsigned transaction that carries its limits.

    `compute_unit_limit` in compute units, `loaded_accounts_data_size_limit` in bytes, `priority_fee` in lamports for
    the whole transaction in every version: legacy and 0 state a price per unit, rounded so as never to pay more.
    Version 1 reads an absent limit as zero (SIMD-0385), so both must be given.
    Raises InputError when a limit is missing or out of range, or the transaction does not fit its version's size.
    """
    _check_limits(version, compute_unit_limit, loaded_accounts_data_size_limit, priority_fee)
    if lookup_tables and version != 0:
        raise InputError("Address lookup tables exist in version 0 alone.", hint="Ask for version 0, or pass none.")
    addresses = {payer} | {i.program_id for i in instructions} | {m.pubkey for i in instructions for m in i.accounts}
    if len(addresses) > MAX_ADDRESSES:
        raise InputError(f"{len(addresses)} accounts are named; a transaction names at most {MAX_ADDRESSES}.")
    message: VersionedMessage
    try:
        if version == 1:
            message = MessageV1.try_compile(
                payer,
                instructions,
                blockhash,
                TransactionConfig(
                    priority_fee=priority_fee or None,
                    compute_unit_limit=compute_unit_limit,
                    loaded_accounts_data_size_limit=loaded_accounts_data_size_limit,
                ),
            )
            message.validate()
        else:
            budget = [set_compute_unit_limit(compute_unit_limit)]
            if loaded_accounts_data_size_limit is not None:
                budget.append(set_loaded_accounts_data_size_limit(loaded_accounts_data_size_limit))
            if priority_fee:
                budget.append(set_compute_unit_price(priority_fee * 1_000_000 // compute_unit_limit))
            everything = [*budget, *instructions]
            if version == 0:
                message = MessageV0.try_compile(payer, everything, list(lookup_tables), blockhash)
            else:
                message = Message.new_with_blockhash(everything, payer, blockhash)
    except Exception as error:  # solders raises several unrelated types here
        raise InputError(f"The instructions do not make a version {version} transaction: {error}") from error
    unsigned = [Signature.default()] * message.header.num_required_signatures
    transaction = VersionedTransaction.populate(message, unsigned)
    size, limit = len(bytes(transaction)), MAX_TRANSACTION_SIZE[version]
    if size > limit:
        raise InputError(
            f"The transaction takes {size} bytes; version {version} allows {limit}.",
            hint="Send fewer instructions at once, or use version 1 (4,096 bytes).",
        )
    return transaction


def _check_limits(version: Version, units: int, data: int | None, fee: int) -> None:
    if version not in MAX_TRANSACTION_SIZE:
        raise InputError(f"Transaction version {version!r} is not one of 'legacy', 0, 1.")
    if not 0 < units <= MAX_COMPUTE_UNITS:
        raise InputError(f"The compute unit limit must be 1 to {MAX_COMPUTE_UNITS:,}, not {units:,}.")
    if data is None and version == 1:
        raise InputError("A version 1 transaction needs a loaded accounts data limit; without it, it loads nothing.")
    if data is not None and not 0 < data <= MAX_LOADED_ACCOUNTS_DATA:
        raise InputError(f"The loaded data limit must be 1 to {MAX_LOADED_ACCOUNTS_DATA:,} bytes, not {data:,}.")
    if fee < 0:
        raise InputError(f"The priority fee must be 0 lamports or more, not {fee}.")


def loaded_data_limit(loaded: int | None) -> int:
    """A limit for what loaded this many bytes when it was simulated: a quarter and two pages more, in whole pages, as
    the runtime loads and charges for them; the most that is allowed where the cluster did not tell."""
    if loaded is None:
        return MAX_LOADED_ACCOUNTS_DATA
    return min(((loaded + loaded // 4) // _PAGE + 2) * _PAGE, MAX_LOADED_ACCOUNTS_DATA)


async def sign_transaction(
    transaction: VersionedTransaction, signers: Sequence[TransactionSigner]
) -> VersionedTransaction:
    """The same message with every required signature, each checked.

    Raises InputError when a required signer is missing or one given is not asked for, ChainError when a signer fails,
    changes the message, or returns a signature that does not verify. Nothing was sent in any of these cases.
    """
    message = transaction.message
    required = message.account_keys[: message.header.num_required_signatures]
    given = [signer.pubkey for signer in signers]
    if missing := [str(key) for key in required if key not in given]:
        raise InputError(f"No signer was given for {', '.join(missing)}.", hint="Add its key to the profile.")
    if extra := [str(key) for key in given if key not in required]:
        raise InputError(f"The transaction does not ask {', '.join(extra)} to sign.", hint="Leave that signer out.")
    for signer in signers:
        try:
            signed = await signer.sign_transaction(transaction)
        except TallystickError:
            raise
        except Exception as error:
            # Only the type is told: a signing service's message is not known to be free of secrets.
            raise ChainError(
                f"Signer {signer.pubkey} did not sign ({type(error).__name__}); nothing was sent.",
                hint="See whether the signing service is up and allows this transaction, then run this again.",
            ) from error
        if signed.transaction.message != message:
            raise ChainError(f"Signer {signer.pubkey} returned another message than it was given; nothing was sent.")
        transaction = signed.transaction
    good = transaction.verify_with_results()
    if bad := [str(key) for key, is_good in zip(required, good, strict=True) if not is_good]:
        raise ChainError(f"The signature of {', '.join(bad)} does not verify; nothing was sent.")
    return transaction


__all__ = [
    "MAX_COMPUTE_UNITS",
    "MAX_LOADED_ACCOUNTS_DATA",
    "MAX_TRANSACTION_SIZE",
    "Version",
    "build_transaction",
    "loaded_data_limit",
    "sign_transaction",
]
