"""What a transaction of any version says of itself: its accounts, its limits and its fee.

Rules: Agave 4.2 (fee and compute budget), SIMD-0170 (default limits), SIMD-0186 (loaded data), SIMD-0385 (version 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solders.message import Message, MessageV0, MessageV1, VersionedMessage
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

LAMPORTS_PER_SIGNATURE = 5_000
MAX_COMPUTE_UNITS = 1_400_000
MAX_LOADED_DATA = 64 * 1024 * 1024
DEFAULT_HEAP = 32 * 1024
_UNITS_PER_INSTRUCTION = 200_000
_UNITS_PER_BUILTIN = 3_000
_MICRO = 1_000_000

COMPUTE_BUDGET_PROGRAM = Pubkey.from_string("ComputeBudget111111111111111111111111111111")
LOOKUP_TABLE_PROGRAM = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
_PRECOMPILES = frozenset(
    Pubkey.from_string(address)
    for address in (
        "Ed25519SigVerify111111111111111111111111111",
        "KeccakSecp256k11111111111111111111111111111",
        "Secp256r1SigVerify1111111111111111111111111",
    )
)
_BUILTINS = _PRECOMPILES | frozenset(
    Pubkey.from_string(address)
    for address in (
        "11111111111111111111111111111111",
        "ComputeBudget111111111111111111111111111111",
        "Vote111111111111111111111111111111111111111",
        "BPFLoader1111111111111111111111111111111111",
        "BPFLoader2111111111111111111111111111111111",
        "BPFLoaderUpgradeab1e11111111111111111111111",
        "LoaderV411111111111111111111111111111111111",
    )
)
_TABLE_HEADER = 56


@dataclass(frozen=True, slots=True)
class Limits:
    """What a transaction may use. `units` and `heap` as the runtime counts them, `loaded_data` in bytes.

    `priority` is the part of the fee above the signatures, in lamports.
    """

    units: int
    loaded_data: int
    heap: int
    priority: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """Addresses a version 0 transaction takes from lookup tables, in the order the runtime appends them."""

    writable: tuple[Pubkey, ...] = ()
    readonly: tuple[Pubkey, ...] = ()
    tables: int = 0


class LookupFailed(Exception):  # noqa: N818 - carries the runtime's own name for the failure
    """A lookup table could not be read; `args[0]` is Agave's name for why."""


def version_of(transaction: VersionedTransaction) -> int | str:
    """`"legacy"`, 0 or 1."""
    message = transaction.message
    if isinstance(message, Message):
        return "legacy"
    return 0 if isinstance(message, MessageV0) else 1


def sane(transaction: VersionedTransaction) -> bool:
    """Whether the offsets hold, and no instruction is addressed to the fee payer."""
    message = transaction.message
    try:
        transaction.sanitize()
    except Exception:  # solders raises several types here, and each means the same
        return False
    signatures = message.header.num_required_signatures
    if signatures != len(transaction.signatures) or not 0 < signatures <= len(message.account_keys):
        return False
    count = len(message.account_keys)
    return all(0 < each.program_id_index < count for each in message.instructions)


def is_writable(message: VersionedMessage, index: int) -> bool:
    """Whether the message asks to write its static account `index`."""
    header = message.header
    signers = header.num_required_signatures
    if index < signers:
        return index < signers - header.num_readonly_signed_accounts
    return index < len(message.account_keys) - header.num_readonly_unsigned_accounts


def lookups(message: VersionedMessage) -> Sequence[tuple[Pubkey, bytes, bytes]]:
    """Each lookup table named, with the indexes wanted writable and read-only."""
    if not isinstance(message, MessageV0):
        return ()
    return [
        (each.account_key, bytes(each.writable_indexes), bytes(each.readonly_indexes))
        for each in message.address_table_lookups
    ]


def table_addresses(data: bytes, indexes: bytes) -> list[Pubkey]:
    """The addresses at `indexes` of a lookup table's account data."""
    if len(data) < _TABLE_HEADER:
        raise LookupFailed("InvalidAddressLookupTableData")
    found = []
    for index in indexes:
        start = _TABLE_HEADER + 32 * index
        if start + 32 > len(data):
            raise LookupFailed("InvalidAddressLookupTableIndex")
        found.append(Pubkey.from_bytes(data[start : start + 32]))
    return found


def limits_of(message: VersionedMessage) -> Limits:
    """The limits asked for; version 1 says them in its header, where what is not said is 0."""
    if isinstance(message, MessageV1):
        config = message.config
        return Limits(
            min(config.compute_unit_limit or 0, MAX_COMPUTE_UNITS),
            min(config.loaded_accounts_data_size_limit or 0, MAX_LOADED_DATA),
            config.heap_size or DEFAULT_HEAP,
            config.priority_fee or 0,
        )
    keys = message.account_keys
    units: int | None = None
    loaded, heap, price, others, builtins = MAX_LOADED_DATA, DEFAULT_HEAP, 0, 0, 0
    for each in message.instructions:
        program = keys[each.program_id_index]
        if program in _BUILTINS:
            builtins += 1
        else:
            others += 1
        if program != COMPUTE_BUDGET_PROGRAM or not each.data:
            continue
        kind, argument = each.data[0], bytes(each.data[1:])
        if kind == 1 and len(argument) >= 4:
            heap = int.from_bytes(argument[:4], "little")
        elif kind == 2 and len(argument) >= 4:
            units = int.from_bytes(argument[:4], "little")
        elif kind == 3 and len(argument) >= 8:
            price = int.from_bytes(argument[:8], "little")
        elif kind == 4 and len(argument) >= 4:
            loaded = int.from_bytes(argument[:4], "little")
    if units is None:
        units = others * _UNITS_PER_INSTRUCTION + builtins * _UNITS_PER_BUILTIN
    units = min(units, MAX_COMPUTE_UNITS)
    return Limits(units, min(loaded, MAX_LOADED_DATA), heap, -(-price * units // _MICRO))


def fee_of(message: VersionedMessage) -> int:
    """Lamports the fee payer owes: 5,000 a signature, those inside precompile instructions too, and the priority."""
    keys = message.account_keys
    signatures = message.header.num_required_signatures
    for each in message.instructions:
        if each.data and keys[each.program_id_index] in _PRECOMPILES:
            signatures += each.data[0]
    return LAMPORTS_PER_SIGNATURE * signatures + limits_of(message).priority


def cost_units(message: VersionedMessage, *, writable: int, units: int, loaded_data: int) -> int:
    """Agave's block cost of a transaction: signatures, write locks, instruction bytes, execution, loaded pages."""
    data = sum(len(each.data) for each in message.instructions) // 4
    pages = -(-loaded_data // 32_768)
    return 720 * message.header.num_required_signatures + 300 * writable + data + units + 8 * pages
